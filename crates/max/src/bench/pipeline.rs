//! `max bench pipeline`: workload W over the log alone, with readable copies, over HTTP; status, signals, idleness,
//! and a store of many leads.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::future::BoxFuture;
use max_core::event::Event;
use max_core::policy::Policy;
use max_core::signal::{Signal, SignalType};
use max_engine::engine::{Engine, Options, Parts};
use max_engine::ports::{Brief, CallFail, Thought, Voice};
use serde_json::{Value, json};

use super::load::{self, Connection, request};
use super::stats::{Figure, Latencies, Target, Usage};
use super::{Report, floor, workload};
use crate::cli::launch::{Role, ServeOptions};
use crate::config::Config;
use crate::wiring::{self, Host};

/// How much is measured.
#[derive(Clone, Debug)]
pub struct PipelineOptions {
    /// Leads of workload W.
    pub leads: usize,
    /// Leads in flight at once where MAX is asked directly.
    pub in_flight: usize,
    /// Leads in the large store; 0 leaves that part out.
    pub store: usize,
    /// Where the folders of the measurement are made; removed afterwards.
    pub folder: PathBuf,
}

/// Runs everything.
///
/// # Errors
/// When a part cannot be set up or a step is refused.
pub async fn run(options: &PipelineOptions, progress: impl Fn(&str)) -> anyhow::Result<Report> {
    let folder = tempfile::Builder::new().prefix("max-bench-").tempdir_in(&options.folder)?;
    let mut figures = Vec::new();
    progress("floors");
    figures.extend(floor::floors(folder.path())?);
    progress("workload W, log only");
    figures.extend(log_only(&folder.path().join("log"), options).await?);
    progress("workload W, with state.json and inbox copies");
    figures.extend(with_copies(&folder.path().join("copies"), options, None).await?);
    figures.extend(with_copies(&folder.path().join("paced"), options, Some(COPIES_RATE)).await?);
    progress("over HTTP");
    figures.extend(over_http(&folder.path().join("http"), options.leads).await?);
    progress("an idle process");
    figures.extend(idle(&folder.path().join("idle")).await?);
    if options.store > 0 {
        progress("a large store");
        figures.extend(large_store(folder.path(), options.store, &progress).await?);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report { name: "max bench pipeline", version: env!("CARGO_PKG_VERSION"), cores, figures })
}

fn engine(parts: &Parts, project: bool) -> anyhow::Result<Engine> {
    let options = Options { project, relay: false, ..Options::new("bench") };
    Ok(Engine::start(parts.clone(), Arc::new(Policy::default()), options)?)
}

async fn log_only(root: &Path, options: &PipelineOptions) -> anyhow::Result<Vec<Figure>> {
    let parts = wiring::parts(root)?;
    let engine = engine(&parts, false)?;
    let (latencies, took) = workload::play(engine.director(), options.leads, options.in_flight).await?;
    engine.stop(Duration::from_secs(5)).await;
    drop(parts);
    let bytes = std::fs::metadata(root.join("max.db"))?.len();
    Ok(vec![
        Figure::rate(format!("W, log only, {} in flight: durable steps", options.in_flight), &latencies, took)
            .target(Target::AtLeast(20_000.0)),
        Figure::new("store per lead of W", bytes as f64 / options.leads as f64 / 1024.0, "KiB")
            .target(Target::AtMost(6.0)),
    ])
}

/// So many durable steps per second have to be possible with readable copies on, and to be settled a second later.
const COPIES_RATE: f64 = 6_000.0;

/// At full speed, or at a steady rate.
async fn with_copies(root: &Path, options: &PipelineOptions, rate: Option<f64>) -> anyhow::Result<Vec<Figure>> {
    let parts = wiring::parts(root)?;
    let engine = engine(&parts, true)?;
    let director = engine.director().clone();
    let (latencies, took) = match rate {
        None => workload::play(&director, options.leads, options.in_flight).await?,
        Some(rate) => workload::play_paced(&director, options.leads, options.in_flight, rate).await?,
    };
    let start = Instant::now();
    let settled = director.settle(Duration::from_secs(60)).await?;
    let settle = start.elapsed();
    ensure!(settled, "the readable copies did not settle within a minute");
    engine.stop(Duration::from_secs(5)).await;
    let settled = Figure::new("  settled after the last step", settle.as_secs_f64(), "s");
    Ok(match rate {
        None => vec![
            Figure::rate("W, with state.json and inbox copies: durable steps", &latencies, took)
                .target(Target::AtLeast(COPIES_RATE)),
            settled.note("after steps at full speed"),
        ],
        Some(rate) => vec![
            Figure::rate("W, the same at a steady rate: durable steps", &latencies, took),
            settled.target(Target::AtMost(1.0)).note(format!("after steps at {rate} per second")),
        ],
    })
}

/// A voice that is at work for as long as it is let: what an agent is for a pipeline that moves on meanwhile.
struct Busy;

impl Voice for Busy {
    fn name(&self) -> &str {
        "busy"
    }

