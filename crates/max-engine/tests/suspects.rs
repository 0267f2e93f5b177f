//! A commit of which nobody knows how it ended. Alone in its process, because failpoints are for all of it.
#![cfg(debug_assertions)]

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod house;

use std::time::Duration;

use house::{House, eventually, ingest};
use max_core::command::{Command, Request};
use max_core::lead::Actor;
use max_core::stage::Eidolon;

#[tokio::test]
async fn a_handoff_that_became_durable_unnoticed_heals_by_itself() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let lead = ingest(director, "Mina").await;
    max_engine::fail::arm("ledger.committed=error*1").expect("armed");
    let to = Command::HandOff { to: None, expected: None, summary: "on".into(), reason: None };
    let answer = director.act(lead, Request::new(Actor::Person("ada".into()), to), None).await;
    max_engine::fail::arm("").expect("disarmed");
    assert!(answer.is_err());
    let next = director.next_task(Eidolon::FirstResponder, "a/1").await;
    assert_eq!(next.lead.id, lead);
    eventually("its copy is written", || house.world.written.lock().get(&lead) >= Some(&2)).await;
    engine.stop(Duration::from_secs(5)).await;
}
