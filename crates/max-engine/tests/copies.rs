//! Readable copies follow the log, also past a folder that fails.

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod house;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::future::BoxFuture;
use house::{House, eventually, ingest};
use jiff::Timestamp;
use max_core::command::{Command, Request};
use max_core::lead::Actor;
use max_engine::engine::Options;
use max_engine::ports::{Clock, Store};
use max_engine::projector::WATERMARK;
use max_testkit::ManualClock;
use parking_lot::{Condvar, Mutex};

#[tokio::test]
async fn copies_catch_up_and_the_watermark_passes_nothing_unwritten() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let stuck = ingest(director, "Stuck").await;
    engine.director().projector().settle(Duration::from_secs(5));
    house.world.broken.lock().insert(stuck);
    let before = house.store.last_position().expect("a position");
    let move_on = |id| {
        let to = Command::HandOff { to: None, expected: None, summary: "on".into(), reason: Some("test".into()) };
        director.act(id, Request::new(Actor::Person("ada".into()), to), None)
    };
    move_on(stuck).await.expect("a move");
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(ingest(director, &format!("Client{number}")).await);
    }
    eventually("the others are written", || others.iter().all(|id| house.world.written.lock().contains_key(id))).await;
    move_on(stuck).await.expect("a move");
    let watermark =
        || -> i64 { house.store.meta(WATERMARK).expect("a store").and_then(|text| text.parse().ok()).unwrap_or(0) };
    assert!(watermark() <= before, "{} is past what is not written", watermark());
    house.world.broken.lock().clear();
    eventually("the newest version is written", || {
        house.world.written.lock().get(&stuck) == Some(&house.lead(stuck).version)
    })
    .await;
    let last = house.store.last_position().expect("a position");
    eventually("the watermark follows", || watermark() == last).await;
    engine.stop(Duration::from_secs(5)).await;
}

/// A clock that stops the writer between its commit and telling anybody of it.
struct Gate {
    clock: ManualClock,
    /// How often the writer may still ask for the time.
    asks: AtomicUsize,
    open: (Mutex<bool>, Condvar),
}

impl Clock for Gate {
    fn now(&self) -> Timestamp {
        let writer = std::thread::current().name() == Some("max-ledger");
        if writer && self.asks.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
            let mut open = self.open.0.lock();
            self.open.1.wait_while(&mut open, |open| !*open);
        }
        self.clock.now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        self.clock.sleep_until(at)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_already_is_waited_for_even_when_nobody_was_told_of_it() {
    let house = House::new();
    let gate = Arc::new(Gate {
        clock: house.clock.clone(),
        asks: AtomicUsize::new(usize::MAX),
        open: (Mutex::new(false), Condvar::new()),
    });
    let engine = house.start_on(Arc::clone(&gate) as _, Options::new("gated"));
    let director = engine.director().clone();
    let lead = ingest(&director, "Mina").await;
    assert_eq!(director.settle(Duration::from_secs(5)).await, Ok(true));
    // It decides, commits, and stops before it tells.
    gate.asks.store(1, Relaxed);
    let to = Command::HandOff { to: None, expected: None, summary: "on".into(), reason: None };
    let (asked, version) = (director.clone(), house.lead(lead).version);
    let by = Actor::Person("ada".into());
    let moving = tokio::spawn(async move { asked.act(lead, Request::new(by, to), None).await });
    eventually("it can be read", || house.lead(lead).version > version).await;
    let mut settling = Box::pin(director.settle(Duration::from_secs(60)));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut settling).await;
    assert!(early.is_err(), "settled before the newest copy was written: {early:?}");
    *gate.open.0.lock() = true;
    gate.open.1.notify_all();
    assert_eq!(settling.await, Ok(true));
    assert_eq!(house.world.written.lock().get(&lead), Some(&house.lead(lead).version));
    moving.await.expect("a task").expect("moved");
    engine.stop(Duration::from_secs(5)).await;
}
