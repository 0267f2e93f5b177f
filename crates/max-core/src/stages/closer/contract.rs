//! The contract: which clauses it is made of, what they were filled with, what it costs, and the annex.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::proposal::{OptionKind, Payment, Proposal, VatShare};
use super::{Finding, texts};
use crate::id::Digest;
use crate::lead::Lead;
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::Work;
use crate::stages::scoping::Scope;

/// The contract: the owner's clauses with their slots filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The clauses used, by id of the owner's library, with the version's digest.
    pub clauses: BTreeMap<String, Digest>,
    /// SHA-256 of the file that the client signs.
    pub document: Digest,
    /// That file, the PDF. `contract.json` holds everything else: a file's digest cannot stand in what it is made from.
    pub file: String,
    /// The proposal's revision it stands on.
    pub proposal_revision: u32,
    /// What the client pays, in minor units; must be the proposal's.
    pub gross_minor: i64,
    /// The option of the proposal that the client accepted; nothing for an offer without options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<OptionKind>,
    /// SHA-256 of the approved scope, which is part of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Digest>,
    /// The language of the clauses, so that their texts can be looked up in the owner's library.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// What each slot of the clauses was filled with.
    #[serde(default)]
    pub slots: BTreeMap<String, String>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub currency: String,
    /// The net price of the accepted option.
    #[serde(default)]
    pub net_minor: i64,
    /// The tax by rate.
    #[serde(default)]
    pub vat: Vec<VatShare>,
    /// The payments.
    #[serde(default)]
    pub schedule: Vec<Payment>,
    /// Every requirement with its price line and its acceptance.
    #[serde(default)]
    pub annex: Vec<AnnexLine>,
}

/// One requirement of the contract's annex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnexLine {
    /// Its id, `R-001` ….
    pub requirement: String,
    /// What it is.
    pub text: String,
    /// How it is accepted.
    pub acceptance: String,
    /// The number of the price line that pays for it, 1 for the first.
    pub price_line: u32,
    /// That line's list price, in minor units.
    pub price_minor: i64,
}

impl Contract {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!("send the contract to {} for signature", lead.contact.display_name())
    }
}

/// What the agency promises for the time after the work, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Days after acceptance in which defects are mended without charge.
    pub warranty_days: u16,
    /// Years after the last sign-off for which the project's records are kept.
    pub retention_years: u16,
}

impl Promised {
    /// What the signed contract says; where there is none, or it is older than such a number, what the agency says today.
    /// Clause, certificate and closing all take their numbers from here.
    pub fn of(lead: &Lead, policy: &Policy) -> Self {
        let slots = lead.stage_value::<Contract>(Stage::Closer, "contract").map(|c| c.slots).unwrap_or_default();
        let number = |slot: &str| slots.get(slot).and_then(|text| text.trim().parse().ok());
        let usual = &policy.rate_card.terms;
        Self {
            warranty_days: number("warranty_days").unwrap_or(usual.warranty_days),
            retention_years: number("retention_years").unwrap_or(usual.retention_years),
        }
    }
}

/// What a contract has to speak of; a clause's id names its topic: `05-price`.
pub const TOPICS: [&str; 17] = [
    "parties",
    "scope",
    "deliverables",
    "timetable",
    "price",
    "late-payment",
    "changes",
    "revisions",
    "acceptance",
    "rights",
    "warranty",
    "confidentiality",
    "data",
    "liability",
    "termination",
    "law",
    "ai",
];

/// Everything about a contract.
pub(crate) fn check_contract(lead: &Lead, c: &Contract, work: &Work, policy: &Policy, findings: &mut Vec<Finding>) {
    unsigned(lead, findings);
    let stored = work.artifacts.iter().any(|a| a.name == c.file && a.sha256 == c.document);
    if !stored {
        findings.push(Finding::new("X-4", "the contract's file and digest do not agree").at(c.file.clone()));
    }
    if c.scope.is_some() && c.scope != lead.approved_scope {
        findings.push(Finding::new("X-4", "the contract names another scope than the approved one").at("scope"));
    }
    clauses(c, policy, findings);
    let offer = lead.stage_value::<Proposal>(Stage::Closer, "proposal");
    let offer = match c.option {
        Some(kind) => offer.and_then(|o| o.with(kind)),
        None => offer,
    };
    let Some(offer) = offer.filter(|o| o.revision == c.proposal_revision && o.gross_minor == c.gross_minor) else {
        findings.push(Finding::new("X-4", "the contract stands on another offer than the one sent"));
        return;
    };
    figures(c, &offer, findings);
    if let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") {
        annex(c, &offer, &scope, findings);
        let slots = serde_json::to_value(&c.slots).unwrap_or_default();
        texts::contract_figures(&offer, &scope, &slots, work, findings);
    }
}

