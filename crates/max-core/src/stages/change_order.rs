//! A change after the signature: numbered, priced like the offer, with its effect on the dates. The signed contract
//! itself is never touched (rule PC-12); what applies is the contract and its change orders in order.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Finding;
use super::closer::Proposal;
use super::closer::price::{self, line_total, share};
use super::closer::proposal::{Payment, PriceLine, VatShare};
use super::scoping::Requirement;
use crate::id::Digest;
use crate::policy::RateCard;

/// A change of scope, price or dates, for both sides to sign before its work starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrder {
    /// 1 for the first of a contract; [`id`](Self::id) writes it `CO-1`.
    pub number: u32,
    /// The signed contract it changes.
    pub contract: Digest,
    /// Why, in a sentence.
    pub reason: String,
    /// The message that asked for it (an id), empty when the agency proposes it.
    #[serde(default)]
    pub source: String,
    /// The client's words that asked for it.
    #[serde(default)]
    pub quote: String,
    /// Requirements that come to the scope, with ids of their own.
    pub added: Vec<Requirement>,
    /// Requirements of the scope that fall away, by id.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// What the added ones cost.
    pub lines: Vec<PriceLine>,
    /// What falls away of the agreed price, at the agreed prices.
    #[serde(default)]
    pub credits: Vec<PriceLine>,
    /// ISO 4217.
    pub currency: String,
    /// Lines less credits; less than 0 when the project gets cheaper.
    pub net_minor: i64,
    /// The tax by rate.
    pub vat: Vec<VatShare>,
    /// The tax.
    pub vat_minor: i64,
    /// What the client pays more, or less.
    pub gross_minor: i64,
    /// When it is due; sums to the gross price.
    pub schedule: Vec<Payment>,
    /// Quarters of a day that come to the work; less than 0 when work falls away.
    pub quarter_days: i64,
    /// What becomes of the dates.
    pub shifts: Vec<DateShift>,
    /// The last day on which it may be signed.
    pub valid_until: Date,
}

/// A date that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateShift {
    /// The milestone.
    pub milestone: String,
    /// When it was due.
    pub from: Date,
    /// When it is due then.
    pub to: Date,
}

/// What a change is made of, besides its prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// 1 for the first.
    pub number: u32,
    /// The signed contract.
    pub contract: Digest,
    /// Why.
    pub reason: String,
    /// The message that asked for it, or nothing.
    pub source: String,
    /// The client's words.
    pub quote: String,
    /// What comes to it.
    pub added: Vec<Requirement>,
    /// What falls away, by id.
    pub dropped: Vec<String>,
    /// What becomes of the dates.
    pub shifts: Vec<DateShift>,
}

impl ChangeOrder {
    /// Prices a change: what is added by the rate card, what falls away at the price that was agreed for it.
    pub fn price(change: Change, agreed: &Proposal, rates: &RateCard, today: Date) -> Self {
        let lines: Vec<PriceLine> = change.added.iter().map(|r| price::line(r, rates)).collect();
        let credits: Vec<PriceLine> = change.dropped.iter().filter_map(|id| agreed.line_of(id)).cloned().collect();
        let sums = Sums::of(&lines, &credits, rates.vat_basis_points);
        let schedule = vec![Payment { on: "acceptance".into(), gross_minor: sums.gross }];
        Self {
            number: change.number,
            contract: change.contract,
            reason: change.reason,
            source: change.source,
            quote: change.quote,
            added: change.added,
            dropped: change.dropped,
            quarter_days: quarters(&lines) - quarters(&credits),
            lines,
            credits,
            currency: agreed.currency.clone(),
            net_minor: sums.net,
            vat: sums.vat,
            vat_minor: sums.vat_minor,
            gross_minor: sums.gross,
            schedule,
            shifts: change.shifts,
            valid_until: today.saturating_add(jiff::Span::new().days(i64::from(rates.valid_days))),
        }
    }

    /// `CO-1`.
    pub fn id(&self) -> String {
        format!("CO-{}", self.number)
    }

    /// Every requirement it touches.
    pub fn requirements(&self) -> impl Iterator<Item = &str> {
        self.added.iter().map(|r| r.id.as_str()).chain(self.dropped.iter().map(String::as_str))
    }

    /// What is wrong with it in itself: its sums, its lines, its dates. `before` is the number of change orders that
    /// the contract has already.
    pub fn check(&self, before: u32, findings: &mut Vec<Finding>) {
        if self.number != before + 1 {
            let detail = format!("the next change order of this contract is CO-{}, not {}", before + 1, self.id());
            findings.push(Finding::new("PC-12", detail).at("number"));
        }
        if self.added.is_empty() && self.dropped.is_empty() && self.shifts.is_empty() {
            let detail = format!("{} changes no requirement and no date", self.id());
            findings.push(Finding::new("PC-12", detail).mend("name what is added, dropped or moved"));
        }
        if self.reason.trim().is_empty() {
            findings.push(Finding::new("PC-12", format!("{} gives no reason", self.id())).at("reason"));
        }
        for line in self.lines.iter().chain(&self.credits) {
            if line.total_minor != line_total(line.quarter_days, line.day_rate_minor) {
                let detail = format!("the line `{}` of {} is not days times rate", line.text, self.id());
                findings.push(Finding::new("X-5", detail));
            }
        }
        let usual = self.vat.first().map_or(0, |v| v.basis_points);
        let sums = Sums::of(&self.lines, &self.credits, usual);
        let given = (self.net_minor, self.vat_minor, self.gross_minor);
        let paid = self.schedule.iter().map(|p| p.gross_minor).fold(0, i64::saturating_add);
        if given.0 != sums.net || given.1 != self.vat.iter().map(|v| v.vat_minor).sum::<i64>() {
            findings.push(Finding::new("X-5", format!("net and tax of {} do not follow from its lines", self.id())));
        }
        if given.0.saturating_add(given.1) != given.2 || paid != given.2 {
            findings.push(Finding::new("X-5", format!("net, tax, gross and payments of {} do not sum up", self.id())));
        }
        if self.vat.iter().any(|v| v.vat_minor != share(v.net_minor, v.basis_points)) {
            findings.push(Finding::new("X-5", format!("a tax of {} is not its rate", self.id())));
        }
    }
}

fn quarters(lines: &[PriceLine]) -> i64 {
    lines.iter().map(|l| i64::from(l.quarter_days)).sum()
}

struct Sums {
    net: i64,
    vat: Vec<VatShare>,
    vat_minor: i64,
    gross: i64,
}

impl Sums {
    fn of(lines: &[PriceLine], credits: &[PriceLine], usual: u32) -> Self {
        let mut by_rate = std::collections::BTreeMap::<u32, i64>::new();
        for (sign, line) in lines.iter().map(|l| (1, l)).chain(credits.iter().map(|l| (-1, l))) {
            *by_rate.entry(line.vat_basis_points.unwrap_or(usual)).or_default() += sign * line.total_minor;
        }
        let vat: Vec<VatShare> = by_rate
            .into_iter()
            .map(|(basis_points, net_minor)| VatShare {
                basis_points,
                net_minor,
                vat_minor: share(net_minor, basis_points),
            })
            .collect();
        let net = vat.iter().map(|v| v.net_minor).sum();
        let vat_minor = vat.iter().map(|v| v.vat_minor).sum();
        Self { net, vat, vat_minor, gross: net + vat_minor }
    }
}
