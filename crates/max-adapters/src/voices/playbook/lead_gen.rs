//! LeadGen: score the lead from five factors, each with the client's words as evidence.
//!
//! [`factors`] finds the evidence, [`spam`] tells advertising from an enquiry, [`language`] what it is written in.

pub mod factors;
mod language;
mod report;
mod spam;

use max_core::lead::{Lead, MessageKind, mail_domain, site_domain};
use max_core::policy::Service;
use max_core::stages::StageResult;
use max_core::stages::lead_gen::{Decision, Duplicate, Enriched, Factor, Qualification, given};
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::scoping;
use super::text::{self, Said};
use super::turn::{Turn, file, json};

pub use language::{language, language_of};

/// What is judged about a lead, by rules here or by a model. What follows from it is the same for both.
pub struct Judgement {
    /// Whether it advertises something and asks for nothing.
    pub spam: bool,
    /// The services that are asked for, offered or not.
    pub wanted: Vec<Service>,
    /// All five.
    pub factors: Vec<Factor>,
    /// Why, in the judge's own words; the rules have none beyond their count.
    pub remark: Option<String>,
    /// What would tell most about the lead.
    pub next_question: Option<String>,
}

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    conclude(turn, judge(turn))
}

/// The verdict, its files, and the polite no where it is one.
pub fn conclude(turn: &Turn, judgement: Judgement) -> Result<Thought, CallFail> {
    let (decision, mut reason) = decide(turn, &judgement);
    if let Some(remark) = judgement.remark.filter(|remark| !remark.is_empty()) {
        reason = format!("{reason}. {remark}");
    }
    let (offered, others): (Vec<Service>, Vec<Service>) = judgement.wanted.into_iter().partition(|s| s.offered);
    let review_by = (decision == Decision::NotAFit).then(|| turn.agency.profile.mail.clone());
    let messages = match decision {
        Decision::NotAFit => {
            let service = others.first().filter(|_| offered.is_empty());
            let service = service.map_or("", |s| turn.agency.service_name(&s.id, turn.lang));
            turn.mail(MessageKind::Decline, "decline", context! { service })?
        }
        Decision::Fit | Decision::Unclear | Decision::Spam => Vec::new(),
    };
    let result = Qualification {
        language: language(turn.lead),
        score: score(&judgement.factors),
        threshold: turn.policy.qualification_cut,
        next_question: judgement.next_question,
        factors: judgement.factors,
        decision,
        reason,
        services: offered.iter().chain(&others).map(|s| s.id.clone()).collect(),
        enrichment: enrichment(turn),
        possible_duplicates: duplicates(turn),
        review_by,
        judged: Some(given(turn.lead)),
    };
    let report = file("qualification.md", report::report(turn, &result).markdown());
    Ok(Thought {
        summary: summary(&result),
        files: vec![json("qualification.json", &result)?, report],
        result: StageResult::Qualification(result),
        messages,
    })
}

/// By rules: words that show a factor, services by their keywords.
fn judge(turn: &Turn) -> Judgement {
    let said = Said::new(text::head(&brought(turn.lead), 20_000));
    let wanted = turn.wanted_in(&said.original);
    let offered: Vec<Service> = wanted.iter().filter(|s| s.offered).cloned().collect();
    let factors = factors::all(turn, &said, &offered);
    Judgement {
        spam: spam::is_spam(&said, &offered),
        next_question: next_question(turn, &factors),
        wanted,
        factors,
        remark: None,
    }
}

fn score(factors: &[Factor]) -> u8 {
    factors.iter().map(|f| f.points).fold(0, u8::saturating_add)
}

fn decide(turn: &Turn, judgement: &Judgement) -> (Decision, String) {
    let (offered, others): (Vec<&Service>, Vec<&Service>) = judgement.wanted.iter().partition(|s| s.offered);
    let score = score(&judgement.factors);
    let threshold = turn.policy.qualification_cut;
    if judgement.spam {
        (Decision::Spam, "it advertises something and asks for nothing we do".to_owned())
    } else if offered.is_empty() && !others.is_empty() {
        (Decision::NotAFit, format!("we do not offer {}", names(&others)))
    } else if score >= threshold {
        (Decision::Fit, format!("{score} of 100 points, {threshold} needed; asks for {}", names(&offered)))
    } else if let Some(unread) = turn.foreign_language() {
        (Decision::Unclear, format!("it is written in {unread}, which the playbook cannot judge; asking in English"))
    } else {
        (Decision::NotAFit, format!("{score} of 100 points, {threshold} needed"))
    }
}

/// Everything the lead brought with it.
fn brought(lead: &Lead) -> String {
    let contact = &lead.contact;
    let mut all = text::head(&contact.message, 18_000).to_owned();
    for field in [&contact.company, &contact.role, &contact.budget, &contact.timeline].into_iter().flatten() {
        all.push('\n');
        all.push_str(text::head(field, 400));
    }
    all
}

/// The question about the unknown factor that weighs most, in the client's language.
fn next_question(turn: &Turn, factors: &[Factor]) -> Option<String> {
    let open = factors.iter().filter(|f| f.evidence.is_none()).max_by_key(|f| f.most)?;
    let topic = match open.name.as_str() {
        "budget" => "budget",
        "time" => "timeline",
        "authority" => "decision",
        _ => "audience",
    };
    let question = turn.agency.catalog.questions.iter().find(|q| q.topic == topic);
    question.or_else(|| scoping::unknown(turn).into_iter().next()).map(|q| q.text.get(turn.lang).to_owned())
}

/// What the addresses that the lead gave say about the company. Nothing is fetched, and nothing about a person guessed.
fn enrichment(turn: &Turn) -> Vec<Enriched> {
    let contact = &turn.lead.contact;
    let found = |field: &str, domain: String| Enriched {
        field: field.into(),
        url: format!("https://{domain}/"),
        value: domain,
        at: turn.brief.now,
    };
    let website = contact.website.as_deref().and_then(site_domain).map(|d| found("website", d));
    let mail = mail_domain(&contact.email).map(|d| found("mail_domain", d));
    website.into_iter().chain(mail).collect()
}

/// Other leads of the same company, for a person to merge or not.
fn duplicates(turn: &Turn) -> Vec<Duplicate> {
    let related = turn.brief.related.iter().filter(|r| r.lead != turn.lead.id);
    related.map(|r| Duplicate { lead: r.lead, why: format!("both belong to {}", r.domain) }).collect()
}

fn summary(q: &Qualification) -> String {
    let mut summary = format!("Score {} of 100: {}", q.score, q.reason);
    if let Some(other) = q.possible_duplicates.first() {
        summary.push_str(&format!(
            ". Perhaps the same client as lead {} ({}): a person may merge them with `max lead close --outcome merged \
             --into {0}`",
            other.lead, other.why
        ));
    }
    summary
}

fn names(services: &[&Service]) -> String {
    if services.is_empty() {
        return "nothing we know".into();
    }
    services.iter().map(|s| s.name.to_lowercase()).collect::<Vec<_>>().join(", ")
}
