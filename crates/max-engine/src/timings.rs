//! Where the time of a request goes: how long it is with the writer, and what the writer does with a round.
//!
//! Counted in the process itself, because from outside a request that waits and one that is worked on look the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A request, from the writer's queue to its answer.
    Asked,
    /// A round: everything that was waiting, decided, committed, told and answered.
    Round,
    /// Its commit.
    Commit,
    /// Telling everyone inside of it.
    Told,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Round, Self::Commit, Self::Told];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "with the writer, from its queue to the answer",
            Self::Round => "a round of the writer",
            Self::Commit => "its commit",
            Self::Told => "telling everyone inside",
        }
    }
}

/// A quarter of an octave each, in microseconds: up to a minute and beyond.
const BUCKETS: usize = 128;

/// How often each part took how long. Cheap to note: one addition.
pub struct Timings([[AtomicU64; BUCKETS]; Part::ALL.len()]);

impl Default for Timings {
    fn default() -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))))
    }
}

/// How long a part took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// What.
    pub part: Part,
    /// How often.
    pub count: u64,
    /// Half of them within this many milliseconds (exact to a quarter).
    pub p50_ms: f64,
    /// 99 of 100 within this many milliseconds (exact to a quarter).
    pub p99_ms: f64,
}

impl Timings {
    pub(crate) fn note(&self, part: Part, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0[part as usize][bucket(micros)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was noted since this was asked last.
    pub fn take(&self) -> Vec<Timed> {
        Part::ALL
            .into_iter()
            .map(|part| {
                let counts = self.0[part as usize].each_ref().map(|count| count.swap(0, Ordering::Relaxed));
                let count = counts.iter().sum();
                Timed { part, count, p50_ms: within(&counts, count, 0.5), p99_ms: within(&counts, count, 0.99) }
            })
            .collect()
    }
}

fn bucket(micros: u64) -> usize {
    if micros < 4 {
        return usize::try_from(micros).unwrap_or(0);
    }
    let octave = micros.ilog2();
    let quarter = (micros >> (octave - 2)) & 3;
    ((octave as usize - 1) * 4 + usize::try_from(quarter).unwrap_or(0)).min(BUCKETS - 1)
}

/// The end of a bucket.
fn end(bucket: usize) -> u64 {
    match bucket {
        0..4 => bucket as u64 + 1,
        _ => (5 + bucket as u64 % 4) << (bucket / 4 - 1),
    }
}

/// Milliseconds that this share of them did not exceed.
fn within(counts: &[u64; BUCKETS], all: u64, share: f64) -> f64 {
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    let reached = counts.iter().position(|count| {
        seen += count;
        seen >= wanted && seen > 0
    });
    reached.map_or(0.0, |bucket| end(bucket) as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_to_a_quarter_and_asking_begins_anew() {
        for micros in [0, 1, 3, 4, 7, 8, 100, 999, 1_000, 65_535, 60_000_000] {
            let (from, to) = (if bucket(micros) == 0 { 0 } else { end(bucket(micros) - 1) }, end(bucket(micros)));
            assert!((from..to).contains(&micros), "{micros} is not in {from}..{to}");
            assert!(to - from <= 1 || (to - from) * 4 <= from, "{from}..{to} is wider than a quarter");
        }
        let timings = Timings::default();
        for micros in 1..=1_000 {
            timings.note(Part::Commit, Duration::from_micros(micros));
        }
        let took = timings.take();
        let commit = took.iter().find(|timed| timed.part == Part::Commit).expect("a figure");
        assert_eq!(commit.count, 1_000);
        assert!((0.5..=0.64).contains(&commit.p50_ms) && (0.99..=1.28).contains(&commit.p99_ms), "{commit:?}");
        assert!(timings.take().iter().all(|timed| timed.count == 0 && timed.p99_ms == 0.0));
    }
}
