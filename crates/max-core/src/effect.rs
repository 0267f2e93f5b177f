//! What the outside has to do about an entry. Derived from state and facts, so a crash between the commit and
//! the effect heals by deriving it again.

use serde::{Deserialize, Serialize};

use crate::event::{Entry, Event};
use crate::id::{ApprovalId, EscalationId, MessageId, SignalId, TaskId};
use crate::lead::{Lead, TaskReason};
use crate::signal::{Signal, SignalType};
use crate::stage::{Eidolon, Stage};

/// Something to be done outside the core, in the imperative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Tell an Eidolon that a task is open.
    Deliver {
        /// Whose inbox.
        to: Eidolon,
        /// The task.
        task: TaskId,
        /// The readable copy.
        signal: Box<Signal>,
    },
    /// Hand a message to the channel (after asking again whether it may leave).
    Send {
        /// The message.
        message: MessageId,
    },
    /// Tell the people of the agency that something waits for them.
    Notify {
        /// What.
        notice: Notice,
    },
    /// Tell the world that a project is done.
    Announce {
        /// The readable copy.
        signal: Box<Signal>,
    },
}

/// What a person is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// An approval waits.
    Approval {
        /// Which.
        id: ApprovalId,
        /// One line.
        title: String,
    },
    /// Help is needed.
    Escalation {
        /// Which.
        id: EscalationId,
        /// Why.
        reason: String,
    },
    /// A stage lacks something.
    Need {
        /// One line.
        title: String,
    },
    /// The client wrote to a lead that no Eidolon works on.
    Message {
        /// One line.
        title: String,
    },
}

/// What has to be done about `entry`, given the lead after it.
pub fn effects(lead: &Lead, entry: &Entry) -> Vec<Effect> {
    let mut effects = Vec::new();
    for event in &entry.events {
        match event {
            Event::TaskOpened { task } => effects.extend(deliver(lead, task.id)),
            Event::AttemptFailed { task, retry_at: Some(_), .. } => effects.extend(deliver(lead, *task)),
            Event::Escalated { escalation } => {
                if let Some(review) = &escalation.review {
                    effects.extend(deliver(lead, review.id));
                }
                effects.push(Effect::Notify {
                    notice: Notice::Escalation { id: escalation.id, reason: escalation.reason.clone() },
                });
            }
            Event::EscalationReviewed { escalation, advice } => {
                effects.push(Effect::Notify { notice: Notice::Escalation { id: *escalation, reason: advice.clone() } })
            }
            Event::MessageQueued { message } => effects.push(Effect::Send { message: message.id }),
            Event::ApprovalRequested { approval } => effects
                .push(Effect::Notify { notice: Notice::Approval { id: approval.id, title: approval.title.clone() } }),
            Event::ApprovalReminded { approval } => {
                let title =
                    lead.pending_approval().map_or_else(|| "an approval".into(), |a| format!("reminder: {}", a.title));
                effects.push(Effect::Notify { notice: Notice::Approval { id: *approval, title } });
            }
            Event::NeedMissed { need } => effects.push(Effect::Notify {
                notice: Notice::Need { title: format!("{} waits for {}", lead.stage, need.sentence()) },
            }),
            Event::MessageReceived { .. } if lead.open_task().is_none() => effects.push(Effect::Notify {
                notice: Notice::Message { title: format!("{} wrote", lead.contact.display_name()) },
            }),
            Event::StepMarked { step, done: true, proof } if entry.by == crate::lead::Actor::Client => {
                effects.push(Effect::Notify {
                    notice: Notice::Message {
                        title: format!("{} has done {step}: {proof}", lead.contact.display_name()),
                    },
                });
            }
            Event::StepsReminded { steps } => effects.push(Effect::Notify {
                notice: Notice::Message {
                    title: format!("{} is late with {}", lead.contact.display_name(), steps.join(", ")),
                },
            }),
            Event::ChangeOrderLapsed { number, valid_until } => effects.push(Effect::Notify {
                notice: Notice::Message {
                    title: format!("CO-{number} was not signed until {valid_until}, and lapsed"),
                },
            }),
            Event::IdentityAsked { check } => {
                let what = match check.wish {
                    crate::lead::Wish::Erasure => "the erasure",
                    crate::lead::Wish::Export => "a copy",
                };
                let who = lead.contact.display_name();
                effects.push(Effect::Notify {
                    notice: Notice::Message {
                        title: format!(
                            "somebody asks for {what} of the data of {who}; a link went to the address on file"
                        ),
                    },
                });
            }
            Event::Closed { ending } if ending.outcome == crate::lead::Outcome::Delivered => {
                let mut signal = Signal::new(SignalType::ProjectComplete, Stage::DeliveryPM.name(), "Director");
                signal.lead_id = Some(lead.id.to_string());
                signal.summary = Some(ending.reason.clone());
                signal.data_path = Some(lead.data_path(Stage::DeliveryPM));
                signal.at = Some(entry.at);
                signal.id = Some(SignalId::from(lead.id.0));
                effects.push(Effect::Announce { signal: Box::new(signal) });
            }
            _ => {}
        }
    }
    effects
}

/// The delivery of the lead's open task, if `task` is it. Also used to send it again when nobody took it.
pub fn deliver(lead: &Lead, task: TaskId) -> Option<Effect> {
    let open = lead.open_task().filter(|t| t.id == task)?;
    let last = lead.history.last();
    let previous = last.and_then(|t| t.from_stage);
    let (kind, from) = match (&open.reason, previous) {
        (TaskReason::StageEntered, Some(previous)) => (SignalType::PipelineTransition, previous.name()),
        (TaskReason::ClientMessage { .. }, _) => (SignalType::ClientMessage, "Director"),
        (TaskReason::Review { .. }, _) => (SignalType::Escalation, lead.stage.name()),
        _ => (SignalType::TaskAssignment, "Director"),
    };
    let mut signal = Signal::new(kind, from, open.eidolon.signature());
    signal.lead_id = Some(lead.id.to_string());
    if kind == SignalType::PipelineTransition {
        signal.previous_stage = previous.map(|s| s.name().to_owned());
        signal.next_stage = Some(lead.stage.name().to_owned());
    }
    signal.summary = match (&open.reason, &lead.escalation) {
        (TaskReason::Review { .. }, Some(escalation)) => Some(escalation.reason.clone()),
        _ => last.map(|t| t.summary.clone()),
    };
    signal.data_path =
        Some(last.and_then(|t| t.data_path.clone()).unwrap_or_else(|| crate::lead::data_path(lead.id, lead.stage)));
    signal.at = Some(open.opened_at);
    signal.id = Some(SignalId::from(open.id.0));
    signal.extra.insert("task_id".into(), open.id.to_string().into());
    Some(Effect::Deliver { to: open.eidolon, task, signal: Box::new(signal) })
}
