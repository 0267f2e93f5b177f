//! What the server answers, as the commands read it.

use jiff::Timestamp;
use max_core::id::{ExternalRef, LeadId, SignalId};
use max_core::lead::{Actor, Approval, ArtifactRef, ClientState, Delivery, Escalation, Message, Status, Task};
use max_core::signal::Signal;
use max_core::stage::{Eidolon, Stage};
use serde::Deserialize;
use serde_json::Value;

/// A page of leads, newest change first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LeadList {
    /// The rows.
    pub leads: Vec<LeadRow>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A lead in a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LeadRow {
    /// The lead.
    pub lead_id: LeadId,
    /// The agency's own name for it.
    pub external_ref: Option<ExternalRef>,
    /// The person.
    pub name: String,
    /// The address.
    pub email: String,
    /// The company.
    pub company: Option<String>,
    /// Its stage.
    pub current_stage: Stage,
    /// Its status.
    pub status: Status,
    /// Its outcome, once there is one.
    pub outcome: Option<String>,
    /// A sentence a person can act on.
    pub next_action: String,
    /// When it came in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Everything about a lead on one page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// How many messages the conversation has.
    pub messages: usize,
    /// What a person may do with it, in words.
    pub allowed: Vec<String>,
}

/// What happened to a lead, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EventList {
    /// The facts.
    pub events: Vec<EventView>,
    /// The version to ask after for more, if there is more.
    pub next: Option<u64>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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

/// The conversation, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MessageList {
    /// The messages.
    pub messages: Vec<MessageView>,
}

/// A message with how far it has come.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MessageView {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// How far it has come.
    pub delivery: Delivery,
    /// Why it was held or failed, if it was.
    pub note: Option<String>,
}

/// The artifacts of a lead.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ArtifactList {
    /// The newest version of each.
    pub artifacts: Vec<ArtifactView>,
}

/// An artifact with where to read it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ArtifactView {
    /// The artifact.
    #[serde(flatten)]
    pub artifact: ArtifactRef,
    /// Its path in the lead's folder.
    pub path: String,
    /// Its address on this server.
    pub url: String,
}

/// What waits for a decision, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ApprovalList {
    /// The pending approvals.
    pub approvals: Vec<PendingApproval>,
}

/// A pending approval with its lead.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ApprovalView {
    /// The approval.
    #[serde(flatten)]
    pub approval: Approval,
    /// `pending`, `approved`, `rejected` or `void`.
    pub state: ApprovalState,
    /// Who decided, when and why.
    pub decided: Option<Decided>,
    /// The lead.
    pub lead_id: LeadId,
}

/// How an approval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Decided {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

/// A signal was routed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SignalRouted {
    /// The signal's id.
    pub id: SignalId,
    /// What became of it, in a sentence.
    pub routed: String,
    /// The lead it was about.
    #[serde(default)]
    pub lead_id: Option<LeadId>,
}

/// What lies in an Eidolon's inbox.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SignalList {
    /// Open tasks that nobody has claimed, as signals.
    pub signals: Vec<Signal>,
}

/// All standing wake-ups.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SapWaveList {
    /// The wake-ups, by name.
    pub sapwaves: Vec<SapWaveView>,
}

/// A standing wake-up.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SapWaveView {
    /// Its name.
    pub name: String,
    /// Whom it wakes.
    pub eidolon: Eidolon,
    /// Again and again: five fields, in UTC.
    #[serde(default)]
    pub cron: Option<String>,
    /// Once.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// What it is told.
    pub message: String,
    /// When it last ran.
    pub last_run: Option<Timestamp>,
    /// When it runs next.
    pub next_run: Option<Timestamp>,
}

/// All access tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TokenList {
    /// The tokens; the secrets are nowhere.
    pub tokens: Vec<TokenView>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TokenMade {
    /// The token itself, shown this once.
    pub token: String,
    /// What it is.
    #[serde(flatten)]
    pub view: TokenView,
}

/// A backup was written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BackupDone {
    /// Where.
    pub path: String,
    /// How large it is.
    pub bytes: u64,
}

/// Readable copies were asked to be written again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Rebuilt {
    /// Of how many leads.
    pub leads: u64,
}

/// What time it is for MAX.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ClockView {
    /// The moment.
    pub now: Timestamp,
    /// True when it moves only by `POST /api/clock`.
    pub manual: bool,
}

/// How the Eidolons are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AgentsHealth {
    /// `ok`, or `degraded` when a voice fails or an Eidolon has nobody to think.
    pub status: HealthStatus,
    /// Which voices work: `playbook`, ….
    pub mode: String,
    /// Each Eidolon.
    pub eidolons: Vec<EidolonHealth>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Everybody can work.
    Ok,
    /// Somebody cannot.
    Degraded,
}

/// How an Eidolon and its voices are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EidolonHealth {
    /// Which.
    pub eidolon: Eidolon,
    /// The persona's name.
    pub persona: String,
    /// How much work waits.
    pub load: Load,
    /// The four seats first, then the house voices.
    pub voices: Vec<VoiceHealth>,
}

/// How busy an Eidolon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Load {
    /// Tasks that wait to be claimed.
    pub ready: usize,
    /// Tasks that wait for their back-off.
    pub delayed: usize,
    /// Tasks somebody works on.
    pub working: usize,
}

/// How one voice is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct VoiceHealth {
    /// The seat.
    pub voice: String,
    /// What it is doing.
    pub state: VoiceState,
    /// What shows it.
    pub evidence: String,
    /// Since when.
    pub since: Timestamp,
    /// The lead it works on.
    pub lead: Option<LeadId>,
    /// The last failure, with its time.
    pub last_error: Option<String>,
    /// Turns that came to something.
    pub turns: u64,
    /// Turns that did not.
    pub failures: u64,
    /// Tokens used.
    pub tokens: u64,
    /// Money spent, in US dollars.
    pub cost_usd: f64,
    /// The terminal session, where there is one.
    pub session: Option<String>,
}

/// What a voice is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoiceState {
    /// Nobody sits there.
    Absent,
    /// Ready, holding nothing.
    Idle,
    /// Thinking.
    Working,
    /// The last turn failed.
    Failing,
}
