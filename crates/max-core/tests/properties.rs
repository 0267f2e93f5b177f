//! Random requests in random order, under several policies: no illegal state can be reached, the log is the state,
//! a second copy of anything changes nothing, and no lead is stuck for ever.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use std::collections::BTreeMap;

use common::{Case, honest_work, incoming, ingest, new_lead, person};
use jiff::SignedDuration;
use max_core::apply::apply;
use max_core::command::{Command, Import, Request};
use max_core::decide::{Decision, allowed, decide, due};
use max_core::effect::{Effect, effects};
use max_core::error::{Refusal, RefusalKind};
use max_core::event::{Entry, Event};
use max_core::id::{ApprovalId, Digest, Fresh, LeadId, MessageId, SignalId, TaskId};
use max_core::lead::{
    Actor, Approval, ApprovalKind, ClientState, Delivery, IncomingPayment, Lead, MessageKind, NewLead, Outcome, Status,
    Turn,
};
use max_core::policy::Policy;
use max_core::stage::{Eidolon, Stage};
use max_core::stages;
use proptest::prelude::*;

// ---- what is asked -----------------------------------------------------------------------------------------------

/// One step of a random story. What the numbers mean depends on the lead as it is by then.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: Kind,
    /// Chooses among ids, results, stages.
    pick: u8,
    /// Yes or no, where there is one.
    flag: bool,
    /// Who asks.
    by: u8,
    /// A signal's number, if it came by one.
    signal: Option<u8>,
    /// How long nothing happened before.
    wait_minutes: u32,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Pay,
    Mark,
    Confirm,
    Work,
    Claim,
    Submit,
    Fail,
    Decide,
    Receive,
    Sign,
    Send,
    Deliver,
    HandOff,
    TakeOver,
    HandBack,
    Escalate,
    Retry,
    Close,
    Reopen,
    Wake,
    Ingest,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        16 => Just(Kind::Work),
        5 => Just(Kind::Claim),
        5 => Just(Kind::Submit),
        4 => Just(Kind::Fail),
        9 => Just(Kind::Decide),
        5 => Just(Kind::Receive),
        5 => Just(Kind::Sign),
        1 => Just(Kind::Send),
        5 => Just(Kind::Deliver),
        3 => Just(Kind::HandOff),
        2 => Just(Kind::TakeOver),
        3 => Just(Kind::HandBack),
        2 => Just(Kind::Escalate),
        4 => Just(Kind::Retry),
        1 => Just(Kind::Close),
        3 => Just(Kind::Reopen),
        5 => Just(Kind::Wake),
        1 => Just(Kind::Ingest),
        1 => Just(Kind::Pay),
        2 => Just(Kind::Mark),
        1 => Just(Kind::Confirm),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![6 => Just(0u32), 3 => 1u32..120, 1 => 1_000u32..60_000];
    (kind(), any::<u8>(), prop::bool::weighted(0.8), any::<u8>(), prop::option::weighted(0.3, 0u8..40), wait)
        .prop_map(|(kind, pick, flag, by, signal, wait_minutes)| Step { kind, pick, flag, by, signal, wait_minutes })
}

fn policy() -> impl Strategy<Value = Policy> {
    let all = |wanted: bool| ApprovalKind::ALL.into_iter().map(|kind| (kind, wanted)).collect::<BTreeMap<_, _>>();
    prop_oneof![
        4 => Just(Policy::default()),
        1 => Just(Policy { approvals: all(true), ..Policy::default() }),
        2 => Just(Policy { approvals: all(false), max_attempts: 1, core_retries: 0, ..Policy::default() }),
        1 => Just(Policy { deposit_required: false, automatic_mails_per_hour: 1, ..Policy::default() }),
        1 => Just(Policy { deposit_basis_points: 0, nudges: vec![], offer_follow_ups: vec![1], ..Policy::default() }),
    ]
}

/// Ids that were seen in the story, so that stale ones are asked for too.
#[derive(Default)]
struct Seen {
    tokens: Vec<(TaskId, u32)>,
    approvals: Vec<(ApprovalId, Digest)>,
    documents: Vec<Digest>,
}

