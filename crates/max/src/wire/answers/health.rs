//! How the Eidolons and their voices are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use max_engine::board::Load;
pub use max_engine::engine::EidolonHealth;
pub use max_engine::mind::{VoiceHealth, VoiceState};

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
