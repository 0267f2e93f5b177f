//! Why a command was not carried out.

use serde::{Deserialize, Serialize};

use crate::stages::Finding;

/// A command that may not be carried out, with what would be allowed. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("cannot {command} a lead that is {state}: {reason}{}", allowed_text(.allowed))]
pub struct Refusal {
    /// What kind of no this is.
    pub kind: RefusalKind,
    /// The state the command met, in words.
    pub state: String,
    /// The command.
    pub command: String,
    /// Why not.
    pub reason: String,
    /// What would be allowed instead.
    pub allowed: Vec<String>,
    /// What checks found, when work was refused.
    pub findings: Vec<Finding>,
}

/// What kind of no a [`Refusal`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The state forbids it (HTTP 409).
    State,
    /// The fencing token is old: somebody else has the task (HTTP 409).
    Fenced,
    /// The command itself lacks something (HTTP 422).
    Invalid,
    /// What it names does not exist (HTTP 404).
    NotFound,
    /// The work does not pass its checks (HTTP 422).
    Checks,
}

fn allowed_text(allowed: &[String]) -> String {
    if allowed.is_empty() { String::new() } else { format!("; allowed: {}", allowed.join(", ")) }
}
