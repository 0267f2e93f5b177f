//! Folds facts into a lead. Total: whatever the log holds, `apply` has an answer, because the log is the truth.

use serde::Deserialize as _;
use serde_json::Value;

use crate::decide::{UNKNOWN_ASKER, empty, erasure_title, shell};
use crate::event::{Entry, Event};
use crate::id::{ApprovalId, Digest, MessageId, TaskId};
use crate::lead::{
    Actor, Approval, ApprovalKind, ArtifactRef, Delivery, Direction, ErasureRequest, Lead, Message, MessageKind,
    MessageMeta, NewLead, Signature, TakeOver, Task, TaskReason, Turn, Waiver,
};
use crate::stage::Stage;
use crate::stages::delivery_pm::{self, RequestSorted};
use crate::stages::onboarding;

/// The lead after `entry`. Without a lead the entry must begin with an ingestion or import; else nothing comes of it.
pub fn apply(lead: Option<Lead>, entry: &Entry) -> Option<Lead> {
    let mut lead = match lead {
        Some(lead) => lead,
        None => born(entry)?,
    };
    for event in &entry.events {
        apply_event(&mut lead, entry, event);
    }
    lead.version = entry.version;
    lead.updated_at = entry.at;
    lead.signals.extend(entry.signal_id.clone());
    Some(lead)
}

/// An empty lead for an entry that begins one, or that is all that an erasure left of its beginning.
fn born(entry: &Entry) -> Option<Lead> {
    let contact = match entry.events.first()? {
        Event::LeadIngested { lead, .. } | Event::LeadImported { lead, .. } => NewLead::clone(lead),
        Event::LeadErased { .. } => NewLead::default(),
        _ => return None,
    };
    Some(Lead { contact, ..empty(entry.lead, Stage::LeadGen, entry.at) })
}

