//! The time: the machine's, or one that is moved by hand (`--clock manual`, simulations, tests).

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use max_engine::ports::Clock;
use tokio::sync::watch;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The longest nap. A sleeper looks at the clock again after it, so a clock that jumps (or a machine that slept)
/// makes nobody late by more than this.
const NAP: Duration = Duration::from_secs(5);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let left = |at: Timestamp| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
            // A clock that is set back does not prolong the sleep: whoever slept looks at the time again.
            let latest = tokio::time::Instant::now() + left(at);
            loop {
                let left = left(at).min(latest.saturating_duration_since(tokio::time::Instant::now()));
                if left.is_zero() {
                    break;
                }
                tokio::time::sleep(left.min(NAP)).await;
            }
        })
    }
}

/// A clock that stands still until it is moved. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { now: watch::Sender::new(now) }
    }

    /// Moves the clock on by this much and wakes whoever is due; the new time. A negative amount moves it back.
    pub fn advance(&self, by: SignedDuration) -> Timestamp {
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap_or(*now));
        self.now()
    }

    /// Sets the clock and wakes whoever is due.
    pub fn set(&self, to: Timestamp) {
        self.now.send_replace(to);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            if now.wait_for(|now| *now >= at).await.is_err() {
                // The clock is gone, so the moment will never come.
                pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_reaches_or_jumps_over_its_moment() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let clock = ManualClock::new(start);
        let sleeper = tokio::spawn(clock.sleep_until(start + SignedDuration::from_hours(2)));
        clock.advance(SignedDuration::from_hours(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.clone().advance(SignedDuration::from_hours(5));
        sleeper.await.expect("it woke");
        assert_eq!(clock.now(), start + SignedDuration::from_hours(6));
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_is_not_slept_for() {
        SystemClock.sleep_until(Timestamp::UNIX_EPOCH).await;
        ManualClock::new(Timestamp::UNIX_EPOCH).sleep_until(Timestamp::UNIX_EPOCH).await;
    }
}
