//! Signals: messages between people, scripts, Eidolons and the Director, as YAML files or stream entries.
//!
//! This module knows what a signal says. How it is written to a file and read back safely is the adapter's.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{Digest, SignalId};

/// What kind of message a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignalType {
    /// A new lead.
    Lead,
    /// A person hands a lead to a stage, or the Director tells an Eidolon that one arrived.
    PipelineTransition,
    /// The client wrote.
    ClientMessage,
    /// A person decides; needs the approval's id, its payload hash and a signature.
    Approval,
    /// Somebody needs help.
    Escalation,
    /// A voice asks another.
    Consult,
    /// The answer to it.
    ConsultResponse,
    /// The Director tells an Eidolon that a task is open.
    TaskAssignment,
    /// An Eidolon's answer to a task.
    TaskResponse,
    /// A wake-up.
    Sapwave,
    /// A project is delivered and signed off.
    ProjectComplete,
    /// Somebody is alive.
    Heartbeat,
}

impl SignalType {
    /// All types.
    pub const ALL: [SignalType; 12] = [
        SignalType::Lead,
        SignalType::PipelineTransition,
        SignalType::ClientMessage,
        SignalType::Approval,
        SignalType::Escalation,
        SignalType::Consult,
        SignalType::ConsultResponse,
        SignalType::TaskAssignment,
        SignalType::TaskResponse,
        SignalType::Sapwave,
        SignalType::ProjectComplete,
        SignalType::Heartbeat,
    ];

    /// The word as it stands in files and names.
    pub const fn name(self) -> &'static str {
        match self {
            SignalType::Lead => "LEAD",
            SignalType::PipelineTransition => "PIPELINE_TRANSITION",
            SignalType::ClientMessage => "CLIENT_MESSAGE",
            SignalType::Approval => "APPROVAL",
            SignalType::Escalation => "ESCALATION",
            SignalType::Consult => "CONSULT",
            SignalType::ConsultResponse => "CONSULT_RESPONSE",
            SignalType::TaskAssignment => "TASK_ASSIGNMENT",
            SignalType::TaskResponse => "TASK_RESPONSE",
            SignalType::Sapwave => "SAPWAVE",
            SignalType::ProjectComplete => "PROJECT_COMPLETE",
            SignalType::Heartbeat => "HEARTBEAT",
        }
    }
}

impl fmt::Display for SignalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SignalType {
    type Err = UnknownSignalType;
    fn from_str(text: &str) -> Result<Self, UnknownSignalType> {
        Self::ALL
            .into_iter()
            .find(|t| t.name() == text)
            .ok_or_else(|| UnknownSignalType(text.chars().take(80).collect()))
    }
}

/// A `type` that no signal has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "type `{0}` is unknown; use one of LEAD, PIPELINE_TRANSITION, CLIENT_MESSAGE, APPROVAL, ESCALATION, CONSULT, \
     CONSULT_RESPONSE, TASK_ASSIGNMENT, TASK_RESPONSE, SAPWAVE, PROJECT_COMPLETE, HEARTBEAT"
)]
pub struct UnknownSignalType(pub String);

/// A signal as it was written. `from` is a claim, not an identity. Fields MAX does not know are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: SignalType,
    /// Who says so: a stage, persona or Eidolon, or any name from outside.
    #[serde(default)]
    pub from: String,
    /// Whom it is for.
    #[serde(default)]
    pub to: String,
    /// The lead: a UUID or the `external_ref` given at ingestion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// The stage the sender believes the lead to be in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_stage: Option<String>,
    /// The stage to go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_stage: Option<String>,
    /// What is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The folder handed over, as a logical path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_path: Option<String>,
    /// Its id; derived from name and content when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<SignalId>,
    /// When it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Everything else, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Signal {
    /// A signal with nothing but its type and its two ends.
    pub fn new(kind: SignalType, from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            kind,
            from: from.into(),
            to: to.into(),
            lead_id: None,
            previous_stage: None,
            next_stage: None,
            summary: None,
            data_path: None,
            id: None,
            at: None,
            extra: Map::new(),
        }
    }

    /// The text of a field MAX does not know, if it is text.
    pub fn extra_text(&self, key: &str) -> Option<&str> {
        self.extra.get(key)?.as_str()
    }
}

/// The id of a file that names none: the same name with the same content is the same signal.
pub fn derived_id(file_name: &str, content: &[u8]) -> SignalId {
    let mut bytes = file_name.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(content);
    let digest = Digest::of(&bytes).to_string();
    SignalId::try_from(format!("file-{}", &digest[..40])).unwrap_or_else(|_| SignalId::from(uuid::Uuid::nil()))
}

/// The name of a signal's file: `YYYYMMDD-HHMMSS_TYPE_From_to_To_<id>.yaml`, plain ASCII whatever the parts hold.
pub fn file_name(at: Timestamp, kind: SignalType, from: &str, to: &str, id: &SignalId) -> String {
    let stamp = at.strftime("%Y%m%d-%H%M%S");
    format!("{stamp}_{kind}_{}_to_{}_{}.yaml", plain(from, 40), plain(to, 40), plain(id.as_str(), 64))
}

/// Letters, digits and hyphens only, so that a name is safe in every shell and file system.
fn plain(text: &str, most: usize) -> String {
    let kept: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(most).collect();
    if kept.is_empty() { "unknown".into() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_plain_whatever_the_sender_is_called() {
        let at = "2026-11-22T10:11:12Z".parse().expect("a timestamp");
        let id = SignalId::try_from("abc/../1".to_owned()).expect("an id");
        let name = file_name(at, SignalType::ClientMessage, "../é vil", "Scoping", &id);
        assert_eq!(name, "20261122-101112_CLIENT_MESSAGE_vil_to_Scoping_abc1.yaml");
    }

    #[test]
    fn the_same_file_derives_the_same_id() {
        assert_eq!(derived_id("a.yaml", b"x"), derived_id("a.yaml", b"x"));
        assert_ne!(derived_id("a.yaml", b"x"), derived_id("b.yaml", b"x"));
    }
}
