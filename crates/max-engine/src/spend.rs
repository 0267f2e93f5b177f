//! Who may spend how much: each call is reserved before it is made and settled after it.
//!
//! A reservation is written down as the run's cost before the call, so a process that dies in the middle has spent the
//! most it could have: a budget is never passed by crashing. Reservations are made one after the other.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use max_core::id::{Digest, LeadId};
use max_core::stage::Stage;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::director::blocking;
use crate::ports::{Brief, CallFail, Clock, Store};
use crate::runs::{MicroUsd, Run, RunOutcome, Transport, Usage};

/// The most that may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// On one day (UTC), over all leads.
    pub per_day: MicroUsd,
    /// On one lead, ever.
    pub per_lead: MicroUsd,
    /// On one lead in one stage, ever.
    pub per_stage: MicroUsd,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_day: MicroUsd(5_000_000), per_lead: MicroUsd(1_000_000), per_stage: MicroUsd(500_000) }
    }
}

/// Which runs are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Those that began at or after this moment.
    Since(Timestamp),
    /// Those of a lead.
    Lead(LeadId),
    /// Those of a lead in a stage.
    Stage(LeadId, Stage),
}

/// The budget and what is known of the spending.
pub struct Purse {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    budget: Budget,
    /// Between looking at the sums and writing the reservation down, nobody else does either.
    counting: tokio::sync::Mutex<()>,
}

impl Purse {
    /// A purse over the runs of a store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, budget: Budget) -> Self {
        Self { store, clock, budget, counting: tokio::sync::Mutex::new(()) }
    }

    /// Begins the record of a run.
    pub(crate) fn open(self: &Arc<Self>, brief: &Brief, voice: &str, transport: Transport) -> Meter {
        let run = Run {
            id: Uuid::new_v4(),
            lead: brief.lead.id,
            task: brief.task.id,
            attempt: brief.attempt,
            eidolon: brief.task.eidolon,
            stage: brief.lead.stage,
            voice: voice.to_owned(),
            transport,
            repair: !brief.findings.is_empty(),
            model: None,
            started_at: self.clock.now(),
            took_ms: 0,
            calls: 0,
            usage: Usage::default(),
            cost: MicroUsd::default(),
            outcome: RunOutcome::Running,
            error: None,
            prompt: None,
        };
        Meter(Some(Arc::new(Open { purse: Arc::clone(self), run: Mutex::new(run) })))
    }

    async fn record(&self, run: Run) -> Result<(), CallFail> {
        let store = Arc::clone(&self.store);
        let recorded = blocking(move || store.record_run(&run)).await;
        recorded.map_err(|error| CallFail::BudgetDenied(format!("the spending cannot be written down: {error}")))
    }

    /// Refuses what would pass a limit.
    async fn check(&self, lead: LeadId, stage: Stage, more: MicroUsd) -> Result<(), CallFail> {
        let day = self.clock.now().to_zoned(TimeZone::UTC).start_of_day().map_or(Timestamp::MIN, |day| day.timestamp());
        let limits = [
            ("per_day", self.budget.per_day, Spending::Since(day)),
            ("per_lead", self.budget.per_lead, Spending::Lead(lead)),
            ("per_stage", self.budget.per_stage, Spending::Stage(lead, stage)),
        ];
        for (name, limit, spending) in limits {
            let store = Arc::clone(&self.store);
            let spent = blocking(move || store.spent(spending)).await;
            let spent = spent.map_err(|e| CallFail::BudgetDenied(format!("the spending cannot be looked up: {e}")))?;
            if spent + more > limit {
                return Err(CallFail::BudgetDenied(format!(
                    "{spent} are spent, the call may cost {more}, and [budget] {name} is {limit}"
                )));
            }
        }
        Ok(())
    }
}

/// What one run may spend and has spent. Voices reserve each call here; without a record it allows everything.
#[derive(Clone, Default)]
pub struct Meter(Option<Arc<Open>>);

struct Open {
    purse: Arc<Purse>,
    run: Mutex<Run>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("recorded", &self.0.is_some()).finish()
    }
}

impl Meter {
    /// Notes what is about to be asked of which model.
    pub fn asks(&self, model: &str, prompt: Digest) {
        if let Some(open) = &self.0 {
            let mut run = open.run.lock();
            run.model = Some(model.to_owned());
            run.prompt = Some(prompt);
        }
    }

    /// Sets the most that a call may cost aside, or refuses.
    ///
    /// # Errors
    /// [`CallFail::BudgetDenied`] when a limit would be passed, or when spending cannot be looked up or written down.
    pub async fn reserve(&self, at_most: MicroUsd) -> Result<Reservation, CallFail> {
        let Some(open) = &self.0 else { return Ok(Reservation { meter: self.clone(), at_most }) };
        let (lead, stage) = {
            let run = open.run.lock();
            (run.lead, run.stage)
        };
        let _alone = open.purse.counting.lock().await;
        open.purse.check(lead, stage, at_most).await?;
        let reserved = {
            let mut run = open.run.lock();
            run.calls += 1;
            run.cost = run.cost + at_most;
            run.clone()
        };
        let reservation = Reservation { meter: self.clone(), at_most };
        open.purse.record(reserved).await?;
        Ok(reservation)
    }

    /// What was used and spent so far.
    pub(crate) fn spent(&self) -> (Usage, MicroUsd) {
        self.0.as_ref().map_or_else(Default::default, |open| {
            let run = open.run.lock();
            (run.usage, run.cost)
        })
    }

    /// Ends the record and writes it down.
    pub(crate) async fn close(&self, outcome: RunOutcome, error: Option<String>) {
        let Some(open) = &self.0 else { return };
        let run = {
            let mut run = open.run.lock();
            let took = open.purse.clock.now().duration_since(run.started_at).as_millis();
            run.took_ms = u64::try_from(took).unwrap_or_default();
            run.outcome = outcome;
            run.error = error;
            run.clone()
        };
        let (lead, voice) = (run.lead, run.voice.clone());
        if let Err(error) = open.purse.record(run).await {
            tracing::warn!(%lead, voice, %error, "a run could not be written down");
        }
    }
}

/// Money set aside for one call. Dropped without being settled, all of it counts as spent: what a call cost that broke
/// off is not known.
#[must_use = "a call is settled when it is over"]
pub struct Reservation {
    meter: Meter,
    at_most: MicroUsd,
}

impl Reservation {
    /// The call is over: what it used, what that cost, and the model that answered.
    pub fn settle(self, model: Option<&str>, usage: Usage, cost: MicroUsd) {
        let Some(open) = &self.meter.0 else { return };
        let mut run = open.run.lock();
        run.usage += usage;
        run.cost = MicroUsd(run.cost.0.saturating_sub(self.at_most.0)) + cost;
        if let Some(model) = model {
            run.model = Some(model.to_owned());
        }
    }
}
