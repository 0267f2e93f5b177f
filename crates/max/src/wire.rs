//! What travels over HTTP: the requests and answers that are not already types of the core. Server and client share
//! them, and `/openapi.json` is made from them, so the three cannot drift apart.
//!
//! Requests refuse unknown fields, because a misspelt `reason` should not vanish; answers may grow.

mod answers;
mod privacy;
mod requests;

use max_core::stages::Finding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answers::*;
pub use privacy::*;
pub use requests::*;

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
