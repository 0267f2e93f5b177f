//! Readings of the log for people and programs: the conversation, the approvals, what happened.

use max_core::apply::{known_who_asked, waiver};
use max_core::event::{Entry, Event};
use max_core::id::{ApprovalId, MessageId};
use max_core::lead::{
    Actor, Approval, ApprovalKind, Delivery, Direction, Message, MessageKind, Purpose, Through, Wish,
};
use max_core::stage::Stage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ports::Logged;

/// A message with how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageView {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// How far it has come.
    pub delivery: Delivery,
    /// Why it was held or failed, if it was.
    pub note: Option<String>,
}

/// The conversation as the log tells it, oldest first.
pub fn messages(log: &[Logged]) -> Vec<MessageView> {
    let mut messages: Vec<MessageView> = Vec::new();
    for Logged { entry, .. } in log {
        for event in &entry.events {
            match event {
                Event::LeadIngested { lead, message } | Event::LeadImported { lead, message, .. } => {
                    messages.push(received(first_message(entry, lead, *message)));
                }
                Event::MessageReceived { message } => messages.push(received((**message).clone())),
                Event::MessageQueued { message } => {
                    messages.push(MessageView { message: (**message).clone(), delivery: Delivery::Queued, note: None });
                }
                Event::MessageReleased { message, .. } => set(&mut messages, *message, Delivery::Sending, None),
                Event::MessageSent { message } => set(&mut messages, *message, Delivery::Sent, None),
                Event::MessageHeld { message, why } => set(&mut messages, *message, Delivery::Held, Some(why)),
                Event::MessageFailed { message, error } => set(&mut messages, *message, Delivery::Failed, Some(error)),
                _ => {}
            }
        }
    }
    messages
}

fn received(message: Message) -> MessageView {
    MessageView { message, delivery: Delivery::Received, note: None }
}

fn set(messages: &mut [MessageView], id: MessageId, delivery: Delivery, note: Option<&String>) {
    if let Some(view) = messages.iter_mut().find(|view| view.message.id == id) {
        view.delivery = delivery;
        view.note = note.cloned();
    }
}

/// What came in with the lead, as the first message of the conversation.
fn first_message(entry: &Entry, lead: &max_core::lead::NewLead, id: MessageId) -> Message {
    let text = |key: &str| lead.extra.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    Message {
        id,
        direction: Direction::In,
        kind: MessageKind::Reply,
        stage: Stage::LeadGen,
        at: entry.at,
        by: Actor::Client,
        subject: text("subject"),
        body: lead.message.clone(),
        attachments: Vec::new(),
        rfc_id: text("message_id"),
        in_reply_to: None,
        references: Vec::new(),
        address: lead.email.clone(),
        written_by: None,
        verified: true,
    }
}

/// An approval with how it ended, if it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalView {
    /// The approval.
    #[serde(flatten)]
    pub approval: Approval,
    /// `pending`, `approved`, `rejected` or `void`.
    pub state: ApprovalState,
    /// Who decided, when and why.
    pub decided: Option<Verdict>,
}

/// How an approval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Waits for a person.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Rejected,
    /// It no longer counts.
    Void,
}

/// Who decided an approval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: jiff::Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// By which way, where a person decided.
    pub through: Option<Through>,
}

/// The approvals of a lead as the log tells them, oldest first.
pub fn approvals(log: &[Logged]) -> Vec<ApprovalView> {
    let mut views: Vec<ApprovalView> = Vec::new();
    let (mut name, mut asked) = (String::new(), None);
    for Logged { entry, .. } in log {
        for event in &entry.events {
            match event {
                Event::LeadIngested { lead, .. } | Event::LeadImported { lead, .. } => {
                    lead.display_name().clone_into(&mut name);
                }
                Event::ErasureRequested { request } => asked = Some(request.clone()),
                Event::IdentityConfirmed {} => {
                    let waits = |view: &&mut ApprovalView| {
                        view.approval.kind == ApprovalKind::Erasure && view.state == ApprovalState::Pending
                    };
                    if let (Some(view), Some(request)) = (views.iter_mut().find(waits), asked.as_mut()) {
                        known_who_asked(&mut view.approval, &name, request);
                    }
                }
                Event::ApprovalReminded { approval } => {
                    if let Some(view) = views.iter_mut().find(|view| view.approval.id == *approval) {
                        view.approval.reminders += 1;
                    }
                }
                Event::ApprovalRequested { approval } => views.push(ApprovalView {
                    approval: (**approval).clone(),
                    state: ApprovalState::Pending,
                    decided: None,
                }),
                Event::FindingWaived { approval, rule, place, reason } => {
                    if let Some(view) = views.iter_mut().find(|view| view.approval.id == *approval) {
                        view.approval.waived.push(waiver(entry, rule, place, reason));
                    }
                }
                Event::ApprovalDecided { approval, approved, reason, through, .. } => {
                    let state = if *approved { ApprovalState::Approved } else { ApprovalState::Rejected };
                    end(&mut views, entry, *approval, state, reason.clone(), *through);
                }
                Event::ApprovalVoided { approval, why } => {
                    end(&mut views, entry, *approval, ApprovalState::Void, Some(why.clone()), None);
                }
                _ => {}
            }
        }
    }
    views
}