fn apply_event(lead: &mut Lead, entry: &Entry, event: &Event) {
    match event {
        Event::LeadIngested { lead: new, message } => {
            lead.language = new.locale.clone();
            lead.privacy.consents = new.consents(entry.at);
            lead.messages.push(first_message(lead, entry, *message));
        }
        Event::LeadImported { lead: new, message, data, artifacts, approved_scope, signed } => {
            lead.language = new.locale.clone();
            lead.privacy.consents = new.consents(entry.at);
            lead.messages.push(first_message(lead, entry, *message));
            lead.data = data.clone();
            lead.artifacts = artifacts.clone();
            lead.approved_scope = *approved_scope;
            lead.deposit_confirmed = *signed;
            lead.signature = signed.then(|| Signature {
                document: Digest([0; 32]),
                signer: lead.contact.display_name().to_owned(),
                at: entry.at,
                by: entry.by.clone(),
                evidence: None,
            });
        }
        Event::StageEntered { transition, .. } => {
            if transition.to_stage < lead.stage {
                undo_after(lead, transition.to_stage);
            }
            lead.stage = transition.to_stage;
            lead.turn = Turn::Paused { since: entry.at };
            lead.last_wait = None;
            lead.core_retries = 0;
            lead.history.push(transition.clone());
        }
        Event::TaskOpened { task } => {
            lead.turn = Turn::Working(task.clone());
            lead.unanswered = 0;
        }
        Event::TaskClaimed { task, attempt, holder } => {
            if let Some(open) = task_mut(lead, *task) {
                open.attempt = *attempt;
                open.holder = Some(holder.clone());
                open.not_before = None;
            }
        }
        Event::AttemptFailed { task, attempt, error, retry_at } => match (retry_at, task_mut(lead, *task)) {
            (Some(at), Some(open)) => {
                open.holder = None;
                open.not_before = Some(*at);
                open.last_error = Some(error.clone());
            }
            (None, _) => match &mut lead.escalation {
                Some(escalation) if escalation.review.as_ref().is_some_and(|r| r.id == *task) => {
                    escalation.review = None
                }
                _ => exhaust(lead, entry, *task, *attempt, error),
            },
            (Some(_), None) => {}
        },
        Event::TaskSuperseded { task, .. } => match &mut lead.escalation {
            Some(escalation) if escalation.review.as_ref().is_some_and(|r| r.id == *task) => escalation.review = None,
            _ => lead.turn = Turn::Paused { since: entry.at },
        },
        Event::TurnPaused {} => lead.turn = Turn::Paused { since: entry.at },
        Event::WorkSubmitted { task, attempt, result, value, artifacts, .. } => {
            lead.last_submission = Some((*task, *attempt));
            match &mut lead.escalation {
                Some(escalation) if escalation.review.as_ref().is_some_and(|r| r.id == *task) => {
                    escalation.review = None
                }
                _ => lead.turn = Turn::Paused { since: entry.at },
            }
            if keeps_value(result) {
                let mut value = value.clone();
                if result == "checklist" {
                    onboarding::carry_over(lead, &mut value);
                }
                let data = lead.data.entry(lead.stage).or_default();
                if let Some(list) = list_of(result)
                    && let Value::Array(kept) = data.entry(list).or_insert_with(|| Value::Array(Vec::new()))
                {
                    kept.push(value.clone());
                }
                data.insert(result.clone(), value);
            }
            if let Ok(sorted) = RequestSorted::deserialize(value)
                && result == "request_sorted"
            {
                // What the client said he has brought is a step of his that is done.
                for step in delivery_pm::steps_of_duties(lead, &sorted.duties_done) {
                    onboarding::mark(lead, &step, Some(("said so in the conversation", &Actor::Client, entry.at)));
                }
            }
            if tells_language(result)
                && let Some(language) = value.get("language").and_then(|l| l.as_str())
            {
                lead.language = Some(language.to_owned());
            }
            for artifact in artifacts {
                put_artifact(lead, artifact);
            }
        }
        Event::ApprovalRequested { approval } if approval.kind == ApprovalKind::Erasure => {
            lead.privacy.erasure = Some(approval.clone());
        }
        Event::ApprovalRequested { approval } => lead.turn = Turn::AwaitingApproval(approval.clone()),
        Event::ApprovalDecided { approval, approved, .. } => {
            lead.decided.insert(*approval, *approved);
            if lead.privacy.erasure.as_ref().is_some_and(|a| a.id == *approval) {
                lead.privacy.erasure = None;
                lead.privacy.asked = None;
            } else if lead.pending_approval().is_some_and(|a| a.id == *approval) {
                lead.turn = Turn::Paused { since: entry.at };
            }
        }
        Event::FindingWaived { approval, rule, place, reason } => {
            if let Some(pending) = pending_mut(lead, *approval) {
                pending.waived.push(waiver(entry, rule, place, reason));
            }
        }
        Event::ApprovalVoided { approval, .. } => {
            if lead.pending_approval().is_some_and(|a| a.id == *approval) {
                lead.turn = Turn::Paused { since: entry.at };
            }
        }
        Event::ApprovalReminded { approval } => {
            if let Some(pending) = pending_mut(lead, *approval) {
                pending.reminders += 1;
            }
        }
        Event::ScopeApproved { document } => lead.approved_scope = Some(*document),
        Event::DepositConfirmed { payment } => {
            lead.deposit_confirmed = true;
            if payment.is_some() {
                lead.deposit = payment.clone();
            }
        }
        Event::StepMarked { step, done, proof } => {
            let mark = done.then_some((proof.as_str(), &entry.by, entry.at));
            onboarding::mark(lead, step, mark);
            if !done {
                lead.reminded_steps.remove(step);
            }
        }
        Event::StepsReminded { steps } => lead.reminded_steps.extend(steps.iter().cloned()),
        Event::ChangeOrderLapsed { number, valid_until } => {
            lead.lapsed_changes.insert(*number, *valid_until);
            if matches!(&lead.turn, Turn::AwaitingClient(_)) {
                lead.turn = Turn::Paused { since: entry.at };
            }
        }
        Event::ClientAwaited { wait } => {
            lead.last_wait = Some(wait.clone());
            lead.turn = Turn::AwaitingClient(wait.clone());
        }
        Event::NeedMissed { need } => lead.turn = Turn::AwaitingNeed { need: *need, since: entry.at },
        Event::MessageReceived { message } => {
            lead.messages.push(meta(message, Delivery::Received));
            // What a machine sent wants no answer.
            if !matches!(message.kind, MessageKind::OutOfOffice | MessageKind::Bounce | MessageKind::OptOut) {
                lead.unanswered += 1;
            }
            // A working address that answers again is no longer dead.
            if message.kind == MessageKind::Reply {
                lead.unreachable = None;
            }
        }
        Event::MessageQueued { message } => lead.messages.push(meta(message, Delivery::Queued)),
        Event::MessageReleased { message, .. } => set_delivery(lead, *message, Delivery::Sending),
        Event::MessageHeld { message, .. } => set_delivery(lead, *message, Delivery::Held),
        Event::MessageSent { message } => {
            set_delivery(lead, *message, Delivery::Sent);
            if let Some(sent) = lead.messages.iter_mut().find(|m| m.id == *message) {
                sent.sent_at = Some(entry.at);
            }
        }
        Event::MessageFailed { message, .. } => set_delivery(lead, *message, Delivery::Failed),
        Event::DocumentSigned { document, signer, milestone, change_order, evidence } => {
            let signature = Signature {
                document: *document,
                signer: signer.clone(),
                at: entry.at,
                by: entry.by.clone(),
                evidence: evidence.clone(),
            };
            match (milestone, change_order) {
                (Some(id), _) => {
                    lead.accepted_milestones.insert(id.clone(), signature);
                }
                (None, Some(number)) => {
                    lead.signed_changes.insert(*number, signature);
                }
                (None, None) => lead.signature = Some(signature),
            }
        }
        Event::ClientUnreachable { why } => lead.unreachable = Some(why.clone()),
        Event::Escalated { escalation } => lead.escalation = Some(*escalation.clone()),
        Event::EscalationReviewed { advice, .. } => {
            if let Some(escalation) = &mut lead.escalation {
                escalation.review = None;
                escalation.recommendation = Some(advice.clone());
            }
        }
        Event::EscalationResolved { how, .. } => {
            lead.escalation = None;
            if how == crate::decide::CORE_RETRY {
                lead.core_retries += 1;
            }
        }
        Event::TakenOver {} => lead.taken_over = Some(TakeOver { by: entry.by.clone(), at: entry.at }),
        Event::HandedBack {} => lead.taken_over = None,
        Event::Closed { ending } => {
            lead.turn = Turn::Ended(ending.clone());
            lead.escalation = None;
            lead.taken_over = None;
        }
        Event::Reopened { .. } => lead.turn = Turn::Paused { since: entry.at },
        Event::ConsentRecorded { consent } => lead.privacy.consents.push(consent.clone()),
        Event::AiDisclosed { disclosure } => lead.privacy.disclosures.push(disclosure.clone()),
        Event::ErasureRequested { request } => lead.privacy.asked = Some(request.clone()),
        Event::IdentityAsked { check } => lead.privacy.identity = Some(check.clone()),
        Event::IdentityConfirmed {} => identity_confirmed(lead, entry),
        Event::LeadErased { .. } => shell(lead, event),
    }
}

