//! What each stage needs, delivers and leads to: one module of one shape for each.
//!
//! A mind submits [`Work`]: a typed [`StageResult`], messages it would like to send and the artifacts it
//! wrote. [`check`] is what code decides about it, [`next`] is what may follow. Neither trusts the mind:
//! sums are computed again, and what follows is a function of the result's type, not of its wish.
//!
//! To add a kind of result: give it a type in its stage's module, a variant here, its rules in the
//! module's `check` and what follows in the module's `next`.

pub mod change_order;
pub mod closer;
pub mod delivery_pm;
pub mod first_responder;
pub mod lead_gen;
pub mod onboarding;
pub mod orchestra;
pub mod scoping;
pub mod sources;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::lead::{ApprovalKind, ClientAsk, Draft, Lead, MessageKind, Need, Outcome, Task, TaskReason};
use crate::policy::Policy;
use crate::rules::{self, Weight};
use crate::stage::Stage;

/// What a mind submits for one turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The typed result.
    pub result: StageResult,
    /// Messages it would like to send to the client, in order.
    #[serde(default)]
    pub messages: Vec<Draft>,
    /// Files it has stored, by name inside the stage's folder. Their content is stored before the submission.
    #[serde(default)]
    pub artifacts: Vec<StoredArtifact>,
    /// What happened, in a sentence or two, for the history.
    pub summary: String,
    /// Which voice did it.
    #[serde(default)]
    pub voice: String,
    /// Voices that were asked before and did not deliver, each with the class of its failure: `claude: rate_limited`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<String>,
}

/// A file that stands in the artifact store already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredArtifact {
    /// Its name inside the stage's folder.
    pub name: String,
    /// What it holds.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
}

/// The typed result of a turn. Closed: anything else is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one at a time is made, checked and stored; boxes would only hide it")]
pub enum StageResult {
    /// LeadGen: score and decision.
    Qualification(lead_gen::Qualification),
    /// FirstResponder: an answer to the client, and the conversation goes on.
    Reply(first_responder::Reply),
    /// FirstResponder: who the client is; the lead is ready for scoping.
    Profile(first_responder::Profile),
    /// Scoping: bid or no bid.
    Bid(scoping::Bid),
    /// Scoping: what has to be asked.
    Questions(scoping::Questions),
    /// Scoping: the scope.
    Scope(scoping::Scope),
    /// Orchestra: the mockup.
    Mockup(orchestra::Mockup),
    /// Closer: the priced proposal, also a revised one.
    Proposal(closer::Proposal),
    /// Closer: the contract.
    Contract(closer::Contract),
    /// Closer: the contract is signed.
    ContractSigned(closer::ContractSigned),
    /// Onboarding: the checklist with what was done.
    Checklist(onboarding::Checklist),
    /// DeliveryPM: the plan.
    Plan(delivery_pm::Plan),
    /// DeliveryPM: how the project stands.
    StatusReport(delivery_pm::StatusReport),
    /// DeliveryPM: what the client asks for, sorted.
    RequestSorted(delivery_pm::RequestSorted),
    /// DeliveryPM: a change order, for the client to sign.
    ChangeOrder(delivery_pm::ChangeOrderReady),
    /// DeliveryPM: a milestone is ready for sign-off.
    MilestoneReady(delivery_pm::MilestoneReady),
    /// DeliveryPM: everything is signed off.
    ProjectClosed(delivery_pm::ProjectClosed),
    /// Any stage: a follow-up to a silent client.
    FollowUp(FollowUp),
    /// Any stage: the client said no.
    Withdrawn(Withdrawn),
    /// Any stage: an ordinary answer while the wait goes on.
    Answer(Answer),
    /// Any stage: the mind cannot go on and says why.
    NeedsPerson(NeedsPerson),
    /// Core Orchestra: what to do about an escalation.
    Recommendation(Recommendation),
}