    fn think<'a>(&'a self, _: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        Box::pin(std::future::pending())
    }
}

async fn start(root: &Path) -> anyhow::Result<(Host, SocketAddr, String)> {
    std::fs::create_dir_all(root)?;
    let mut config = Config::load(root, None)?;
    // Measured is MAX, not the browser beside it.
    config.mockup.stills = "off".into();
    config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = wiring::serve(&config, Role::Everything, ServeOptions::default(), Some(Arc::new(Busy))).await?;
    let token = std::fs::read_to_string(root.join("run/token"))?.trim().to_owned();
    let address = running.address;
    Ok((running, address, token))
}

async fn over_http(root: &Path, leads: usize) -> anyhow::Result<Vec<Figure>> {
    let (running, address, token) = start(root).await?;
    let mut figures = Vec::new();
    let ingest = (0..leads)
        .map(|n| request("POST", "/api/ingest-lead", &token, &json!(workload::lead(n)).to_string()))
        .collect();
    let load = load::run(address, 64, ingest).await?;
    ensure!(load.refused == 0, "{} ingestions were refused", load.refused);
    figures.push(Figure::rate(
        "HTTP, everything on: POST /api/ingest-lead, 64 connections",
        &load.latencies,
        load.took,
    ));

    let ids = ids(&running, leads).await?;
    let half = leads / 2;
    let handoffs = |ids: &[String], steps: usize| -> Vec<Vec<u8>> {
        let body = json!({"summary": "ready for the next stage"}).to_string();
        let one = |id: &String| request("POST", &format!("/api/handoff/{id}"), &token, &body);
        (0..steps).flat_map(|_| ids.iter().map(one)).collect()
    };
    let load = load::run(address, 64, handoffs(&ids[..half], 6)).await?;
    figures.push(
        Figure::rate("HTTP, everything on: POST /api/handoff, 64 connections", &load.latencies, load.took)
            .target(Target::AtLeast(5_000.0))
            .note(refused(load.refused)),
    );
    running.director().timings().take();
    let load = load::run(address, 16, handoffs(&ids[half..], 4)).await?;
    let inside = running.director().timings().take();
    let p99 = load.latencies.percentile(99.0);
    figures.push(Figure::rate("HTTP, everything on: POST /api/handoff, 16 connections", &load.latencies, load.took));
    figures.push(Figure::new("  p99 at 16 connections", p99, "ms").target(Target::AtMost(5.0)));
    // Where it went, as the process itself counts: what is left is the two cores' other work.
    figures.extend(inside.into_iter().map(|timed| {
        let figure = Figure::new(format!("  of it, {}: p99", timed.part.name()), timed.p99_ms, "ms");
        figure.note(format!("p50 {:.2} ms, {} times", timed.p50_ms, timed.count))
    }));

    figures.push(status(address, &token, &ids, 200_000, 64, None).await?.target(Target::AtLeast(60_000.0)));
    figures.extend(signals(&running, root, address, &token, &ids[half..]).await?);
    running.stop().await;
    Ok(figures)
}

fn refused(count: usize) -> String {
    if count == 0 { String::new() } else { format!("({count} refused)") }
}

/// The ids of `count` leads.
async fn ids(running: &Host, count: usize) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::with_capacity(count);
    let mut filter = max_engine::ports::LeadFilter { limit: 500, ..Default::default() };
    loop {
        let wanted = filter.clone();
        let page = running.director().read(move |store| store.list(&wanted)).await?;
        ids.extend(page.rows.iter().map(|row| row.lead_id.to_string()));
        match page.next {
            Some(next) if ids.len() < count => filter.cursor = Some(next),
            _ => return Ok(ids),
        }
    }
}