impl Seen {
    fn learn(&mut self, lead: &Lead) {
        if let Some(task) = lead.open_task() {
            self.tokens.push((task.id, task.attempt));
        }
        if let Some(approval) = lead.pending_approval() {
            self.approvals.push((approval.id, approval.payload_sha256));
        }
        if let Turn::AwaitingClient(wait) = &lead.turn {
            self.documents.extend(wait.ask.document());
        }
    }
}

/// The newest id most of the time, an old one sometimes, an unknown one now and then.
fn choose<T: Copy>(seen: &[T], pick: u8, unknown: T) -> T {
    match pick % 8 {
        0 => unknown,
        1 | 2 => seen.get(usize::from(pick / 8) % seen.len().max(1)).copied().unwrap_or(unknown),
        _ => seen.last().copied().unwrap_or(unknown),
    }
}

/// The requests of a step: one, or a claim with its submission.
fn requests(step: Step, case: &Case, seen: &Seen) -> Vec<Request> {
    let unknown = Fresh::new(case.now, 99).uuid();
    let garbage = Digest::of(b"garbage");
    let (task, attempt) = choose(&seen.tokens, step.pick, (TaskId(unknown), 1));
    let Some(lead) = &case.lead else { return vec![request(step, Command::Wake)] };
    let honest = |pick| lead.open_task().map(|t| honest_work(lead, t, &case.policy, pick));
    let any_work = || match step.pick % 11 {
        0 => Some(common::needs_person()),
        1 => Some(common::withdrawn()),
        2 => Some(common::plan(Some(lead))),
        3 => Some(common::recommendation(true)),
        4 => Some(common::profile()),
        5 => lead.last_wait.as_ref().map(|wait| common::answer(wait.ask.clone())),
        _ => honest(step.pick),
    };
    let command = match step.kind {
        Kind::Work => {
            let (Some(open), Some(work)) = (lead.open_task(), honest(step.pick % 16)) else { return Vec::new() };
            let attempt = if open.holder.is_some() { open.attempt } else { open.attempt + 1 };
            let claim = Command::Claim { task: open.id, holder: "worker-1".into() };
            let submit = Command::Submit { task: open.id, attempt, work: Box::new(work) };
            return vec![Request::new(Actor::Director, claim), Request::new(Actor::Director, submit)];
        }
        Kind::Claim => Command::Claim { task, holder: format!("worker-{}", step.pick % 2) },
        Kind::Submit => {
            let Some(work) = any_work() else { return Vec::new() };
            Command::Submit { task, attempt: attempt + u32::from(step.pick.is_multiple_of(5)), work: Box::new(work) }
        }
        Kind::Fail => Command::Fail { task, attempt, error: "no answer".into(), retryable: step.flag },
        Kind::Decide => {
            let (approval, payload) = choose(&seen.approvals, step.pick, (ApprovalId(unknown), garbage));
            let payload_sha256 = if step.pick.is_multiple_of(7) { garbage } else { payload };
            let reason = (!step.pick.is_multiple_of(3)).then(|| "make it shorter".to_owned());
            Command::Decide { approval, payload_sha256, approve: step.flag, reason }
        }
        Kind::Receive => {
            let kinds = [MessageKind::OutOfOffice, MessageKind::Bounce, MessageKind::OptOut];
            let kind = kinds.get(usize::from(step.pick % 12)).copied().unwrap_or(MessageKind::Reply);
            let rfc_id = step.flag.then(|| format!("m{}@studio.example", step.pick % 32));
            incoming(kind, "Yes please.", rfc_id.as_deref())
        }
        Kind::Sign => {
            let signer = if step.pick.is_multiple_of(9) { String::new() } else { "Mina Berg".into() };
            Command::Sign { document: choose(&seen.documents, step.pick, garbage), signer }
        }
        Kind::Send => Command::Send { subject: "Hello".into(), body: "A word by hand.".into() },
        Kind::Deliver => {
            let waiting: Vec<_> = lead.outbox().map(|m| (m.id, m.delivery)).collect();
            let all: Vec<_> = lead.messages.iter().map(|m| (m.id, m.delivery)).collect();
            let from = if step.flag && !waiting.is_empty() { &waiting } else { &all };
            let (message, delivery) = choose(from, step.pick, (MessageId(unknown), Delivery::Queued));
            match (delivery, step.pick % 4) {
                (Delivery::Queued, _) | (_, 3) => Command::Release { message },
                (_, 0) => Command::RecordSendFailure { message, error: "no such mailbox".into() },
                _ => Command::RecordSent { message },
            }
        }
        Kind::HandOff => {
            let stage = |n: u8| Stage::ALL.get(usize::from(n % 9)).copied();
            let expected = if step.by.is_multiple_of(3) { stage(step.pick / 9) } else { None };
            let reason = step.flag.then(|| "the client asked for it".to_owned());
            Command::HandOff { to: stage(step.pick), expected, summary: String::new(), reason }
        }
        Kind::TakeOver => Command::TakeOver,
        Kind::HandBack => Command::HandBack,
        Kind::Escalate => {
            Command::Escalate { reason: if step.pick.is_multiple_of(9) { " ".into() } else { "angry".into() } }
        }
        Kind::Retry => Command::Retry,
        Kind::Close => {
            let outcomes = [
                Outcome::Delivered,
                Outcome::Disqualified,
                Outcome::Lost,
                Outcome::Spam,
                Outcome::Merged,
                Outcome::Erased,
            ];
            if step.pick.is_multiple_of(5) {
                let erase = Command::RequestErasure { reason: "on request".into(), asked_by: "ada".into() };
                return vec![request(step, erase)];
            }
            let outcome = outcomes[usize::from(step.pick) % outcomes.len()];
            Command::Close { outcome, reason: "it is over".into(), merged_into: step.flag.then_some(LeadId(unknown)) }
        }
        Kind::Reopen => Command::Reopen { reason: "they called".into() },
        Kind::Wake => Command::Wake,
        Kind::Ingest => ingest(),
        Kind::Pay => {
            let amount_minor = step.flag.then_some(i64::from(step.pick) * 10_000);
            Command::RecordPayment { payment: IncomingPayment { amount_minor, ..IncomingPayment::default() } }
        }
        Kind::Mark => {
            let proof = "it is there".into();
            Command::MarkStep { step: format!("O-{}", step.pick % 6), done: step.flag, proof }
        }
        Kind::Confirm => Command::ConfirmIdentity { token: "guessed".into() },
    };
    vec![request(step, command)]
}

