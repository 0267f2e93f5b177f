//! Everything that a clock brings about: follow-ups and reminders, ended back-offs, lost leases, SapWaves, and the
//! watchdog that puts up again what nobody took.
//!
//! Nothing here is remembered in memory alone. Wake-up times stand in the store, so a restart runs what was missed,
//! once; leases end by themselves when their holder is gone.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use max_core::command::Command;
use max_core::id::{LeadId, SignalId, TaskId};
use max_core::lead::Actor;
use max_core::signal::{Signal, SignalType};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::director::Director;
use crate::error::Error;
use crate::fail;
use crate::ports::{Clock, Folders, SapWave, SapWaveTime, StoreError};

/// The longest sleep: a changed clock or a change by another process is noticed within this time.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_secs(30);
/// How long to wait when something that is due cannot be done.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// How many leads are woken in one go.
const WAKE_BATCH: usize = 256;
/// How often the watchdog compares the board with the store.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_secs(30);

pub(crate) struct Timers {
    pub(crate) director: Director,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folders: Arc<dyn Folders>,
    /// Rung when a lead's wake-up time changed.
    pub(crate) changed: Arc<Notify>,
    /// Earlier processes on this store, which are known dead.
    pub(crate) gone: HashSet<String>,
}

/// How far a round came with what was due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Nothing is left.
    All,
    /// It took as much as it may in one go; there is more.
    More,
    /// Something that is due could not be done.
    Stuck,
}

