//! How fast the SQLite store commits and how much room a lead takes: workload W without the engine.
//!
//! `cargo run --release -p max-adapters --example store_throughput [leads] [folder]`

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use max_adapters::artifacts::FolderArtifacts;
use max_adapters::folders::FileFolders;
use max_adapters::store::SqliteStore;
use max_core::command::{Command, Import};
use max_core::id::Digest;
use max_core::lead::{Actor, Lead, Outcome};
use max_core::stage::Stage;
use max_engine::ports::{Folders, Store, Write};
use max_testkit::builders::{Story, new_lead};

/// Writes in a batch, and leads in flight.
const BATCH: usize = 64;

/// Durable steps of a lead: ingestion, six handoffs, completion.
const STEPS: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let leads: usize = arguments.next().map_or(Ok(16_000), |n| n.parse())?;
    let folder = match arguments.next() {
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join(format!("max-throughput-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("max.db");
    let store = Arc::new(SqliteStore::open(&path)?);
    println!("floor: {:.0} fdatasync/s of 256 KiB", floor(&folder)?);

    let (mut took, mut worked) = (Duration::ZERO, Duration::ZERO);
    let mut slowest = Vec::new();
    let mut last: Vec<Arc<Lead>> = Vec::new();
    for _ in 0..leads / BATCH {
        let batches = batches();
        let (started, busy) = (Instant::now(), cpu());
        for batch in &batches {
            let one = Instant::now();
            for outcome in store.commit(batch)? {
                outcome?;
            }
            slowest.push(one.elapsed());
        }
        took += started.elapsed();
        worked += cpu() - busy;
        if last.len() < 2_000 {
            last.extend(batches.into_iter().next_back().into_iter().flatten().map(|write| write.after));
        }
    }
    slowest.sort_unstable();
    let writes = (leads / BATCH * BATCH * STEPS) as f64;
    println!("commit: {:.0} writes/s in batches of {BATCH}", writes / took.as_secs_f64());
    println!("  {:.1} µs of processor a write in the committing thread", worked.as_secs_f64() * 1e6 / writes);
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        let at = ((slowest.len() as f64 * share) as usize).min(slowest.len() - 1);
        println!("  {name} {:?} a batch", slowest[at]);
    }
    println!("memory: {} KiB resident, log {} KiB", resident()?, size(&folder.join("max.db-wal")) / 1024);
    reads(&store, &last);
    folders(&folder, &last)?;
    let started = Instant::now();
    let broken = store.verify()?;
    println!("verify: {:?}, {} broken", started.elapsed(), broken.len());
    drop(store);
    println!("size: {:.0} bytes a lead", size(&path) as f64 / (leads / BATCH * BATCH) as f64);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// 64 leads, step by step: batch n holds step n of each.
fn batches() -> Vec<Vec<Write>> {
    let mut batches: Vec<Vec<Write>> = (0..STEPS).map(|_| Vec::with_capacity(BATCH)).collect();
    for n in 0..BATCH {
        let mut lead = new_lead(&format!("Client Number {n}"));
        lead.company = Some(format!("Company {n} Ltd"));
        // Scope and signature are there, so that each handoff opens its task.
        let import = Import {
            lead,
            stage: Stage::LeadGen,
            data: BTreeMap::new(),
            artifacts: Vec::new(),
            approved_scope: Some(Digest::of(b"scope")),
            signed: true,
        };
        let mut story = Story::new();
        batches[0].push(story.person(Command::Import(Box::new(import))));
        let by = || Actor::Person("api:bench".into());
        for (step, batch) in batches.iter_mut().enumerate().skip(1) {
            let command = match step {
                7 => Command::Close { outcome: Outcome::Delivered, reason: "signed off".into(), merged_into: None },
                _ => Command::HandOff {
                    to: Stage::ALL.get(step).copied(),
                    expected: None,
                    summary: "ready for the next stage".into(),
                    reason: None,
                },
            };
            batch.push(story.step(by(), command));
        }
    }
    batches
}

fn reads(store: &Arc<SqliteStore>, leads: &[Arc<Lead>]) {
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (done, stop) = (&done, &stop);
            scope.spawn(move || {
                for lead in leads.iter().cycle().skip(thread * 7) {
                    if stop.load(Ordering::Relaxed) || store.lead(lead.id).is_err() {
                        return;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
    });
    println!("read: {} whole leads/s on 2 threads", done.into_inner());
}

fn folders(root: &std::path::Path, leads: &[Arc<Lead>]) -> Result<(), Box<dyn Error>> {
    let folders = FileFolders::new(root, |signal| format!("type: {}\n", signal.kind))?;
    let artifacts = FolderArtifacts::new(root)?;
    let mut rates = Vec::new();
    let mut worked = Duration::ZERO;
    for _ in 0..4 {
        let (started, busy) = (Instant::now(), cpu());
        for lead in leads {
            folders.write_lead(lead, &artifacts)?;
        }
        worked = cpu() - busy;
        rates.push(format!("{:.0}", leads.len() as f64 / started.elapsed().as_secs_f64()));
    }
    let started = Instant::now();
    folders.sync()?;
    println!(
        "folders: {} leads/s on 1 thread (first new with seven stage folders, then again), then sync in {:?}",
        rates.join(" "),
        started.elapsed()
    );
    println!("  {:.1} µs of processor each at the end", worked.as_secs_f64() * 1e6 / leads.len() as f64);
    Ok(())
}

fn floor(folder: &std::path::Path) -> std::io::Result<f64> {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::create(folder.join("floor"))?;
    let page = vec![7; 256 * 1024];
    for n in 0..32 {
        file.write_all_at(&page, n * page.len() as u64)?;
    }
    file.sync_all()?;
    let started = Instant::now();
    for n in 0..200 {
        file.write_all_at(&page, n % 32 * page.len() as u64)?;
        file.sync_data()?;
    }
    Ok(200.0 / started.elapsed().as_secs_f64())
}

/// How long this thread has been on a processor: a figure that other load on the machine does not blur.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// This process's resident memory in KiB.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")?.split(' ').nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4)
}
