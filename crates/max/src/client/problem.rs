//! What can go wrong in talking to the server, and how each becomes an exit code with advice.

use std::path::PathBuf;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::exit::{Exit, Failure};

/// A problem document (RFC 9457) of MAX.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status, also when the document forgot it.
    pub status: u16,
    /// The kind of problem in a few words.
    pub title: String,
    /// What happened and what to do.
    pub detail: String,
    /// The field that is wrong.
    pub field: Option<String>,
    /// What would be allowed instead.
    pub allowed: Vec<String>,
    /// What checks found.
    pub findings: Vec<Finding>,
}

/// One thing that a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// What is wrong.
    pub detail: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there, or the connection broke.
    #[error("the server at {server} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        server: String,
        /// Why.
        why: String,
    },
    /// No server is named and none runs on this root.
    #[error("no server runs on this root ({} names none)", run.join("max.json").display())]
    NoServer {
        /// The folder looked into.
        run: PathBuf,
    },
    /// The address is none.
    #[error("`{0}` is no server address; write it as http://HOST:PORT (put a proxy before MAX for https)")]
    BadAddress(String),
    /// The server says no.
    #[error("{}", describe(.0))]
    Problem(Box<Problem>),
    /// The answer was not what this command understands.
    #[error("the server's answer cannot be read: {0}; are client and server of the same version?")]
    Unreadable(String),
}

impl ClientError {
    /// The failure that a status and a body tell of.
    pub(super) fn from_body(status: StatusCode, body: &[u8]) -> Self {
        let mut problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        problem.status = status.as_u16();
        if problem.title.is_empty() {
            problem.title = status.canonical_reason().unwrap_or("error").to_owned();
        }
        Self::Problem(Box::new(problem))
    }

    /// The problem document, if the server sent one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// True when the server said that the lead's state forbids it.
    pub fn is_refusal(&self) -> bool {
        self.problem().is_some_and(|problem| problem.status == 409)
    }

    /// True when trying again soon may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem(problem) => matches!(problem.status, 429 | 503),
            _ => false,
        }
    }

    /// How a command ends on it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } | Self::NoServer { .. } => Exit::Unreachable,
            Self::BadAddress(_) => Exit::Usage,
            Self::Unreadable(_) => Exit::Failed,
            Self::Problem(problem) => match problem.status {
                400 | 413 | 415 | 422 => Exit::Invalid,
                401 | 403 => Exit::NotAllowed,
                404 => Exit::NotFound,
                409 | 412 => Exit::Refused,
                _ => Exit::Failed,
            },
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Failure::new(error.exit(), error.to_string());
        match error.exit() {
            Exit::Unreachable => failure.hint("start one with `max up`, or name it with --server URL or MAX_SERVER"),
            Exit::NotAllowed => failure.hint(
                "set MAX_TOKEN, or run where <root>/run/token can be read; `max token new` makes one with more scopes",
            ),
            _ => failure,
        }
    }
}

/// The document in a few lines: what, which field, what is allowed, what was found.
fn describe(problem: &Problem) -> String {
    let mut text = if problem.detail.is_empty() {
        format!("{} (HTTP {})", problem.title, problem.status)
    } else {
        problem.detail.clone()
    };
    if let Some(field) = &problem.field
        && !text.contains(field.as_str())
    {
        text = format!("{field}: {text}");
    }
    if problem.allowed.iter().any(|way| !text.contains(way.as_str())) {
        text.push_str(&format!("\n  allowed now: {}", problem.allowed.join(", ")));
    }
    for finding in &problem.findings {
        text.push_str(&format!("\n  {}: {}", finding.rule, finding.detail));
    }
    text
}
