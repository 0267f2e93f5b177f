//! A lead as the log tells it ([`Lead`]) and as the world reads it ([`ClientState`]).

mod actor;
mod approval;
mod client_state;
mod contact;
mod message;
mod outcome;
mod people;
mod privacy;
mod sameness;
mod turn;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ApprovalId, Digest, LeadId, SignalId, TaskId};
use crate::stage::Stage;

pub use actor::Actor;
pub use approval::{Approval, ApprovalKind, ArtifactRef, Through, Waiver};
pub use client_state::ClientState;
pub use contact::NewLead;
pub use message::{Delivery, Direction, Draft, Message, MessageKind, MessageMeta};
pub use outcome::{Outcome, StageTransition, Status};
pub use people::{Escalation, IncomingPayment, Signature, SigningEvidence, SigningMethod, TakeOver};
pub use privacy::{Basis, Consent, Disclosure, ErasureRequest, IdentityCheck, Privacy, Purpose, Wish};
pub use sameness::{address_key, is_robot, mail_domain, site_domain};
pub use turn::{ClientAsk, ClientWait, Ending, Need, Task, TaskReason, Turn};

/// Everything the log says about a lead. Changed by [`crate::apply::apply`] only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// Its id.
    pub id: LeadId,
    /// How many log entries have been applied.
    pub version: u64,
    /// Digest of the last entry in this lead's audit chain.
    pub chain: Digest,
    /// What came in, with corrections.
    pub contact: NewLead,
    /// The language to write in (BCP 47), once known.
    pub language: Option<String>,
    /// The current stage.
    pub stage: Stage,
    /// What the current turn waits on.
    pub turn: Turn,
    /// Typed results of the stages, by stage.
    pub data: BTreeMap<Stage, Map<String, Value>>,
    /// The moves so far.
    pub history: Vec<StageTransition>,
    /// The conversation, without its texts.
    pub messages: Vec<MessageMeta>,
    /// The newest version of every artifact.
    pub artifacts: Vec<ArtifactRef>,
    /// An open call for help.
    pub escalation: Option<Escalation>,
    /// A person who took over.
    pub taken_over: Option<TakeOver>,
    /// Digest of the scope that a person approved.
    pub approved_scope: Option<Digest>,
    /// The client's signature under the contract.
    pub signature: Option<Signature>,
    /// Whether the deposit was confirmed.
    pub deposit_confirmed: bool,
    /// What the account showed of it, where somebody wrote it down.
    #[serde(default)]
    pub deposit: Option<IncomingPayment>,
    /// Milestones the client signed off, by id.
    pub accepted_milestones: BTreeMap<String, Signature>,
    /// Change orders the client signed, by number.
    #[serde(default)]
    pub signed_changes: BTreeMap<u32, Signature>,
    /// Change orders whose last day passed without a signature, by number, with that day.
    #[serde(default)]
    pub lapsed_changes: BTreeMap<u32, Date>,
    /// Steps of the onboarding checklist whose delay the client was reminded of.
    #[serde(default)]
    pub reminded_steps: BTreeSet<String>,
    /// Why nothing automatic may go out any more: the address is dead (a bounce) or the client opted out.
    pub unreachable: Option<String>,
    /// What the client was last asked, so that a follow-up goes on asking it.
    pub last_wait: Option<ClientWait>,
    /// The last submission that counted, so that a second copy is recognised.
    pub last_submission: Option<(TaskId, u32)>,
    /// Messages that came while nobody could work on them.
    pub unanswered: u32,
    /// How often the Core Orchestra asked for another try in this stage.
    pub core_retries: u32,
    /// Signals whose effect is in the log.
    pub signals: BTreeSet<SignalId>,
    /// Approvals that were decided, with the verdict, so that a second copy is recognised.
    pub decided: BTreeMap<ApprovalId, bool>,
    /// Consent, disclosure and a pending erasure.
    #[serde(default)]
    pub privacy: Privacy,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Lead {
    /// Where the lead stands, in one word.
    pub fn status(&self) -> Status {
        match &self.turn {
            _ if self.is_restricted() && self.escalation.is_some() => Status::Escalated,
            _ if self.is_restricted() => Status::AwaitingHuman,
            Turn::Ended(_) => Status::Completed,
            Turn::Exhausted { .. } => Status::Failed,
            _ if self.escalation.is_some() => Status::Escalated,
            _ if self.taken_over.is_some() => Status::AwaitingHuman,
            Turn::Working(_) => Status::InProgress,
            Turn::AwaitingApproval(_) | Turn::AwaitingClient(_) | Turn::AwaitingNeed { .. } | Turn::Paused { .. } => {
                Status::AwaitingHuman
            }
        }
    }

    /// The outcome, once there is one.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.turn {
            Turn::Ended(ending) => Some(ending.outcome),
            _ => None,
        }
    }

    /// What should happen next, in a sentence a person can act on.
    pub fn next_action(&self) -> String {
        client_state::next_action(self)
    }

    /// True while an erasure of its data waits for a person: nothing automatic is thought or sent.
    pub fn is_restricted(&self) -> bool {
        self.privacy.erasure.is_some()
    }

    /// The task that can be claimed or is being worked on: the stage's, or the Core Orchestra's review.
    pub fn open_task(&self) -> Option<&Task> {
        if self.is_restricted() {
            return None;
        }
        if let Some(escalation) = &self.escalation {
            return escalation.review.as_ref();
        }
        match (&self.turn, &self.taken_over) {
            (Turn::Working(task), None) => Some(task),
            _ => None,
        }
    }

    /// The pending approval, if there is one.
    pub fn pending_approval(&self) -> Option<&Approval> {
        if let Some(erasure) = &self.privacy.erasure {
            return Some(erasure);
        }
        match &self.turn {
            Turn::AwaitingApproval(approval) => Some(approval),
            _ => None,
        }
    }

    /// The newest version of a stage's file.
    pub fn artifact(&self, stage: Stage, name: &str) -> Option<&ArtifactRef> {
        self.artifacts.iter().find(|a| a.stage == stage && a.name == name)
    }

    /// A typed value that a stage has left under `key`.
    pub fn stage_value<T: serde::de::DeserializeOwned>(&self, stage: Stage, key: &str) -> Option<T> {
        let value = self.data.get(&stage)?.get(key)?;
        T::deserialize(value).ok()
    }

    /// Messages waiting to leave.
    pub fn outbox(&self) -> impl Iterator<Item = &MessageMeta> {
        self.messages.iter().filter(|m| matches!(m.delivery, Delivery::Queued | Delivery::Sending))
    }

    /// The logical path of a stage's folder, as signals carry it.
    pub fn data_path(&self, stage: Stage) -> String {
        data_path(self.id, stage)
    }

    /// Automatic messages queued since `now` minus an hour and after the last word of a person.
    pub fn automatic_mails_in_last_hour(&self, now: Timestamp) -> usize {
        let since = now - SignedDuration::from_hours(1);
        self.messages
            .iter()
            .rev()
            .take_while(|m| m.automatic || m.direction == Direction::In)
            .filter(|m| m.direction == Direction::Out && m.at > since)
            .count()
    }
}

/// The logical path of a stage's folder: `/AI_Agents/max-pipeline/<id>/<folder>/`.
pub fn data_path(lead: LeadId, stage: Stage) -> String {
    format!("/AI_Agents/max-pipeline/{lead}/{}/", stage.folder())
}
