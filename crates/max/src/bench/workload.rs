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
    play_steps(director, leads, in_flight, STEPS).await
}

/// Leads that came and went: ingestion and an end.
///
/// # Errors
/// When a step is refused.
pub async fn come_and_go(director: &Director, leads: usize, in_flight: usize) -> anyhow::Result<(Latencies, Duration)> {
    play_steps(director, leads, in_flight, 2).await
}

async fn play_steps(
    director: &Director,
    leads: usize,
    in_flight: usize,
    steps: usize,
) -> anyhow::Result<(Latencies, Duration)> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..in_flight {
        let (director, next) = (director.clone(), Arc::clone(&next));
        workers.push(tokio::spawn(async move {
            let mut latencies = Latencies::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= leads {
                    return anyhow::Ok(latencies);
                }
                one(&director, n, steps, &mut latencies).await?;
            }
        }));
    }
    let mut latencies = Latencies::default();
    for worker in workers {
        latencies.add(&worker.await??);
    }
    Ok((latencies, start.elapsed()))
}

async fn one(director: &Director, n: usize, steps: usize, latencies: &mut Latencies) -> anyhow::Result<()> {
    let by = Actor::Person("bench".into());
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
        let start = Instant::now();
        director.act(id, Request::new(by.clone(), command), None).await?;
        latencies.note(start.elapsed());
    }
    Ok(())
}
