//! The gates: what refuses work at once, what a person has to mend or waive, and what an approval is bound to.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use common::{Case, honest_work, ingest, person, scope};
use max_core::command::{Command, Request, Seen};
use max_core::error::{Refusal, RefusalKind};
use max_core::event::Event;
use max_core::lead::{Actor, Approval, ApprovalKind, Task, Through};
use max_core::policy::Policy;
use max_core::rules::Weight;
use max_core::stage::Stage;
use max_core::stages::{Finding, Work};

/// A lead on its way, with the linter's findings told beforehand.
struct Desk(Case);

fn finding(rule: &str, weight: Weight, place: &str) -> Finding {
    Finding { weight, ..Finding::new(rule, "something is wrong").at(place) }
}

fn blocking(place: &str) -> Finding {
    finding("X-3", Weight::Blocks, place)
}

/// A lead in Scoping that waits for its scope.
fn desk(policy: Policy) -> Desk {
    let mut desk = Desk(Case::new(policy));
    desk.does(Actor::Client, ingest());
    while desk.stage() < Stage::Scoping {
        let work = desk.honest();
        desk.submits(work, Vec::new());
        desk.client_answers();
    }
    // The questions, and their answers.
    let work = desk.honest();
    desk.submits(work, Vec::new());
    desk.client_answers();
    desk
}

impl Desk {
    fn stage(&self) -> Stage {
        self.0.lead.as_ref().expect("a lead").stage
    }

    fn approval(&self) -> &Approval {
        let lead = self.0.lead.as_ref().expect("a lead");
        lead.pending_approval().unwrap_or_else(|| panic!("no approval: {:?}", lead.turn))
    }

    fn ask(&mut self, request: &Request) -> Result<Vec<Event>, Refusal> {
        Ok(self.0.ask(request)?.map(|entry| entry.events).unwrap_or_default())
    }

    fn does(&mut self, by: Actor, command: Command) -> Vec<Event> {
        self.ask(&Request::new(by, command)).unwrap_or_else(|no| panic!("{no}"))
    }

    fn honest(&self) -> Work {
        let lead = self.0.lead.as_ref().expect("a lead");
        honest_work(lead, lead.open_task().expect("a task"), &self.0.policy, 0)
    }

    fn tries(&mut self, work: Work, findings: Vec<Finding>) -> Result<Vec<Event>, Refusal> {
        let task = self.0.lead.as_ref().and_then(|l| l.open_task()).expect("a task").clone();
        if task.holder.is_none() {
            self.does(Actor::Director, Command::Claim { task: task.id, holder: "worker".into() });
        }
        let Task { id, attempt, eidolon, .. } = self.0.lead.as_ref().and_then(|l| l.open_task()).expect("it").clone();
        let submit = Command::Submit { task: id, attempt, work: Box::new(work) };
        self.ask(&Request::new(Actor::Eidolon(eidolon), submit).having_seen(Seen { findings, ..Seen::default() }))
    }

    fn submits(&mut self, work: Work, findings: Vec<Finding>) {
        self.tries(work, findings).unwrap_or_else(|no| panic!("{no}"));
    }

    fn client_answers(&mut self) {
        if self.0.lead.as_ref().is_some_and(|l| l.open_task().is_none()) {
            self.does(
                Actor::Client,
                common::incoming(max_core::lead::MessageKind::Reply, "Yes, about 40 guests.", None),
            );
        }
    }

    fn decides(&mut self, approve: bool, seen: Seen) -> Result<Vec<Event>, Refusal> {
        let Approval { id, payload_sha256, .. } = self.approval().clone();
        let reason = (!approve).then(|| "not like this".to_owned());
        let decide = Command::Decide { approval: id, payload_sha256, approve, reason };
        self.ask(&Request::new(person(), decide).having_seen(seen))
    }

