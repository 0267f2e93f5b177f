//! LeadGen: is this somebody the agency can help? A score from listed factors, each with evidence or unknown; what
//! was looked up, with its source; a decision with its threshold, and how a person reviews it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, Next, Work};
use crate::id::{Digest, LeadId};
use crate::lead::{Direction, Lead, MessageKind, Outcome, mail_domain, site_domain};
use crate::policy::Policy;
use crate::rules::{Rule, Weight};
use crate::stage::Stage;

/// What is checked here.
pub const RULES: &[Rule] = &[
    Rule {
        id: "LG-1",
        says: "The score is 0 to 100 and the sum of fit, budget, authority, need and time, each with words of the lead.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_score",
        test: "lg_1_the_score_is_the_sum_of_listed_factors_with_evidence",
    },
    Rule {
        id: "LG-2",
        says: "What is unknown counts nothing.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_score",
        test: "lg_2_unknown_never_counts_as_good",
    },
    Rule {
        id: "LG-3",
        says: "The same words get the same score, give or take five.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_same_score",
        test: "lg_3_the_same_input_gets_the_same_score",
    },
    Rule {
        id: "LG-4",
        says: "What was looked up names its address and time, comes from what the lead gave, and is no protected trait.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_enrichment",
        test: "lg_4_enrichment_names_its_source_and_guesses_no_trait",
    },
    Rule {
        id: "LG-5",
        says: "Decision, threshold and reason are recorded and agree with the score.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_decision",
        test: "lg_5_decision_and_threshold_agree_with_the_score",
    },
    Rule {
        id: "LG-6",
        says: "While a factor is unknown, the next best question is named.",
        weight: Weight::Advises,
        check: "stages::lead_gen::check_next_question",
        test: "lg_6_an_unknown_factor_has_a_next_question",
    },
    Rule {
        id: "LG-7",
        says: "Only a lead that is not a fit is written to, politely, and it always is.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_messages",
        test: "lg_7_only_a_lead_that_is_no_fit_is_written_to",
    },
    Rule {
        id: "LG-8",
        says: "A rejection says how a person reviews it.",
        weight: Weight::Refuses,
        check: "stages::lead_gen::check_review",
        test: "lg_8_a_rejection_says_how_a_person_reviews_it",
    },
];

/// The factors that a score may be made of (rule LG-1).
pub const FACTORS: [&str; 5] = ["fit", "budget", "authority", "need", "time"];

/// What may be looked up about a lead (rule LG-4). No person's traits among it.
pub const LOOKED_UP: [&str; 2] = ["mail_domain", "website"];

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
    /// What was looked up, with its source.
    #[serde(default)]
    pub enrichment: Vec<Enriched>,
    /// Leads that may be the same client. A person merges them, or not.
    #[serde(default)]
    pub possible_duplicates: Vec<Duplicate>,
    /// What would tell most about the lead, asked next.
    #[serde(default)]
    pub next_question: Option<String>,
    /// Where a client who was turned away reaches the person who reviews it.
    #[serde(default)]
    pub review_by: Option<String>,
    /// What was judged: [`given`] at the time.
    #[serde(default)]
    pub judged: Option<Digest>,
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

/// Something that was looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enriched {
    /// What: one of [`LOOKED_UP`].
    pub field: String,
    /// What was found.
    pub value: String,
    /// Where.
    pub url: String,
    /// When.
    pub at: Timestamp,
}

/// A lead that may be the same client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// The other lead.
    pub lead: LeadId,
    /// What they share, in a sentence.
    pub why: String,
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

/// The digest of all that a lead gave to be judged by: what came in and how often the client has written since.
pub fn given(lead: &Lead) -> Digest {
    let heard = lead.messages.iter().filter(|m| m.direction == Direction::In).count();
    Digest::of_json(&(&lead.contact, heard))
}

pub(super) fn check(lead: &Lead, q: &Qualification, work: &Work, policy: &Policy, findings: &mut Vec<Finding>) {
    check_score(lead, q, findings);
    check_same_score(lead, q, findings);
    check_enrichment(lead, q, findings);
    check_decision(q, policy, findings);
    check_next_question(q, findings);
    check_messages(lead, q, work, findings);
    check_review(q, work, findings);
}

fn check_score(lead: &Lead, q: &Qualification, findings: &mut Vec<Finding>) {
    let sum: u32 = q.factors.iter().map(|f| u32::from(f.points)).sum();
    if sum != u32::from(q.score) || q.score > 100 {
        findings.push(
            Finding::new("LG-1", format!("the score {} is not the sum of its factors, {sum}", q.score))
                .at("score")
                .mend("add the factors' points up; they end at 100"),
        );
    }
    let said = said(lead);
    for (index, factor) in q.factors.iter().enumerate() {
        let place = format!("factors[{index}]");
        if !FACTORS.contains(&factor.name.as_str()) || q.factors.iter().take(index).any(|f| f.name == factor.name) {
            findings.push(
                Finding::new("LG-1", format!("`{}` is no factor of its own", factor.name))
                    .at(&place)
                    .mend(format!("use each of {} at most once", FACTORS.join(", "))),
            );
        }
        if factor.points > factor.most {
            let detail = format!("factor {} gives more than its {} points", factor.name, factor.most);
            findings.push(Finding::new("LG-1", detail).at(&place));
        }
        match &factor.evidence {
            None if factor.points > 0 => findings.push(
                Finding::new("LG-2", format!("factor {} is unknown but counts {}", factor.name, factor.points))
                    .at(&place)
                    .mend("quote the lead, or give no points"),
            ),
            Some(quote) if quote.trim().is_empty() || !said.contains(&quote.to_lowercase()) => findings.push(
                Finding::new("LG-1", format!("the evidence for {} stands nowhere in the lead", factor.name))
                    .at(&place)
                    .mend("quote the lead's own words, letter by letter"),
            ),
            _ => {}
        }
    }
}

