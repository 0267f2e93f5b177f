//! What has happened to a lead, in the past tense. The log holds nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ApprovalId, Digest, EscalationId, LeadId, MessageId, SignalId, TaskId};
use crate::lead::{
    Actor, Approval, ApprovalKind, ArtifactRef, ClientWait, Consent, Disclosure, Ending, ErasureRequest, Escalation,
    IdentityCheck, IncomingPayment, Message, Need, NewLead, SigningEvidence, StageTransition, Task, Through,
};
use crate::stage::Stage;

/// All that one command did to one lead: the unit of the log, committed or not as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The lead.
    pub lead: LeadId,
    /// 1 for the lead's first entry.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// By which signal, if by one.
    pub signal_id: Option<SignalId>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// A lead came in.
    LeadIngested {
        /// What came in.
        lead: Box<NewLead>,
        /// The id of its message in the conversation.
        message: MessageId,
    },
    /// A project already under way was taken in.
    LeadImported {
        /// The client.
        lead: Box<NewLead>,
        /// The id of its message in the conversation.
        message: MessageId,
        /// Results of earlier stages.
        data: BTreeMap<Stage, Map<String, Value>>,
        /// Files of earlier stages.
        artifacts: Vec<ArtifactRef>,
        /// The scope approved before.
        approved_scope: Option<Digest>,
        /// True when contract and deposit are done.
        signed: bool,
    },
    /// The lead entered a stage.
    StageEntered {
        /// The move.
        #[serde(flatten)]
        transition: StageTransition,
        /// Why, for a move back or past a stage.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A turn began.
    TaskOpened {
        /// Its task.
        #[serde(flatten)]
        task: Task,
    },
    /// Somebody took the task.
    TaskClaimed {
        /// The task.
        task: TaskId,
        /// Which attempt this is.
        attempt: u32,
        /// Who.
        holder: String,
    },
    /// An attempt failed, or its lease ran out.
    AttemptFailed {
        /// The task.
        task: TaskId,
        /// Which attempt.
        attempt: u32,
        /// What happened.
        error: String,
        /// When it is tried again; nothing when it is not.
        retry_at: Option<Timestamp>,
    },
    /// A task was taken off whoever had it.
    TaskSuperseded {
        /// The task.
        task: TaskId,
        /// Why.
        why: String,
    },
    /// A result passed its checks and counts.
    WorkSubmitted {
        /// The task.
        task: TaskId,
        /// Which attempt.
        attempt: u32,
        /// The kind of result.
        result: String,
        /// The result.
        value: Value,
        /// The files it left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        artifacts: Vec<ArtifactRef>,
        /// What happened, for people.
        summary: String,
        /// Which voice did it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        voice: String,
        /// Voices that were asked before and did not deliver, each with the class of its failure.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead_of: Vec<String>,
    },
    /// A person is asked.
    ApprovalRequested {
        /// What.
        #[serde(flatten)]
        approval: Box<Approval>,
    },
    /// A person decided.
    ApprovalDecided {
        /// Which.
        approval: ApprovalId,
        /// Its kind.
        kind: ApprovalKind,
        /// What was agreed to.
        payload_sha256: Digest,
        /// Yes or no.
        approved: bool,
        /// Why not, or a remark.
        reason: Option<String>,
        /// By which way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        through: Option<Through>,
    },
    /// A person lets an approval pass in spite of a finding.
    FindingWaived {
        /// The approval.
        approval: ApprovalId,
        /// The finding's rule.
        rule: String,
        /// The finding's place.
        place: String,
        /// Why.
        reason: String,
    },
    /// A pending approval counts no longer.
    ApprovalVoided {
        /// Which.
        approval: ApprovalId,
        /// Why.
        why: String,
    },
    /// A person was reminded of an approval.
    ApprovalReminded {
        /// Which.
        approval: ApprovalId,
    },
    /// A scope may be built on.
    ScopeApproved {
        /// Its digest.
        document: Digest,
    },
    /// The deposit is there.
    DepositConfirmed {
        /// What the account shows, where somebody wrote it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<IncomingPayment>,
    },
    /// A step of the onboarding checklist was done by people, or turned out not to be.
    StepMarked {
        /// Its id, `O-4`.
        step: String,
        /// Whether it is done.
        done: bool,
        /// What shows it, or why it is open again.
        proof: String,
    },
    /// The client was reminded of steps that are late, each once.
    StepsReminded {
        /// Their ids.
        steps: Vec<String>,
    },
    /// The last day of a change order passed without a signature: it is signed no more.
    ChangeOrderLapsed {
        /// Its number, 1 for `CO-1`.
        number: u32,
        /// What was its last day.
        valid_until: Date,
    },
    /// The client is waited for.
    ClientAwaited {
        /// For what.
        #[serde(flatten)]
        wait: ClientWait,
    },
    /// The stage lacks something.
    NeedMissed {
        /// What.
        need: Need,
    },
    /// The client wrote.
    MessageReceived {
        /// What.
        #[serde(flatten)]
        message: Box<Message>,
    },
    /// A message waits to leave.
    MessageQueued {
        /// What.
        #[serde(flatten)]
        message: Box<Message>,
    },
    /// The rules let a message leave.
    MessageReleased {
        /// Which.
        message: MessageId,
        /// The rule that allowed it.
        rule: String,
    },
    /// The rules kept a message back.
    MessageHeld {
        /// Which.
        message: MessageId,
        /// Why.
        why: String,
    },
    /// The channel took a message.
    MessageSent {
        /// Which.
        message: MessageId,
    },
    /// The channel refused a message for good.
    MessageFailed {
        /// Which.
        message: MessageId,
        /// Why.
        error: String,
    },
    /// The client signed.
    DocumentSigned {
        /// SHA-256 of what was signed.
        document: Digest,
        /// The name given.
        signer: String,
        /// The milestone signed off; nothing for the contract.
        milestone: Option<String>,
        /// The number of the change order signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change_order: Option<u32>,
        /// What shows that it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Box<SigningEvidence>>,
    },
    /// Nothing automatic may go to the client any more.
    ClientUnreachable {
        /// Why.
        why: String,
    },
    /// Somebody called for help.
    Escalated {
        /// The call.
        #[serde(flatten)]
        escalation: Box<Escalation>,
    },
    /// The Core Orchestra looked at it.
    EscalationReviewed {
        /// Which.
        escalation: EscalationId,
        /// What it recommends to people.
        advice: String,
    },
    /// It is settled.
    EscalationResolved {
        /// Which.
        escalation: EscalationId,
        /// How.
        how: String,
    },
    /// A person took over.
    TakenOver {},
    /// A person gave back.
    HandedBack {},
    /// Nothing runs until a person acts.
    TurnPaused {},
    /// The lead has its outcome.
    Closed {
        /// Which.
        #[serde(flatten)]
        ending: Ending,
    },
    /// An ended lead was taken up again.
    Reopened {
        /// Why.
        reason: String,
    },
    /// The client agreed to something, or took it back.
    ConsentRecorded {
        /// What.
        consent: Consent,
    },
    /// The client is told, in words new to him, that an AI writes.
    AiDisclosed {
        /// By which words.
        disclosure: Disclosure,
    },
    /// Somebody asked to erase the lead's data; nothing automatic happens until a person has decided.
    ErasureRequested {
        /// Who, and how sure that is.
        request: ErasureRequest,
    },
    /// A link went to the address on file: whoever opens it there is who he says he is.
    IdentityAsked {
        /// For what, and until when.
        check: IdentityCheck,
    },
    /// The link was used.
    IdentityConfirmed {},
    /// The lead is erased: what follows folds to a shell without personal data. This is also what is left in the place
    /// of the lead's first payload once the log was blanked.
    LeadErased {
        /// When it was decided.
        at: Timestamp,
        /// The stage the lead was in.
        stage: Stage,
        /// When the lead came in.
        created_at: Timestamp,
        /// The approval, unless the list of erasures was applied to a restored copy.
        approval: Option<ApprovalId>,
    },
}

