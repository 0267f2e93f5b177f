//! What both sides do between signature and sign-off: the deposit, the client's own steps, change orders that lapse.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use common::{Case, WorkExt as _, change_order, honest_work, incoming, ingest, person, plan, the_report, work};
use jiff::SignedDuration;
use jiff::civil::date;
use max_core::command::{Command, Request};
use max_core::decide::{Decision, Due, due};
use max_core::error::RefusalKind;
use max_core::event::Event;
use max_core::id::Digest;
use max_core::lead::{Actor, ApprovalKind, ClientAsk, IncomingPayment, Lead, MessageKind, Need, TaskReason, Turn};
use max_core::policy::Policy;
use max_core::stage::Stage;
use max_core::stages::closer::{ContractSigned, Invoice, agreed, payment_reference};
use max_core::stages::delivery_pm::{
    Duty, Plan, Slip, Standing, duties_come_late, lapsed_orders, next_number, open_duties, open_order,
};
use max_core::stages::onboarding::{Checklist, Owner, Step, StepState, checklist};
use max_core::stages::{StageResult, Work, check};

// ---- the words ---------------------------------------------------------------------------------------------------

fn lead(case: &Case) -> &Lead {
    case.lead.as_ref().expect("a lead")
}

fn ask(case: &mut Case, by: Actor, command: Command) -> Vec<Event> {
    case.pass(SignedDuration::from_mins(61));
    let entry = case.ask(&Request::new(by, command)).unwrap_or_else(|r| panic!("{} {:?}", r.reason, r.findings));
    entry.map(|e| e.events).unwrap_or_default()
}

fn submit(case: &mut Case, work: Work) -> Vec<Event> {
    let task = lead(case).open_task().expect("a task").clone();
    let by = Actor::Eidolon(task.eidolon);
    ask(case, by.clone(), Command::Claim { task: task.id, holder: "worker".into() });
    let attempt = lead(case).open_task().expect("claimed").attempt;
    ask(case, by, Command::Submit { task: task.id, attempt, work: Box::new(work) })
}

fn honest(case: &mut Case) -> Vec<Event> {
    let task = lead(case).open_task().expect("a task").clone();
    let work = honest_work(lead(case), &task, &case.policy, 0);
    submit(case, work)
}

fn approve(case: &mut Case) -> Vec<Event> {
    let asked = lead(case).pending_approval().expect("an approval").clone();
    let (approval, payload_sha256) = (asked.id, asked.payload_sha256);
    ask(case, person(), Command::Decide { approval, payload_sha256, approve: true, reason: None })
}

fn sign(case: &mut Case) {
    let Turn::AwaitingClient(wait) = &lead(case).turn else { panic!("{:?}", lead(case).turn) };
    let document = wait.ask.document().expect("something to sign");
    ask(case, Actor::Client, Command::Sign { document, signer: "Mina Berg".into() });
}

/// Plays on until `there`: honest work, yes to everything, the client agrees and signs.
fn until(case: &mut Case, there: impl Fn(&Lead) -> bool) {
    for _ in 0..60 {
        if there(lead(case)) {
            return;
        }
        if lead(case).open_task().is_some() {
            honest(case);
        } else if lead(case).pending_approval().is_some() {
            approve(case);
        } else if matches!(&lead(case).turn, Turn::AwaitingClient(wait) if wait.ask.document().is_some()) {
            sign(case);
        } else {
            ask(case, Actor::Client, incoming(MessageKind::Reply, "Yes.", None));
        }
    }
    panic!("it never comes to that: {:?}", lead(case).turn);
}

fn signed(policy: Policy) -> Case {
    let mut case = Case::new(policy);
    ask(&mut case, Actor::Client, ingest());
    until(&mut case, |lead| lead.signature.is_some());
    case
}

fn kind(lead: &Lead) -> Option<ApprovalKind> {
    lead.pending_approval().map(|a| a.kind)
}

fn paid(amount_minor: Option<i64>) -> Command {
    let payment = IncomingPayment { amount_minor, reference: "bank 4711".into(), received_on: None };
    Command::RecordPayment { payment }
}

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::name).collect()
}

// ---- the deposit -------------------------------------------------------------------------------------------------

