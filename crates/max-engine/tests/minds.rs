//! Voices in a row: who fails makes way, who is refused twice makes way, and every run and its cost is written down.

#[expect(dead_code, reason = "it starts its engines itself")]
mod house;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use house::{House, eventually, ingest};
use jiff::SignedDuration;
use max_core::event::Event;
use max_core::id::{Digest, LeadId};
use max_core::stage::{Eidolon, Stage};
use max_core::stages::StageResult;
use max_engine::engine::{Engine, Options};
use max_engine::mind::{Seat, VoiceState};
use max_engine::ports::{Brief, CallFail, Clock as _, Store as _, Thought, Voice};
use max_engine::runs::{FailClass, MicroUsd, RunOutcome, Transport, Usage};
use max_engine::spend::{Budget, Spending};
use max_testkit::voices::{Scripted, sensible};

/// A voice that costs money: each call may cost a thousand, and does cost what the script says.
struct Paid<F> {
    calls: AtomicUsize,
    answer: F,
}

impl<F> Paid<F>
where
    F: Fn(usize, &Brief) -> (u64, Result<Thought, CallFail>) + Send + Sync + 'static,
{
    fn new(answer: F) -> Arc<Self> {
        Arc::new(Self { calls: AtomicUsize::new(0), answer })
    }
}

impl<F> Voice for Paid<F>
where
    F: Fn(usize, &Brief) -> (u64, Result<Thought, CallFail>) + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        "paid"
    }
    fn transport(&self) -> Transport {
        Transport::Api
    }
    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        Box::pin(async move {
            brief.meter.asks("model-1", Digest::of(b"a prompt"));
            let reservation = brief.meter.reserve(MicroUsd(1_000)).await?;
            let (cost, thought) = (self.answer)(self.calls.fetch_add(1, Ordering::SeqCst), brief);
            let usage = Usage { input: 100, cached: 60, cache_write: 0, output: 10 };
            reservation.settle(Some("model-1b"), usage, MicroUsd(cost));
            thought
        })
    }
}

/// LeadGen with a paid voice before the playbook's stand-in; the other stages wait.
fn engine(house: &House, paid: Arc<dyn Voice>) -> Engine {
    engine_with(house, paid, Budget::default())
}

fn engine_with(house: &House, paid: Arc<dyn Voice>, budget: Budget) -> Engine {
    let options = Options { budget, ..Options::new("test") };
    let mut engine = house.start_on(Arc::new(house.clock.clone()), options);
    let seats = vec![
        Seat { name: "claude".into(), voice: Ok(paid) },
        Seat { name: "gemini".into(), voice: Err("nobody".into()) },
        Seat { name: "playbook".into(), voice: Ok(Scripted::new(sensible)) },
    ];
    engine.add_eidolon(Eidolon::LeadGen, seats, 1);
    engine
}

async fn judged(house: &House, lead: LeadId) {
    eventually("LeadGen is over", || house.lead(lead).stage == Stage::FirstResponder).await;
}

/// Who delivered, and instead of whom.
fn delivered(house: &House, lead: LeadId) -> (String, Vec<String>) {
    let log = house.store.entries(lead, 0, usize::MAX).expect("a log");
    log.iter()
        .flat_map(|logged| &logged.entry.events)
        .find_map(|event| match event {
            Event::WorkSubmitted { voice, instead_of, .. } => Some((voice.clone(), instead_of.clone())),
            _ => None,
        })
        .expect("work was submitted")
}