impl Event {
    /// The name of the fact, as it stands in the log, the API and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeadIngested { .. } => "LeadIngested",
            Self::LeadImported { .. } => "LeadImported",
            Self::StageEntered { .. } => "StageEntered",
            Self::TaskOpened { .. } => "TaskOpened",
            Self::TaskClaimed { .. } => "TaskClaimed",
            Self::AttemptFailed { .. } => "AttemptFailed",
            Self::TaskSuperseded { .. } => "TaskSuperseded",
            Self::WorkSubmitted { .. } => "WorkSubmitted",
            Self::ApprovalRequested { .. } => "ApprovalRequested",
            Self::ApprovalDecided { .. } => "ApprovalDecided",
            Self::FindingWaived { .. } => "FindingWaived",
            Self::ApprovalVoided { .. } => "ApprovalVoided",
            Self::ApprovalReminded { .. } => "ApprovalReminded",
            Self::ScopeApproved { .. } => "ScopeApproved",
            Self::DepositConfirmed { .. } => "DepositConfirmed",
            Self::StepMarked { .. } => "StepMarked",
            Self::StepsReminded { .. } => "StepsReminded",
            Self::ChangeOrderLapsed { .. } => "ChangeOrderLapsed",
            Self::ClientAwaited { .. } => "ClientAwaited",
            Self::NeedMissed { .. } => "NeedMissed",
            Self::MessageReceived { .. } => "MessageReceived",
            Self::MessageQueued { .. } => "MessageQueued",
            Self::MessageReleased { .. } => "MessageReleased",
            Self::MessageHeld { .. } => "MessageHeld",
            Self::MessageSent { .. } => "MessageSent",
            Self::MessageFailed { .. } => "MessageFailed",
            Self::DocumentSigned { .. } => "DocumentSigned",
            Self::ClientUnreachable { .. } => "ClientUnreachable",
            Self::Escalated { .. } => "Escalated",
            Self::EscalationReviewed { .. } => "EscalationReviewed",
            Self::EscalationResolved { .. } => "EscalationResolved",
            Self::TakenOver {} => "TakenOver",
            Self::HandedBack {} => "HandedBack",
            Self::TurnPaused {} => "TurnPaused",
            Self::Closed { .. } => "Closed",
            Self::Reopened { .. } => "Reopened",
            Self::ConsentRecorded { .. } => "ConsentRecorded",
            Self::AiDisclosed { .. } => "AiDisclosed",
            Self::ErasureRequested { .. } => "ErasureRequested",
            Self::IdentityAsked { .. } => "IdentityAsked",
            Self::IdentityConfirmed {} => "IdentityConfirmed",
            Self::LeadErased { .. } => "LeadErased",
        }
    }
}
