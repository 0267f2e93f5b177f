//! Fairness between leads: whoever writes, sends or calls for help without pause holds up nobody else.

#[expect(dead_code, reason = "each test file uses its own part of this")]
mod house;

use std::sync::Arc;
use std::time::Duration;

use house::{House, eventually, ingest};
use max_core::command::{Command, Incoming, Request};
use max_core::id::LeadId;
use max_core::lead::{Actor, MessageKind};
use max_core::stage::{Eidolon, Stage};
use max_engine::director::Director;
use max_engine::engine::Options;
use max_testkit::voices::{Scripted, sensible};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// The client of a lead writes once more.
async fn write(director: &Director, lead: LeadId, number: usize) {
    let incoming = Incoming {
        kind: MessageKind::Reply,
        subject: String::new(),
        body: format!("and another thing, number {number}"),
        address: "busy@example.com".into(),
        rfc_id: None,
        in_reply_to: None,
        verified: true,
    };
    act(director, lead, Actor::Client, Command::Receive(Box::new(incoming))).await;
}

async fn act(director: &Director, lead: LeadId, by: Actor, command: Command) {
    director.act(lead, Request::new(by, command), None).await.expect("done");
}

fn ada() -> Actor {
    Actor::Person("ada".into())
}

#[tokio::test]
async fn a_lead_with_many_messages_does_not_keep_the_others_waiting() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let busy = ingest(director, "Busy").await;
    let quiet = ingest(director, "Quiet").await;
    for number in 0..50 {
        write(director, busy, number).await;
    }
    let mut turns = Vec::new();
    for worker in 0..2 {
        turns.push(director.next_task(Eidolon::LeadGen, &format!("a/{worker}")).await.lead.id);
    }
    assert!(turns.contains(&quiet), "the second turn at the latest");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_client_who_writes_in_the_middle_of_every_turn_gets_no_more_turns_than_anybody() {
    let house = House::new();
    let turns = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&turns);
    let voice = Scripted::held(move |brief| {
        noted.lock().push(brief.lead.id);
        sensible(brief)
    });
    let engine = house.start_with(voice.clone(), 1);
    let director = engine.director();
    let busy = ingest(director, "Busy").await;
    let mut quiet = Vec::new();
    for number in 0..8 {
        quiet.push(ingest(director, &format!("Quiet{number}")).await);
    }
    let waiting = |house: &House| quiet.iter().filter(|id| house.lead(**id).stage == Stage::LeadGen).count();
    for number in 0.. {
        if waiting(&house) == 0 {
            break;
        }
        assert!(number < 100, "{} still wait after a hundred turns", waiting(&house));
        voice.begun().await;
        write(director, busy, number).await;
        voice.release();
    }
    let judged = turns.lock().iter().filter(|lead| **lead == busy).count();
    assert!(judged <= quiet.len() + 1, "{judged} turns for the one, {} for the others", quiet.len());
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn many_mails_of_one_lead_leave_in_turn_with_those_of_the_others() {
    let house = House::new();
    // Nothing leaves yet: all of it waits when the outbox opens.
    let closed = Options { relay: false, ..Options::new("closed") };
    let engine = house.start_on(Arc::new(house.clock.clone()), closed);
    let director = engine.director();
    let (busy, quiet) = (ingest(director, "Busy").await, ingest(director, "Quiet").await);
    let send = |lead, number: usize| {
        let mail = Command::Send { subject: "News".into(), body: format!("News of your project, number {number}.") };
        act(director, lead, ada(), mail)
    };
    for number in 0..40 {
        send(busy, number).await;
    }
    send(quiet, 0).await;
    engine.stop(Duration::from_secs(5)).await;

    let engine = house.start();
    eventually("all have left", || house.world.sent.lock().len() == 41).await;
    let place = house.world.sent.lock().iter().position(|mail| mail.address == "quiet@example.com");
    assert!(place.is_some_and(|place| place <= 2), "one mail is number {place:?} behind those of another lead");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_lead_that_calls_again_and_again_does_not_keep_back_the_notices_of_others() {
    let house = House::new();
    let permits = Arc::new(Semaphore::new(0));
    *house.world.slow.lock() = Some(Arc::clone(&permits));
    let engine = house.start();
    let director = engine.director();
    let (busy, quiet) = (ingest(director, "Busy").await, ingest(director, "Quiet").await);
    for number in 0..20 {
        act(director, busy, ada(), Command::Escalate { reason: format!("trouble number {number}") }).await;
        act(director, busy, ada(), Command::Retry).await;
    }
    act(director, quiet, ada(), Command::Escalate { reason: "once".into() }).await;
    // The first one is being told when the others come.
    permits.add_permits(3);
    eventually("three were told", || house.world.told.lock().len() == 3).await;
    assert!(house.world.told.lock().contains(&quiet), "{:?}", house.world.told.lock());
    permits.add_permits(100);
    eventually("all were told", || house.world.told.lock().len() == 21).await;
    engine.stop(Duration::from_secs(5)).await;
}