/// What the Closer says once the contract is signed: the request to pay.
fn asks_to_pay(case: &Case) -> Work {
    let offer = agreed(lead(case)).expect("an offer");
    let invoice = Invoice {
        to: "Studio Berg".into(),
        mail: "mina@studio.example".into(),
        reference: "Booking page".into(),
        payment_reference: payment_reference(lead(case).id),
        gross_minor: offer.deposit_minor(),
        vat_minor: 0,
        due: date(2026, 12, 14),
    };
    let result =
        ContractSigned { deposit_minor: offer.deposit_minor(), currency: offer.currency, invoice: Some(invoice) };
    work(StageResult::ContractSigned(result)).says(MessageKind::Deposit, "Please pay the deposit.")
}

#[test]
fn the_request_to_pay_goes_out_at_once_and_onboarding_waits_for_the_money() {
    let mut case = signed(Policy::default());
    let request = asks_to_pay(&case);
    let events = submit(&mut case, request);
    let queued = events.iter().filter(|e| matches!(e, Event::MessageQueued { .. })).count();
    assert_eq!((queued, kind(lead(&case))), (1, Some(ApprovalKind::Deposit)), "{:?}", names(&events));
    assert_eq!(lead(&case).stage, Stage::Closer, "nothing begins without it");
    let asked = lead(&case).pending_approval().expect("asked").clone();
    assert!(asked.outgoing.is_empty() && asked.title.contains("deposit"), "{}", asked.title);
    approve(&mut case);
    assert_eq!((lead(&case).stage, lead(&case).deposit_confirmed), (Stage::Onboarding, true));
}

#[test]
fn a_payment_is_recorded_once_with_what_the_account_shows() {
    let mut case = signed(Policy::default());
    let request = asks_to_pay(&case);
    submit(&mut case, request);
    let due = agreed(lead(&case)).expect("an offer").deposit_minor();
    let short = case.would(&Request::new(person(), paid(Some(due - 1)))).expect_err("less than the deposit");
    assert!(short.kind == RefusalKind::Invalid && short.reason.contains("less than the deposit"), "{short}");
    assert!(case.would(&Request::new(Actor::Client, paid(None))).is_err(), "only a person sees the account");
    let events = ask(&mut case, person(), paid(Some(due)));
    assert_eq!(names(&events)[..2], ["ApprovalDecided", "DepositConfirmed"]);
    assert_eq!(lead(&case).stage, Stage::Onboarding);
    assert_eq!(lead(&case).deposit.as_ref().map(|p| p.reference.as_str()), Some("bank 4711"));
    assert_eq!(case.would(&Request::new(person(), paid(Some(due)))), Ok(Decision::Repeat), "the same payment again");
}

#[test]
fn a_payment_before_it_is_asked_for_is_not_asked_for_any_more() {
    let mut case = signed(Policy::default());
    ask(&mut case, person(), paid(None));
    let request = asks_to_pay(&case);
    submit(&mut case, request);
    assert_eq!((lead(&case).stage, kind(lead(&case))), (Stage::Onboarding, None));
}

#[test]
fn a_letter_that_a_person_releases_first_still_asks_for_the_money_afterwards() {
    let policy = Policy { approvals: [(ApprovalKind::Reply, true)].into(), ..Policy::default() };
    let mut case = signed(policy);
    let request = asks_to_pay(&case);
    submit(&mut case, request);
    assert_eq!(kind(lead(&case)), Some(ApprovalKind::Reply));
    approve(&mut case);
    assert_eq!((lead(&case).stage, kind(lead(&case))), (Stage::Closer, Some(ApprovalKind::Deposit)));
    assert!(!lead(&case).deposit_confirmed);
}

#[test]
fn a_stage_that_lacks_the_deposit_begins_when_it_is_recorded() {
    let mut case = signed(Policy::default());
    let request = asks_to_pay(&case);
    submit(&mut case, request);
    let hand_off = Command::HandOff { to: None, expected: None, summary: String::new(), reason: None };
    ask(&mut case, person(), hand_off);
    let asked = lead(&case).pending_approval().expect("asked here too").clone();
    assert_eq!(asked.kind, ApprovalKind::Deposit);
    let reject = Command::Decide {
        approval: asked.id,
        payload_sha256: asked.payload_sha256,
        approve: false,
        reason: Some("nothing on the account".into()),
    };
    ask(&mut case, person(), reject);
    assert!(matches!(lead(&case).turn, Turn::AwaitingNeed { need: Need::Deposit, .. }), "{:?}", lead(&case).turn);
    ask(&mut case, person(), paid(None));
    assert!(lead(&case).open_task().is_some(), "{:?}", lead(&case).turn);
}

