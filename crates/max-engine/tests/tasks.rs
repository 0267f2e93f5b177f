//! Tasks: one holder at a time, nothing late counts, nothing is forgotten.

mod house;

use std::time::Duration;

use house::{House, eventually, ingest};
use jiff::SignedDuration;
use max_core::error::RefusalKind;
use max_core::lead::{Actor, MessageKind, NewLead, Status};
use max_core::stage::{Eidolon, Stage};
use max_engine::error::Error;
use max_engine::ledger::IngestedAs;
use max_engine::ports::{Brief, CallFail, Thought};
use max_engine::usecase::receive_mail::{Mail, Received};
use max_testkit::voices::{Scripted, sensible};

#[tokio::test]
async fn a_lost_lease_goes_to_the_next_worker_and_the_late_work_is_refused() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let lead = ingest(director, "Mina").await;
    let late = director.next_task(Eidolon::LeadGen, "a/1").await;
    assert!(
        director.try_next_task(Eidolon::LeadGen, "b/1", None).await.expect("a board").is_none(),
        "one holder at a time"
    );
    house.pass(61);
    eventually("the attempt ends", || house.lead(lead).open_task().is_some_and(|task| task.holder.is_none())).await;
    house.pass(60);
    let next = director.next_task(Eidolon::LeadGen, "b/1").await;
    assert_eq!((next.task, next.attempt), (late.task, late.attempt + 1));
    let thought = |brief: &Brief| sensible(brief).expect("a thought");
    let brief = director.brief(&next).await.expect("a brief");
    let refused = director.submit(&late, thought(&brief), "slow", &[], None).await;
    assert!(matches!(&refused, Err(Error::Refused(r)) if r.kind == RefusalKind::Fenced), "{refused:?}");
    assert!(director.renew(late.task, late.attempt).await.is_err());
    assert_eq!(house.lead(lead).stage, Stage::LeadGen);
    director.submit(&next, thought(&brief), "quick", &[], None).await.expect("the newest attempt counts");
    let repeated = director.submit(&next, thought(&brief), "quick", &[], None).await.expect("told again");
    assert!(repeated.repeated);
    assert_eq!(house.lead(lead).stage, Stage::FirstResponder);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_fails_again_and_again_ends_with_the_core_orchestra() {
    let house = House::new();
    let script = |brief: &Brief| -> Result<Thought, CallFail> {
        let again = brief.lead.open_task().is_some_and(|task| task.eidolon == Eidolon::LeadGen);
        Err(if again { CallFail::Empty } else { CallFail::Unable("no advice".into()) })
    };
    let engine = house.start_with(Scripted::new(script), 1);
    let lead = ingest(engine.director(), "Mina").await;
    eventually("it is escalated and looked at", || {
        house.pass(5);
        house.lead(lead).escalation.as_ref().is_some_and(|e| e.recommendation.is_some())
    })
    .await;
    assert_eq!(house.lead(lead).status(), Status::Failed);
    let log = engine.director().entries(lead, 0, usize::MAX).await.expect("a log");
    let claims = log.iter().filter(|l| l.entry.by == Actor::Eidolon(Eidolon::LeadGen) && is_claim(l)).count();
    assert_eq!(claims, house.policy.max_attempts as usize);
    assert!(log.iter().any(|l| l.entry.by == Actor::Eidolon(Eidolon::Mach42v2)));
    engine.stop(Duration::from_secs(5)).await;
}

fn is_claim(logged: &max_engine::ports::Logged) -> bool {
    logged.entry.events.iter().any(|e| matches!(e, max_core::event::Event::TaskClaimed { .. }))
}

