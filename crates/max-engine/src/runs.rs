//! What a voice did in one run: how it was reached, how long it took, what it used and cost, and how it ended.
//!
//! Runs stand beside the log: they explain a lead and count against the budget, but decide nothing about it.

use std::fmt;

use jiff::Timestamp;
use max_core::id::{Digest, LeadId, TaskId};
use max_core::stage::{Eidolon, Stage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ports::CallFail;

/// One run of one voice on one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// The lead.
    pub lead: LeadId,
    /// The turn.
    pub task: TaskId,
    /// Which attempt of it.
    pub attempt: u32,
    /// Whose mind.
    pub eidolon: Eidolon,
    /// The lead's stage.
    pub stage: Stage,
    /// The seat, or the house voice.
    pub voice: String,
    /// How the voice is reached.
    pub transport: Transport,
    /// Whether it mended work that checks had refused.
    pub repair: bool,
    /// The model that answered, by its own word; what was asked for until it does.
    pub model: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How often the voice was called, tries again included.
    pub calls: u32,
    /// The tokens.
    pub usage: Usage,
    /// What it cost. Until a call is settled: the most it may cost.
    pub cost: MicroUsd,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What went wrong, in a sentence without anybody's words.
    pub error: Option<String>,
    /// SHA-256 of what was asked.
    pub prompt: Option<Digest>,
}

/// How a voice is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// It works inside MAX, as the playbook does.
    #[default]
    House,
    /// A program of the owner's.
    Script,
    /// A model behind an HTTP interface.
    Api,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::House, Self::Script, Self::Api];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Script => "script",
            Self::Api => "api",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// It has not.
    Running,
    /// The voice delivered; whether the work passed its checks stands in the log.
    Delivered,
    /// The turn was taken off it.
    Cancelled,
    /// MAX ended while it ran.
    Lost,
    /// The voice failed.
    Failed(FailClass),
}

impl RunOutcome {
    /// The word for it; that of the failure where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::Failed(class) => class.name(),
        }
    }

    /// The outcome with this word.
    pub fn of_name(word: &str) -> Option<Self> {
        let plain = [Self::Running, Self::Delivered, Self::Cancelled, Self::Lost];
        plain.into_iter().chain(FailClass::ALL.into_iter().map(Self::Failed)).find(|outcome| outcome.name() == word)
    }
}

/// The classes of failure, for records and for deciding what to do about them ([`CallFail`] carries the details).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailClass {
    /// No answer in time.
    Timeout,
    /// Asked too often; there is a moment from which it may be asked again.
    RateLimited,
    /// Nothing is left of what was paid for.
    QuotaOut,
    /// The login or key does not count (any more).
    AuthExpired,
    /// An answer without content.
    Empty,
    /// Not what was asked.
    Malformed,
    /// It would not.
    Refused,
    /// The lead does not fit into it.
    ContextTooLong,
    /// It died, or its service did.
    Crash,
    /// The owner's budget does not allow it.
    BudgetDenied,
    /// It cannot work on this at all.
    Unable,
}

impl FailClass {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Timeout,
        Self::RateLimited,
        Self::QuotaOut,
        Self::AuthExpired,
        Self::Empty,
        Self::Malformed,
        Self::Refused,
        Self::ContextTooLong,
        Self::Crash,
        Self::BudgetDenied,
        Self::Unable,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::QuotaOut => "quota_out",
            Self::AuthExpired => "auth_expired",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::ContextTooLong => "context_too_long",
            Self::Crash => "crash",
            Self::BudgetDenied => "budget_denied",
            Self::Unable => "unable",
        }
    }
}

impl CallFail {
    /// Its class.
    pub const fn class(&self) -> FailClass {
        match self {
            Self::Timeout(_) => FailClass::Timeout,
            Self::RateLimited { .. } => FailClass::RateLimited,
            Self::QuotaOut(_) => FailClass::QuotaOut,
            Self::AuthExpired(_) => FailClass::AuthExpired,
            Self::Empty => FailClass::Empty,
            Self::Malformed(_) => FailClass::Malformed,
            Self::Refused(_) => FailClass::Refused,
            Self::ContextTooLong => FailClass::ContextTooLong,
            Self::Crash(_) => FailClass::Crash,
            Self::BudgetDenied(_) => FailClass::BudgetDenied,
            Self::Unable(_) => FailClass::Unable,
        }
    }
}