#[test]
fn nothing_is_due_before_a_signature() {
    let mut case = Case::new(Policy::default());
    ask(&mut case, Actor::Client, ingest());
    let no = case.would(&Request::new(person(), paid(None))).expect_err("refused");
    assert!(no.reason.contains("nothing is signed"), "{no}");
}

// ---- steps of the checklist --------------------------------------------------------------------------------------

fn done(step: &str, proof: &str) -> Command {
    Command::MarkStep { step: step.into(), done: true, proof: proof.into() }
}

fn step_of(case: &Case, id: &str) -> Step {
    let list: Checklist = checklist(lead(case)).expect("a checklist");
    list.steps.into_iter().find(|s| s.id == id).expect("a step")
}

fn onboarding() -> Case {
    let mut case = signed(Policy::default());
    until(&mut case, |lead| kind(lead) == Some(ApprovalKind::ManualSteps));
    case
}

#[test]
fn the_client_marks_his_own_steps_and_a_person_any_that_people_do() {
    let mut case = onboarding();
    let refused = |case: &Case, by: Actor, command| case.would(&Request::new(by, command)).expect_err("refused").reason;
    assert!(refused(&case, Actor::Client, done("O-2", "done")).contains("step of the agency"));
    assert!(refused(&case, person(), done("O-1", "done")).contains("done by MAX"));
    assert!(refused(&case, Actor::Client, done("O-4", "  ")).contains("say what shows"));
    assert!(refused(&case, Actor::Client, done("O-9", "done")).contains("there are O-1, O-2"));
    ask(&mut case, Actor::Client, done("O-4", "Kim Example approves"));
    let step = step_of(&case, "O-4");
    assert_eq!((step.owner, step.state, step.proof.as_str()), (Owner::Client, StepState::Done, "Kim Example approves"));
    assert!(step.marked.is_some_and(|mark| mark.by == Actor::Client));
    assert_eq!(case.would(&Request::new(Actor::Client, done("O-4", "again"))), Ok(Decision::Repeat));
    assert_eq!(kind(lead(&case)), Some(ApprovalKind::ManualSteps), "what waits for a person goes on waiting");
    ask(&mut case, person(), done("O-2", "booked"));
    // A checklist that is made again keeps what people have done.
    let asked = lead(&case).pending_approval().expect("asked").clone();
    let (approval, payload_sha256) = (asked.id, asked.payload_sha256);
    let reason = Some("name the hosting".to_owned());
    ask(&mut case, person(), Command::Decide { approval, payload_sha256, approve: false, reason });
    honest(&mut case);
    assert_eq!(step_of(&case, "O-4").proof, "Kim Example approves");
    let open = Command::MarkStep { step: "O-4".into(), done: false, proof: "it was somebody else".into() };
    ask(&mut case, person(), open);
    assert_eq!(step_of(&case, "O-4").state, StepState::Open);
}

#[test]
fn the_client_is_reminded_of_late_steps_once() {
    let mut case = onboarding();
    let all = |case: &mut Case, due: jiff::civil::Date| {
        let data = case.lead.as_mut().expect("a lead").data.get_mut(&Stage::Onboarding).expect("a checklist");
        data["checklist"]["steps"][3]["due"] = serde_json::json!(due);
    };
    all(&mut case, date(2026, 11, 27));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let Some((at, what)) = due(lead(&case), &case.policy) else { break };
        case.now = case.now.max(at);
        let events = ask(&mut case, Actor::Director, Command::Wake);
        seen.push((what, at.to_string(), events));
    }
    let told: Vec<_> = seen.iter().filter(|(what, ..)| *what == Due::StepsLate).collect();
    let [(_, at, events)] = told[..] else { panic!("{seen:?}") };
    assert_eq!(at, "2026-11-30T09:00:00Z", "the working morning after the Friday on which it was due");
    let Event::MessageQueued { message } = &events[0] else { panic!("{events:?}") };
    assert!(message.body.contains("These are still open:\n\n- O-4 a step\n\nAn AI wrote this."), "{}", message.body);
    assert_eq!(kind(lead(&case)), Some(ApprovalKind::ManualSteps), "nothing is taken back for it");
}