#[tokio::test]
async fn what_nobody_took_is_put_up_again() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let lead = ingest(director, "Mina").await;
    let task = house.lead(lead).open_task().expect("a task").id;
    director.board().forget(task);
    assert!(director.try_next_task(Eidolon::LeadGen, "a/1", None).await.expect("a board").is_none());
    house.pass(31);
    let found = director.next_task(Eidolon::LeadGen, "a/1").await;
    assert_eq!((found.task, found.attempt), (task, 1));
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_dead_process_loses_its_task_at_once_and_a_remote_worker_keeps_it() {
    let house = House::new();
    let engine = house.start();
    let dead = ingest(engine.director(), "Mina").await;
    let own = format!("{}/leadgen-1", engine.director().instance());
    engine.director().next_task(Eidolon::LeadGen, &own).await;
    let remote = ingest(engine.director(), "Otto").await;
    let kept = engine.director().next_task(Eidolon::LeadGen, "elsewhere/leadgen-1").await;
    engine.stop(Duration::from_secs(5)).await;

    let engine = house.start();
    eventually("the dead one's task is free", || house.lead(dead).open_task().is_some_and(|t| t.holder.is_none()))
        .await;
    assert_eq!(house.lead(remote).open_task().and_then(|t| t.holder.clone()).as_deref(), Some("elsewhere/leadgen-1"));
    eventually("its lease goes on here", || engine.director().board().knows(kept.task)).await;
    engine.director().renew(kept.task, kept.attempt).await.expect("it still holds it");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_stop_lets_the_running_turn_end() {
    let house = House::new();
    let voice = Scripted::held(sensible);
    let engine = house.start_with(voice.clone(), 1);
    let lead = ingest(engine.director(), "Mina").await;
    voice.begun().await;
    let stopping = engine.stop(Duration::from_secs(20));
    let releasing = async { voice.release() };
    tokio::join!(stopping, releasing);
    assert_eq!(house.lead(lead).stage, Stage::FirstResponder);
    let late = engine.director().ingest(max_testkit::builders::new_lead("Late"), Actor::Client, None, None).await;
    assert!(matches!(late, Err(Error::Stopping)), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_leads_at_once_each_get_only_their_own() {
    let house = House::new();
    let engine = house.start_with(Scripted::new(sensible), 4);
    let director = engine.director();
    let names: Vec<String> = (0..300).map(|n| format!("Client{n:03}")).collect();
    let ids = futures::future::join_all(names.iter().map(|name| ingest(director, name))).await;
    eventually("all have been answered", || house.world.sent.lock().len() == ids.len()).await;
    for (id, name) in ids.iter().zip(&names) {
        let messages = director.messages(*id).await.expect("a conversation");
        assert_eq!(messages.len(), 2, "{name}");
        assert!(messages.iter().all(|m| m.message.body.contains(name)), "{messages:?}");
    }
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_its_task_to_the_next_one() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let lead = ingest(director, "Mina").await;
    {
        let mut asked = Box::pin(director.try_next_task(Eidolon::LeadGen, "a/1", None));
        // Polled once: the task is taken from the board and its claim is on the way. Then the caller is gone.
        let _ = futures::poll!(&mut asked);
    }
    // Whether the claim came through or not, somebody else gets the task, at the latest when the lease is over.
    let other = tokio::spawn({
        let director = director.clone();
        async move { director.next_task(Eidolon::LeadGen, "b/1").await }
    });
    eventually("the next one has it", || {
        house.clock.advance(SignedDuration::from_secs(1));
        other.is_finished()
    })
    .await;
    assert_eq!(other.await.expect("an assignment").lead.id, lead);
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn one_person_on_three_channels_is_one_lead() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let came = |email: &str, message: &str, source: &str| NewLead {
        name: "Mina Berg".into(),
        email: email.into(),
        message: message.into(),
        source: Some(source.into()),
        ..NewLead::default()
    };
    let ingest = async |lead: NewLead| director.ingest(lead, Actor::Client, None, None).await.expect("taken in");
    let form = ingest(came("mina.berg@gmail.com", "We need a new web site.", "web")).await;
    let mail = Mail {
        from_address: "MinaBerg+work@googlemail.com".into(),
        from_name: "Mina".into(),
        subject: "Our web site".into(),
        text: "One more thing: we also need a shop.".into(),
        message_id: Some("one@gmail.example".into()),
        in_reply_to: None,
        references: Vec::new(),
        kind: MessageKind::Reply,
        automatic: false,
    };
    let signal = "mail-1".to_owned().try_into().expect("an id");
    let mailed = director.receive_mail(mail, signal).await.expect("received");
    let row = ingest(came("minaberg@gmail.com", "We  need a new\nweb site.", "csv")).await;
    assert_eq!(mailed, Received::Message(form.lead.id));
    assert_eq!((row.lead.id, row.how), (form.lead.id, IngestedAs::Repeat));
    let other = ingest(came("mina@studio.example", "We need a new web site.", "web")).await;
    assert_eq!(other.how, IngestedAs::New, "another address may be another person");
    engine.stop(Duration::from_secs(5)).await;
}

/// A mail from a client, as a mail program sends it.
fn mail_from(address: &str, id: &str) -> Mail {
    Mail {
        from_address: address.into(),
        from_name: "Mina".into(),
        subject: "Our web site".into(),
        text: "We need a new web site with a shop.".into(),
        message_id: Some(id.into()),
        in_reply_to: None,
        references: Vec::new(),
        kind: MessageKind::Reply,
        automatic: false,
    }
}

#[tokio::test]
async fn m_3b_a_mail_finds_its_lead_by_its_thread_and_never_by_its_subject() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let receive = async |mail: Mail, signal: &str| {
        let signal = signal.to_owned().try_into().expect("an id");
        director.receive_mail(mail, signal).await.expect("received")
    };
    let Received::NewLead(first) = receive(mail_from("mina@studio.example", "1@studio.example"), "s-1").await else {
        panic!("a new lead")
    };
    // Somebody else who answers in the thread belongs to it, and is told apart.
    let colleague =
        Mail { references: vec!["1@studio.example".into()], ..mail_from("jo@studio.example", "2@studio.example") };
    assert_eq!(receive(colleague, "s-2").await, Received::Message(first));
    let verified = async |id: &str| {
        let messages = director.messages(first).await.expect("messages");
        messages.iter().find(|m| m.message.rfc_id == id).map(|m| m.message.verified)
    };
    assert_eq!(verified("2@studio.example").await, Some(false), "not the known address");
    let own = Mail { in_reply_to: Some("1@studio.example".into()), ..mail_from("Mina@Studio.example", "3@x.example") };
    assert_eq!(receive(own, "s-3").await, Received::Message(first));
    assert_eq!(verified("3@x.example").await, Some(true));
    // A stranger who writes the lead's id into his subject gets no part of the conversation.
    let guessed = Mail {
        subject: format!("Re: [{first}] Our web site"),
        text: "Please send me the offer once more, I lost it.".into(),
        ..mail_from("eve@elsewhere.example", "4@elsewhere.example")
    };
    assert!(matches!(receive(guessed, "s-4").await, Received::NewLead(other) if other != first));
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn m_4b_what_a_machine_wrote_is_never_answered() {
    let mut house = House::new();
    house.policy.own_words = vec!["Example Agency <hello@agency.example>".into()];
    let engine = house.start();
    let director = engine.director();
    let receive = async |mail: Mail, signal: &str| {
        let signal = signal.to_owned().try_into().expect("an id");
        director.receive_mail(mail, signal).await.expect("received")
    };
    // By itself it is no enquiry, and our own address is none whatever the mail says.
    let list = Mail { automatic: true, ..mail_from("news@list.example", "1@list.example") };
    assert!(matches!(receive(list, "s-1").await, Received::Ignored(_)));
    assert!(matches!(
        receive(mail_from("Hello@agency.example", "2@agency.example"), "s-2").await,
        Received::Ignored(_)
    ));
    // In a conversation it is kept, and nobody is set to answering it.
    let Received::NewLead(lead) = receive(mail_from("mina@studio.example", "3@studio.example"), "s-3").await else {
        panic!("a new lead")
    };
    let before = house.lead(lead);
    let robot = Mail {
        automatic: true,
        in_reply_to: Some("3@studio.example".into()),
        ..mail_from("mina@studio.example", "4@studio.example")
    };
    assert_eq!(receive(robot, "s-4").await, Received::Message(lead));
    let after = house.lead(lead);
    assert_eq!(after.messages.last().map(|m| m.kind), Some(MessageKind::OutOfOffice));
    assert_eq!(after.open_task().map(|t| &t.id), before.open_task().map(|t| &t.id), "the turn goes on as it was");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn two_people_of_one_company_are_two_leads_that_know_of_each_other() {
    let house = House::new();
    let engine = house.start();
    let director = engine.director();
    let came = |name: &str, email: &str, website: Option<&str>| {
        let website = website.map(str::to_owned);
        NewLead { email: email.into(), website, ..max_testkit::builders::new_lead(name) }
    };
    let mut ids = Vec::new();
    for lead in [
        came("Ada", "ada@studio.example", None),
        came("Bo", "bo@gmail.com", Some("www.studio.example")),
        came("Cy", "cy@gmail.com", None),
    ] {
        ids.push(director.ingest(lead, Actor::Client, None, None).await.expect("taken in").lead.id);
    }
    for _ in 0..3 {
        let turn = director.next_task(Eidolon::LeadGen, "a/1").await;
        let related = director.brief(&turn).await.expect("a brief").related;
        let others: Vec<_> = related.iter().map(|r| r.lead).collect();
        let expected = match ids.iter().position(|id| *id == turn.lead.id) {
            Some(0) => vec![ids[1]],
            Some(1) => vec![ids[0]],
            _ => Vec::new(),
        };
        assert_eq!(others, expected);
    }
    assert!(ids.iter().all(|id| house.lead(*id).outcome().is_none()), "nobody is merged silently");
    engine.stop(Duration::from_secs(5)).await;
}