    fn waives(&mut self, by: Actor, rule: &str, place: &str, reason: &str) -> Result<Vec<Event>, Refusal> {
        let approval = self.approval().id;
        let (rule, place, reason) = (rule.into(), place.into(), reason.into());
        self.ask(&Request::new(by, Command::WaiveFinding { approval, rule, place, reason }))
    }
}

#[test]
fn what_refuses_sends_the_work_back_and_says_everything_that_was_found() {
    let mut desk = desk(Policy::default());
    let found = vec![finding("X-1", Weight::Refuses, "scope.html"), blocking("scope.md")];
    let refusal = desk.tries(scope("Booking page"), found).expect_err("refused");
    assert_eq!(refusal.kind, RefusalKind::Checks);
    assert_eq!(refusal.findings.len(), 2, "{refusal:?}");
}

#[test]
fn what_blocks_waits_on_the_approval_until_a_person_waives_it_with_a_reason() {
    let mut desk = desk(Policy::default());
    let advice = finding("SC-11", Weight::Advises, "requirements[0]");
    desk.submits(scope("Booking page"), vec![blocking("scope.md"), advice]);
    assert_eq!(desk.approval().findings.len(), 2);

    let refusal = desk.decides(true, Seen::default()).expect_err("blocked");
    assert_eq!((refusal.kind, refusal.findings.len()), (RefusalKind::State, 1), "advice does not block");
    assert!(refusal.reason.contains("X-3") && refusal.reason.contains("waive"), "{}", refusal.reason);

    let no_reason = desk.waives(person(), "X-3", "scope.md", "  ").expect_err("refused");
    assert_eq!(no_reason.kind, RefusalKind::Invalid);
    let machine =
        desk.waives(Actor::Eidolon(Stage::Scoping.eidolon()), "X-3", "scope.md", "fine").expect_err("refused");
    assert_eq!(machine.kind, RefusalKind::State);
    let dropped = desk.waives(Actor::Signal("somebody".into()), "X-3", "scope.md", "fine").expect_err("refused");
    assert_eq!(dropped.kind, RefusalKind::State, "a file's sender is a claim");
    let elsewhere = desk.waives(person(), "X-3", "offer.md", "fine").expect_err("refused");
    assert_eq!(elsewhere.kind, RefusalKind::NotFound);

    let facts = desk.waives(person(), "X-3", "scope.md", "the client is called so on purpose").expect("waived");
    assert!(matches!(facts.as_slice(), [Event::FindingWaived { .. }]), "{facts:?}");
    assert_eq!(desk.approval().waived[0].by, person());
    assert!(desk.waives(person(), "X-3", "scope.md", "again").expect("a repeat").is_empty());
    desk.decides(true, Seen::default()).expect("approved");
    assert_eq!(desk.stage(), Stage::Orchestra);
}

#[test]
fn a_waiver_ends_with_its_approval() {
    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), vec![blocking("scope.md")]);
    desk.waives(person(), "X-3", "scope.md", "fine").expect("waived");
    desk.decides(false, Seen::default()).expect("rejected, whatever blocks");
    desk.submits(scope("Booking page"), vec![blocking("scope.md")]);
    assert!(desk.approval().waived.is_empty());
    desk.decides(true, Seen::default()).expect_err("blocked again");
}

#[test]
fn what_refuses_cannot_be_waived_when_it_is_found_later() {
    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), vec![finding("X-1", Weight::Blocks, "scope.html")]);
    let seen = Seen { findings: vec![finding("X-1", Weight::Refuses, "scope.json")], ..Seen::default() };
    let approval = desk.approval().id;
    let waive =
        Command::WaiveFinding { approval, rule: "X-1".into(), place: "scope.json".into(), reason: "never mind".into() };
    let refusal = desk.ask(&Request::new(person(), waive).having_seen(seen)).expect_err("refused");
    assert_eq!(refusal.kind, RefusalKind::State);
}

