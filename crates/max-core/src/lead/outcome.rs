//! How a lead stands and how it ended, and its moves.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Actor;
use crate::id::SignalId;
use crate::stage::Stage;

/// How a lead ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The project was signed off.
    Delivered,
    /// Not a fit; told so politely.
    Disqualified,
    /// The client went away or stayed silent.
    Lost,
    /// Not a person who wants anything from the agency.
    Spam,
    /// The same as another lead.
    Merged,
    /// Erased on request.
    Erased,
}

impl Outcome {
    /// The word as it stands in `data.outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Disqualified => "disqualified",
            Outcome::Lost => "lost",
            Outcome::Spam => "spam",
            Outcome::Merged => "merged",
            Outcome::Erased => "erased",
        }
    }
}

/// Where a lead stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// An Eidolon has work to do or is doing it.
    InProgress,
    /// An approval, a missing need, or the client.
    AwaitingHuman,
    /// An outcome is set.
    Completed,
    /// An escalation is open.
    Escalated,
    /// All attempts are used up.
    Failed,
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 5] =
        [Status::InProgress, Status::AwaitingHuman, Status::Completed, Status::Escalated, Status::Failed];

    /// The word as it stands in `state.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::AwaitingHuman => "awaiting_human",
            Status::Completed => "completed",
            Status::Escalated => "escalated",
            Status::Failed => "failed",
        }
    }
}

/// One move in the history of a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageTransition {
    /// The stage left; null at ingestion.
    pub from_stage: Option<Stage>,
    /// The stage entered.
    pub to_stage: Stage,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The signal that asked for it, if one did.
    pub signal_id: Option<SignalId>,
    /// What was handed over, in a sentence or two.
    pub summary: String,
    /// The logical path of the folder handed over.
    pub data_path: Option<String>,
}
