//! The current turn: whose it is and what it waits on.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Approval, Outcome};
use crate::id::{Digest, EscalationId, LeadId, MessageId, TaskId};
use crate::stage::Eidolon;

/// One turn of one lead in one stage, granted by `claim` only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// Its id. With [`Task::attempt`] it is the fencing token.
    pub id: TaskId,
    /// Whose work it is.
    pub eidolon: Eidolon,
    /// What brought it about.
    pub reason: TaskReason,
    /// How often it has been claimed. An unclaimed task has used none.
    pub attempt: u32,
    /// Who works on it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Not before this moment (a retry's back-off).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The last attempt's failure, as advice to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Why there is a turn. A hint to the mind; the state of the lead decides what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskReason {
    /// The lead entered the stage.
    StageEntered,
    /// The client wrote.
    ClientMessage {
        /// The message.
        message: MessageId,
    },
    /// The client signed what was waiting for a signature.
    Signed,
    /// A person rejected what was submitted.
    Rejected {
        /// What the person asks for.
        reason: String,
    },
    /// The client has been silent; write follow-up number `number`.
    FollowUp {
        /// 1 for the first.
        number: u8,
        /// Whether this one closes politely.
        last: bool,
    },
    /// The client is to hear how the project stands.
    Report,
    /// A change order lapsed: its last day passed without a signature.
    Lapsed {
        /// Its number, 1 for `CO-1`.
        number: u32,
    },
    /// The stage goes on at once.
    Continued,
    /// A person or the Core Orchestra asked for another try.
    Retried,
    /// A person gave the lead back.
    HandedBack,
    /// The lead was reopened.
    Reopened,
    /// The Core Orchestra is asked for help with an escalation.
    Review {
        /// The escalation.
        escalation: EscalationId,
    },
}

/// What the lead's current turn is waiting on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum Turn {
    /// An Eidolon.
    Working(Task),
    /// A person of the agency decides.
    AwaitingApproval(Box<Approval>),
    /// The client.
    AwaitingClient(ClientWait),
    /// Something the stage needs is missing.
    AwaitingNeed {
        /// What is missing.
        need: Need,
        /// Since when.
        since: Timestamp,
    },
    /// Nothing runs, because a person took over or an escalation is open.
    Paused {
        /// Since when.
        since: Timestamp,
    },
    /// All attempts are used up.
    Exhausted {
        /// The task that failed.
        task: TaskId,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        error: String,
        /// When.
        at: Timestamp,
        /// Why there was the task, for the next try.
        reason: TaskReason,
    },
    /// The lead has its outcome.
    Ended(Ending),
}

impl Turn {
    /// The name of the variant, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Turn::Working(_) => "working",
            Turn::AwaitingApproval(_) => "awaiting an approval",
            Turn::AwaitingClient(_) => "awaiting the client",
            Turn::AwaitingNeed { .. } => "awaiting a need",
            Turn::Paused { .. } => "paused",
            Turn::Exhausted { .. } => "out of attempts",
            Turn::Ended(_) => "completed",
        }
    }
}

/// How and why a lead ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ending {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The other lead, when the outcome is `merged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<LeadId>,
    /// When.
    pub at: Timestamp,
}

/// Something a stage cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A scope that a person approved.
    ApprovedScope,
    /// The client's signature under the contract.
    Signature,
    /// The deposit.
    Deposit,
}

impl Need {
    /// What a person reads, fitting "waits for …".
    pub const fn sentence(self) -> &'static str {
        match self {
            Need::ApprovedScope => "an approved scope",
            Need::Signature => "the client's signature under the contract",
            Need::Deposit => "the deposit",
        }
    }

    /// What a person can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Need::ApprovedScope => "hand the lead back to Scoping with a reason",
            Need::Signature => "record the signature, or hand the lead back to Closer with a reason",
            Need::Deposit => "retry once it has arrived",
        }
    }
}

/// The client's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientWait {
    /// What is asked.
    pub ask: ClientAsk,
    /// Since when.
    pub since: Timestamp,
    /// How many follow-ups have been written.
    #[serde(default)]
    pub follow_ups: u8,
}

/// What the client is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientAsk {
    /// An answer to the reply.
    Reply,
    /// Answers to the scoping questions.
    Answers,
    /// A decision on the offer.
    Decision,
    /// A signature under the contract with this digest.
    Signature {
        /// SHA-256 of the contract as sent.
        document: Digest,
    },
    /// Sign-off of a milestone.
    Milestone {
        /// The milestone's id in the plan, `M-1` ….
        id: String,
        /// SHA-256 of what was delivered.
        document: Digest,
    },
    /// A signature under a change order.
    ChangeOrder {
        /// Its number, 1 for `CO-1`.
        number: u32,
        /// SHA-256 of the change order as sent.
        document: Digest,
    },
}

impl ClientAsk {
    /// What a person reads, fitting "waits for the client's …".
    pub fn sentence(&self) -> String {
        match self {
            Self::Reply => "reply".into(),
            Self::Answers => "answers to the scoping questions".into(),
            Self::Decision => "decision on the offer".into(),
            Self::Signature { .. } => "signature under the contract".into(),
            Self::Milestone { id, .. } => format!("sign-off of milestone {id}"),
            Self::ChangeOrder { number, .. } => format!("signature under change order CO-{number}"),
        }
    }

    /// The digest that a signature must name, if a signature is asked.
    pub fn document(&self) -> Option<Digest> {
        match self {
            Self::Signature { document } | Self::Milestone { document, .. } | Self::ChangeOrder { document, .. } => {
                Some(*document)
            }
            _ => None,
        }
    }
}