/// Tokens, as the service counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All that went in, cached and newly cached ones included.
    pub input: u64,
    /// Of these, read from the service's cache.
    pub cached: u64,
    /// Of these, written to the service's cache.
    pub cache_write: u64,
    /// All that came out, thinking included.
    pub output: u64,
}

impl Usage {
    /// In and out together.
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.input = self.input.saturating_add(more.input);
        self.cached = self.cached.saturating_add(more.cached);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
        self.output = self.output.saturating_add(more.output);
    }
}

/// Money: millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// In whole dollars, for records that have always been in dollars.
    pub fn dollars(self) -> f64 {
        // A float holds every sum below 9 billion dollars exactly enough to show.
        self.0 as f64 / 1e6
    }
}

impl std::ops::Add for MicroUsd {
    type Output = Self;
    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl fmt::Display for MicroUsd {
    /// `$0.0123`: as many decimals as there are, and at least two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:06}", self.0 % 1_000_000);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "${}.{}", self.0 / 1_000_000, &decimals[..kept])
    }
}

/// What a million tokens of a model cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// That go in and are in no cache.
    pub input: MicroUsd,
    /// That are read from the cache.
    pub cached: MicroUsd,
    /// That are written to the cache.
    pub cache_write: MicroUsd,
    /// That come out.
    pub output: MicroUsd,
}

impl Price {
    /// What this many tokens cost, rounded up.
    pub fn of(&self, usage: Usage) -> MicroUsd {
        let plain = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let parts = [
            (plain, self.input),
            (usage.cached, self.cached),
            (usage.cache_write, self.cache_write),
            (usage.output, self.output),
        ];
        let cost = |(tokens, price): (u64, MicroUsd)| u128::from(tokens) * u128::from(price.0);
        let sum = parts.into_iter().map(cost).fold(0, u128::saturating_add);
        MicroUsd(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The most that these tokens can cost, whatever the cache does.
    pub fn at_most(&self, input: u64, output: u64) -> MicroUsd {
        let dearest = self.input.max(self.cached).max(self.cache_write);
        Self { input: dearest, ..*self }.of(Usage { input, output, ..Usage::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_counted_in_whole_millionths_and_rounded_up() {
        let price = Price {
            input: MicroUsd(3_000_000),
            cached: MicroUsd(300_000),
            cache_write: MicroUsd(3_750_000),
            output: MicroUsd(15_000_000),
        };
        let usage = Usage { input: 1_000, cached: 600, cache_write: 100, output: 10 };
        // 300 plain at 3, 600 cached at 0.3, 100 written at 3.75, 10 out at 15 (dollars a million).
        assert_eq!(price.of(usage), MicroUsd(900 + 180 + 375 + 150));
        assert_eq!(price.of(Usage { cached: 1, input: 1, ..Usage::default() }), MicroUsd(1), "0.3 is rounded up");
        assert!(price.at_most(1_000, 10) >= price.of(usage), "what is reserved is never less than what is paid");
        assert_eq!(Price::default().of(usage), MicroUsd(0));
        let huge = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
        assert_eq!(Price { output: MicroUsd(u64::MAX), ..price }.of(huge), MicroUsd(u64::MAX), "no overflow");
    }

    #[test]
    fn money_is_written_with_the_decimals_it_has() {
        for (amount, written) in [(0, "$0.00"), (1, "$0.000001"), (1_500_000, "$1.50"), (12_345_000, "$12.345")] {
            assert_eq!(MicroUsd(amount).to_string(), written);
        }
    }

    #[test]
    fn every_outcome_has_a_word_of_its_own() {
        let all: Vec<RunOutcome> =
            [RunOutcome::Running, RunOutcome::Delivered, RunOutcome::Cancelled, RunOutcome::Lost]
                .into_iter()
                .chain(FailClass::ALL.into_iter().map(RunOutcome::Failed))
                .collect();
        for outcome in &all {
            assert_eq!(RunOutcome::of_name(outcome.name()), Some(*outcome));
        }
        assert_eq!(RunOutcome::of_name("fine"), None);
    }
}