#[tokio::test]
async fn a_run_says_what_it_used_and_cost() {
    let house = House::new();
    let engine = engine(&house, Paid::new(|_, brief| (420, sensible(brief))));
    let lead = ingest(engine.director(), "Mina").await;
    judged(&house, lead).await;
    let runs = house.store.runs(lead).expect("runs");
    let [run] = runs.as_slice() else { panic!("one run: {runs:?}") };
    assert_eq!((run.voice.as_str(), run.transport, run.stage), ("claude", Transport::Api, Stage::LeadGen));
    assert_eq!((run.outcome, run.cost, run.calls), (RunOutcome::Delivered, MicroUsd(420), 1));
    assert_eq!(run.usage, Usage { input: 100, cached: 60, cache_write: 0, output: 10 });
    assert_eq!((run.model.as_deref(), run.prompt), (Some("model-1b"), Some(Digest::of(b"a prompt"))));
    assert_eq!(delivered(&house, lead), ("claude".to_owned(), Vec::new()));
    let health = engine.health();
    let claude = &health[0].voices[0];
    assert_eq!((claude.tokens, claude.turns, claude.cost_usd), (110, 1, 0.00042));
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn who_fails_makes_way_and_is_left_alone_for_as_long_as_it_asks() {
    let house = House::new();
    let until = house.clock.now() + SignedDuration::from_secs(90);
    let paid = Paid::new(move |_, _| (0, Err(CallFail::RateLimited { until })));
    let engine = engine(&house, paid.clone());
    for name in ["Mina", "Otto"] {
        let lead = ingest(engine.director(), name).await;
        judged(&house, lead).await;
        assert_eq!(delivered(&house, lead), ("playbook".to_owned(), vec!["claude: rate_limited".to_owned()]));
        let stood_in = house.store.runs(lead).expect("runs");
        assert!(stood_in.iter().any(|run| run.voice == "playbook" && run.outcome == RunOutcome::Delivered));
    }
    assert_eq!(paid.calls.load(Ordering::SeqCst), 1, "nobody asks it a second time before its time");
    let claude = engine.health()[0].voices[0].clone();
    assert_eq!(claude.state, VoiceState::Failing);
    assert!(
        claude.evidence.contains("not called before") && claude.evidence.contains("rate_limited"),
        "{}",
        claude.evidence
    );
    house.pass(91);
    let lead = ingest(engine.director(), "Ida").await;
    judged(&house, lead).await;
    assert_eq!(paid.calls.load(Ordering::SeqCst), 2, "then it is asked again");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn who_is_refused_twice_makes_way_with_the_findings_in_between() {
    let house = House::new();
    let wrong = |brief: &Brief| {
        let mut thought = sensible(brief).expect("a thought");
        if let StageResult::Qualification(q) = &mut thought.result {
            q.score += 1;
        }
        thought
    };
    let paid = Paid::new(move |call, brief| {
        assert_eq!(brief.findings.is_empty(), call == 0, "the second time it is told what was wrong");
        (100, Ok(wrong(brief)))
    });
    let engine = engine(&house, paid.clone());
    let lead = ingest(engine.director(), "Mina").await;
    judged(&house, lead).await;
    assert_eq!(delivered(&house, lead), ("playbook".to_owned(), vec!["claude: checks".to_owned()]));
    let runs: Vec<_> = house.store.runs(lead).expect("runs").into_iter().map(|r| (r.voice, r.repair)).collect();
    assert_eq!(runs.len(), 3);
    for run in [("claude".to_owned(), false), ("claude".to_owned(), true), ("playbook".to_owned(), false)] {
        assert!(runs.contains(&run), "{run:?} in {runs:?}");
    }
    assert_eq!(house.lead(lead).history.len(), 2, "one attempt was enough");
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn no_budget_is_passed_and_a_refusal_makes_way() {
    for (budget, named) in [
        (Budget { per_day: MicroUsd(1_499), ..generous() }, "per_day"),
        (Budget { per_lead: MicroUsd(999), ..generous() }, "per_lead"),
        (Budget { per_stage: MicroUsd(999), ..generous() }, "per_stage"),
    ] {
        let house = House::new();
        let engine = engine_with(&house, Paid::new(|_, brief| (500, sensible(brief))), budget);
        let (mut last, mut spent) = (None, MicroUsd(0));
        for name in ["Mina", "Otto"] {
            let lead = ingest(engine.director(), name).await;
            judged(&house, lead).await;
            last = Some(lead);
            spent = house.store.spent(Spending::Since(max_testkit::builders::beginning())).expect("a sum");
        }
        let lead = last.expect("a lead");
        assert!(spent <= budget.per_day, "{named}: {spent}");
        assert_eq!(
            delivered(&house, lead),
            ("playbook".to_owned(), vec!["claude: budget_denied".to_owned()]),
            "{named}"
        );
        let runs = house.store.runs(lead).expect("runs");
        let denied = runs.iter().find(|run| run.voice == "claude").expect("it was asked");
        assert_eq!((denied.outcome, denied.cost), (RunOutcome::Failed(FailClass::BudgetDenied), MicroUsd(0)));
        assert!(denied.error.as_deref().is_some_and(|e| e.contains(named)), "{:?}", denied.error);
        engine.stop(Duration::from_secs(5)).await;
    }
}

fn generous() -> Budget {
    Budget { per_day: MicroUsd(1_000_000), per_lead: MicroUsd(1_000_000), per_stage: MicroUsd(1_000_000) }
}

#[tokio::test]
async fn what_broke_off_counts_at_the_most_it_may_have_cost() {
    struct Stuck;
    impl Voice for Stuck {
        fn name(&self) -> &str {
            "stuck"
        }
        fn transport(&self) -> Transport {
            Transport::Api
        }
        fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
            Box::pin(async move {
                let _never_settled = brief.meter.reserve(MicroUsd(700)).await?;
                std::future::pending().await
            })
        }
    }
    let house = House::new();
    let engine = engine(&house, Arc::new(Stuck));
    let lead = ingest(engine.director(), "Mina").await;
    let run = || house.store.runs(lead).expect("runs").into_iter().next();
    eventually("the call is reserved", || run().is_some_and(|run| run.cost == MicroUsd(700))).await;
    assert_eq!(run().map(|run| run.outcome), Some(RunOutcome::Running), "written down before the call");
    // The lead is taken off it: the turn is fenced and ends.
    let take_over = max_core::command::Command::TakeOver;
    let by = max_core::lead::Actor::Person("ada".into());
    engine.director().act(lead, max_core::command::Request::new(by, take_over), None).await.expect("taken over");
    eventually("the run is cancelled", || run().is_some_and(|run| run.outcome == RunOutcome::Cancelled)).await;
    assert_eq!(house.store.spent(Spending::Lead(lead)), Ok(MicroUsd(700)));
    engine.stop(Duration::from_secs(5)).await;
}