#[test]
fn what_blocks_asks_a_person_even_where_policy_wants_none() {
    let mut policy = Policy::default();
    policy.approvals.insert(ApprovalKind::Scope, false);
    let mut desk = desk(policy);
    desk.submits(scope("Booking page"), vec![blocking("scope.md")]);
    let approval = desk.approval();
    assert_eq!(approval.kind, ApprovalKind::Scope);
    assert!(approval.title.contains("1 finding"), "{}", approval.title);
    desk.waives(person(), "X-3", "scope.md", "fine").expect("waived");
    desk.decides(true, Seen::default()).expect("approved");
    assert_eq!(desk.stage(), Stage::Orchestra);
}

#[test]
fn a_decision_looks_again_and_records_its_way() {
    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), Vec::new());
    let seen = Seen { findings: vec![blocking("scope.html")], ..Seen::default() };
    let refusal = desk.decides(true, seen).expect_err("found only now");
    assert_eq!(refusal.findings[0].place, "scope.html");
    let facts = desk.decides(true, Seen { through: Some(Through::Cli), ..Seen::default() }).expect("approved");
    let way = facts.iter().find_map(|fact| match fact {
        Event::ApprovalDecided { through, .. } => *through,
        _ => None,
    });
    assert_eq!(way, Some(Through::Cli));
}

#[test]
fn an_approval_whose_content_was_edited_is_void() {
    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), Vec::new());
    let lead = desk.0.lead.as_mut().expect("a lead");
    if let max_core::lead::Turn::AwaitingApproval(approval) = &mut lead.turn {
        approval.outgoing.push(max_core::lead::Draft {
            kind: max_core::lead::MessageKind::Reply,
            subject: "Also".into(),
            body: "Everything is free.".into(),
            attachments: Vec::new(),
            written_by: "claude".into(),
        });
    }
    let refusal = desk.decides(true, Seen::default()).expect_err("void");
    assert!(refusal.reason.contains("not what its hash says"), "{}", refusal.reason);
}

// ---- rules of every stage, each by work that breaks it ---------------------------------------------------------------

#[test]
fn x_0_work_belongs_to_the_stage_at_hand() {
    let mut desk = desk(Policy::default());
    let refusal = desk.tries(common::mockup(), Vec::new()).expect_err("a mockup in Scoping");
    assert_eq!(refusal.findings[0].rule, "X-0");
    let refusal = desk.tries(common::recommendation(true), Vec::new()).expect_err("no review was asked for");
    assert_eq!(refusal.findings[0].rule, "X-0");
}

#[test]
fn tr_1_a_must_that_is_lost_on_the_way_is_found() {
    use max_core::lead::Lead;
    use max_core::stages::StageResult;
    use max_core::trace::{CellState, trace};

    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), Vec::new());
    let mut lead: Lead = desk.0.lead.clone().expect("a lead");
    let red = |lead: &Lead| -> Vec<String> { trace(lead).findings(None).into_iter().map(|f| f.place).collect() };
    assert_eq!(red(&lead), Vec::<String>::new());
    assert_eq!(trace(&lead).rows[0].cells[2].state, CellState::NotYet, "no mockup yet");

    // A mockup that leaves the Must out, and shows what nobody asked for.
    let keep = |lead: &mut Lead, stage: Stage, work: &Work| {
        let mut value = serde_json::to_value(&work.result).expect("a value");
        value.as_object_mut().expect("an object").remove("kind");
        lead.data.entry(stage).or_default().insert(work.result.name().into(), value);
    };
    let mut mockup = common::mockup();
    if let StageResult::Mockup(drawn) = &mut mockup.result {
        drawn.screens[0].requirements = vec!["R-099".into()];
    }
    keep(&mut lead, Stage::Orchestra, &mockup);
    assert!(red(&lead).iter().any(|place| place == "R-001/screen"), "{:?}", red(&lead));
    assert!(red(&lead).iter().any(|place| place.starts_with("screen ")), "{:?}", red(&lead));
    let stops = |stage: Stage| trace(&lead).findings(Some(stage)).iter().any(|f| f.place == "R-001/screen");
    assert!(
        stops(Stage::Orchestra) && stops(Stage::Closer),
        "an offer does not go out over a Must that was lost before"
    );
    assert!(!stops(Stage::Scoping), "the scope is not to blame");
    keep(&mut lead, Stage::Orchestra, &common::mockup());
    assert!(!red(&lead).iter().any(|place| place == "R-001/screen"));

    // An offer that asks money for it twice.
    let mut offer = common::proposal(&Policy::default(), 1);
    if let StageResult::Proposal(offer) = &mut offer.result {
        let again = offer.lines[0].clone();
        offer.lines.push(again);
    }
    keep(&mut lead, Stage::Closer, &offer);
    assert!(red(&lead).iter().any(|place| place == "R-001/price"), "{:?}", red(&lead));

    // A source that is no message of this client.
    let scope = lead.data.get_mut(&Stage::Scoping).and_then(|v| v.get_mut("scope")).expect("the scope");
    scope["requirements"][0]["source"] = "0197c6c4-0000-7000-8000-000000000000".into();
    assert!(red(&lead).iter().any(|place| place == "R-001/message"), "{:?}", red(&lead));
}

