//! What is answered.

mod health;
mod runs;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use max_core::id::{Digest, ExternalRef, LeadId, MessageId, SignalId, TaskId};
use max_core::lead::{
    Actor, Approval, ArtifactRef, ClientState, Delivery, Escalation, Message, Signature, Status, Task, Through,
};
use max_core::signal::Signal;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::Finding;
use max_core::stages::first_responder::FirstReply;
use max_core::stages::onboarding::Step;
use max_engine::ports;
use max_engine::view;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use health::*;
pub use max_engine::ports::LeadRow;
pub use max_engine::view::ApprovalState;
pub use runs::*;

/// A page of leads, newest change first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadList {
    /// The rows.
    pub leads: Vec<LeadRow>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Everything about a lead on one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadView {
    /// As in `state.json`.
    pub state: ClientState,
    /// The agency's own name for it.
    pub external_ref: Option<ExternalRef>,
    /// How many entries its log has; the ETag.
    pub version: u64,
    /// The open task.
    pub task: Option<Task>,
    /// The pending approval.
    pub approval: Option<Approval>,
    /// The open escalation.
    pub escalation: Option<Escalation>,
    /// What it waits for; the same as `state.data.waiting_for`.
    pub waits: Option<Value>,
    /// The newest version of every artifact.
    pub artifacts: Vec<ArtifactView>,
    /// What the client is asked to sign: exactly this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_sign: Option<SignedFile>,
    /// What the client signed, each bound to the file he was sent.
    #[serde(default)]
    pub signatures: Vec<SignatureView>,
    /// The steps of the onboarding checklist as they stand.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Change orders whose last day passed without a signature, by number.
    #[serde(default)]
    pub lapsed_change_orders: BTreeMap<u32, Date>,
    /// How many messages the conversation has.
    pub messages: usize,
    /// What a person may do with it, in words.
    pub allowed: Vec<String>,
    /// The client's own page; the path alone while `portal.url` is not set.
    #[serde(default)]
    pub portal: String,
    /// How soon the client was answered, by the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply: Option<FirstReply>,
    /// When the clock brings something about for it (a reminder, a follow-up, a report, another try), if nobody does
    /// anything before.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
}

/// A file that is signed, by what it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignedFile {
    /// What it is, in words: `the contract`, `milestone M-1`, `change order CO-1`.
    pub what: String,
    /// SHA-256 of the file: what the signature is bound to.
    pub document: Digest,
    /// The file in the lead's folder, where it is one that MAX wrote.
    pub file: Option<String>,
    /// Its address on this server; it is served by what it holds.
    pub url: Option<String>,
}

/// A signature with the file it stands under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureView {
    /// The file.
    #[serde(flatten)]
    pub signed: SignedFile,
    /// Who, when, and what shows it.
    pub signature: Signature,
}

/// What checks found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingList {
    /// The findings; none when all is well.
    pub findings: Vec<Finding>,
}

/// What happened to a lead, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventList {
    /// The facts.
    pub events: Vec<EventView>,
    /// The version to ask after for more, if there is more.
    pub next: Option<u64>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    /// Where its entry stands in the log of all leads.
    pub position: i64,
    /// Its entry's number in the lead's log.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// By which signal, if by one.
    pub signal_id: Option<SignalId>,
    /// The fact's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The fact in a line, for people.
    pub line: String,
    /// The fact's own fields.
    pub data: Value,
}

/// One fact as it is told live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveEvent {
    /// Where its entry stands in the log of all leads.
    pub position: i64,
    /// The lead.
    pub lead_id: LeadId,
    /// The entry's number in the lead's log.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The fact's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The fact in a line, for people.
    pub line: String,
    /// The lead's status when this was sent.
    pub status: Status,
    /// The lead's stage when this was sent.
    pub current_stage: Stage,
    /// A sentence a person can act on.
    pub next_action: String,
}

/// The conversation, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageList {
    /// The messages.
    pub messages: Vec<MessageView>,
}

/// A message with how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageView {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// How far it has come.
    pub delivery: Delivery,
    /// Why it was held or failed, if it was.
    pub note: Option<String>,
}

impl From<view::MessageView> for MessageView {
    fn from(view: view::MessageView) -> Self {
        Self { message: view.message, delivery: view.delivery, note: view.note }
    }
}

/// A message was taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MessageTaken {
    /// The lead now.
    pub state: ClientState,
    /// The message's id in the conversation.
    pub message_id: Option<MessageId>,
}

/// The artifacts of a lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactList {
    /// The newest version of each.
    pub artifacts: Vec<ArtifactView>,
}

/// An artifact with where to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactView {
    /// The artifact.
    #[serde(flatten)]
    pub artifact: ArtifactRef,
    /// Its path in the lead's folder.
    pub path: String,
    /// Its address on this server.
    pub url: String,
}

impl ArtifactView {
    /// An artifact of a lead.
    pub fn new(lead: LeadId, artifact: &ArtifactRef) -> Self {
        let path = format!("{}/{}", artifact.stage.folder(), artifact.name);
        Self { url: format!("/api/leads/{lead}/artifacts/{path}"), artifact: artifact.clone(), path }
    }
}