fn request(step: Step, command: Command) -> Request {
    let by = match step.by % 16 {
        0 => Actor::Client,
        1 => Actor::Director,
        2 => Actor::Eidolon(Eidolon::Closer),
        3 => Actor::Signal("Finn".into()),
        4 => Actor::Person("grace".into()),
        _ => person(),
    };
    let signal_id = step.signal.map(|n| SignalId::try_from(format!("signal-{n}")).expect("a signal id"));
    Request::new(by, command).by_signal(signal_id)
}

// ---- what must hold ----------------------------------------------------------------------------------------------

/// Panics when a lead is in a state that must not be.
fn assert_legal(lead: &Lead, policy: &Policy) {
    if lead.outcome() == Some(Outcome::Erased) {
        assert!(lead.open_task().is_none() && lead.history.is_empty() && due(lead, &Policy::default()).is_none());
        return;
    }
    let last = lead.history.last().expect("a lead has a history");
    assert_eq!(lead.stage, last.to_stage, "the stage is where the history ends");
    assert_eq!(lead.history[0].from_stage, None);
    for pair in lead.history.windows(2) {
        assert_eq!(pair[1].from_stage, Some(pair[0].to_stage), "the history is connected");
        assert!(pair[0].at <= pair[1].at);
    }
    let helped = lead.escalation.is_some() || lead.taken_over.is_some();
    match &lead.turn {
        Turn::Working(task) => {
            assert!(!helped, "nothing works while help is called or a person has taken over");
            assert_eq!(task.eidolon, lead.stage.eidolon());
            assert_eq!(stages::missing_need(lead, lead.stage, policy), None, "no work without what it needs");
            assert_eq!(lead.open_task(), Some(task), "what is worked on can be claimed");
        }
        Turn::AwaitingApproval(approval) => {
            assert!(lead.taken_over.is_none(), "a take-over voids what was asked");
            assert!(!lead.decided.contains_key(&approval.id), "what was decided is never pending again");
            assert_eq!(approval.stage, lead.stage);
            let Approval { kind, artifacts, outgoing, then, .. } = &**approval;
            assert_eq!(approval.payload_sha256, Approval::digest(*kind, artifacts, outgoing, then));
        }
        Turn::AwaitingClient(wait) => {
            assert_eq!(lead.last_wait.as_ref(), Some(wait));
            if let Some(document) = wait.ask.document() {
                let signed = lead.signature.iter().chain(lead.accepted_milestones.values());
                assert!(signed.into_iter().all(|s| s.document != document), "what is signed is not asked for");
            }
        }
        Turn::Paused { .. } | Turn::Exhausted { .. } => {
            assert!(helped || lead.is_restricted(), "somebody knows that the lead stands still")
        }
        Turn::AwaitingNeed { .. } => {}
        Turn::Ended(_) => assert!(!helped && lead.open_task().is_none(), "what has ended asks for nothing"),
    }
    if lead.taken_over.is_some() {
        assert_eq!(lead.open_task(), None, "no AI works while a person does");
    }
    assert_eq!(lead.status(), expected_status(lead), "status of {:?}", lead.turn);
    assert_state_reads_well(lead);
}

