//! Workload W: N leads, C in flight, eight durable steps each: ingestion, six handoffs, completion. Trivial work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use max_core::command::{Command, Request};
use max_core::lead::{Actor, NewLead, Outcome};
use max_engine::director::Director;

use super::stats::Latencies;

/// Durable steps of each lead.
pub const STEPS: usize = 8;

/// Lead number `n` of the workload; all differ.
pub fn lead(n: usize) -> NewLead {
    NewLead {
        name: format!("Client {n}"),
        email: format!("client{n}@bench.example"),
        company: Some(format!("Company {n}")),
        message: format!("We need a booking page for our studio number {n}, with online payment."),
        source: Some("bench".into()),
        ..NewLead::default()
    }
}

/// Plays W directly on a Director; latencies are those of single steps.
///
/// # Errors
/// When a step is refused.
pub async fn play(director: &Director, leads: usize, in_flight: usize) -> anyhow::Result<(Latencies, Duration)> {
    play_steps(director, leads, in_flight, STEPS, Pace::free()).await
}

/// The same at a steady rate of durable steps per second.
///
/// # Errors
/// When a step is refused.
pub async fn play_paced(
    director: &Director,
    leads: usize,
    in_flight: usize,
    rate: f64,
) -> anyhow::Result<(Latencies, Duration)> {
    play_steps(director, leads, in_flight, STEPS, Pace::steady(rate)).await
}

/// Leads that came and went: ingestion and an end.
///
/// # Errors
/// When a step is refused.
pub async fn come_and_go(director: &Director, leads: usize, in_flight: usize) -> anyhow::Result<(Latencies, Duration)> {
    play_steps(director, leads, in_flight, 2, Pace::free()).await
}

/// How soon one step may follow the other.
struct Pace {
    begun: Instant,
    rate: Option<f64>,
    taken: AtomicUsize,
}

impl Pace {
    fn free() -> Self {
        Self { begun: Instant::now(), rate: None, taken: AtomicUsize::new(0) }
    }

    fn steady(rate: f64) -> Self {
        Self { rate: Some(rate), ..Self::free() }
    }

    /// Waits for the next step's turn.
    async fn turn(&self) {
        if let Some(rate) = self.rate {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep_until((self.begun + Duration::from_secs_f64(number as f64 / rate)).into()).await;
        }
    }
}

async fn play_steps(
    director: &Director,
    leads: usize,
    in_flight: usize,
    steps: usize,
    pace: Pace,
) -> anyhow::Result<(Latencies, Duration)> {
    let (next, pace) = (Arc::new(AtomicUsize::new(0)), Arc::new(pace));
    let start = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..in_flight {
        let (director, next, pace) = (director.clone(), Arc::clone(&next), Arc::clone(&pace));
        workers.push(tokio::spawn(async move {
            let mut latencies = Latencies::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= leads {
                    return anyhow::Ok(latencies);
                }
                one(&director, n, steps, &pace, &mut latencies).await?;
            }
        }));
    }
    let mut latencies = Latencies::default();
    for worker in workers {
        latencies.add(&worker.await??);
    }
    Ok((latencies, start.elapsed()))
}

async fn one(
    director: &Director,
    n: usize,
    steps: usize,
    pace: &Pace,
    latencies: &mut Latencies,
) -> anyhow::Result<()> {
    let by = Actor::Person("bench".into());
    pace.turn().await;
    let start = Instant::now();
    let id = director.ingest(lead(n), by.clone(), None, None).await?.lead.id;
    latencies.note(start.elapsed());
    for step in 1..steps {
        let command = if step < steps - 1 {
            Command::HandOff { to: None, expected: None, summary: "ready for the next stage".into(), reason: None }
        } else {
            let outcome = if steps == STEPS { Outcome::Delivered } else { Outcome::Lost };
            Command::Close { outcome, reason: "signed off".into(), merged_into: None }
        };
        pace.turn().await;
        let start = Instant::now();
        director.act(id, Request::new(by.clone(), command), None).await?;
        latencies.note(start.elapsed());
    }
    Ok(())
}
