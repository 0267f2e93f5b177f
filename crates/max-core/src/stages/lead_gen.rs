//! LeadGen: is this somebody the agency can help? A score from listed factors, each with evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, Next, Work};
use crate::lead::{Lead, MessageKind, Outcome};
use crate::policy::Policy;

/// The verdict on a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Qualification {
    /// The language the client writes (BCP 47).
    pub language: String,
    /// 0 to 100, the sum of the factors' points.
    pub score: u8,
    /// The score from which a lead was a fit.
    pub threshold: u8,
    /// What the score is made of.
    pub factors: Vec<Factor>,
    /// The decision.
    pub decision: Decision,
    /// The decision's reason, in a sentence.
    pub reason: String,
    /// The services the client asks for, by id.
    #[serde(default)]
    pub services: Vec<String>,
}

/// One factor of the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// What is looked at: `fit`, `budget`, `authority`, `need` or `time`.
    pub name: String,
    /// The points given.
    pub points: u8,
    /// The most it can give.
    pub most: u8,
    /// Words of the lead that show it, or nothing when it is unknown. Unknown never counts as good.
    pub evidence: Option<String>,
}

/// What is decided about a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The agency can help.
    Fit,
    /// The lead's words could not be judged, because they are in a language that is not read here. Nobody is turned
    /// away for that: the first reply says so and asks.
    Unclear,
    /// The agency cannot; the client is told politely.
    NotAFit,
    /// Nobody who wants anything.
    Spam,
}

pub(super) fn check(lead: &Lead, q: &Qualification, work: &Work, policy: &Policy, findings: &mut Vec<Finding>) {
    let sum: u32 = q.factors.iter().map(|f| u32::from(f.points)).sum();
    if sum != u32::from(q.score) || q.score > 100 {
        findings.push(Finding::new("LG-1", format!("the score {} is not the sum of its factors, {sum}", q.score)));
    }
    let said = said(lead);
    for factor in &q.factors {
        if factor.points > factor.most {
            findings.push(Finding::new(
                "LG-1",
                format!("factor {} gives more than its {} points", factor.name, factor.most),
            ));
        }
        match &factor.evidence {
            None if factor.points > 0 => {
                findings.push(Finding::new(
                    "LG-2",
                    format!("factor {} is unknown but counts {}", factor.name, factor.points),
                ));
            }
            Some(quote) if !said.contains(&quote.to_lowercase()) => {
                findings
                    .push(Finding::new("LG-1", format!("the evidence for {} stands nowhere in the lead", factor.name)));
            }
            _ => {}
        }
    }
    if q.threshold != policy.qualification_cut {
        findings
            .push(Finding::new("LG-5", format!("the threshold is {}, not {}", policy.qualification_cut, q.threshold)));
    }
    if q.decision == Decision::Fit && q.score < q.threshold {
        findings.push(Finding::new(
            "LG-5",
            format!("{} is below the threshold {}, so this is no fit", q.score, q.threshold),
        ));
    }
    let polite_no = work.messages.iter().any(|m| m.kind == MessageKind::Decline);
    if (q.decision == Decision::NotAFit) != polite_no && !lead.contact.email.is_empty() {
        findings.push(Finding::new("LG-7", "a lead that is not a fit gets a polite answer, and only that one does"));
    }
    if q.decision != Decision::NotAFit && !work.messages.is_empty() {
        findings.push(Finding::new("LG-7", "LeadGen writes to nobody but a lead that is not a fit"));
    }
}

pub(super) fn next(q: &Qualification) -> Next {
    match q.decision {
        Decision::Fit | Decision::Unclear => Next::Advance,
        Decision::NotAFit => Next::Close { outcome: Outcome::Disqualified, reason: q.reason.clone() },
        Decision::Spam => Next::Close { outcome: Outcome::Spam, reason: q.reason.clone() },
    }
}

/// Everything the lead brought with it, in lower case, for finding quotes.
fn said(lead: &Lead) -> String {
    let contact = &lead.contact;
    let mut text = contact.message.clone();
    let more = [&contact.company, &contact.role, &contact.website, &contact.budget, &contact.timeline, &contact.source];
    for field in more.into_iter().flatten().chain([&contact.name, &contact.email]) {
        text.push('\n');
        text.push_str(field);
    }
    text.to_lowercase()
}