impl StageResult {
    /// The word for this kind of result.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Qualification(_) => "qualification",
            Self::Reply(_) => "reply",
            Self::Profile(_) => "profile",
            Self::Bid(_) => "bid",
            Self::Questions(_) => "questions",
            Self::Scope(_) => "scope",
            Self::Mockup(_) => "mockup",
            Self::Proposal(_) => "proposal",
            Self::Contract(_) => "contract",
            Self::ContractSigned(_) => "contract_signed",
            Self::Checklist(_) => "checklist",
            Self::Plan(_) => "plan",
            Self::StatusReport(_) => "status_report",
            Self::RequestSorted(_) => "request_sorted",
            Self::ChangeOrder(_) => "change_order",
            Self::MilestoneReady(_) => "milestone_ready",
            Self::ProjectClosed(_) => "project_closed",
            Self::FollowUp(_) => "follow_up",
            Self::Withdrawn(_) => "withdrawn",
            Self::Answer(_) => "answer",
            Self::NeedsPerson(_) => "needs_person",
            Self::Recommendation(_) => "recommendation",
        }
    }

    /// The stage whose result this is, or nothing where any stage may give it.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Qualification(_) => Some(Stage::LeadGen),
            Self::Reply(_) | Self::Profile(_) => Some(Stage::FirstResponder),
            Self::Bid(_) | Self::Questions(_) | Self::Scope(_) => Some(Stage::Scoping),
            Self::Mockup(_) => Some(Stage::Orchestra),
            Self::Proposal(_) | Self::Contract(_) | Self::ContractSigned(_) => Some(Stage::Closer),
            Self::Checklist(_) => Some(Stage::Onboarding),
            Self::Plan(_)
            | Self::StatusReport(_)
            | Self::RequestSorted(_)
            | Self::ChangeOrder(_)
            | Self::MilestoneReady(_)
            | Self::ProjectClosed(_) => Some(Stage::DeliveryPM),
            Self::FollowUp(_)
            | Self::Withdrawn(_)
            | Self::Answer(_)
            | Self::NeedsPerson(_)
            | Self::Recommendation(_) => None,
        }
    }
}

/// A follow-up to a silent client; its text is the one message of the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// 1 for the first.
    pub number: u8,
}

/// The client said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Why, in the client's words where he gave any.
    pub reason: String,
}

/// An ordinary answer; what was asked of the client before is still asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What is asked of the client from now on.
    pub ask: ClientAsk,
}

/// The mind cannot go on alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedsPerson {
    /// Why, in a sentence.
    pub reason: String,
}

/// The Core Orchestra's answer to an escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// True to try the stage again at once; false to pass the lead to a person.
    pub retry: bool,
    /// What a person should do, in a sentence.
    pub advice: String,
}

/// What follows on a turn's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Next {
    /// On to the next stage.
    Advance,
    /// Another turn of the same stage at once.
    Continue,
    /// The messages go out and the client is waited for.
    AskClient {
        /// What the client is asked for.
        ask: ClientAsk,
    },
    /// The messages are held until a person approves.
    Approve {
        /// What is decided.
        kind: ApprovalKind,
        /// One line for the queue.
        title: String,
        /// What follows on approval.
        then: Box<Next>,
    },
    /// The lead ends.
    Close {
        /// How.
        outcome: Outcome,
        /// Why, in a sentence.
        reason: String,
    },
    /// A person has to look.
    Escalate {
        /// Why, in a sentence.
        reason: String,
    },
}

impl Next {
    /// Holds `self` for a person's approval where the agency's policy wants one for `kind`.
    #[must_use]
    pub fn approved(self, kind: ApprovalKind, title: impl Into<String>, policy: &Policy) -> Next {
        if policy.needs_approval(kind) {
            Next::Approve { kind, title: title.into(), then: Box::new(self) }
        } else {
            self
        }
    }
}

