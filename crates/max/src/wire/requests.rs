//! What is asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use max_core::id::{Digest, LeadId, SignalId};
use max_core::lead::{Direction, MessageKind, NewLead, Outcome};
use max_core::stages::StageResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
    /// The words the client agreed to, when a program asked him; nothing for a signature that is only recorded.
    #[serde(default)]
    pub consent: String,
    /// The version of these words; needed with them.
    #[serde(default)]
    pub consent_version: String,
    /// The network address he signed from.
    #[serde(default)]
    pub ip: String,
    /// What his browser calls itself.
    #[serde(default)]
    pub user_agent: String,
}

/// The deposit arrived.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDeposit {
    /// How much, in minor units of the contract's currency; leave it out to accept what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// The bank's own reference, or whatever finds it again in the books.
    #[serde(default)]
    pub reference: String,
    /// The day on which it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_on: Option<Date>,
}

/// A step of the onboarding checklist is done, or is not after all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkStep {
    /// Whether it is done; it is, when this is left out.
    #[serde(default = "done")]
    pub done: bool,
    /// What shows that it is done, or why it is open again.
    pub proof: String,
}

fn done() -> bool {
    true
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

/// Lets an approval pass in spite of a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiveFinding {
    /// The finding's rule.
    pub rule: String,
    /// The finding's place, as the approval shows it; empty where it has none.
    #[serde(default)]
    pub place: String,
    /// Why it may pass.
    pub reason: String,
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
    /// A folder on the server's machine that does not exist yet.
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