/// Results that come several times and of which every one counts: where they are kept beside the newest.
fn list_of(result: &str) -> Option<&'static str> {
    match result {
        "status_report" => Some("reports"),
        "request_sorted" => Some("requests"),
        "milestone_ready" => Some("hand_overs"),
        "change_order" => Some("change_orders"),
        _ => None,
    }
}

/// Results that are passing remarks and not part of a stage's data.
fn keeps_value(result: &str) -> bool {
    !matches!(result, "follow_up" | "answer" | "needs_person" | "recommendation" | "withdrawn")
}

/// Results that say what the client writes. A document's language is only what it was written in.
fn tells_language(result: &str) -> bool {
    matches!(result, "qualification" | "reply" | "profile")
}

/// A waiver as its event tells it.
pub fn waiver(entry: &Entry, rule: &str, place: &str, reason: &str) -> Waiver {
    Waiver { rule: rule.into(), place: place.into(), reason: reason.into(), by: entry.by.clone(), at: entry.at }
}

/// All attempts are used up; why there was the task is kept for the next try.
fn exhaust(lead: &mut Lead, entry: &Entry, task: TaskId, attempts: u32, error: &str) {
    let reason = match &lead.turn {
        Turn::Working(open) if open.id == task => open.reason.clone(),
        _ => TaskReason::Retried,
    };
    lead.turn = Turn::Exhausted { task, attempts, error: error.into(), at: entry.at, reason };
}