#[test]
fn x_5_sums_follow_from_their_parts() {
    use max_core::stages::{StageResult, check};
    let mut desk = desk(Policy::default());
    desk.submits(scope("Booking page"), Vec::new());
    let mut lead = desk.0.lead.clone().expect("a lead");
    lead.stage = Stage::Closer;
    let task = Task {
        id: max_core::id::TaskId(max_core::id::Fresh::new(desk.0.now, 9).uuid()),
        eidolon: Stage::Closer.eidolon(),
        reason: max_core::lead::TaskReason::StageEntered,
        attempt: 1,
        holder: None,
        opened_at: desk.0.now,
        not_before: None,
        last_error: None,
    };
    let policy = Policy::default();
    let sums = |work: &Work| check(&lead, &task, work, &policy).iter().any(|f| f.rule == "X-5");
    let mut offer = common::proposal(&policy, 1);
    assert!(!sums(&offer));
    if let StageResult::Proposal(offer) = &mut offer.result {
        offer.gross_minor += 1;
    }
    assert!(sums(&offer));
}

/// A lead that waits for an answer to its questions, three days later.
fn silent() -> Desk {
    let mut desk = Desk(Case::new(Policy::default()));
    desk.does(Actor::Client, ingest());
    while desk.0.lead.as_ref().is_some_and(|l| l.open_task().is_some()) {
        let work = desk.honest();
        desk.submits(work, Vec::new());
    }
    desk.0.pass(jiff::SignedDuration::from_hours(72));
    desk.does(Actor::Director, Command::Wake);
    desk
}

#[test]
fn fu_1_a_follow_up_has_the_number_asked_for() {
    let refusal = silent().tries(common::follow_up(2, "Still there?"), Vec::new()).expect_err("refused");
    assert_eq!(refusal.findings[0].rule, "FU-1");
    silent().submits(common::follow_up(1, "Still there?"), Vec::new());
}

#[test]
fn fu_2_a_follow_up_is_one_message() {
    let mut twice = common::follow_up(1, "Still there?");
    twice.messages.push(twice.messages[0].clone());
    let refusal = silent().tries(twice, Vec::new()).expect_err("refused");
    assert_eq!(refusal.findings[0].rule, "FU-2");
}

#[test]
fn fu_3_a_follow_up_never_says_the_same_twice() {
    let mut desk = silent();
    desk.submits(common::follow_up(1, "Still there?"), Vec::new());
    desk.0.pass(jiff::SignedDuration::from_hours(24 * 7));
    desk.does(Actor::Director, Command::Wake);
    let refusal = desk.tries(common::follow_up(2, "Still there?"), Vec::new()).expect_err("refused");
    assert_eq!(refusal.findings[0].rule, "FU-3");
}