/// DESIGN 3: failed, escalated, awaiting_human, completed; else work is in progress.
fn expected_status(lead: &Lead) -> Status {
    let waits = matches!(
        lead.turn,
        Turn::AwaitingApproval(_) | Turn::AwaitingClient(_) | Turn::AwaitingNeed { .. } | Turn::Paused { .. }
    );
    match () {
        () if lead.is_restricted() && lead.escalation.is_some() => Status::Escalated,
        () if lead.is_restricted() => Status::AwaitingHuman,
        () if lead.outcome().is_some() => Status::Completed,
        () if matches!(lead.turn, Turn::Exhausted { .. }) => Status::Failed,
        () if lead.escalation.is_some() => Status::Escalated,
        () if lead.taken_over.is_some() || waits => Status::AwaitingHuman,
        () => Status::InProgress,
    }
}

fn assert_state_reads_well(lead: &Lead) {
    let state = ClientState::from(lead);
    assert!(state.next_action.ends_with('.'), "a sentence: {}", state.next_action);
    let ended = state.status == Status::Completed || lead.is_restricted() && lead.outcome().is_some();
    assert_eq!(state.data.contains_key("outcome"), ended);
    let waits = matches!(state.status, Status::AwaitingHuman | Status::Escalated | Status::Failed);
    assert_eq!(state.data.contains_key("waiting_for"), waits, "{:?} {:?}", state.status, lead.turn);
}

/// What one entry may do to a lead.
fn assert_step(before: Option<&Lead>, request: &Request, entry: &Entry, after: &Lead) {
    assert_eq!(after.version, entry.version);
    let opened = |entry: &Entry| entry.events.iter().any(|e| matches!(e, Event::TaskOpened { .. }));
    let Some(before) = before else { return };
    if before.taken_over.is_some() && !matches!(request.command, Command::HandBack | Command::Close { .. }) {
        assert!(!opened(entry), "{:?} began a turn for a lead that a person has taken over", request.command);
    }
    if let (Some(old), Some(new)) = (before.open_task(), after.open_task())
        && old.id == new.id
    {
        assert!((old.attempt..=old.attempt + 1).contains(&new.attempt), "attempts are counted up one by one");
    }
    if after.outcome() == Some(Outcome::Erased) {
        assert!(after.messages.is_empty() && after.contact == NewLead::default(), "nothing is known any more");
        return;
    }
    for (id, verdict) in &before.decided {
        assert_eq!(after.decided.get(id), Some(verdict), "a verdict stands");
    }
    if before.signature.is_some() {
        assert!(after.signature.is_some(), "a signature stands");
        assert!(after.stage >= before.stage || after.stage > Stage::Closer, "no way back over a signature");
    }
    assert!(before.signals.is_subset(&after.signals));
    for event in &entry.events {
        if let Event::MessageReleased { message, .. } = event {
            let sent = before.messages.iter().find(|m| m.id == *message).expect("a known message");
            assert!(!sent.automatic || before.taken_over.is_none(), "the AI keeps still after a take-over");
            assert!(!sent.automatic || before.unreachable.is_none());
            assert!(!sent.automatic || !before.is_restricted(), "the AI keeps still while an erasure waits");
        }
    }
}

