//! Figures of a measurement: throughput, latency, memory.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// How long many operations took.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // Microseconds up to a minute, three digits: the bounds are constants, so this cannot fail.
        Self(Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("constant bounds")))
    }
}

impl Latencies {
    /// Notes one operation.
    pub fn note(&mut self, took: Duration) {
        self.0.saturating_record(took.as_micros().try_into().unwrap_or(u64::MAX));
    }

    /// Adds the operations of another worker.
    pub fn add(&mut self, other: &Self) {
        // Same bounds, so adding cannot fail.
        let _ = self.0.add(&other.0);
    }

    /// How many operations were noted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that this share of operations did not exceed, in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1_000.0
    }
}

/// One line of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be, if there is a target.
    pub target: Option<Target>,
    /// Median latency in milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile in milliseconds.
    pub p99_ms: Option<f64>,
    /// How it was measured, or what limits it.
    pub note: String,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Figure {
    /// A value without a target.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, target: None, p50_ms: None, p99_ms: None, note: String::new() }
    }

    /// Operations per second with their latencies.
    pub fn rate(name: impl Into<String>, latencies: &Latencies, took: Duration) -> Self {
        Self {
            p50_ms: Some(latencies.percentile(50.0)),
            p99_ms: Some(latencies.percentile(99.0)),
            ..Self::new(name, latencies.count() as f64 / took.as_secs_f64(), "/s")
        }
    }

    /// Sets the target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Sets the note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Whether the target is met; nothing without one.
    pub fn met(&self) -> Option<bool> {
        match self.target? {
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
        }
    }
}

/// Resident memory and processor time of a process, from `/proc`.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Resident memory in bytes.
    pub rss: u64,
    /// Processor time used so far, in seconds.
    pub cpu: f64,
}

impl Usage {
    /// Of a process; nothing when it is gone or this is not Linux.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").trim();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // utime and stime are fields 14 and 15 of proc(5), 12 and 13 behind the name; in ticks of 1/100 s on Linux.
        let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(Self { rss: rss.parse::<u64>().ok()? * 1024, cpu: ticks / 100.0 })
    }
}
