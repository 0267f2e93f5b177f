//! Closer: a priced proposal, the contract, the signature, the deposit. Every sum is computed here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoping::{Priority, Scope};
use super::{Finding, Next, Work};
use crate::id::Digest;
use crate::lead::{ApprovalKind, Lead};
use crate::policy::{Policy, RateCard};
use crate::stage::Stage;

/// An offer: what each requirement costs, what is due when. Amounts are minor units (cents).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// 1 for the first, counted up by negotiation.
    pub revision: u32,
    /// ISO 4217.
    pub currency: String,
    /// What is paid for.
    pub lines: Vec<PriceLine>,
    /// Discount over all levers together, in basis points of the list price.
    pub discount_basis_points: u32,
    /// What the client gives for it; must be said when there is a discount.
    #[serde(default)]
    pub in_return: String,
    /// Sum of the lines.
    pub list_minor: i64,
    /// After the discount, before tax.
    pub net_minor: i64,
    /// The tax.
    pub vat_minor: i64,
    /// Its rate in basis points.
    pub vat_basis_points: u32,
    /// What the client pays.
    pub gross_minor: i64,
    /// When it is due; the shares sum to the gross total to the cent.
    pub schedule: Vec<Payment>,
    /// The last day of validity.
    pub valid_until: Date,
}

/// One line of an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceLine {
    /// What it is.
    pub text: String,
    /// The requirements it pays for.
    pub requirements: Vec<String>,
    /// Quarters of a day.
    pub quarter_days: u32,
    /// The price of a day.
    pub day_rate_minor: i64,
    /// The line's price.
    pub total_minor: i64,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// What makes it due.
    pub on: String,
    /// How much.
    pub gross_minor: i64,
}

impl Proposal {
    /// Prices a scope: each requirement that is not a Won't by its effort and the rate card. The formula of a line is
    /// `quarter_days / 4 * day rate`, rounded half up to the cent.
    pub fn price(scope: &Scope, rates: &RateCard, policy: &Policy, discount_basis_points: u32, today: Date) -> Self {
        let lines: Vec<PriceLine> = scope
            .requirements
            .iter()
            .filter(|r| r.priority != Priority::Wont)
            .map(|r| {
                let rate = rates.services.get(&r.service).copied().unwrap_or(rates.day_rate_minor);
                PriceLine {
                    text: r.text.clone(),
                    requirements: vec![r.id.clone()],
                    quarter_days: r.effort_quarter_days,
                    day_rate_minor: rate,
                    total_minor: line_total(r.effort_quarter_days, rate),
                }
            })
            .collect();
        let list = lines.iter().map(|l| l.total_minor).sum::<i64>();
        let net = list - share(list, discount_basis_points);
        let vat = share(net, rates.vat_basis_points);
        let gross = net + vat;
        let deposit = share(gross, policy.deposit_basis_points);
        let mut schedule = Vec::new();
        if deposit > 0 {
            schedule.push(Payment { on: "signature".into(), gross_minor: deposit });
        }
        schedule.push(Payment { on: "acceptance".into(), gross_minor: gross - deposit });
        Self {
            revision: 1,
            currency: rates.currency.clone(),
            lines,
            discount_basis_points,
            in_return: String::new(),
            list_minor: list,
            net_minor: net,
            vat_minor: vat,
            vat_basis_points: rates.vat_basis_points,
            gross_minor: gross,
            schedule,
            valid_until: today.saturating_add(jiff::Span::new().days(i64::from(rates.valid_days))),
        }
    }

    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let discount = match self.discount_basis_points {
            0 => String::new(),
            points => format!(", {}.{:02} % discount", points / 100, points % 100),
        };
        format!(
            "send the proposal to {}: {} gross{discount}",
            lead.contact.display_name(),
            money(self.gross_minor, &self.currency)
        )
    }
}

/// The contract: the owner's clauses with their slots filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The clauses used, by id of the owner's library, with the version's digest.
    pub clauses: BTreeMap<String, Digest>,
    /// SHA-256 of the contract as the client reads it.
    pub document: Digest,
    /// The file that holds it.
    pub file: String,
    /// The proposal's revision it stands on.
    pub proposal_revision: u32,
    /// What the client pays, in minor units; must be the proposal's.
    pub gross_minor: i64,
}

impl Contract {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!("send the contract to {} for signature", lead.contact.display_name())
    }
}

/// The contract is signed; what is due now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractSigned {
    /// The deposit in minor units, 0 for none.
    pub deposit_minor: i64,
    /// ISO 4217.
    pub currency: String,
}

pub(super) fn after_signature(signed: &ContractSigned, policy: &Policy) -> Next {
    if !policy.wants_deposit() || signed.deposit_minor == 0 {
        return Next::Advance;
    }
    Next::Advance.approved(
        ApprovalKind::Deposit,
        format!("confirm that the deposit of {} arrived", money(signed.deposit_minor, &signed.currency)),
        policy,
    )
}