/// Only a lead that has given nothing new is compared: more words may well change a score.
fn check_same_score(lead: &Lead, q: &Qualification, findings: &mut Vec<Finding>) {
    let now = given(lead);
    if q.judged.is_some_and(|judged| judged != now) {
        findings.push(
            Finding::new("LG-3", "what was judged is not what the lead has given")
                .at("judged")
                .mend("judge the lead as it is now, or leave the digest out"),
        );
    }
    let Some(before) = lead.stage_value::<Qualification>(Stage::LeadGen, "qualification") else { return };
    if before.judged == Some(now) && before.score.abs_diff(q.score) > 5 {
        findings.push(
            Finding::new("LG-3", format!("the same words had {} points before and now have {}", before.score, q.score))
                .at("score")
                .mend("judge by the words of the lead alone"),
        );
    }
}

fn check_enrichment(lead: &Lead, q: &Qualification, findings: &mut Vec<Finding>) {
    let contact = &lead.contact;
    let given: Vec<String> =
        contact.website.as_deref().and_then(site_domain).into_iter().chain(mail_domain(&contact.email)).collect();
    for (index, found) in q.enrichment.iter().enumerate() {
        let mut finding = |detail: String, remedy: &str| {
            findings.push(Finding::new("LG-4", detail).at(format!("enrichment[{index}]")).mend(remedy));
        };
        if !LOOKED_UP.contains(&found.field.as_str()) {
            finding(format!("`{}` is nothing that may be looked up", found.field), "leave it out");
        }
        let secure = found.url.starts_with("https://") || found.url.starts_with("http://");
        let host = site_domain(&found.url).filter(|_| secure);
        if host.is_none_or(|host| !given.contains(&host)) {
            finding(
                format!("`{}` is no address that the lead gave", found.url),
                "look only at the web site and the mail domain of the lead",
            );
        }
        if found.value.trim().is_empty() || found.at < lead.created_at {
            finding(format!("`{}` was found without a value or before the lead came", found.field), "leave it out");
        }
    }
}

fn check_decision(q: &Qualification, policy: &Policy, findings: &mut Vec<Finding>) {
    let mut finding = |detail: String, place: &str, remedy: &str| {
        findings.push(Finding::new("LG-5", detail).at(place).mend(remedy));
    };
    if q.threshold != policy.qualification_cut {
        finding(
            format!("the threshold is {}, not {}", policy.qualification_cut, q.threshold),
            "threshold",
            "use the agency's threshold",
        );
    }
    if q.decision == Decision::Fit && q.score < q.threshold {
        finding(
            format!("{} is below the threshold {}, so this is no fit", q.score, q.threshold),
            "decision",
            "decide `not_a_fit`, or `unclear` for a language that is not read here",
        );
    }
    if q.reason.trim().is_empty() {
        finding("the decision has no reason".into(), "reason", "say it in a sentence");
    }
}

fn check_next_question(q: &Qualification, findings: &mut Vec<Finding>) {
    let asks = q.next_question.as_deref().is_some_and(|question| !question.trim().is_empty());
    let open = q.decision == Decision::Fit && q.factors.iter().any(|f| f.evidence.is_none());
    if open && !asks {
        findings.push(
            Finding::new("LG-6", "a factor is unknown and nothing is asked about it")
                .at("next_question")
                .mend("name the question that would tell most"),
        );
    }
}

fn check_messages(lead: &Lead, q: &Qualification, work: &Work, findings: &mut Vec<Finding>) {
    let polite_no = work.messages.iter().any(|m| m.kind == MessageKind::Decline);
    if (q.decision == Decision::NotAFit) != polite_no && !lead.contact.email.is_empty() {
        findings.push(Finding::new("LG-7", "a lead that is not a fit gets a polite answer, and only that one does"));
    }
    if q.decision != Decision::NotAFit && !work.messages.is_empty() {
        findings.push(Finding::new("LG-7", "LeadGen writes to nobody but a lead that is not a fit"));
    }
}

/// No decision of weight about a person is a machine's alone (GDPR 22): the client hears where a person looks again.
fn check_review(q: &Qualification, work: &Work, findings: &mut Vec<Finding>) {
    if q.decision != Decision::NotAFit {
        return;
    }
    let by = q.review_by.as_deref().map(str::trim).filter(|by| !by.is_empty());
    let said = |by: &str| work.messages.iter().all(|m| m.body.contains(by));
    if !by.is_some_and(said) {
        findings.push(
            Finding::new("LG-8", "the rejection does not say where a person looks at it again")
                .at("review_by")
                .mend("name the address in `review_by` and in the mail"),
        );
    }
}

/// What a review by a person comes to: `max lead reopen` takes the lead up again.
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
