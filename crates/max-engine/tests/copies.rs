//! Readable copies follow the log, also past a folder that fails.

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod house;

use std::time::Duration;

use house::{House, eventually, ingest};
use max_core::command::{Command, Request};
use max_core::lead::Actor;
use max_engine::ports::Store;
use max_engine::projector::WATERMARK;

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