/// What waits for a decision, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalList {
    /// The pending approvals.
    pub approvals: Vec<PendingApproval>,
}

/// A pending approval with its lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PendingApproval {
    /// The approval.
    #[serde(flatten)]
    pub approval: Approval,
    /// The lead.
    pub lead_id: LeadId,
    /// The person.
    pub lead_name: String,
}

/// An approval with how it ended, if it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalView {
    /// The approval.
    #[serde(flatten)]
    pub approval: Approval,
    /// `pending`, `approved`, `rejected` or `void`.
    pub state: ApprovalState,
    /// Who decided, when and why.
    pub decided: Option<Decided>,
    /// Who may decide it: the tokens whose scope includes `operate`. The machine's own is the first.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// The lead.
    pub lead_id: LeadId,
}

/// Who decided an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Through>,
}

impl ApprovalView {
    /// The approval as the log tells it.
    pub fn new(lead_id: LeadId, view: view::ApprovalView) -> Self {
        let decided = view.decided.map(|d| Decided { by: d.by, at: d.at, reason: d.reason, through: d.through });
        Self { approval: view.approval, state: view.state, decided, approvers: Vec::new(), lead_id }
    }
}

/// What needs help, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationList {
    /// The open escalations.
    pub escalations: Vec<EscalationView>,
}

/// An escalation with its lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationView {
    /// The escalation.
    #[serde(flatten)]
    pub escalation: Escalation,
    /// The lead.
    pub lead_id: LeadId,
    /// The person.
    pub lead_name: String,
    /// What a person may do, in words.
    pub allowed: Vec<String>,
}

/// A signal was routed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalRouted {
    /// The signal's id.
    pub id: SignalId,
    /// What became of it, in a sentence.
    pub routed: String,
    /// The lead it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
}

/// What lies in an Eidolon's inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalList {
    /// Open tasks that nobody has claimed, as signals.
    pub signals: Vec<Signal>,
}

/// Open tasks, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskList {
    /// The tasks.
    pub tasks: Vec<TaskRow>,
}

/// An open task with its lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskRow {
    /// The lead.
    pub lead_id: LeadId,
    /// The task.
    #[serde(flatten)]
    pub task: Task,
}

/// A claimed task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// The task; with `attempt` the fencing token.
    pub task_id: TaskId,
    /// Which attempt this is.
    pub attempt: u32,
    /// The lead.
    pub lead: ClientState,
    /// What a voice is given.
    pub brief: BriefView,
}

/// What a voice is given for one turn. Text from outside is untrusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BriefView {
    /// The turn.
    pub task: Task,
    /// The whole conversation, oldest first.
    pub messages: Vec<Message>,
    /// The newest version of every artifact.
    pub artifacts: Vec<ArtifactView>,
    /// The moment.
    pub now: Timestamp,
    /// What checks found in an earlier try of this turn.
    pub findings: Vec<Finding>,
}

/// All standing wake-ups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SapWaveList {
    /// The wake-ups, by name.
    pub sapwaves: Vec<SapWaveView>,
}

/// A standing wake-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SapWaveView {
    /// Its name.
    pub name: String,
    /// Whom it wakes.
    pub eidolon: Eidolon,
    /// Again and again: five fields, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it is told.
    pub message: String,
    /// When it last ran.
    pub last_run: Option<Timestamp>,
    /// When it runs next.
    pub next_run: Option<Timestamp>,
}

impl From<ports::SapWave> for SapWaveView {
    fn from(wave: ports::SapWave) -> Self {
        let (cron, at) = match wave.when {
            ports::SapWaveTime::Cron(cron) => (Some(cron), None),
            ports::SapWaveTime::Once(at) => (None, Some(at)),
        };
        let ports::SapWave { name, eidolon, message, last_run, next_run, .. } = wave;
        Self { name, eidolon, cron, at, message, last_run, next_run }
    }
}

/// All access tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenList {
    /// The tokens; the secrets are nowhere.
    pub tokens: Vec<TokenView>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    /// Its public id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<ports::TokenRow> for TokenView {
    fn from(row: ports::TokenRow) -> Self {
        let ports::TokenRow { id, name, scopes, created_at, .. } = row;
        Self { id, name, scopes, created_at }
    }
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMade {
    /// The token itself, shown this once: the answer to a second copy of the request is without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub view: TokenView,
}

/// A one-time sign-in link for a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignInLink {
    /// The path to open on this server, shown this once: the answer to a second copy of the request is without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For how many seconds it works.
    pub expires_in: u64,
}

/// A backup was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BackupDone {
    /// Where.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
}

/// Readable copies were asked to be written again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rebuilt {
    /// Of how many leads.
    pub leads: u64,
}

/// The readable copies are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// Always true; a timeout is a problem document.
    pub settled: bool,
}

/// What time it is for MAX.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockView {
    /// The moment.
    pub now: Timestamp,
    /// True when it moves only by `POST /api/clock`.
    pub manual: bool,
}
