//! What travels over HTTP: the requests and answers that are not already types of the core. Server and client share
//! them, and `/openapi.json` is made from them, so the three cannot drift apart.
//!
//! Requests refuse unknown fields, because a misspelt `reason` should not vanish; answers may grow.

use std::collections::BTreeMap;

use jiff::Timestamp;
use max_core::id::{Digest, ExternalRef, LeadId, MessageId, SignalId, TaskId};
use max_core::lead::{
    Actor, Approval, ArtifactRef, ClientState, Delivery, Direction, Escalation, Message, MessageKind, NewLead, Outcome,
    Status, Task,
};
use max_core::signal::Signal;
use max_core::stage::{Eidolon, Stage};
use max_core::stages::{Finding, StageResult};
use max_engine::ports;
use max_engine::view;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

// ---- problems ----------------------------------------------------------------------------------------------------

/// An RFC 9457 problem document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemDocument {
    /// What kind of problem, as a link into `/docs`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to which lead or field, and the remedy.
    pub detail: String,
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What would be allowed instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// What checks found in submitted work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

// ---- requests ----------------------------------------------------------------------------------------------------

/// Hands a lead to a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    /// The stage in any spelling; the next one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What is handed over, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Why; needed to go back or past a stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A second request with the same signal changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_id: Option<SignalId>,
    /// The stage the sender believes the lead to be in (compare-and-set).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_stage: Option<String>,
}

/// A message from or to the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Which way it goes.
    #[serde(default = "inward")]
    pub direction: Direction,
    /// The text.
    pub body: String,
    /// The subject line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The sender's address; the lead's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The RFC 5322 Message-ID; the same one again changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The Message-ID it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// `reply`, `out_of_office`, `bounce` or `opt_out`, for messages from the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MessageKind>,
}

fn inward() -> Direction {
    Direction::In
}

/// The client's signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// SHA-256 of what is signed, as `data.waiting_for.document` says.
    pub document: Digest,
    /// The signer's name.
    pub signer: String,
}

/// A reason and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why, in a sentence.
    pub reason: String,
}

/// Ends a lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseLead {
    /// How.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The other lead's id, when the outcome is `merged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<LeadId>,
}

/// Nothing to say; an empty body does as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; needs a reason.
    Reject,
}

/// Decides an approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideApproval {
    /// Yes or no.
    pub decision: Verdict,
    /// What is agreed to, as the person saw it.
    pub payload_sha256: Digest,
    /// Why not, or a remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What becomes of an escalated lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rescue {
    /// Try again.
    Retry,
    /// End the lead; needs `outcome` and `reason`.
    Close,
    /// Hand it to a stage.
    HandOff,
}

/// Settles an escalation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideEscalation {
    /// What to do.
    pub decision: Rescue,
    /// The stage to hand off to; the next one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The outcome to close with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Asks for the next task of an Eidolon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimTask {
    /// Whose task, in any spelling.
    pub eidolon: String,
    /// Who will work on it: `<instance>/<worker>`.
    pub holder: String,
}

/// Goes on holding a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewTask {
    /// The attempt that was claimed.
    pub attempt: u32,
}

/// A file: give its text, or its bytes in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileContent {
    /// Its name inside the stage's folder.
    pub name: String,
    /// What it holds, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it holds, in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// Delivers a task's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitTask {
    /// The attempt that was claimed; with the task's id it is the fencing token.
    pub attempt: u32,
    /// The typed result.
    pub result: StageResult,
    /// Messages it would like to send to the client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<max_core::lead::Draft>,
    /// Files for the stage's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileContent>,
    /// What happened, in a sentence or two.
    pub summary: String,
    /// The lead, as the claim named it: lets a second copy of a submission be recognised once the task is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<LeadId>,
}

/// Reports that an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailTask {
    /// The attempt that was claimed.
    pub attempt: u32,
    /// What happened.
    pub error: String,
    /// False when another try cannot help.
    #[serde(default = "yes")]
    pub retryable: bool,
}

fn yes() -> bool {
    true
}

/// A standing wake-up: `cron` for again and again, `at` for once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSapWave {
    /// Its name; the same name again replaces it.
    pub name: String,
    /// Whom it wakes, in any spelling.
    pub eidolon: String,
    /// Five fields, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// One moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it is told.
    pub message: String,
}

/// A new access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// `ingest`, `read`, `operate`, `admin`, `eidolon:<id>`.
    pub scopes: Vec<String>,
}