fn end(
    views: &mut [ApprovalView],
    entry: &Entry,
    id: ApprovalId,
    state: ApprovalState,
    reason: Option<String>,
    through: Option<Through>,
) {
    if let Some(view) = views.iter_mut().find(|view| view.approval.id == id) {
        view.state = state;
        view.decided = Some(Verdict { by: entry.by.clone(), at: entry.at, reason, through });
    }
}

/// One message of a lead with its text, from the log.
pub fn message(log: &[Logged], id: MessageId) -> Option<Message> {
    log.iter().flat_map(|l| &l.entry.events).find_map(|event| match event {
        Event::MessageQueued { message } | Event::MessageReceived { message } if message.id == id => {
            Some((**message).clone())
        }
        _ => None,
    })
}

/// One line for each fact, for people.
pub fn line(event: &Event) -> String {
    match event {
        Event::LeadIngested { lead, .. } => format!("{} came in", lead.display_name()),
        Event::LeadImported { lead, .. } => format!("{} was imported", lead.display_name()),
        Event::StageEntered { transition, .. } => format!("entered {}: {}", transition.to_stage, transition.summary),
        Event::TaskOpened { task } => format!("a turn for {} began", task.eidolon),
        Event::TaskClaimed { attempt, holder, .. } => format!("{holder} works on it (attempt {attempt})"),
        Event::AttemptFailed { attempt, error, .. } => format!("attempt {attempt} failed: {error}"),
        Event::TaskSuperseded { why, .. } => format!("the turn was taken back: {why}"),
        Event::WorkSubmitted { result, summary, voice, instead_of, .. } if !instead_of.is_empty() => {
            format!("{voice} delivered a {result} (instead of {}): {summary}", instead_of.join(", "))
        }
        Event::WorkSubmitted { result, summary, voice, .. } => format!("{voice} delivered a {result}: {summary}"),
        Event::ApprovalRequested { approval } => format!("a person is asked: {}", approval.title),
        Event::ApprovalDecided { kind, approved, .. } => {
            format!("{} {}", kind.name(), if *approved { "approved" } else { "rejected" })
        }
        Event::FindingWaived { rule, reason, .. } => format!("a finding of {rule} was waived: {reason}"),
        Event::ApprovalVoided { why, .. } => format!("the approval is void: {why}"),
        Event::ApprovalReminded { .. } => "a person was reminded of the approval".into(),
        Event::ScopeApproved { .. } => "the scope may be built on".into(),
        Event::DepositConfirmed { payment } => match payment.as_ref().filter(|p| !p.reference.is_empty()) {
            Some(payment) => format!("the deposit is there ({})", payment.reference),
            None => "the deposit is there".into(),
        },
        Event::StepMarked { step, done: true, proof } => format!("{step} is done: {proof}"),
        Event::StepMarked { step, done: false, proof } => format!("{step} is open again: {proof}"),
        Event::StepsReminded { steps } => format!("late on the client's side: {}", steps.join(", ")),
        Event::ChangeOrderLapsed { number, valid_until } => {
            format!("change order CO-{number} lapsed: it could be signed until {valid_until}")
        }
        Event::ClientAwaited { wait } => format!("waiting for the client's {}", wait.ask.sentence()),
        Event::NeedMissed { need } => format!("waiting for {}", need.sentence()),
        Event::MessageReceived { .. } => "the client wrote".into(),
        Event::MessageQueued { message } => format!("a message waits to leave: {}", message.subject),
        Event::MessageReleased { rule, .. } => format!("a message may leave: {rule}"),
        Event::MessageHeld { why, .. } => format!("a message was held: {why}"),
        Event::MessageSent { .. } => "a message left".into(),
        Event::MessageFailed { error, .. } => format!("a message could not leave: {error}"),
        Event::DocumentSigned { signer, change_order: Some(number), .. } => {
            format!("{signer} signed change order CO-{number}")
        }
        Event::DocumentSigned { signer, milestone, .. } => match milestone {
            Some(id) => format!("{signer} signed off milestone {id}"),
            None => format!("{signer} signed the contract"),
        },
        Event::ClientUnreachable { why } => format!("nothing automatic goes out any more: {why}"),
        Event::Escalated { escalation } => format!("escalated: {}", escalation.reason),
        Event::EscalationReviewed { advice, .. } => format!("the Core Orchestra recommends: {advice}"),
        Event::EscalationResolved { how, .. } => format!("the escalation is settled: {how}"),
        Event::TakenOver {} => "a person took over".into(),
        Event::HandedBack {} => "a person handed back".into(),
        Event::TurnPaused {} => "paused".into(),
        Event::Closed { ending } => format!("closed as {}: {}", ending.outcome.name(), ending.reason),
        Event::ConsentRecorded { consent } => {
            let purpose = match consent.purpose {
                Purpose::Enquiry => "the enquiry",
                Purpose::Marketing => "marketing",
            };
            format!("consent to {purpose}: {}", if consent.given { "given" } else { "not given" })
        }
        Event::AiDisclosed { disclosure } => format!("told that an AI writes (text {})", disclosure.version),
        Event::ErasureRequested { request } => format!("erasure asked for by {}", request.asked_by),
        Event::IdentityAsked { check } => match check.wish {
            Wish::Erasure => "a link to confirm the erasure went to the address on file".into(),
            Wish::Export => "a link to a copy of the data went to the address on file".into(),
        },
        Event::IdentityConfirmed {} => "the link was used: it is known who asked".into(),
        Event::LeadErased { .. } => "the lead was erased".into(),
        Event::Reopened { reason } => format!("reopened: {reason}"),
    }
}