/// Whoever used the link reads the mail of the address on file: nothing is left to find out about him.
fn identity_confirmed(lead: &mut Lead, entry: &Entry) {
    let name = lead.contact.display_name().to_owned();
    let privacy = &mut lead.privacy;
    if let Some(check) = &mut privacy.identity {
        check.confirmed_at = Some(entry.at);
    }
    if let (Some(asked), Some(erasure)) = (&mut privacy.asked, &mut privacy.erasure) {
        known_who_asked(erasure, &name, asked);
    }
}

/// The approval of an erasure once it is known that the client asked for it.
pub fn known_who_asked(erasure: &mut Approval, name: &str, asked: &mut ErasureRequest) {
    if asked.from_client {
        asked.verified = true;
        erasure.title = erasure_title(name, asked);
        erasure.findings.retain(|finding| finding.rule != UNKNOWN_ASKER);
    }
}

/// The approval with this id, if it is pending.
fn pending_mut(lead: &mut Lead, id: ApprovalId) -> Option<&mut Approval> {
    match (&mut lead.privacy.erasure, &mut lead.turn) {
        (Some(erasure), _) if erasure.id == id => Some(erasure),
        (_, Turn::AwaitingApproval(pending)) if pending.id == id => Some(pending),
        _ => None,
    }
}

/// The open task with this id: the stage's or the Core Orchestra's.
fn task_mut(lead: &mut Lead, id: TaskId) -> Option<&mut Task> {
    if let Some(review) = lead.escalation.as_mut().and_then(|e| e.review.as_mut())
        && review.id == id
    {
        return Some(review);
    }
    match &mut lead.turn {
        Turn::Working(task) if task.id == id => Some(task),
        _ => None,
    }
}

/// Going back: what later stages left counts no longer, and what was agreed on top of it neither.
fn undo_after(lead: &mut Lead, stage: Stage) {
    for artifact in &mut lead.artifacts {
        artifact.superseded |= artifact.stage > stage;
    }
    lead.data.retain(|of, _| *of <= stage);
    if stage <= Stage::Scoping {
        lead.approved_scope = None;
    }
    if stage <= Stage::Closer && lead.stage <= Stage::Closer {
        lead.signature = None;
        lead.deposit_confirmed = false;
        lead.deposit = None;
    }
    if stage < Stage::Onboarding {
        lead.reminded_steps.clear();
    }
    // Milestones belong to the plan, and the plan is void.
    if stage < Stage::DeliveryPM {
        lead.accepted_milestones.clear();
        lead.signed_changes.clear();
        lead.lapsed_changes.clear();
    }
}

fn put_artifact(lead: &mut Lead, artifact: &ArtifactRef) {
    match lead.artifacts.iter_mut().find(|a| a.stage == artifact.stage && a.name == artifact.name) {
        Some(known) => *known = artifact.clone(),
        None => lead.artifacts.push(artifact.clone()),
    }
}

fn set_delivery(lead: &mut Lead, id: MessageId, delivery: Delivery) {
    if let Some(message) = lead.messages.iter_mut().find(|m| m.id == id) {
        message.delivery = delivery;
    }
}

fn first_message(lead: &Lead, entry: &Entry, id: MessageId) -> MessageMeta {
    MessageMeta {
        id,
        direction: Direction::In,
        kind: MessageKind::Reply,
        delivery: Delivery::Received,
        at: entry.at,
        sent_at: None,
        rfc_id: lead.contact.extra.get("message_id").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
        automatic: false,
        text: Digest::of(lead.contact.message.as_bytes()),
    }
}

fn meta(message: &Message, delivery: Delivery) -> MessageMeta {
    MessageMeta {
        id: message.id,
        direction: message.direction,
        kind: message.kind,
        delivery,
        at: message.at,
        sent_at: None,
        rfc_id: message.rfc_id.clone(),
        automatic: message.written_by.is_some(),
        text: Digest::of(message.body.as_bytes()),
    }
}