fn assert_refusal(lead: &Lead, refusal: &Refusal) {
    assert!(!refusal.state.is_empty() && !refusal.command.is_empty() && !refusal.reason.is_empty());
    let text = refusal.to_string();
    assert!(text.contains(&refusal.state) && text.contains(&refusal.command), "{text}");
    if lead.outcome() != Some(Outcome::Erased) {
        assert!(!refusal.allowed.is_empty(), "something is always allowed: {text}");
    }
}

/// A claim, submission or failure report with an old fencing token is refused as fenced, whatever it says.
fn assert_fencing(lead: &Lead, request: &Request, decision: &Result<Decision, Refusal>) {
    let (task, attempt) = match &request.command {
        Command::Claim { task, .. } => (*task, None),
        Command::Submit { task, attempt, .. } => (*task, Some(*attempt)),
        Command::Fail { task, attempt, .. } => (*task, Some(*attempt)),
        _ => return,
    };
    if request.signal_id.as_ref().is_some_and(|id| lead.signals.contains(id)) {
        return;
    }
    let second_copy = matches!(request.command, Command::Submit { .. })
        && attempt.is_some_and(|attempt| lead.last_submission == Some((task, attempt)));
    let newest = lead
        .open_task()
        .is_some_and(|open| open.id == task && attempt.is_none_or(|a| a == open.attempt && open.holder.is_some()));
    match decision {
        Ok(Decision::Repeat) if second_copy => {}
        Err(refusal) if !newest => assert_eq!(refusal.kind, RefusalKind::Fenced),
        other => assert!(newest, "a stale token got {other:?}"),
    }
}

/// A second copy changes nothing: of anything with a signal id, and of these also without.
fn assert_second_copy(case: &Case, request: &Request) {
    let bare = Request { signal_id: None, ..request.clone() };
    if request.signal_id.is_some() {
        assert_eq!(case.would(request), Ok(Decision::Repeat), "a second copy by the same signal");
    }
    if matches!(
        request.command,
        Command::Claim { .. }
            | Command::Submit { .. }
            | Command::Decide { .. }
            | Command::RecordSent { .. }
            | Command::RecordSendFailure { .. }
            | Command::Sign { .. }
            | Command::TakeOver
            | Command::Close { .. }
            | Command::Ingest { .. }
    ) {
        assert_eq!(case.would(&bare), Ok(Decision::Repeat), "a second copy of {}", request.command.verb());
    }
}

/// `allowed` says neither too much nor too little about stages, and a person can always bring a lead to an end.
fn assert_ways_out(case: &Case) {
    let lead = case.lead.as_ref().expect("a lead");
    let text = allowed(lead).join("; ");
    let by_person = |command| case.would(&Request::new(person(), command));
    for stage in Stage::ALL {
        let reason = Some("it has to be".to_owned());
        let handed = by_person(Command::HandOff { to: Some(stage), expected: None, summary: String::new(), reason });
        assert_eq!(handed.is_ok(), text.contains(stage.name()), "hand off {lead:?} to {stage}; allowed: {text}");
    }
    let close = Command::Close { outcome: Outcome::Lost, reason: "no answer".into(), merged_into: None };
    let reopen = Command::Reopen { reason: "they called".into() };
    match lead.outcome() {
        Some(Outcome::Erased) => assert!(by_person(reopen).is_err()),
        _ if lead.is_restricted() => {
            let approval = lead.pending_approval().expect("an erasure waits");
            let (id, sha) = (approval.id, approval.payload_sha256);
            let decide = Command::Decide { approval: id, payload_sha256: sha, approve: true, reason: None };
            assert!(matches!(by_person(decide), Ok(Decision::Events(_))), "a person can decide it");
        }
        Some(_) => assert!(matches!(by_person(reopen), Ok(Decision::Events(_)))),
        None => {
            assert!(matches!(by_person(close), Ok(Decision::Events(_))), "a person can end every lead");
            let erase = Command::RequestErasure { reason: "on request".into(), asked_by: String::new() };
            assert!(matches!(by_person(erase), Ok(Decision::Events(_))));
        }
    }
}

