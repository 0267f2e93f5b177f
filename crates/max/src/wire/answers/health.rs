//! How the Eidolons and their voices are.

use jiff::Timestamp;
use max_core::id::LeadId;
use max_core::stage::Eidolon;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