impl Timers {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut next_sweep = self.clock.now();
        while !stop.is_cancelled() {
            let now = self.clock.now();
            // A clock that was set back must not keep the sweep away.
            next_sweep = next_sweep.min(now + SWEEP_EVERY);
            if now >= next_sweep {
                self.sweep(now).await;
                next_sweep = now + SWEEP_EVERY;
            }
            self.director.board().ripen(now);
            let done = [self.expire(now).await, self.run_sapwaves(now).await, self.wake_due(now).await];
            if done.contains(&Done::More) {
                continue;
            }
            let mut until = self.next(now).await.min(next_sweep);
            if done.contains(&Done::Stuck) {
                // What is due stays due: without a pause this would spin for as long as the store is in trouble.
                until = until.max(now + RETRY_AFTER);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {}
                () = self.director.board().delayed.notified() => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    /// When there is something to do next.
    async fn next(&self, now: Timestamp) -> Timestamp {
        let stored = self
            .director
            .read(|store| {
                let lead = store.next_due()?;
                let wave = store.sapwaves()?.into_iter().filter_map(|w| w.next_run).min();
                Ok([lead, wave].into_iter().flatten().min())
            })
            .await
            .unwrap_or_default();
        let ripe = self.director.board().next_ripe();
        let lease = self.director.board().next_expiry();
        let soonest = [stored, ripe, lease].into_iter().flatten().min();
        soonest.map_or(now + LONGEST_SLEEP, |at| at.min(now + LONGEST_SLEEP)).max(now)
    }

    /// Wakes leads whose time has come.
    async fn wake_due(&self, now: Timestamp) -> Done {
        let due: Vec<LeadId> = match self.director.read(move |store| store.due(now, WAKE_BATCH)).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "due leads could not be read; trying again");
                return Done::Stuck;
            }
        };
        let (all, mut woken) = (due.len(), 0);
        for lead in due {
            match self.director.act_as(Actor::Director, lead, Command::Wake).await {
                Ok(acted) => woken += usize::from(!acted.repeated),
                Err(error) => tracing::warn!(%lead, %error, "a lead could not be woken; trying again"),
            }
        }
        match woken {
            _ if woken == all && all < WAKE_BATCH => Done::All,
            0 => Done::Stuck,
            _ if all == WAKE_BATCH => Done::More,
            _ => Done::Stuck,
        }
    }

    /// Ends attempts whose lease ran out.
    async fn expire(&self, now: Timestamp) -> Done {
        let mut done = Done::All;
        for expired in self.director.board().expired(now) {
            let fail = Command::Fail {
                task: expired.task,
                attempt: expired.attempt,
                error: "its lease ran out: the worker stopped renewing it".into(),
                retryable: true,
            };
            if !self.give_up(expired.lead, expired.task, fail).await {
                done = Done::Stuck;
            }
        }
        done
    }

    /// Records that an attempt is over; false when it has to be tried again.
    async fn give_up(&self, lead: LeadId, task: TaskId, fail: Command) -> bool {
        match self.director.act_as(Actor::Director, lead, fail).await {
            Ok(_) => {}
            Err(Error::Refused(_) | Error::NotFound(_)) => self.director.board().forget(task),
            Err(error) => {
                tracing::warn!(%lead, %error, "an ended attempt could not be recorded; trying again");
                return false;
            }
        }
        true
    }

    /// Puts up again what is open in the store and not on the board, and ends attempts whose instance is dead.
    async fn sweep(&self, now: Timestamp) {
        let open = match self.director.read(|store| store.open_tasks(None, 100_000)).await {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(%error, "open tasks could not be read; trying again");
                return;
            }
        };
        for row in open {
            let task = row.task.id;
            match &row.task.holder {
                Some(holder) if self.is_gone(holder) => {
                    let fail = Command::Fail {
                        task,
                        attempt: row.task.attempt,
                        error: format!("{holder} is gone"),
                        retryable: true,
                    };
                    self.give_up(row.lead, task, fail).await;
                }
                _ if self.director.board().knows(task) => {}
                _ => self.director.board().follow_task(row.lead, Some(&row.task), now),
            }
        }
    }

    /// True for a worker of a process that is known dead. Anybody else (an Eidolon on another machine) keeps the task
    /// for as long as it renews its lease.
    fn is_gone(&self, holder: &str) -> bool {
        self.gone.contains(holder.split('/').next().unwrap_or(holder))
    }

    async fn run_sapwaves(&self, now: Timestamp) -> Done {
        let waves = match self.director.read(|store| store.sapwaves()).await {
            Ok(waves) => waves,
            Err(error) => {
                tracing::warn!(%error, "SapWaves could not be read; trying again");
                return Done::Stuck;
            }
        };
        let mut done = Done::All;
        for wave in waves.into_iter().filter(|w| w.next_run.is_some_and(|at| at <= now)) {
            let name = wave.name.clone();
            if let Err(error) = self.run_sapwave(wave, now).await {
                tracing::warn!(sapwave = name, %error, "a SapWave could not run; trying again");
                done = Done::Stuck;
            }
        }
        done
    }

    /// Runs one wake-up. Missed ones run once: the next time is counted from now.
    async fn run_sapwave(&self, wave: SapWave, now: Timestamp) -> Result<(), Error> {
        let mut signal = Signal::new(SignalType::Sapwave, "Director", wave.eidolon.signature());
        signal.summary = Some(wave.message.clone());
        // Told again after a crash it is the same file: its name comes from when it was due, not from when it ran.
        let due = wave.next_run.unwrap_or(now);
        signal.at = Some(due);
        signal.id = SignalId::try_from(format!("{}-{}", wave.name, due.as_second())).ok();
        let (eidolon, folders) = (wave.eidolon, Arc::clone(&self.folders));
        let next = SapWave { last_run: Some(now), next_run: next_run(&wave, now), ..wave };
        self.director
            .read(move |store| {
                fail::point("sapwave.deliver")?;
                folders.write_delivery(eidolon, &signal)?;
                fail::point("sapwave.delivered")?;
                store.put_sapwave(&next)
            })
            .await?;
        self.director.board().wake(eidolon);
        Ok(())
    }
}

/// When a wake-up runs after `now`. Waves of one minute are staggered by their name, up to 30 s, so that nine
/// Eidolons do not wake in the same second.
pub fn next_run(wave: &SapWave, now: Timestamp) -> Option<Timestamp> {
    match &wave.when {
        SapWaveTime::Once(at) => wave.last_run.is_none().then_some(*at).filter(|at| *at > now),
        SapWaveTime::Cron(expression) => {
            let stagger = i64::from(max_core::id::Digest::of(wave.name.as_bytes()).0[0] % 31);
            let next = cron_after(expression, now).ok()?;
            next.checked_add(SignedDuration::from_secs(stagger)).ok()
        }
    }
}

/// The first moment after `now` that a cron expression (five fields, UTC) names.
pub fn cron_after(expression: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::Unavailable(format!("`{expression}` is no cron expression: {e}"));
    let cron = croner::Cron::from_str(expression).map_err(|e| bad(&e))?;
    let at = cron.find_next_occurrence(&now.to_zoned(jiff::tz::TimeZone::UTC), false).map_err(|e| bad(&e))?;
    Ok(at.timestamp())
}