/// Before its time nothing happens; at its time something does, and never again and again.
fn assert_timer(case: &Case) {
    let lead = case.lead.clone().expect("a lead");
    let Some((at, _)) = due(&lead, &case.policy) else { return };
    let wake = Request::new(Actor::Director, Command::Wake);
    let at_time = |lead: &Lead, now| decide(Some(lead), lead.id, &wake, &mut Fresh::new(now, 5), &case.policy);
    assert_eq!(at_time(&lead, at - SignedDuration::from_millis(1)), Ok(Decision::Repeat));
    let mut lead = lead;
    for round in 0..4 {
        match at_time(&lead, at).expect("a wake-up is never refused") {
            Decision::Repeat => {
                assert!(round > 0, "what is due happens");
                return;
            }
            Decision::Events(events) => {
                let version = lead.version + 1;
                let entry = Entry { lead: lead.id, version, at, by: Actor::Director, signal_id: None, events };
                lead = apply(Some(lead), &entry).expect("a lead");
                assert_legal(&lead, &case.policy);
            }
        }
    }
    panic!("the clock goes off again and again at {at}: {:?}", lead.turn);
}

/// Everything that has to be done is said once, and about the task that is open.
fn assert_effects(lead: &Lead, entry: &Entry) {
    let effects = effects(lead, entry);
    let delivered: Vec<_> = effects
        .iter()
        .filter_map(|e| match e {
            Effect::Deliver { task, to, .. } => Some((*task, *to)),
            _ => None,
        })
        .collect();
    assert!(delivered.len() <= 1);
    for (task, to) in &delivered {
        let open = lead.open_task().expect("an open task");
        assert_eq!((open.id, open.eidolon), (*task, *to));
    }
    let opened = entry.events.iter().any(|e| matches!(e, Event::TaskOpened { .. }));
    assert!(!opened || delivered.len() == 1, "who has to work is told");
    let queued = entry.events.iter().filter(|e| matches!(e, Event::MessageQueued { .. })).count();
    assert_eq!(queued, effects.iter().filter(|e| matches!(e, Effect::Send { .. })).count());
}

fn assert_round_trips(entry: &Entry, lead: &Lead) {
    let text = serde_json::to_string(entry).expect("an entry as JSON");
    assert_eq!(&serde_json::from_str::<Entry>(&text).expect("an entry from JSON"), entry, "{text}");
    let text = serde_json::to_string(lead).expect("a lead as JSON");
    assert_eq!(&serde_json::from_str::<Lead>(&text).expect("a lead from JSON"), lead);
    let state = ClientState::from(lead);
    let text = serde_json::to_string(&state).expect("a state as JSON");
    assert_eq!(serde_json::from_str::<ClientState>(&text).expect("a state from JSON"), state);
}

// ---- the stories -------------------------------------------------------------------------------------------------

