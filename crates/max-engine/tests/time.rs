//! Time: clocks that jump, SapWaves that were missed, long polls.

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod house;

use std::time::Duration;

use house::{House, eventually, ingest};
use jiff::SignedDuration;
use max_core::command::{Command, Request};
use max_core::lead::{Actor, Draft, MessageKind, TaskReason};
use max_core::stage::Eidolon;
use max_core::stages::{FollowUp, StageResult};
use max_engine::ports::{Brief, SapWave, SapWaveTime, Store, Thought};
use max_testkit::voices::{Scripted, sensible};

fn wave(name: &str, when: SapWaveTime, house: &House) -> SapWave {
    let next_run = Some(house.clock.advance(SignedDuration::ZERO) - SignedDuration::from_hours(5));
    SapWave { name: name.into(), eidolon: Eidolon::Scoping, when, message: "look".into(), last_run: None, next_run }
}

#[tokio::test]
async fn missed_sapwaves_run_once_and_the_next_ones_are_staggered() {
    let house = House::new();
    let hourly = ["one", "two", "three", "four"].map(|name| wave(name, SapWaveTime::Cron("0 * * * *".into()), &house));
    let past = house.clock.advance(SignedDuration::ZERO) - SignedDuration::from_hours(5);
    let once = wave("once", SapWaveTime::Once(past), &house);
    for wave in hourly.iter().chain([&once]) {
        house.store.put_sapwave(wave).expect("a wave");
    }
    let engine = house.start();
    eventually("all have run", || house.store.sapwaves().expect("waves").iter().all(|w| w.last_run.is_some())).await;
    assert_eq!(house.world.delivered.lock().len(), 5, "five hours were missed, each wave runs once");
    let waves = house.store.sapwaves().expect("waves");
    let next: std::collections::BTreeSet<_> = waves.iter().filter_map(|w| w.next_run).collect();
    assert_eq!(next.len(), 4, "the hourly ones do not come in the same second: {next:?}");
    assert_eq!(waves.iter().find(|w| w.name == "once").and_then(|w| w.next_run), None);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_clock_that_jumps_puts_no_history_out_of_order() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let lead = ingest(director, "Mina").await;
    for hours in [-3, 24 * 400, -24 * 500] {
        house.clock.advance(SignedDuration::from_hours(hours));
        let to = Command::HandOff { to: None, expected: None, summary: "on".into(), reason: Some("test".into()) };
        director.act(lead, Request::new(Actor::Person("ada".into()), to), None).await.expect("a move");
    }
    let log = director.entries(lead, 0, usize::MAX).await.expect("a log");
    assert!(log.is_sorted_by_key(|l| l.entry.at), "{log:?}");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_long_poll_answers_when_the_lead_changes() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let (lead, other) = (ingest(director, "Mina").await, ingest(director, "Otto").await);
    let version = house.lead(lead).version;
    let waiting = director.changed_lead(lead, version, Duration::from_secs(30));
    let moving = async {
        for id in [other, lead] {
            let to = Command::HandOff { to: None, expected: None, summary: "on".into(), reason: None };
            director.act(id, Request::new(Actor::Person("ada".into()), to), None).await.expect("a move");
        }
    };
    let (changed, ()) = tokio::join!(waiting, moving);
    assert!(changed.expect("a lead").lead.version > version);
    let same = director.changed_lead(lead, house.lead(lead).version, Duration::from_millis(10)).await.expect("a lead");
    assert_eq!(same.lead.version, house.lead(lead).version, "the time was over");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn after_a_jump_of_the_clock_a_silent_client_gets_one_follow_up_and_not_all_that_were_missed() {
    let script = |brief: &Brief| match brief.task.reason {
        TaskReason::FollowUp { number, .. } => Ok(Thought {
            result: StageResult::FollowUp(FollowUp { number }),
            messages: vec![Draft {
                kind: MessageKind::FollowUp,
                subject: "Your project".into(),
                body: format!("Are you still interested? ({number})"),
                attachments: Vec::new(),
                written_by: "scripted".into(),
            }],
            files: Vec::new(),
            summary: "a follow-up".into(),
        }),
        _ => sensible(brief),
    };
    let house = House::new();
    let engine = house.start_with(Scripted::new(script), 1);
    let lead = ingest(engine.director(), "Mina").await;
    eventually("the client is waited for", || house.lead(lead).last_wait.is_some()).await;
    let follow_ups = || house.world.sent.lock().iter().filter(|m| m.kind == MessageKind::FollowUp).count();
    for jumps in 1..=2 {
        house.clock.advance(SignedDuration::from_hours(24 * 30));
        eventually("one follow-up", || follow_ups() == jumps).await;
        let now = house.clock.advance(SignedDuration::ZERO);
        eventually("the next one is not due today", || {
            house.store.next_due().expect("a store").is_some_and(|at| at > now)
        })
        .await;
    }
    assert_eq!(follow_ups(), 2, "one for each jump");
    engine.stop(Duration::from_secs(5)).await;
}
