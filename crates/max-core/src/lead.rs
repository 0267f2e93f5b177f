//! A lead as the log tells it ([`Lead`]) and as the world reads it ([`ClientState`]).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ApprovalId, Digest, EscalationId, ExternalRef, LeadId, MessageId, SignalId, TaskId};
use crate::stage::{Eidolon, Stage};
use crate::stages::Next;

/// What comes in about a potential client. A name or an address, and a message, are enough.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewLead {
    /// The person's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address that answers go to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A telephone number as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The company, as the person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The person's role there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The company's web site, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// What the person wrote. Untrusted.
    pub message: String,
    /// Where the lead came from: `web`, `email`, `api`, `csv`, `signal` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A BCP 47 tag such as `de` or `en-GB`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The budget in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// The wished time in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<String>,
    /// What was consented to, as it was recorded by the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Value>,
    /// The agency's own name for the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<ExternalRef>,
    /// Fields MAX does not know, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl NewLead {
    /// Who this is, for telling the same person again: the address in lower case, else the name.
    pub fn person_key(&self) -> String {
        let key = if self.email.is_empty() { &self.name } else { &self.email };
        key.trim().to_lowercase()
    }

    /// The same person with the same message has the same fingerprint, whatever the white space.
    pub fn fingerprint(&self) -> Digest {
        let words: Vec<&str> = self.message.split_whitespace().collect();
        Digest::of(format!("{}\n{}", self.person_key(), words.join(" ")).as_bytes())
    }

    /// How to greet or list this person when there is little to go by.
    pub fn display_name(&self) -> &str {
        match (self.name.trim(), self.email.trim()) {
            ("", "") => "unknown",
            ("", email) => email,
            (name, _) => name,
        }
    }
}

/// Who did something, as it stands in the history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", from = "String")]
pub enum Actor {
    /// The PipelineDirector itself.
    Director,
    /// An Eidolon through one of its voices.
    Eidolon(Eidolon),
    /// The client.
    Client,
    /// A person of the agency, or a script with a token; the text names who and by which way.
    Person(String),
    /// A file in the drop box; the text is its `from`, which is a claim and not an identity.
    Signal(String),
    /// An import of a project already under way.
    Import(String),
}

impl From<Actor> for String {
    fn from(actor: Actor) -> String {
        match actor {
            Actor::Director => "director".into(),
            Actor::Eidolon(e) => format!("eidolon:{e}"),
            Actor::Client => "client".into(),
            Actor::Person(who) => format!("person:{who}"),
            Actor::Signal(from) => format!("signal:{from}"),
            Actor::Import(who) => format!("import:{who}"),
        }
    }
}

impl From<String> for Actor {
    fn from(text: String) -> Self {
        match text.split_once(':') {
            Some(("eidolon", id)) => match id.parse() {
                Ok(eidolon) => Self::Eidolon(eidolon),
                Err(_) => Self::Person(text),
            },
            Some(("person", who)) => Self::Person(who.into()),
            Some(("signal", from)) => Self::Signal(from.into()),
            Some(("import", who)) => Self::Import(who.into()),
            _ if text == "director" => Self::Director,
            _ if text == "client" => Self::Client,
            _ => Self::Person(text),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

impl Actor {
    /// The name for people: without the kind where it has a name of its own.
    pub fn who(&self) -> String {
        match self {
            Self::Person(who) | Self::Signal(who) | Self::Import(who) => who.clone(),
            Self::Eidolon(eidolon) => eidolon.persona().into(),
            Self::Director | Self::Client => self.to_string(),
        }
    }

    /// True for a person of the agency (also one who imports or drops a file).
    pub fn is_person(&self) -> bool {
        matches!(self, Self::Person(_) | Self::Signal(_) | Self::Import(_))
    }
}

/// How a lead ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The project was signed off.
    Delivered,
    /// Not a fit; told so politely.
    Disqualified,
    /// The client went away or stayed silent.
    Lost,
    /// Not a person who wants anything from the agency.
    Spam,
    /// The same as another lead.
    Merged,
    /// Erased on request.
    Erased,
}

impl Outcome {
    /// The word as it stands in `data.outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Disqualified => "disqualified",
            Outcome::Lost => "lost",
            Outcome::Spam => "spam",
            Outcome::Merged => "merged",
            Outcome::Erased => "erased",
        }
    }
}