/// Plays the steps, checking everything after each.
fn play(case: &mut Case, steps: &[Step]) {
    let mut seen = Seen::default();
    for step in steps {
        case.pass(SignedDuration::from_mins(i64::from(step.wait_minutes)));
        for request in requests(*step, case, &seen) {
            let before = case.lead.clone();
            let decision = case.would(&request);
            assert_eq!(decision, case.would(&request), "the same arguments decide the same");
            if let Some(lead) = &before {
                assert_fencing(lead, &request, &decision);
            }
            match case.ask(&request) {
                Ok(Some(entry)) => {
                    let lead = case.lead.as_ref().expect("a lead");
                    assert_legal(lead, &case.policy);
                    assert_step(before.as_ref(), &request, &entry, lead);
                    assert_effects(lead, &entry);
                    assert_round_trips(&entry, lead);
                    assert_second_copy(case, &request);
                    assert_ways_out(case);
                    assert_timer(case);
                    seen.learn(lead);
                }
                Ok(None) => assert_eq!(case.lead, before, "a repeat changes nothing"),
                Err(refusal) => {
                    assert_eq!(case.lead, before, "a refusal changes nothing");
                    before.iter().for_each(|lead| assert_refusal(lead, &refusal));
                }
            }
        }
    }
    let replayed = case.log.iter().fold(None, apply);
    assert_eq!(replayed, case.lead, "the log is the state");
}

fn imported(stage: Stage, scope: bool, signed: bool) -> Command {
    let values = serde_json::to_value(common::the_scope("Booking page")).expect("a scope as JSON");
    let data = [(Stage::Scoping, serde_json::Map::from_iter([("scope".to_owned(), values)]))].into();
    let approved_scope = scope.then(|| Digest::of(b"scope"));
    Command::Import(Box::new(Import { lead: new_lead(), stage, data, artifacts: Vec::new(), approved_scope, signed }))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn no_story_leads_to_an_illegal_state(policy in policy(), steps in prop::collection::vec(step(), 1..90)) {
        let mut case = Case::new(policy);
        case.ask(&Request::new(Actor::Client, ingest())).expect("a lead comes in");
        play(&mut case, &steps);
    }

    #[test]
    fn nor_does_one_that_begins_in_the_middle(
        policy in policy(),
        stage in prop::sample::select(Stage::ALL.to_vec()),
        (scope, signed) in any::<(bool, bool)>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut case = Case::new(policy);
        case.ask(&Request::new(Actor::Import("ada".into()), imported(stage, scope, signed))).expect("it comes in");
        assert_legal(case.lead.as_ref().expect("a lead"), &case.policy);
        play(&mut case, &steps);
    }

    #[test]
    fn an_unknown_lead_can_only_come_in(step in step()) {
        let mut case = Case::new(Policy::default());
        let asked = request(step, Command::Wake);
        let refusal = case.ask(&asked).expect_err("nobody is there");
        prop_assert_eq!(refusal.kind, RefusalKind::NotFound);
        prop_assert!(case.lead.is_none());
    }
}

/// The random stories are worth something only when they get somewhere.
#[test]
fn honest_work_alone_reaches_the_sign_off() {
    for policy in [Policy::default(), Policy { deposit_required: false, ..Policy::default() }] {
        let mut case = Case::new(policy);
        case.ask(&Request::new(Actor::Client, ingest())).expect("a lead comes in");
        for _ in 0..200 {
            let lead = case.lead.clone().expect("a lead");
            let commands = match &lead.turn {
                Turn::Working(task) => {
                    let work = Box::new(honest_work(&lead, task, &case.policy, 0));
                    vec![
                        Command::Claim { task: task.id, holder: "worker".into() },
                        Command::Submit { task: task.id, attempt: 1, work },
                    ]
                }
                Turn::AwaitingApproval(a) => vec![Command::Decide {
                    approval: a.id,
                    payload_sha256: a.payload_sha256,
                    approve: true,
                    reason: None,
                }],
                Turn::AwaitingClient(wait) => match wait.ask.document() {
                    Some(document) => vec![Command::Sign { document, signer: "Mina Berg".into() }],
                    None => vec![incoming(MessageKind::Reply, "Yes please.", None)],
                },
                _ => break,
            };
            for command in commands {
                case.ask(&Request::new(person(), command)).expect("honest work counts");
            }
            assert_legal(case.lead.as_ref().expect("a lead"), &case.policy);
        }
        let lead = case.lead.expect("a lead");
        assert_eq!(lead.outcome(), Some(Outcome::Delivered), "{:?}", lead.turn);
        assert_eq!(lead.history.len(), 7);
    }
}
