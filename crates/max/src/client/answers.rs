//! Typed readings of the server's answers: the parts that commands show. Unknown fields are no error.

use jiff::Timestamp;
use max_core::id::{ApprovalId, Digest, LeadId, MessageId};
use max_core::lead::{Approval, ApprovalKind, ArtifactRef, ClientState, Delivery, Direction, MessageKind, Status};
use max_core::stage::Stage;
use serde::Deserialize;
use serde_json::Value;

/// `GET /api/leads`.
#[derive(Clone, Debug, Deserialize)]
pub struct Leads {
    /// The rows.
    pub leads: Vec<LeadLine>,
    /// Where the next page begins.
    #[serde(default)]
    pub next: Option<String>,
}

/// A lead in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct LeadLine {
    /// The lead.
    pub lead_id: LeadId,
    /// The agency's own name for it.
    #[serde(default)]
    pub external_ref: Option<String>,
    /// The person.
    #[serde(default)]
    pub name: String,
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The company.
    #[serde(default)]
    pub company: Option<String>,
    /// Its stage.
    pub current_stage: Stage,
    /// Its status.
    pub status: Status,
    /// Its outcome, once there is one.
    #[serde(default)]
    pub outcome: Option<String>,
    /// What is to be done.
    #[serde(default)]
    pub next_action: String,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// `GET /api/leads/{id}`.
#[derive(Clone, Debug, Deserialize)]
pub struct LeadPage {
    /// The state.
    pub state: ClientState,
    /// The agency's own name for it.
    #[serde(default)]
    pub external_ref: Option<String>,
    /// How many entries its log has.
    #[serde(default)]
    pub version: u64,
    /// The open task.
    #[serde(default)]
    pub task: Option<TaskLine>,
    /// What it waits for, in the server's words.
    #[serde(default)]
    pub waits: Value,
    /// What may be done with it now.
    #[serde(default)]
    pub allowed: Vec<String>,
}

/// The parts of a task that matter to a reader.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskLine {
    /// Not before this moment.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Which attempt.
    #[serde(default)]
    pub attempt: u32,
    /// The last failure.
    #[serde(default)]
    pub last_error: Option<String>,
}

/// `GET /api/leads/{id}/messages`.
#[derive(Clone, Debug, Deserialize)]
pub struct Messages {
    /// Oldest first.
    pub messages: Vec<MessageLine>,
}

/// A message with how far it has come.
#[derive(Clone, Debug, Deserialize)]
pub struct MessageLine {
    /// Its id.
    pub id: MessageId,
    /// Which way.
    pub direction: Direction,
    /// What it is for.
    pub kind: MessageKind,
    /// The stage at the time.
    pub stage: Stage,
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    #[serde(default)]
    pub by: String,
    /// The subject line.
    #[serde(default)]
    pub subject: String,
    /// The text.
    pub body: String,
    /// The address it goes to or comes from.
    #[serde(default)]
    pub address: String,
    /// How far it has come.
    pub delivery: Delivery,
    /// Why it was held or failed.
    #[serde(default)]
    pub note: Option<String>,
}

/// `GET /api/leads/{id}/artifacts`.
#[derive(Clone, Debug, Deserialize)]
pub struct Artifacts {
    /// The newest version of each.
    pub artifacts: Vec<ArtifactLine>,
}

/// An artifact with where it lies.
#[derive(Clone, Debug, Deserialize)]
pub struct ArtifactLine {
    /// What it is.
    #[serde(flatten)]
    pub artifact: ArtifactRef,
    /// Its path inside the lead's folder.
    #[serde(default)]
    pub path: String,
}

/// `GET /api/leads/{id}/events`.
#[derive(Clone, Debug, Deserialize)]
pub struct Events {
    /// Oldest first.
    pub events: Vec<EventLine>,
}

/// One fact of a lead's log.
#[derive(Clone, Debug, Deserialize)]
pub struct EventLine {
    /// The entry's version.
    #[serde(default)]
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    #[serde(default)]
    pub by: String,
    /// Its name.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// One line for people.
    #[serde(default)]
    pub line: String,
    /// The fact itself.
    #[serde(default)]
    pub data: Value,
}

/// `GET /api/approvals`.
#[derive(Clone, Debug, Deserialize)]
pub struct Approvals {
    /// Oldest first.
    pub approvals: Vec<ApprovalLine>,
}

/// A pending approval in a list.
#[derive(Clone, Debug, Deserialize)]
pub struct ApprovalLine {
    /// Its id.
    pub id: ApprovalId,
    /// What is decided.
    pub kind: ApprovalKind,
    /// One line.
    pub title: String,
    /// What the person agrees to.
    pub payload_sha256: Digest,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it should be decided.
    pub due_at: Timestamp,
    /// The lead.
    pub lead_id: LeadId,
    /// Its name.
    #[serde(default)]
    pub lead_name: String,
}

/// `GET /api/approvals/{id}`.
#[derive(Clone, Debug, Deserialize)]
pub struct ApprovalPage {
    /// The approval.
    #[serde(flatten)]
    pub approval: Approval,
    /// `pending`, `approved`, `rejected` or `void`.
    pub state: String,
    /// The lead.
    pub lead_id: LeadId,
    /// Who decided, when and why.
    #[serde(default)]
    pub decided: Option<Verdict>,
}

/// Who decided an approval.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    /// Who.
    #[serde(default)]
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `GET /api/agents/health`.
#[derive(Clone, Debug, Deserialize)]
pub struct Agents {
    /// `ok` or `degraded`.
    pub status: String,
    /// Which minds work.
    #[serde(default)]
    pub mode: String,
    /// The Eidolons.
    pub eidolons: Vec<EidolonLine>,
}

/// An Eidolon with its voices.
#[derive(Clone, Debug, Deserialize)]
pub struct EidolonLine {
    /// Its id.
    pub eidolon: String,
    /// The persona's name.
    #[serde(default)]
    pub persona: String,
    /// How much work waits.
    #[serde(default)]
    pub load: Value,
    /// Its voices: the four seats, then the house voices.
    #[serde(default)]
    pub voices: Vec<VoiceLine>,
}

/// A voice.
#[derive(Clone, Debug, Deserialize)]
pub struct VoiceLine {
    /// The seat.
    pub voice: String,
    /// `absent`, `idle`, `working` or `failing`.
    pub state: String,
    /// What shows it.
    #[serde(default)]
    pub evidence: String,
    /// The lead it works on.
    #[serde(default)]
    pub lead: Option<String>,
    /// The last failure.
    #[serde(default)]
    pub last_error: Option<String>,
    /// Turns that came to something.
    #[serde(default)]
    pub turns: u64,
    /// Turns that did not.
    #[serde(default)]
    pub failures: u64,
}

/// The word that serde writes for a value, such as `follow_up`.
pub fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