/// Where a lead stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// An Eidolon has work to do or is doing it.
    InProgress,
    /// An approval, a missing need, or the client.
    AwaitingHuman,
    /// An outcome is set.
    Completed,
    /// An escalation is open.
    Escalated,
    /// All attempts are used up.
    Failed,
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 5] =
        [Status::InProgress, Status::AwaitingHuman, Status::Completed, Status::Escalated, Status::Failed];

    /// The word as it stands in `state.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::AwaitingHuman => "awaiting_human",
            Status::Completed => "completed",
            Status::Escalated => "escalated",
            Status::Failed => "failed",
        }
    }
}

/// One move in the history of a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageTransition {
    /// The stage left; null at ingestion.
    pub from_stage: Option<Stage>,
    /// The stage entered.
    pub to_stage: Stage,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The signal that asked for it, if one did.
    pub signal_id: Option<SignalId>,
    /// What was handed over, in a sentence or two.
    pub summary: String,
    /// The logical path of the folder handed over.
    pub data_path: Option<String>,
}

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
        }
    }

    /// The digest that a signature must name, if a signature is asked.
    pub fn document(&self) -> Option<Digest> {
        match self {
            Self::Signature { document } | Self::Milestone { document, .. } => Some(*document),
            _ => None,
        }
    }
}

/// What kind of thing a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// A reply to the client.
    Reply,
    /// The scope.
    Scope,
    /// The mockup leaves the house.
    Mockup,
    /// The priced proposal.
    Proposal,
    /// The contract.
    Contract,
    /// Confirms that the deposit arrived.
    Deposit,
    /// Confirms the agency's manual onboarding steps.
    ManualSteps,
    /// A milestone is handed to the client for sign-off.
    Milestone,
    /// Changed scope, price or dates after signature.
    ChangeOrder,
}

impl ApprovalKind {
    /// All kinds.
    pub const ALL: [ApprovalKind; 9] = [
        ApprovalKind::Reply,
        ApprovalKind::Scope,
        ApprovalKind::Mockup,
        ApprovalKind::Proposal,
        ApprovalKind::Contract,
        ApprovalKind::Deposit,
        ApprovalKind::ManualSteps,
        ApprovalKind::Milestone,
        ApprovalKind::ChangeOrder,
    ];

    /// The word as it stands in the API and `max.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            ApprovalKind::Reply => "reply",
            ApprovalKind::Scope => "scope",
            ApprovalKind::Mockup => "mockup",
            ApprovalKind::Proposal => "proposal",
            ApprovalKind::Contract => "contract",
            ApprovalKind::Deposit => "deposit",
            ApprovalKind::ManualSteps => "manual_steps",
            ApprovalKind::Milestone => "milestone",
            ApprovalKind::ChangeOrder => "change_order",
        }
    }
}

/// A question to a person of the agency, bound to the hash of exactly what would happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is decided.
    pub kind: ApprovalKind,
    /// The stage that asks.
    pub stage: Stage,
    /// The task whose result it is.
    pub task: TaskId,
    /// One line for the queue.
    pub title: String,
    /// The artifacts concerned.
    pub artifacts: Vec<ArtifactRef>,
    /// The messages that go out on approval.
    pub outgoing: Vec<Draft>,
    /// What follows on approval.
    pub then: Next,
    /// SHA-256 over kind, artifacts, messages and what follows: what the person agrees to.
    pub payload_sha256: Digest,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it should be decided; a reminder comes at half time.
    pub due_at: Timestamp,
    /// Reminders sent so far.
    #[serde(default)]
    pub reminders: u8,
}

impl Approval {
    /// The digest a decision must name.
    pub fn digest(kind: ApprovalKind, artifacts: &[ArtifactRef], outgoing: &[Draft], then: &Next) -> Digest {
        Digest::of_json(&(kind, artifacts, outgoing, then))
    }
}

/// A versioned, hashed file of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactRef {
    /// The stage whose folder it stands in.
    pub stage: Stage,
    /// Its file name inside the stage's folder: `[A-Za-z0-9._-]`, with `/` between folders.
    pub name: String,
    /// 1 for the first; the same content again is no new version.
    pub version: u32,
    /// What it holds.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Set when later work made it void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub superseded: bool,
}