async fn status(
    address: SocketAddr,
    token: &str,
    ids: &[String],
    requests: usize,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Figure> {
    // A stride that is odd and large visits the leads in an order without locality.
    let one = |n: usize| request("GET", &format!("/api/status/{}", ids[(n * 7_919) % ids.len()]), token, "");
    let load = load::run_paced(address, connections, (0..requests).map(one).collect(), rate).await?;
    ensure!(load.refused == 0, "{} status requests were refused", load.refused);
    let name = format!("HTTP: GET /api/status over {} leads, {connections} connections", ids.len());
    Ok(Figure::rate(name, &load.latencies, load.took))
}

/// From the rename of a signal file to the claim of the task it opens, while handoffs go on.
async fn signals(
    running: &Host,
    root: &Path,
    address: SocketAddr,
    token: &str,
    ids: &[String],
) -> anyhow::Result<Vec<Figure>> {
    const FILES: usize = 200;
    let body = json!({"reason": "load", "to": "Scoping"}).to_string();
    let back = json!({"reason": "load", "to": "FirstResponder"}).to_string();
    let loaded: Vec<Vec<u8>> = ids
        .iter()
        .skip(FILES)
        .take(1_000)
        .flat_map(|id| {
            let path = format!("/api/handoff/{id}");
            [request("POST", &path, token, &back), request("POST", &path, token, &body)]
        })
        .collect();
    let load = tokio::spawn(async move { load::run(address, 2, loaded).await });
    let mut latencies = Latencies::default();
    let folder = root.join("signals");
    for (n, id) in ids.iter().take(FILES).enumerate() {
        let mut signal = Signal::new(SignalType::PipelineTransition, "bench", "FirstResponder");
        signal.lead_id = Some(id.clone());
        signal.next_stage = Some("FirstResponder".into());
        signal.id = format!("bench-{n}").try_into().ok();
        signal.extra.insert("reason".into(), Value::from("bench"));
        let hidden = folder.join(format!(".bench-{n}"));
        std::fs::write(&hidden, max_adapters::signals::yaml::to_yaml(&signal))?;
        let mut committed = running.director().subscribe();
        let start = Instant::now();
        std::fs::rename(&hidden, folder.join(format!("bench-{n}.yaml")))?;
        let opened = async {
            loop {
                let one = committed.recv().await.context("the log ended")?;
                let opens =
                    one.entry.events.iter().any(|e| matches!(e, Event::TaskOpened { .. } | Event::NeedMissed { .. }));
                if one.lead.id.to_string() == *id && opens {
                    return anyhow::Ok(());
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), opened).await.context("a signal file was not noticed")??;
        latencies.note(start.elapsed());
    }
    load.abort();
    Ok(vec![
        Figure::new("signal file to woken Eidolon under load, p99", latencies.percentile(99.0), "ms")
            .target(Target::AtMost(20.0))
            .note(format!("p50 {:.2} ms over {FILES} files", latencies.percentile(50.0))),
    ])
}

/// A process of its own, with nothing to do.
async fn idle(root: &Path) -> anyhow::Result<Vec<Figure>> {
    std::fs::create_dir_all(root)?;
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .args(["up", "--listen", "127.0.0.1:0", "--root"])
        .arg(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().context("the idle process ended")?;
    let started = Instant::now();
    while !root.join("run/max.json").exists() {
        ensure!(started.elapsed() < Duration::from_secs(20), "the idle process did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = Usage::of(pid).context("the idle process ended")?;
    let window = Duration::from_secs(15);
    tokio::time::sleep(window).await;
    let after = Usage::of(pid).context("the idle process ended")?;
    child.start_kill()?;
    child.wait().await?;
    Ok(vec![
        Figure::new("idle process: resident memory", after.rss as f64 / f64::from(1 << 20), "MiB")
            .target(Target::AtMost(60.0)),
        Figure::new("idle process: share of a core", (after.cpu - before.cpu) / window.as_secs_f64() * 100.0, "%")
            .target(Target::AtMost(0.2))
            .note("over 15 s, in ticks of 10 ms"),
    ])
}

/// The same questions to a small and to a large store, at a rate that both can answer: a closed loop would measure how
/// many requests wait in line, not how long one takes.
async fn large_store(folder: &Path, leads: usize, progress: &impl Fn(&str)) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut p99 = Vec::new();
    for (name, count) in [("small", 1_000), ("large", leads)] {
        let root = folder.join(name);
        progress(&format!("a store of {count} leads"));
        fill(&root, count).await?;
        let begun = Instant::now();
        let (running, address, token) = start(&root).await?;
        let restart = begun.elapsed();
        let mut connection = Connection::open(address).await?;
        let answer = connection.send(&request("GET", "/api/leads?limit=1", &token, "")).await?;
        ensure!(answer == 200, "the list was answered {answer}");
        let ids = ids(&running, count.min(100_000)).await?;
        let figure = status(address, &token, &ids, 20_000, 16, Some(2_000.0)).await?;
        p99.push(figure.p99_ms.unwrap_or_default());
        figures.push(figure.note(format!("at a steady 2,000/s in a store of {count} leads")));
        if name == "large" {
            figures.push(
                Figure::new(format!("restart with {count} leads"), restart.as_secs_f64(), "s")
                    .target(Target::AtMost(2.0)),
            );
            let db = std::fs::metadata(root.join("max.db"))?.len();
            figures.push(Figure::new("  its store", db as f64 / f64::from(1 << 20), "MiB"));
        }
        running.stop().await;
    }
    figures.push(
        Figure::new("  status p99, large over small", p99[1] / p99[0].max(0.001), "x").target(Target::AtMost(1.2)),
    );
    Ok(figures)
}

/// Makes a store of `count` leads that came and went.
async fn fill(root: &Path, count: usize) -> anyhow::Result<()> {
    let parts = wiring::parts(root)?;
    let engine = engine(&parts, false)?;
    workload::come_and_go(engine.director(), count, 256).await?;
    // Their readable copies are not what is measured.
    let last = parts.store.last_position()?;
    parts.store.set_meta(max_engine::projector::WATERMARK, &last.to_string())?;
    engine.stop(Duration::from_secs(5)).await;
    Ok(())
}
