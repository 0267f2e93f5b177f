//! What voices did and what it cost.

use jiff::SignedDuration;
use max_core::command::Command;
use max_core::id::{Digest, TaskId};
use max_core::lead::Actor;
use max_core::stage::{Eidolon, Stage};
use max_engine::runs::{FailClass, MicroUsd, Run, RunOutcome, Transport, Usage};
use max_engine::spend::Spending;
use uuid::Uuid;

use super::Subject;
use crate::builders::{Story, beginning};

pub(super) fn runs_are_kept_and_added_up(subject: &Subject) {
    let (ada, bob) = (subject.ingested("Ada"), subject.ingested("Bob"));
    let open = Run { outcome: RunOutcome::Running, took_ms: 0, error: None, ..run_of(&ada, 2) };
    let ended = Run {
        model: Some("model-2".into()),
        took_ms: 1_200,
        calls: 2,
        usage: Usage { input: 900, cached: 600, cache_write: 100, output: 40 },
        cost: MicroUsd(700),
        outcome: RunOutcome::Failed(FailClass::RateLimited),
        error: Some("asked too often".into()),
        ..open.clone()
    };
    let scoping = Run { stage: Stage::Scoping, eidolon: Eidolon::Scoping, repair: true, ..run_of(&ada, 1) };
    let earlier = Run { started_at: beginning() - SignedDuration::from_hours(24), ..run_of(&bob, 3) };
    for run in [&open, &scoping, &earlier, &ended] {
        subject.store.record_run(run).expect("kept");
    }
    assert_eq!(subject.store.runs(ada.id()), Ok(vec![scoping, ended]), "oldest first, each once, as it stands now");
    assert_eq!(subject.store.runs(bob.id()), Ok(vec![earlier]));
    let spent = |spending| subject.store.spent(spending).expect("a sum");
    assert_eq!(spent(Spending::Lead(ada.id())), MicroUsd(1_700));
    assert_eq!(spent(Spending::Stage(ada.id(), Stage::LeadGen)), MicroUsd(700));
    assert_eq!(spent(Spending::Stage(bob.id(), Stage::Closer)), MicroUsd(0));
    assert_eq!(spent(Spending::Since(beginning())), MicroUsd(1_700));
    assert_eq!(spent(Spending::Since(beginning() - SignedDuration::from_hours(48))), MicroUsd(2_700));
}

pub(super) fn a_run_outlives_its_lead_as_a_cost_alone(subject: &Subject) {
    let mut ada = subject.ingested("Ada");
    subject.store.record_run(&run_of(&ada, 1)).expect("kept");
    let erase = ada.step(Actor::Director, Command::Erase);
    let left = serde_json::to_vec(&erase.entry.events).expect("JSON");
    subject.keep(&[erase]);
    subject.store.erase(ada.id(), &left).expect("blanked");
    assert_eq!(subject.store.runs(ada.id()), Ok(Vec::new()));
    assert_eq!(subject.store.spent(Spending::Since(beginning())), Ok(MicroUsd(1_000)), "the day's sum stays true");
    assert_eq!(subject.store.spent(Spending::Lead(ada.id())), Ok(MicroUsd(0)));
}

pub(super) fn runs_of_an_earlier_process_are_lost(subject: &Subject) {
    let ada = subject.ingested("Ada");
    let (running, over) = (Run { outcome: RunOutcome::Running, ..run_of(&ada, 1) }, run_of(&ada, 2));
    for run in [&running, &over] {
        subject.store.record_run(run).expect("kept");
    }
    subject.store.end_lost_runs().expect("marked");
    let outcomes: Vec<RunOutcome> =
        subject.store.runs(ada.id()).expect("runs").into_iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Lost, RunOutcome::Delivered]);
}

/// A run of LeadGen that cost a tenth of a cent.
fn run_of(story: &Story, number: u8) -> Run {
    Run {
        id: Uuid::from_bytes([number; 16]),
        lead: story.id(),
        task: TaskId(Uuid::from_bytes([100 + number; 16])),
        attempt: 1,
        eidolon: Eidolon::LeadGen,
        stage: Stage::LeadGen,
        voice: "claude".into(),
        transport: Transport::Api,
        repair: false,
        model: Some("model-1".into()),
        started_at: beginning() + SignedDuration::from_secs(number.into()),
        took_ms: 900,
        calls: 1,
        usage: Usage { input: 800, cached: 0, cache_write: 0, output: 50 },
        cost: MicroUsd(1_000),
        outcome: RunOutcome::Delivered,
        error: None,
        prompt: Some(Digest::of(b"a prompt")),
    }
}