/// Something a check found, with the rule it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id, such as `LG-1`.
    pub rule: String,
    /// What it does.
    #[serde(default)]
    pub weight: Weight,
    /// Where: a file, a field, an id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What is wrong.
    pub detail: String,
    /// How it is mended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Finding {
    /// A finding of `rule`, with the rule's weight.
    pub fn new(rule: &str, detail: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            weight: rules::find(rule).map_or(Weight::Refuses, |rule| rule.weight),
            place: String::new(),
            detail: detail.into(),
            remedy: String::new(),
        }
    }

    /// The same, saying where.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// The same, saying how it is mended.
    #[must_use]
    pub fn mend(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

/// What the stage cannot do without, if it is missing.
pub fn missing_need(lead: &Lead, stage: Stage, policy: &Policy) -> Option<Need> {
    match stage {
        Stage::LeadGen | Stage::FirstResponder | Stage::Scoping => None,
        Stage::Orchestra | Stage::Closer => lead.approved_scope.is_none().then_some(Need::ApprovedScope),
        Stage::Onboarding | Stage::DeliveryPM => match (&lead.signature, lead.deposit_confirmed) {
            (None, _) => Some(Need::Signature),
            (Some(_), false) if policy.wants_deposit() => Some(Need::Deposit),
            _ => None,
        },
    }
}

/// What code finds wrong with the work. Empty means it may count.
pub fn check(lead: &Lead, task: &Task, work: &Work, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let review = matches!(task.reason, TaskReason::Review { .. });
    if review != matches!(work.result, StageResult::Recommendation(_)) {
        findings.push(Finding::new("X-0", "a review is answered with a recommendation, and only a review is"));
    }
    if let Some(stage) = work.result.stage()
        && stage != lead.stage
    {
        findings.push(Finding::new(
            "X-0",
            format!("a {} belongs to {stage}, but the lead is in {}", work.result.name(), lead.stage),
        ));
    }
    for draft in &work.messages {
        if draft.body.trim().is_empty() || draft.subject.trim().is_empty() {
            findings.push(Finding::new("X-1", "a message needs a subject and a text"));
        }
        if draft.subject.contains(['\r', '\n']) {
            findings.push(Finding::new("X-1", "a subject is one line"));
        }
        if let Some(word) = placeholder(&draft.body).or_else(|| placeholder(&draft.subject)) {
            findings.push(Finding::new("X-2", format!("the message still holds the placeholder `{word}`; fill it in")));
        }
        for name in &draft.attachments {
            let known = work.artifacts.iter().any(|a| a.name == *name)
                || lead.artifacts.iter().any(|a| a.stage == lead.stage && a.name == *name);
            if !known {
                findings.push(Finding::new("X-4", format!("the attachment `{name}` is no artifact of this stage")));
            }
        }
    }
    first_responder::check_every_mail(lead, work, &mut findings);
    if work.messages.iter().filter(|m| m.kind == MessageKind::Receipt).any(|m| !m.attachments.is_empty()) {
        findings.push(Finding::new("X-1", "a receipt says that a message arrived and carries nothing"));
    }
    for (index, artifact) in work.artifacts.iter().enumerate() {
        if work.artifacts.iter().skip(index + 1).any(|other| other.name == artifact.name) {
            findings.push(Finding::new("X-4", format!("the file `{}` is submitted twice", artifact.name)));
        }
        if !is_artifact_name(&artifact.name) {
            findings
                .push(Finding::new("X-4", format!("`{}` is no artifact name: use A-Z a-z 0-9 . _ - /", artifact.name)));
        }
    }
    if work.summary.trim().is_empty() {
        findings.push(Finding::new("X-1", "the work needs a summary"));
    }
    match &work.result {
        StageResult::Qualification(q) => lead_gen::check(lead, q, work, policy, &mut findings),
        StageResult::Reply(_) | StageResult::Profile(_) => first_responder::check(lead, work, policy, &mut findings),
        StageResult::Questions(q) => scoping::check_questions(q, work, &mut findings),
        StageResult::Bid(b) => scoping::check_bid(b, task, &mut findings),
        StageResult::Scope(s) => scoping::check_scope(lead, s, work, policy, &mut findings),
        StageResult::Mockup(m) => orchestra::check(lead, m, work, &mut findings),
        StageResult::Proposal(p) => closer::check_proposal(lead, p, work, policy, &mut findings),
        StageResult::Contract(c) => closer::check_contract(lead, c, work, policy, &mut findings),
        StageResult::ContractSigned(s) => closer::check_signed(lead, s, &mut findings),
        StageResult::Checklist(c) => onboarding::check(lead, c, work, policy, &mut findings),
        StageResult::Plan(p) => delivery_pm::check_plan(lead, p, policy, &mut findings),
        StageResult::StatusReport(r) => delivery_pm::check_report(lead, r, work, policy, &mut findings),
        StageResult::RequestSorted(r) => delivery_pm::check_sorted(lead, r, &mut findings),
        StageResult::ChangeOrder(c) => delivery_pm::check_order(lead, c, work, policy, &mut findings),
        StageResult::MilestoneReady(m) => delivery_pm::check_milestone(lead, m, work, &mut findings),
        StageResult::ProjectClosed(c) => delivery_pm::check_closed(lead, c, policy, &mut findings),
        StageResult::FollowUp(f) => check_follow_up(lead, task, f, work, &mut findings),
        StageResult::Answer(a) => check_answer(lead, a, &mut findings),
        StageResult::Withdrawn(_) | StageResult::NeedsPerson(_) | StageResult::Recommendation(_) => {}
    }
    findings
}

/// What the client's own words tell about the work: quotes that nobody said, wishes that nobody took up. `said` holds
/// the texts of his messages, by id.
pub fn check_said(lead: &Lead, work: &Work, said: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    sources::check(lead, &work.result, said, &mut findings);
    if let StageResult::Scope(scope) = &work.result {
        scoping::check_heard(lead, scope, said, &mut findings);
    }
    findings
}

/// What follows on checked work.
pub fn next(lead: &Lead, task: &Task, work: &Work, policy: &Policy) -> Next {
    match &work.result {
        StageResult::Qualification(q) => lead_gen::next(q).released(work, "the polite no", policy),
        StageResult::Reply(_) => Next::AskClient { ask: ClientAsk::Reply }.approved(
            ApprovalKind::Reply,
            "release the reply to the client",
            policy,
        ),
        StageResult::Profile(_) => Next::Advance.released(work, "the reply", policy),
        StageResult::Bid(b) => scoping::next_of_bid(b, lead, work, policy),
        StageResult::Questions(_) => {
            Next::AskClient { ask: ClientAsk::Answers }.released(work, "the questions", policy)
        }
        StageResult::Scope(s) => Next::Advance.approved(ApprovalKind::Scope, s.title(lead), policy),
        StageResult::Mockup(m) => Next::Advance.approved(ApprovalKind::Mockup, m.title(lead), policy),
        StageResult::Proposal(p) => closer::after_proposal(lead, p, policy),
        StageResult::Contract(c) => Next::AskClient { ask: ClientAsk::Signature { document: c.document } }.approved(
            ApprovalKind::Contract,
            c.title(lead),
            policy,
        ),
        StageResult::ContractSigned(s) => {
            closer::after_signature(lead, s, policy).released(work, "the letter about the deposit", policy)
        }
        StageResult::Checklist(c) => Next::Advance.approved(ApprovalKind::ManualSteps, c.title(lead), policy),
        StageResult::Plan(_) => Next::Continue.released(work, "the plan", policy),
        StageResult::StatusReport(_) => delivery_pm::after_report(lead).released(work, "the status report", policy),
        StageResult::RequestSorted(_) => Next::Continue.released(work, "the answer", policy),
        StageResult::ChangeOrder(c) => {
            Next::AskClient { ask: ClientAsk::ChangeOrder { number: c.order.number, document: c.document } }.approved(
                ApprovalKind::ChangeOrder,
                c.title(lead),
                policy,
            )
        }
        StageResult::MilestoneReady(m) => {
            Next::AskClient { ask: ClientAsk::Milestone { id: m.id.clone(), document: m.document } }.approved(
                ApprovalKind::Milestone,
                format!("hand milestone {} to the client", m.id),
                policy,
            )
        }
        StageResult::ProjectClosed(c) => Next::Close { outcome: Outcome::Delivered, reason: c.reason.clone() }
            .released(work, "the closing letter", policy),
        StageResult::FollowUp(_) => match task.reason {
            TaskReason::FollowUp { last: true, .. } => {
                Next::Close { outcome: Outcome::Lost, reason: "the client stayed silent through all follow-ups".into() }
            }
            // `apply` keeps what was asked before; the ask here is only the fallback.
            _ => Next::AskClient { ask: default_ask(lead) },
        }
        .released(work, "the follow-up", policy),
        StageResult::Withdrawn(w) => {
            Next::Close { outcome: Outcome::Lost, reason: w.reason.clone() }.released(work, "the goodbye", policy)
        }
        StageResult::Answer(a) => Next::AskClient { ask: a.ask.clone() }.approved(
            ApprovalKind::Reply,
            "release the answer to the client",
            policy,
        ),
        StageResult::NeedsPerson(n) => Next::Escalate { reason: n.reason.clone() },
        StageResult::Recommendation(_) => Next::Continue,
    }
}

impl Next {
    /// Holds mail that no other kind of approval covers, where a person releases replies.
    fn released(self, work: &Work, what: &str, policy: &Policy) -> Next {
        if work.messages.iter().all(|draft| draft.kind == MessageKind::Receipt) {
            self
        } else {
            self.approved(ApprovalKind::Reply, format!("release {what} to the client"), policy)
        }
    }
}

/// What a stage waits for when nothing more particular is known.
fn default_ask(lead: &Lead) -> ClientAsk {
    match lead.stage {
        Stage::Scoping => ClientAsk::Answers,
        Stage::Closer => ClientAsk::Decision,
        _ => ClientAsk::Reply,
    }
}

/// An answer goes on asking; only a contract or a milestone, approved by a person, asks for a new signature.
fn check_answer(lead: &Lead, answer: &Answer, findings: &mut Vec<Finding>) {
    let asked = lead.last_wait.as_ref().map(|wait| &wait.ask);
    if answer.ask.document().is_some() && asked != Some(&answer.ask) {
        findings.push(Finding::new("PC-12", "an answer asks for no other signature than the one asked for before"));
    }
    let signed = lead.signature.iter().chain(lead.accepted_milestones.values()).chain(lead.signed_changes.values());
    if answer.ask.document().is_some_and(|asked| signed.into_iter().any(|s| s.document == asked)) {
        findings.push(Finding::new("PC-12", "this document is signed already; go on"));
    }
}

fn check_follow_up(lead: &Lead, task: &Task, follow_up: &FollowUp, work: &Work, findings: &mut Vec<Finding>) {
    match task.reason {
        TaskReason::FollowUp { number, .. } if number == follow_up.number => {}
        _ => findings.push(Finding::new("FU-1", "no follow-up with this number was asked for")),
    }
    if work.messages.len() != 1 {
        findings.push(Finding::new("FU-2", "a follow-up is exactly one message"));
    }
    for draft in &work.messages {
        let text = Digest::of(draft.body.as_bytes());
        if lead.messages.iter().any(|m| m.text == text) {
            findings.push(Finding::new("FU-3", "this text was sent before; a follow-up never says the same twice"));
        }
    }
}

/// True for a relative path of plain segments: nothing that could leave the stage's folder or hide.
pub fn is_artifact_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
}

/// The first unfilled placeholder in a text, if there is one (rule X-2).
pub fn placeholder(text: &str) -> Option<&'static str> {
    ["lorem ipsum", "{{", "}}", "[client", "TBD", "TODO", "XXX", "NaN", "undefined"].into_iter().find(|word| {
        if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            has_word(text, word)
        } else {
            text.to_lowercase().contains(word)
        }
    })
}

/// `1 screen`, `2 screens`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|w| w == word)
}