#[test]
fn fu_5_a_reminder_keeps_the_clients_working_hours() {
    let mut desk = silent();
    // A client in New York, asked on a Friday evening of the agency's.
    desk.0.policy.zones.insert("us".into(), jiff::tz::TimeZone::get("America/New_York").expect("a zone"));
    let mut lead = desk.0.lead.clone().expect("a lead");
    lead.contact.locale = Some("en-US".into());
    let since = "2026-11-27T23:30:00Z".parse().expect("a timestamp");
    let ask = max_core::lead::ClientAsk::Answers;
    lead.turn = max_core::lead::Turn::AwaitingClient(max_core::lead::ClientWait { ask, since, follow_ups: 0 });
    let (at, _) = max_core::decide::due(&lead, &desk.0.policy).expect("a reminder");
    let there = at.in_tz("America/New_York").expect("a zone");
    // Two days later is a Sunday; it waits for Monday's opening in the client's own zone.
    assert_eq!(there.weekday(), jiff::civil::Weekday::Monday);
    assert!((9..17).contains(&there.hour()), "{there}");
    // A holiday of the client's country is no day for a reminder either.
    lead.contact.locale = Some("de-DE".into());
    let christmas = "2026-12-23T10:00:00Z".parse().expect("a timestamp");
    let ask = max_core::lead::ClientAsk::Answers;
    lead.turn =
        max_core::lead::Turn::AwaitingClient(max_core::lead::ClientWait { ask, since: christmas, follow_ups: 0 });
    lead.messages.retain(|m| m.at <= christmas);
    let (at, _) = max_core::decide::due(&lead, &desk.0.policy).expect("a reminder");
    assert_eq!(at.in_tz("UTC").expect("a zone").date(), jiff::civil::date(2026, 12, 28));
}

#[test]
fn fu_6_a_reply_an_opt_out_a_bounce_and_a_take_over_end_the_reminders() {
    use max_core::lead::MessageKind;
    let waiting = || {
        let mut desk = Desk(Case::new(Policy::default()));
        desk.does(Actor::Client, ingest());
        while desk.0.lead.as_ref().is_some_and(|l| l.open_task().is_some()) {
            let work = desk.honest();
            desk.submits(work, Vec::new());
        }
        desk
    };
    let reminds = |desk: &Desk| {
        let due = max_core::decide::due(desk.0.lead.as_ref().expect("a lead"), &desk.0.policy);
        matches!(due, Some((_, max_core::decide::Due::FollowUp { .. })))
    };
    assert!(reminds(&waiting()));
    let stops: [(&str, Actor, Command); 4] = [
        ("a reply", Actor::Client, common::incoming(MessageKind::Reply, "Yes, about 40 guests.", None)),
        ("an opt-out", Actor::Client, common::incoming(MessageKind::OptOut, "stop", None)),
        ("a bounce", Actor::Client, common::incoming(MessageKind::Bounce, "no such user", None)),
        ("a take-over", person(), Command::TakeOver),
    ];
    for (what, by, command) in stops {
        let mut desk = waiting();
        desk.does(by, command);
        assert!(!reminds(&desk), "{what}");
    }
}

#[test]
fn a_message_that_says_what_nobody_agreed_to_waits_for_a_person() {
    let mut desk = Desk(Case::new(Policy::default()));
    desk.does(Actor::Client, ingest());
    while desk.stage() == Stage::LeadGen {
        let work = desk.honest();
        desk.submits(work, Vec::new());
    }
    // Replies need no approval here; this one does, because it names a price.
    let mut reply = desk.honest();
    for draft in &mut reply.messages {
        draft.body.push_str(" It is about 4,000 EUR.");
    }
    if desk.tries(reply, Vec::new()).is_ok() {
        assert_eq!(desk.approval().findings[0].rule, "OG-1");
        desk.decides(true, Seen::default()).expect_err("blocked");
        let place = desk.approval().findings[0].place.clone();
        desk.waives(person(), "OG-1", &place, "I told him so on the phone").expect("waived");
        desk.decides(true, Seen::default()).expect("approved");
    }
}
