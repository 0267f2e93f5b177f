//! What voices did on a lead, and what it cost.

use jiff::Timestamp;
use max_core::id::{Digest, TaskId};
use max_core::stage::{Eidolon, Stage};
use max_engine::runs::{MicroUsd, Run, Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The runs of a lead, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunList {
    /// Each run.
    pub runs: Vec<RunView>,
    /// All of them together.
    pub total: Spent,
}

/// What one voice did in one turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunView {
    /// Its id.
    pub id: Uuid,
    /// The turn.
    pub task_id: TaskId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Whose mind.
    pub eidolon: Eidolon,
    /// The lead's stage.
    pub stage: Stage,
    /// The seat, or `playbook`.
    pub voice: String,
    /// How it is reached: `house`, `script` or `api`.
    pub transport: String,
    /// Whether it mended work that checks had refused.
    pub repair: bool,
    /// The model that answered.
    pub model: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How often the voice was called, tries again included.
    pub calls: u32,
    /// What it used and cost. While it runs, and when it broke off: the most it may have cost.
    #[serde(flatten)]
    pub spent: Spent,
    /// `running`, `delivered`, `cancelled`, `lost` (MAX ended meanwhile), or the class of the failure: `timeout`,
    /// `rate_limited`, `quota_out`, `auth_expired`, `empty`, `malformed`, `refused`, `context_too_long`, `crash`,
    /// `budget_denied`, `unable`.
    pub outcome: String,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
    /// SHA-256 of what was asked.
    pub prompt_sha256: Option<Digest>,
}

/// Tokens and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// Tokens that went in, cached ones included.
    pub tokens_in: u64,
    /// Of these, those that the service's cache served.
    pub tokens_cached: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// In millionths of a US dollar.
    pub cost_micro_usd: u64,
}

impl Spent {
    fn new(usage: Usage, cost: MicroUsd) -> Self {
        Self { tokens_in: usage.input, tokens_cached: usage.cached, tokens_out: usage.output, cost_micro_usd: cost.0 }
    }
}

impl From<Vec<Run>> for RunList {
    fn from(runs: Vec<Run>) -> Self {
        let (mut usage, mut cost) = (Usage::default(), MicroUsd::default());
        for run in &runs {
            usage += run.usage;
            cost = cost + run.cost;
        }
        Self { runs: runs.into_iter().map(RunView::from).collect(), total: Spent::new(usage, cost) }
    }
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            task_id: run.task,
            attempt: run.attempt,
            eidolon: run.eidolon,
            stage: run.stage,
            voice: run.voice,
            transport: run.transport.name().to_owned(),
            repair: run.repair,
            model: run.model,
            started_at: run.started_at,
            took_ms: run.took_ms,
            calls: run.calls,
            spent: Spent::new(run.usage, run.cost),
            outcome: run.outcome.name().to_owned(),
            error: run.error,
            prompt_sha256: run.prompt,
        }
    }
}