pub(super) fn check_proposal(lead: &Lead, p: &Proposal, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else {
        findings.push(Finding::new("X-4", "there is no scope to price"));
        return;
    };
    check_unsigned(lead, findings);
    let mut priced = BTreeSet::new();
    for line in &p.lines {
        if line.total_minor != line_total(line.quarter_days, line.day_rate_minor) {
            findings.push(Finding::new("X-5", format!("the line `{}` is not days times rate", line.text)));
        }
        let rates = &policy.rate_card;
        if line.day_rate_minor != rates.day_rate_minor && !rates.services.values().any(|r| *r == line.day_rate_minor) {
            findings.push(Finding::new(
                "PC-3",
                format!("the line `{}` uses a rate that the rate card does not know", line.text),
            ));
        }
        for id in &line.requirements {
            if scope.requirement(id).is_none() {
                findings
                    .push(Finding::new("PC-3", format!("the line `{}` prices {id}, which is in no scope", line.text)));
            }
            if !priced.insert(id.as_str()) {
                findings.push(Finding::new("PC-3", format!("{id} is priced twice")));
            }
        }
    }
    for must in scope.musts() {
        if !priced.contains(must.id.as_str()) {
            findings.push(Finding::new("PC-3", format!("{} is a Must and is not priced", must.id)));
        }
    }
    let list: i64 = p.lines.iter().map(|l| l.total_minor).sum();
    let net = list - share(list, p.discount_basis_points);
    let vat = share(net, policy.rate_card.vat_basis_points);
    if (p.list_minor, p.net_minor, p.vat_minor, p.gross_minor) != (list, net, vat, net + vat) {
        findings.push(Finding::new("X-5", "list, net, tax and gross do not follow from the lines"));
    }
    if p.schedule.iter().map(|s| s.gross_minor).sum::<i64>() != p.gross_minor {
        findings.push(Finding::new("X-5", "the payments do not sum to the gross total"));
    }
    if p.discount_basis_points > policy.discount_limit_basis_points {
        findings.push(Finding::new("PC-5", "nobody may give this discount"));
    }
    if p.discount_basis_points > 0 && p.in_return.trim().is_empty() {
        findings.push(Finding::new("PC-6", "a discount says what is given in return"));
    }
}

pub(super) fn check_contract(lead: &Lead, c: &Contract, work: &Work, findings: &mut Vec<Finding>) {
    match lead.stage_value::<Proposal>(Stage::Closer, "proposal") {
        Some(p) if p.revision == c.proposal_revision && p.gross_minor == c.gross_minor => {}
        _ => findings.push(Finding::new("PC-4", "the contract stands on another offer than the one sent")),
    }
    check_unsigned(lead, findings);
    let stored = work.artifacts.iter().any(|a| a.name == c.file && a.sha256 == c.document);
    if !stored {
        findings.push(Finding::new("X-4", "the contract's file and digest do not agree"));
    }
    if c.clauses.is_empty() {
        findings.push(Finding::new("PC-10", "a contract is made of the owner's clauses"));
    }
}

/// What is signed stands; it is changed by a change order only.
fn check_unsigned(lead: &Lead, findings: &mut Vec<Finding>) {
    if lead.signature.is_some() {
        findings.push(Finding::new("PC-4", "the contract is signed; what changes now is a change order"));
    }
}

pub(super) fn check_signed(lead: &Lead, signed: &ContractSigned, findings: &mut Vec<Finding>) {
    if lead.signature.is_none() {
        findings.push(Finding::new("ON-1", "the contract is not signed"));
    }
    let Some(proposal) = lead.stage_value::<Proposal>(Stage::Closer, "proposal") else { return };
    let due: i64 = proposal.schedule.iter().filter(|p| p.on == "signature").map(|p| p.gross_minor).sum();
    if signed.deposit_minor != due {
        findings
            .push(Finding::new("X-5", format!("the deposit is {due}, not {}, in minor units", signed.deposit_minor)));
    }
}

/// `quarter_days / 4 * rate`, rounded half up.
fn line_total(quarter_days: u32, day_rate_minor: i64) -> i64 {
    let quarters = i64::from(quarter_days).saturating_mul(day_rate_minor);
    (quarters + 2).div_euclid(4)
}

/// A share in basis points, rounded half up.
fn share(amount: i64, basis_points: u32) -> i64 {
    (amount.saturating_mul(i64::from(basis_points)) + 5_000).div_euclid(10_000)
}

/// An amount for people: `1234.50 EUR`. Locale-aware output is the documents' business.
pub fn money(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} {currency}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_lines_round_half_up() {
        assert_eq!(share(12_345, 1_900), 2_346);
        assert_eq!(share(50, 1_000), 5);
        assert_eq!(line_total(3, 80_000), 60_000);
        assert_eq!(line_total(1, 33_333), 8_333);
        assert_eq!(money(-5, "EUR"), "-0.05 EUR");
    }
}
