//! What can be asked of a lead, in the imperative.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::id::{ApprovalId, Digest, LeadId, MessageId, SignalId, TaskId};
use crate::lead::{
    Actor, ArtifactRef, IncomingPayment, MessageKind, NewLead, Outcome, Purpose, SigningEvidence, Through, Waiver,
};
use crate::stage::Stage;
use crate::stages::{Finding, Work};

/// A command, who gives it, and by which signal. A second request with the same signal changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who.
    pub by: Actor,
    /// By which signal, if by one.
    pub signal_id: Option<SignalId>,
    /// What.
    pub command: Command,
    /// What was looked up for the decision. Never given by a mind.
    #[serde(default)]
    pub seen: Seen,
}

impl Request {
    /// A request that came by no signal.
    pub fn new(by: Actor, command: Command) -> Self {
        Self { by, signal_id: None, command, seen: Seen::default() }
    }

    /// The same, by a signal.
    #[must_use]
    pub fn by_signal(self, signal_id: Option<SignalId>) -> Self {
        Self { signal_id, ..self }
    }

    /// The same, with what was looked up for it.
    #[must_use]
    pub fn having_seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }
}

/// What our own code looked up for a decision, because the core reads neither files nor the texts of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// What the linter found in the files: of the work submitted, or of the approval that is decided.
    pub findings: Vec<Finding>,
    /// The text of the message that asks to leave.
    pub text: Option<OutgoingText>,
    /// Addresses and numbers in that text that belong to another lead.
    pub strangers: Vec<String>,
    /// What the client has written so far, by the id of the message.
    pub said: BTreeMap<String, String>,
    /// What a person let pass when that text was approved.
    pub waived: Vec<Waiver>,
    /// By which way a person decides.
    pub through: Option<Through>,
    /// What shows that a signature was given.
    pub signing: Option<Box<SigningEvidence>>,
}

impl Seen {
    /// All that the client has written, in one text.
    pub fn client_words(&self) -> String {
        self.said.values().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// The text of a message as it would leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingText {
    /// The subject line.
    pub subject: String,
    /// The text.
    pub body: String,
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
    /// Let an approval pass in spite of a finding: a person answers for it.
    WaiveFinding {
        /// The approval.
        approval: ApprovalId,
        /// The rule of the finding.
        rule: String,
        /// The finding's place.
        place: String,
        /// Why it may pass.
        reason: String,
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
    /// Record that the deposit arrived. A second copy changes nothing.
    RecordPayment {
        /// What the account shows.
        payment: IncomingPayment,
    },
    /// Mark a step of the onboarding checklist: the client his own, a person any that people do.
    MarkStep {
        /// Its id, `O-4`.
        step: String,
        /// Whether it is done.
        done: bool,
        /// What shows it, or why it is open again.
        proof: String,
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
    /// Keep back a queued message for a reason that only the outside can look up (the suppression list).
    Hold {
        /// The message.
        message: MessageId,
        /// Why.
        why: String,
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
    /// Record that the client agreed to something, or took it back.
    RecordConsent {
        /// What for.
        purpose: Purpose,
        /// Yes or no.
        given: bool,
        /// Which text was agreed to.
        text_version: String,
        /// Where or through whom.
        source: String,
    },
    /// Ask for the erasure of the lead's data: the first of two steps, by a person of the agency.
    RequestErasure {
        /// Why, if there is more to say than that it was asked for.
        reason: String,
        /// Who asked the agency for it.
        asked_by: String,
    },
    /// Confirm by the link that went to the address on file that its reader asked for what was asked.
    ConfirmIdentity {
        /// What the link holds.
        token: String,
    },
    /// Erase a lead that was erased before: a restored copy knows it again.
    Erase,
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
            Self::WaiveFinding { .. } => "waive a finding of",
            Self::Receive(_) => "receive a message for",
            Self::Sign { .. } => "sign for",
            Self::RecordPayment { .. } => "record the deposit of",
            Self::MarkStep { .. } => "mark a step of",
            Self::Send { .. } => "write to",
            Self::Release { .. } => "release a message to",
            Self::RecordSent { .. } | Self::RecordSendFailure { .. } => "record a send to",
            Self::TakeOver => "take over",
            Self::HandBack => "hand back",
            Self::Escalate { .. } => "escalate",
            Self::Retry => "retry",
            Self::Close { .. } => "close",
            Self::Reopen { .. } => "reopen",
            Self::Hold { .. } => "hold a message to",
            Self::RecordConsent { .. } => "record a consent of",
            Self::RequestErasure { .. } => "ask for the erasure of",
            Self::ConfirmIdentity { .. } => "confirm a request about",
            Self::Erase => "erase",
            Self::Wake => "wake",
        }
    }
}