/// A message that a mind would like to send to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What the message is for.
    pub kind: MessageKind,
    /// The subject line.
    pub subject: String,
    /// The text, plain.
    pub body: String,
    /// Artifacts that go with it, by name inside the stage's folder.
    #[serde(default)]
    pub attachments: Vec<String>,
    /// Who wrote it: the voice's name, or `playbook`.
    #[serde(default)]
    pub written_by: String,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The client's message, or an ordinary answer to it.
    Reply,
    /// A neutral receipt while a person looks at the answer.
    Receipt,
    /// A polite no.
    Decline,
    /// Scoping questions.
    Questions,
    /// The mockup.
    Mockup,
    /// The proposal.
    Proposal,
    /// The contract.
    Contract,
    /// A reminder to a silent client.
    FollowUp,
    /// The welcome pack.
    Welcome,
    /// A status report or plan.
    Report,
    /// A milestone to sign off.
    Milestone,
    /// The closing letter.
    Closing,
    /// An out-of-office answer: recorded, but no reply.
    OutOfOffice,
    /// The address does not work.
    Bounce,
    /// The client wants no more mail.
    OptOut,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// How far an outgoing message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Arrived from outside.
    Received,
    /// Waits in the outbox.
    Queued,
    /// The rules allowed it; it is being handed to the channel.
    Sending,
    /// The channel took it.
    Sent,
    /// A rule forbade it at the moment of sending.
    Held,
    /// The channel refused it for good.
    Failed,
}

impl Delivery {
    /// The word, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Delivery::Received => "received",
            Delivery::Queued => "queued",
            Delivery::Sending => "sending",
            Delivery::Sent => "sent",
            Delivery::Held => "held",
            Delivery::Failed => "failed",
        }
    }
}

/// A message of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// What it is for.
    pub kind: MessageKind,
    /// The stage at the time.
    pub stage: Stage,
    /// When it was received or queued.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: Actor,
    /// The subject line.
    #[serde(default)]
    pub subject: String,
    /// The text. Untrusted when it came in.
    pub body: String,
    /// Attached artifacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<ArtifactRef>,
    /// RFC 5322 Message-ID without angle brackets.
    pub rfc_id: String,
    /// The Message-ID it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The ids of the thread so far, oldest first (RFC 5322 References).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The address it goes to or comes from.
    #[serde(default)]
    pub address: String,
    /// Which voice wrote it, or nothing for a person or the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
    /// False when the sender was only matched by his address.
    #[serde(default = "yes")]
    pub verified: bool,
}

fn yes() -> bool {
    true
}

/// What the aggregate keeps of a message; the text stands in the log and the message table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageMeta {
    /// Its id.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// What it is for.
    pub kind: MessageKind,
    /// How far it has come.
    pub delivery: Delivery,
    /// When it was received or queued.
    pub at: Timestamp,
    /// RFC 5322 Message-ID.
    pub rfc_id: String,
    /// True when no person wrote it.
    pub automatic: bool,
    /// SHA-256 of the text, so that no follow-up says the same twice.
    pub text: Digest,
}

/// An open call for help.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Escalation {
    /// Its id.
    pub id: EscalationId,
    /// Why, in a sentence.
    pub reason: String,
    /// Who raised it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The Core Orchestra's task, while it looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Task>,
    /// What the Core Orchestra recommends to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
}

/// The client's signature under a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// SHA-256 of the document signed.
    pub document: Digest,
    /// The signer's name as given.
    pub signer: String,
    /// When.
    pub at: Timestamp,
    /// By which way it was recorded.
    pub by: Actor,
}