/// A running project whose plan hangs on texts that the client brings.
fn waits_for_texts() -> Case {
    let mut case = Case::new(Policy::default());
    ask(&mut case, Actor::Client, ingest());
    until(&mut case, |lead| lead.stage == Stage::Onboarding && lead.open_task().is_some());
    let texts = "Send the texts";
    let scoping = case.lead.as_mut().expect("a lead").data.get_mut(&Stage::Scoping).expect("a scope");
    scoping["scope"]["client_duties"] = serde_json::json!([texts]);
    let task = lead(&case).open_task().expect("a task").clone();
    let mut list = honest_work(lead(&case), &task, &case.policy, 0);
    if let StageResult::Checklist(list) = &mut list.result {
        list.steps[3].covers_duty = Some(texts.into());
    }
    submit(&mut case, list);
    approve(&mut case);
    let mut planned = plan(case.lead.as_ref());
    if let StageResult::Plan(plan) = &mut planned.result {
        plan.duties.push(Duty { id: "D-1".into(), text: texts.into(), due: date(2026, 12, 8), done: None });
        plan.milestones[0].depends_on.push("D-1".into());
        plan.milestones[1].depends_on.push("M-1".into());
    }
    submit(&mut case, planned);
    honest(&mut case);
    case
}

#[test]
fn what_waits_for_the_client_moves_with_him_and_is_told_before_he_asks() {
    let mut case = waits_for_texts();
    let plan: Plan = lead(&case).stage_value(Stage::DeliveryPM, "plan").expect("a plan");
    let on = |case: &Case, day| Standing::on(lead(case), &plan, &case.policy, day).moved;
    assert_eq!(on(&case, date(2026, 12, 8)), Vec::new(), "it is still in time");
    let slip = |id: &str, planned, forecast| Slip { milestone: id.into(), planned, forecast };
    let moved =
        vec![slip("M-1", date(2026, 12, 18), date(2026, 12, 22)), slip("M-2", date(2027, 1, 15), date(2027, 1, 19))];
    assert_eq!(on(&case, date(2026, 12, 10)), moved, "two working days late, and so is what hangs on it");
    // The client hears of it on the next working morning, in a report that says so or does not count.
    let first = loop {
        let (at, what) = due(lead(&case), &case.policy).expect("something is due");
        case.now = case.now.max(at);
        ask(&mut case, Actor::Director, Command::Wake);
        if what == Due::Report {
            break at;
        }
    };
    assert!(first.to_string().starts_with("2026-12-09"), "{first}");
    let task = lead(&case).open_task().expect("a report").clone();
    let silent = common::status_report(lead(&case), &case.policy, date(2026, 12, 10));
    let rules: Vec<String> = check(lead(&case), &task, &silent, &case.policy).into_iter().map(|f| f.rule).collect();
    assert_eq!(rules, ["DL-6", "DL-6"]);
    let mut report = the_report(lead(&case), &case.policy, date(2026, 12, 10));
    report.slips = moved;
    let told = Work { result: StageResult::StatusReport(report), ..silent };
    assert_eq!(check(lead(&case), &task, &told, &case.policy), Vec::new());
    submit(&mut case, told);
    // He brings it late: the plan has to be made again, and knows for which day.
    until(&mut case, |lead| matches!(lead.turn, Turn::AwaitingClient(_)));
    case.now = "2026-12-11T10:00:00Z".parse().expect("a moment");
    ask(&mut case, Actor::Client, done("O-4", "sent by mail"));
    assert!(open_duties(lead(&case), &plan).is_empty());
    assert_eq!(duties_come_late(lead(&case), &plan, &case.policy), [("D-1".to_owned(), date(2026, 12, 11))]);
    assert_eq!(lead(&case).open_task().map(|t| t.reason.clone()), Some(TaskReason::Continued));
}

#[test]
fn what_the_client_says_he_brought_is_a_step_done() {
    let mut case = waits_for_texts();
    ask(&mut case, Actor::Client, incoming(MessageKind::Reply, "Here are the texts.", None));
    let round = max_core::stages::delivery_pm::RequestSorted {
        requests: Vec::new(),
        mended: Vec::new(),
        dropped: Vec::new(),
        orders_dropped: Vec::new(),
        duties_done: vec!["D-1".into()],
    };
    submit(&mut case, work(StageResult::RequestSorted(round)));
    let step = step_of(&case, "O-4");
    assert_eq!((step.state, step.proof.as_str()), (StepState::Done, "said so in the conversation"));
}

// ---- change orders -----------------------------------------------------------------------------------------------

/// A running project that waits for the signature under `CO-1`, valid for 30 days.
fn offered() -> Case {
    let mut case = signed(Policy::default());
    until(&mut case, |lead| {
        lead.stage == Stage::DeliveryPM && lead.stage_value::<Plan>(Stage::DeliveryPM, "plan").is_some()
    });
    let day = case.policy.today(case.now);
    let order = change_order(lead(&case), &case.policy, 1, day);
    submit(&mut case, order);
    assert_eq!(kind(lead(&case)), Some(ApprovalKind::ChangeOrder));
    approve(&mut case);
    case
}