/// A project already under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportLead {
    /// The client.
    #[schemars(with = "NewLead")]
    pub lead: Map<String, Value>,
    /// The stage to enter, in any spelling.
    pub stage: String,
    /// Results of earlier stages, by stage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Map<String, Value>>,
    /// Digest of a scope that was approved before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_scope: Option<Digest>,
    /// True when the contract is signed and the deposit paid.
    #[serde(default)]
    pub signed: bool,
    /// Files of earlier stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ImportFile>,
}

/// A file of an imported project: give its text, or its bytes in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFile {
    /// The stage whose folder it stands in, in any spelling.
    pub stage: String,
    /// Its name there.
    pub name: String,
    /// What it holds, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it holds, in standard base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// Where a backup goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupTo {
    /// A path on the server's machine that does not exist yet.
    pub to: String,
}

/// Moves a manual clock: either `advance` or `at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveClock {
    /// By how much: seconds, or text such as `2d4h` or `P2D` (a day is 24 hours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advance: Option<Value>,
    /// To which moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

// ---- answers -----------------------------------------------------------------------------------------------------

/// A page of leads, newest change first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadList {
    /// The rows.
    pub leads: Vec<LeadRow>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A lead in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl From<ports::LeadRow> for LeadRow {
    fn from(row: ports::LeadRow) -> Self {
        let ports::LeadRow {
            lead_id,
            external_ref,
            name,
            email,
            company,
            current_stage,
            status,
            outcome,
            next_action,
            created_at,
            updated_at,
        } = row;
        Self {
            lead_id,
            external_ref,
            name,
            email,
            company,
            current_stage,
            status,
            outcome,
            next_action,
            created_at,
            updated_at,
        }
    }
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
    /// How many messages the conversation has.
    pub messages: usize,
    /// What a person may do with it, in words.
    pub allowed: Vec<String>,
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
    /// The lead.
    pub lead_id: LeadId,
}

/// How an approval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
}

impl ApprovalView {
    /// The approval as the log tells it.
    pub fn new(lead_id: LeadId, view: view::ApprovalView) -> Self {
        let state = match view.state {
            view::ApprovalState::Pending => ApprovalState::Pending,
            view::ApprovalState::Approved => ApprovalState::Approved,
            view::ApprovalState::Rejected => ApprovalState::Rejected,
            view::ApprovalState::Void => ApprovalState::Void,
        };
        let decided = view.decided.map(|d| Decided { by: d.by, at: d.at, reason: d.reason });
        Self { approval: view.approval, state, decided, lead_id }
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
    /// The token itself, shown this once.
    pub token: String,
    /// What it is.
    #[serde(flatten)]
    pub view: TokenView,
}

/// A one-time sign-in link for a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignInLink {
    /// The path to open on this server.
    pub path: String,
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

/// How the Eidolons are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentsHealth {
    /// `ok`, or `degraded` when a voice fails or an Eidolon has nobody to think.
    pub status: HealthStatus,
    /// Which voices work: `playbook`, ….
    pub mode: String,
    /// Each Eidolon.
    pub eidolons: Vec<EidolonHealth>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Everybody can work.
    Ok,
    /// Somebody cannot.
    Degraded,
}

/// How an Eidolon and its voices are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Tasks that wait to be claimed.
    pub ready: usize,
    /// Tasks that wait for their back-off.
    pub delayed: usize,
    /// Tasks somebody works on.
    pub working: usize,
}

/// How one voice is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl From<max_engine::engine::EidolonHealth> for EidolonHealth {
    fn from(health: max_engine::engine::EidolonHealth) -> Self {
        let load = Load { ready: health.load.ready, delayed: health.load.delayed, working: health.load.working };
        let voices = health.voices.into_iter().map(VoiceHealth::from).collect();
        Self { eidolon: health.eidolon, persona: health.persona, load, voices }
    }
}

impl From<max_engine::mind::VoiceHealth> for VoiceHealth {
    fn from(health: max_engine::mind::VoiceHealth) -> Self {
        use max_engine::mind::VoiceState as Inner;
        let state = match health.state {
            Inner::Absent => VoiceState::Absent,
            Inner::Idle => VoiceState::Idle,
            Inner::Working => VoiceState::Working,
            Inner::Failing => VoiceState::Failing,
        };
        let max_engine::mind::VoiceHealth {
            voice,
            evidence,
            since,
            lead,
            last_error,
            turns,
            failures,
            tokens,
            cost_usd,
            session,
            ..
        } = health;
        Self { voice, state, evidence, since, lead, last_error, turns, failures, tokens, cost_usd, session }
    }
}