/// A person works with this client; the AI keeps still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TakeOver {
    /// Who.
    pub by: Actor,
    /// Since when.
    pub at: Timestamp,
}

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
    /// Milestones the client signed off, by id.
    pub accepted_milestones: BTreeMap<String, Signature>,
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
    /// When it came in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Lead {
    /// Where the lead stands, in one word.
    pub fn status(&self) -> Status {
        match &self.turn {
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
        next_action(self)
    }

    /// The task that can be claimed or is being worked on: the stage's, or the Core Orchestra's review.
    pub fn open_task(&self) -> Option<&Task> {
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

/// What `state.json` holds and the API answers: exactly these fields, names and values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientState {
    /// The lead.
    pub lead_id: LeadId,
    /// Its stage.
    pub current_stage: Stage,
    /// Its status.
    pub status: Status,
    /// Keyed by stage, plus `lead` (what came in), `waiting_for` and `outcome`.
    pub data: Map<String, Value>,
    /// A sentence a person can act on.
    pub next_action: String,
    /// The moves so far.
    pub history: Vec<StageTransition>,
    /// When it came in (RFC 3339, UTC).
    pub created_at: Timestamp,
    /// When it last changed (RFC 3339, UTC).
    pub updated_at: Timestamp,
}

impl From<&Lead> for ClientState {
    fn from(lead: &Lead) -> Self {
        let mut data = Map::new();
        data.insert("lead".into(), serde_json::to_value(&lead.contact).unwrap_or_default());
        for (stage, values) in &lead.data {
            data.insert(stage.name().into(), Value::Object(values.clone()));
        }
        if let Some(waiting) = waiting_for(lead) {
            data.insert("waiting_for".into(), waiting);
        }
        if let Turn::Ended(ending) = &lead.turn {
            data.insert("outcome".into(), ending.outcome.name().into());
            if let Some(other) = ending.merged_into {
                data.insert("merged_into".into(), other.to_string().into());
            }
        }
        Self {
            lead_id: lead.id,
            current_stage: lead.stage,
            status: lead.status(),
            data,
            next_action: lead.next_action(),
            history: lead.history.clone(),
            created_at: lead.created_at,
            updated_at: lead.updated_at,
        }
    }
}

/// What the lead waits for, for programs.
fn waiting_for(lead: &Lead) -> Option<Value> {
    use serde_json::json;
    if matches!(lead.turn, Turn::Ended(_)) {
        return None;
    }
    if let Some(escalation) = &lead.escalation {
        return Some(
            json!({"kind": "escalation", "id": escalation.id, "reason": escalation.reason, "since": escalation.at}),
        );
    }
    if let Some(take_over) = &lead.taken_over {
        return Some(json!({"kind": "take_over", "by": take_over.by, "since": take_over.at}));
    }
    match &lead.turn {
        Turn::AwaitingApproval(a) => Some(json!({
            "kind": "approval", "id": a.id, "approval": a.kind, "title": a.title,
            "since": a.requested_at, "due_at": a.due_at,
        })),
        Turn::AwaitingClient(wait) => {
            let mut value = json!({"kind": "client", "for": wait.ask.sentence(), "since": wait.since, "follow_ups": wait.follow_ups});
            if let Some(document) = wait.ask.document() {
                value["document"] = json!(document);
            }
            Some(value)
        }
        Turn::AwaitingNeed { need, since } => Some(json!({"kind": "need", "need": need, "since": since})),
        Turn::Paused { .. } | Turn::Exhausted { .. } => Some(json!({"kind": "person"})),
        Turn::Working(_) | Turn::Ended(_) => None,
    }
}

/// What should happen next, in a sentence a person can act on.
fn next_action(lead: &Lead) -> String {
    let persona = lead.stage.eidolon().persona();
    if let Turn::Ended(ending) = &lead.turn {
        return match ending.outcome {
            Outcome::Delivered => "Nothing: the project is delivered and signed off.".into(),
            outcome => format!("Nothing: closed as {} ({}).", outcome.name(), ending.reason.trim_end_matches('.')),
        };
    }
    if let Some(escalation) = &lead.escalation {
        let advice = match (&escalation.recommendation, &escalation.review) {
            (Some(text), _) => format!(" The Core Orchestra recommends: {}.", text.trim_end_matches('.')),
            (None, Some(_)) => " The Core Orchestra is looking at it.".into(),
            (None, None) => String::new(),
        };
        let decide = if lead.pending_approval().is_some() { "Decide the approval, retry" } else { "Retry" };
        let reason = escalation.reason.trim_end_matches('.');
        return format!("{decide}, hand off or close this lead: {reason}.{advice}");
    }
    if let Some(take_over) = &lead.taken_over {
        return format!("{} has taken over; hand the lead back when done.", take_over.by.who());
    }
    match &lead.turn {
        Turn::Working(task) if task.holder.is_some() => format!("{persona} is working on {}.", lead.stage),
        Turn::Working(task) => match task.not_before {
            Some(at) => format!("{persona} tries {} again at {}.", lead.stage, at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => format!("{persona} takes up {}.", lead.stage),
        },
        Turn::AwaitingApproval(approval) => format!("Decide: {}.", approval.title.trim_end_matches('.')),
        Turn::AwaitingClient(wait) => match &lead.unreachable {
            Some(why) => format!("Reach the client another way ({why}) for the {}.", wait.ask.sentence()),
            None => format!("Wait for the client's {}.", wait.ask.sentence()),
        },
        Turn::AwaitingNeed { need, .. } => {
            format!("{} waits for {}: {}.", lead.stage, need.sentence(), need.remedy())
        }
        Turn::Paused { .. } => "Retry, hand off or close this lead.".into(),
        Turn::Exhausted { attempts, error, .. } => {
            format!("Retry, hand off or close this lead: {attempts} attempts failed ({}).", error.trim_end_matches('.'))
        }
        Turn::Ended(_) => String::new(),
    }
}