/// PC-10: the owner's clauses, as they are, on every topic.
fn clauses(c: &Contract, policy: &Policy, findings: &mut Vec<Finding>) {
    if c.clauses.is_empty() {
        findings.push(Finding::new("PC-10", "a contract is made of the owner's clauses").at("clauses"));
        return;
    }
    // Without any library nothing can be compared; without this language the contract is nobody's.
    if policy.clauses.values().all(BTreeMap::is_empty) {
        return;
    }
    let none = BTreeMap::new();
    let library = policy.clauses.get(&c.language).unwrap_or(&none);
    for (id, digest) in &c.clauses {
        if *digest == Digest::of(b"") {
            let detail = format!("the clause `{id}` is empty");
            findings.push(Finding::new("PC-10", detail).at("clauses").mend("write the clause in clauses/"));
        }
        if library.get(id) != Some(digest) {
            let detail = format!("the clause `{id}` is not the owner's");
            findings.push(Finding::new("PC-10", detail).at("clauses").mend("use the clause as it stands in clauses/"));
        }
    }
    let topics: BTreeSet<&str> = c.clauses.keys().map(|id| topic(id)).collect();
    for missing in TOPICS.iter().filter(|topic| !topics.contains(*topic)) {
        let detail = format!("no clause speaks of `{missing}`");
        let mend = format!("add a clause whose file name ends in `-{missing}.md`");
        findings.push(Finding::new("PC-10", detail).at("clauses").mend(mend));
    }
}

/// `05-late-payment` -> `late-payment`.
fn topic(id: &str) -> &str {
    id.split_once('-').filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit())).map_or(id, |(_, topic)| topic)
}

/// the figures are those of the accepted option.
fn figures(c: &Contract, offer: &Proposal, findings: &mut Vec<Finding>) {
    let same = c.net_minor == offer.net_minor && c.vat == offer.vat && c.schedule == offer.schedule;
    if !same || c.currency != offer.currency {
        findings.push(Finding::new("X-5", "net, tax and payments of the contract are not those of the offer"));
    }
}

/// Every requirement that is paid for stands in the annex once, as the scope words it and as the offer prices it.
fn annex(c: &Contract, offer: &Proposal, scope: &Scope, findings: &mut Vec<Finding>) {
    let mut found = |detail: String| findings.push(Finding::new("X-4", detail).at("annex"));
    let mut seen = BTreeSet::new();
    for line in &c.annex {
        if !seen.insert(line.requirement.as_str()) {
            found(format!("{} stands in the annex twice", line.requirement));
        }
        let worded = scope.requirement(&line.requirement);
        if worded.is_none_or(|r| r.text != line.text || r.acceptance != line.acceptance) {
            found(format!("{} of the annex is not worded as in the scope", line.requirement));
        }
        let at = usize::try_from(line.price_line).unwrap_or_default().checked_sub(1);
        let priced = at.and_then(|at| offer.lines.get(at));
        let pays =
            |l: &&super::PriceLine| l.requirements.contains(&line.requirement) && l.total_minor == line.price_minor;
        if priced.filter(pays).is_none() {
            found(format!("{} of the annex is not priced as in the offer", line.requirement));
        }
    }
    for id in offer.lines.iter().flat_map(|l| &l.requirements).filter(|id| !seen.contains(id.as_str())) {
        found(format!("{id} is paid for and does not stand in the annex"));
    }
}

/// PC-12: what is signed stands; it is changed by a change order only.
pub(super) fn unsigned(lead: &Lead, findings: &mut Vec<Finding>) {
    if lead.signature.is_some() {
        findings.push(Finding::new("PC-12", "the contract is signed; what changes now is a change order"));
    }
}
