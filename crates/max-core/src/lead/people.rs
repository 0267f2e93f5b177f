//! What people do beside the pipeline: help, sign, take over.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Actor, Task};
use crate::id::{Digest, EscalationId};

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
