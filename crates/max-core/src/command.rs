//! What can be asked of a lead, in the imperative.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::id::{ApprovalId, Digest, LeadId, MessageId, SignalId, TaskId};
use crate::lead::{Actor, ArtifactRef, MessageKind, NewLead, Outcome};
use crate::stage::Stage;
use crate::stages::Work;

/// A command, who gives it, and by which signal. A second request with the same signal changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who.
    pub by: Actor,
    /// By which signal, if by one.
    pub signal_id: Option<SignalId>,
    /// What.
    pub command: Command,
}

impl Request {
    /// A request that came by no signal.
    pub fn new(by: Actor, command: Command) -> Self {
        Self { by, signal_id: None, command }
    }
}

/// What can be asked of a lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Take in a new lead.
    Ingest {
        /// What came in.
        lead: Box<NewLead>,
    },
    /// Take in a project already under way.
    Import(Box<Import>),
    /// Hand the lead to a stage: a person's move.
    HandOff {
        /// Where to; the next stage when absent.
        to: Option<Stage>,
        /// The stage the sender believes the lead to be in (compare-and-set).
        expected: Option<Stage>,
        /// What is handed over.
        summary: String,
        /// Why; needed to go back or past a stage.
        reason: Option<String>,
    },
    /// Take a task to work on it.
    Claim {
        /// The task.
        task: TaskId,
        /// Who works: an instance, with the worker's number.
        holder: String,
    },
    /// Deliver a task's result.
    Submit {
        /// The task.
        task: TaskId,
        /// Which attempt; the fencing token's second half.
        attempt: u32,
        /// The result.
        work: Box<Work>,
    },
    /// Report that an attempt failed or its lease ran out.
    Fail {
        /// The task.
        task: TaskId,
        /// Which attempt.
        attempt: u32,
        /// What happened.
        error: String,
        /// False when another try cannot help.
        retryable: bool,
    },
    /// Decide an approval.
    Decide {
        /// Which.
        approval: ApprovalId,
        /// What is agreed to, as the person saw it.
        payload_sha256: Digest,
        /// Yes or no.
        approve: bool,
        /// Why not, or a remark.
        reason: Option<String>,
    },
    /// Take in a message from the client.
    Receive(Box<Incoming>),
    /// Record the client's signature.
    Sign {
        /// SHA-256 of what is signed.
        document: Digest,
        /// The signer's name as given.
        signer: String,
    },
    /// Write to the client as a person.
    Send {
        /// The subject line.
        subject: String,
        /// The text.
        body: String,
    },
    /// Ask whether a queued message may leave now. Asked by the outbox, right before the send.
    Release {
        /// The message.
        message: MessageId,
    },
    /// Record that the channel took a message.
    RecordSent {
        /// The message.
        message: MessageId,
    },
    /// Record that the channel refuses a message for good.
    RecordSendFailure {
        /// The message.
        message: MessageId,
        /// Why.
        error: String,
    },
    /// A person takes over from the AI.
    TakeOver,
    /// A person gives back to the AI.
    HandBack,
    /// Call for help.
    Escalate {
        /// Why.
        reason: String,
    },
    /// Try again: resolves an escalation, reopens exhausted work, or looks again for a missing need.
    Retry,
    /// End the lead.
    Close {
        /// How.
        outcome: Outcome,
        /// Why.
        reason: String,
        /// The other lead, when it is merged.
        merged_into: Option<LeadId>,
    },
    /// Take up an ended lead again.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Do what is due by now (a follow-up, a reminder).
    Wake,
}

/// A project already under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The client.
    pub lead: NewLead,
    /// The stage to enter.
    pub stage: Stage,
    /// Results of earlier stages.
    pub data: BTreeMap<Stage, Map<String, Value>>,
    /// Files that stand in the artifact store already.
    pub artifacts: Vec<ArtifactRef>,
    /// Digest of a scope that was approved before, if there is one.
    pub approved_scope: Option<Digest>,
    /// True when the contract is signed and the deposit is paid.
    pub signed: bool,
}

/// A message from outside. Untrusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    /// An ordinary message, an out-of-office answer, a bounce or an opt-out, as the intake could tell.
    pub kind: MessageKind,
    /// The subject line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The sender's address, if there is one.
    pub address: String,
    /// Its RFC 5322 Message-ID, if it has one.
    pub rfc_id: Option<String>,
    /// The Message-ID it answers.
    pub in_reply_to: Option<String>,
    /// False when the sender was only matched by his address.
    pub verified: bool,
}

impl Command {
    /// The verb, for messages.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Ingest { .. } => "ingest",
            Self::Import(_) => "import",
            Self::HandOff { .. } => "hand off",
            Self::Claim { .. } => "claim the task of",
            Self::Submit { .. } => "submit work for",
            Self::Fail { .. } => "report a failed attempt for",
            Self::Decide { .. } => "decide an approval of",
            Self::Receive(_) => "receive a message for",
            Self::Sign { .. } => "sign for",
            Self::Send { .. } => "write to",
            Self::Release { .. } => "release a message to",
            Self::RecordSent { .. } | Self::RecordSendFailure { .. } => "record a send to",
            Self::TakeOver => "take over",
            Self::HandBack => "hand back",
            Self::Escalate { .. } => "escalate",
            Self::Retry => "retry",
            Self::Close { .. } => "close",
            Self::Reopen { .. } => "reopen",
            Self::Wake => "wake",
        }
    }
}