fn order_document(case: &Case) -> Digest {
    open_order(lead(case)).expect("an order").document
}

#[test]
fn a_change_order_lapses_when_its_last_day_is_over() {
    let mut case = offered();
    let (number, last) = open_order(lead(&case)).map(|o| (o.order.number, o.order.valid_until)).expect("an order");
    let document = order_document(&case);
    // Whatever falls due before it leaves it as it is.
    let lapse = loop {
        let (at, what) = due(lead(&case), &case.policy).expect("something is due");
        case.now = case.now.max(at);
        if what == Due::Lapse {
            break at;
        }
        ask(&mut case, Actor::Director, Command::Wake);
        if what == Due::Silent {
            ask(&mut case, person(), Command::Retry);
        }
        while lead(&case).open_task().is_some() || lead(&case).pending_approval().is_some() {
            if lead(&case).open_task().is_none() {
                approve(&mut case);
            } else if lead(&case)
                .open_task()
                .is_some_and(|t| matches!(t.reason, TaskReason::Retried | TaskReason::HandedBack))
            {
                submit(&mut case, common::answer(ClientAsk::ChangeOrder { number, document }));
            } else if let Some(TaskReason::FollowUp { number, .. }) = lead(&case).open_task().map(|t| t.reason.clone())
            {
                let text = format!("Still there? We wrote {} times.", case.log.len());
                submit(&mut case, common::follow_up(number, &text));
            } else {
                honest(&mut case);
            }
        }
    };
    assert_eq!(case.policy.today(lapse), last.tomorrow().expect("a day"));
    // Nobody signs it now, even before the clock has said so.
    let late = Command::Sign { document, signer: "Mina Berg".into() };
    let no = case.would(&Request::new(Actor::Client, late.clone())).expect_err("refused");
    assert!(no.reason.contains(&format!("could be signed until {last}")), "{no}");
    let events = ask(&mut case, Actor::Director, Command::Wake);
    assert!(events.contains(&Event::ChangeOrderLapsed { number, valid_until: last }), "{events:?}");
    assert_eq!(lead(&case).open_task().map(|t| t.reason.clone()), Some(TaskReason::Lapsed { number }));
    assert_eq!((open_order(lead(&case)), next_number(lead(&case))), (None, 2), "another one needs a new number");
    assert_eq!(lapsed_orders(lead(&case)).len(), 1);
    assert!(case.would(&Request::new(Actor::Client, late)).is_err());
    // Neither is it offered again under its old number.
    let task = lead(&case).open_task().expect("a task").clone();
    let day = case.policy.today(case.now);
    let again = |number| check(lead(&case), &task, &change_order(lead(&case), &case.policy, number, day), &case.policy);
    assert!(again(1).iter().any(|f| f.rule == "PC-12"), "{:?}", again(1));
    assert_eq!(again(2), Vec::new());
}

#[test]
fn a_signature_on_the_last_day_counts() {
    let mut case = offered();
    let last = open_order(lead(&case)).expect("an order").order.valid_until;
    case.now = last
        .to_datetime(jiff::civil::time(20, 0, 0, 0))
        .to_zoned(jiff::tz::TimeZone::UTC)
        .expect("a moment")
        .timestamp();
    sign(&mut case);
    assert!(lead(&case).signed_changes.contains_key(&1));
    assert_eq!(due(lead(&case), &case.policy).filter(|(_, what)| *what == Due::Lapse), None);
}

#[test]
fn an_order_that_nobody_released_in_time_goes_to_nobody() {
    let mut case = signed(Policy::default());
    until(&mut case, |lead| {
        lead.stage == Stage::DeliveryPM && lead.stage_value::<Plan>(Stage::DeliveryPM, "plan").is_some()
    });
    let order = change_order(lead(&case), &case.policy, 1, case.policy.today(case.now));
    submit(&mut case, order);
    case.now = "2027-02-15T09:00:00Z".parse().expect("a moment");
    let asked = lead(&case).pending_approval().expect("asked").clone();
    let (approval, payload_sha256) = (asked.id, asked.payload_sha256);
    let yes = Command::Decide { approval, payload_sha256, approve: true, reason: None };
    let no = case.would(&Request::new(person(), yes)).expect_err("too late");
    assert!(no.findings.iter().any(|f| f.rule == "DL-7" && f.place == "valid_until"), "{no:?}");
}
