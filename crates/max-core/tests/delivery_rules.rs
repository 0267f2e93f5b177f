//! Rules ON-1 to ON-7 and DL-1 to DL-9: each holds for honest work and is broken here in turn.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use common::{
    Case, checklist, closed, contract_text, honest_work, incoming, ingest, milestone_ready, milestone_text, person,
    plan, project_closed, sorted, status_report, the_report, work,
};
use jiff::SignedDuration;
use jiff::civil::date;
use max_core::calendar::{Calendar, Country};
use max_core::command::{Command, Request};
use max_core::decide::{Due, due};
use max_core::id::Digest;
use max_core::lead::{Actor, ClientAsk, Lead, MessageKind, TaskReason, Turn};
use max_core::policy::Policy;
use max_core::stage::Stage;
use max_core::stages::delivery_pm::{
    Class, Colour, Duty, MilestoneReady, Plan, RequestSorted, StatusReport, report_due, sorted_requests,
};
use max_core::stages::onboarding::{Checklist, Cover, Promise};
use max_core::stages::{StageResult, Work, check};

// ---- the words ---------------------------------------------------------------------------------------------------

/// A lead that honest work and people have brought to a stage.
fn at(stage: Stage) -> Case {
    let mut case = Case::new(Policy::default());
    ask(&mut case, Actor::Client, ingest());
    for _ in 0..60 {
        if lead(&case).stage == stage && lead(&case).open_task().is_some() {
            return case;
        }
        step(&mut case);
    }
    panic!("{stage} is never reached: {:?}", lead(&case).turn)
}

fn lead(case: &Case) -> &Lead {
    case.lead.as_ref().expect("a lead")
}

fn ask(case: &mut Case, by: Actor, command: Command) {
    case.pass(SignedDuration::from_mins(61));
    case.ask(&Request::new(by, command)).unwrap_or_else(|r| panic!("{} {:?}", r.reason, r.findings));
}

/// Does whatever is next: honest work, an approval, an answer, a signature.
fn step(case: &mut Case) {
    let now = lead(case).clone();
    if let Some(task) = now.open_task() {
        let by = Actor::Eidolon(task.eidolon);
        ask(case, by.clone(), Command::Claim { task: task.id, holder: "worker".into() });
        let attempt = lead(case).open_task().expect("claimed").attempt;
        let work = honest_work(&now, task, &case.policy, 0);
        return ask(case, by, Command::Submit { task: task.id, attempt, work: Box::new(work) });
    }
    match &now.turn {
        Turn::AwaitingApproval(a) => {
            let (approval, payload_sha256) = (a.id, a.payload_sha256);
            ask(case, person(), Command::Decide { approval, payload_sha256, approve: true, reason: None });
        }
        Turn::AwaitingClient(wait) => match wait.ask.document() {
            Some(document) => ask(case, Actor::Client, Command::Sign { document, signer: "Mina Berg".into() }),
            None => ask(case, Actor::Client, incoming(MessageKind::Reply, "Yes.", None)),
        },
        other => panic!("nothing is next: {other:?}"),
    }
}

/// A project whose plan stands and whose first milestone waits for people.
fn running() -> Case {
    let mut case = at(Stage::DeliveryPM);
    while lead(&case).pending_approval().is_none() {
        step(&mut case);
    }
    case
}

fn submit(case: &mut Case, work: Work) {
    let task = lead(case).open_task().expect("an open task").clone();
    let by = Actor::Eidolon(task.eidolon);
    ask(case, by.clone(), Command::Claim { task: task.id, holder: "worker".into() });
    let attempt = lead(case).open_task().expect("claimed").attempt;
    ask(case, by, Command::Submit { task: task.id, attempt, work: Box::new(work) });
}

/// The rules that this work breaks.
fn broken(case: &Case, work: &Work) -> Vec<String> {
    let lead = lead(case);
    let task = common_task(lead);
    check(lead, &task, work, &case.policy).into_iter().map(|f| f.rule).collect()
}

fn common_task(lead: &Lead) -> max_core::lead::Task {
    lead.open_task().cloned().unwrap_or_else(|| max_core::lead::Task {
        id: max_core::id::TaskId(lead.id.0),
        eidolon: lead.stage.eidolon(),
        reason: TaskReason::Continued,
        attempt: 1,
        holder: None,
        opened_at: lead.updated_at,
        not_before: None,
        last_error: None,
    })
}

fn honest_checklist(case: &Case) -> (Work, Checklist) {
    let work = checklist(Some(lead(case)));
    let StageResult::Checklist(list) = work.result.clone() else { panic!("a checklist") };
    (work, list)
}

/// Asserts that honest onboarding passes and that `spoil` breaks `rule`.
#[track_caller]
fn onboarding_breaks(rule: &str, spoil: impl Fn(&mut Checklist, &mut Work)) {
    let case = at(Stage::Onboarding);
    let (mut work, mut list) = honest_checklist(&case);
    assert_eq!(broken(&case, &work), Vec::<String>::new());
    spoil(&mut list, &mut work);
    work.result = StageResult::Checklist(list);
    assert!(broken(&case, &work).contains(&rule.to_owned()), "{rule}: {:?}", broken(&case, &work));
}

#[track_caller]
fn plan_breaks(rule: &str, spoil: impl Fn(&mut Plan)) {
    let mut case = at(Stage::DeliveryPM);
    case.policy.calendar = Calendar::of(Country::De);
    let honest = plan(Some(lead(&case)));
    assert_eq!(broken(&case, &honest), Vec::<String>::new());
    let StageResult::Plan(mut planned) = honest.result.clone() else { panic!("a plan") };
    spoil(&mut planned);
    let work = Work { result: StageResult::Plan(planned), ..honest };
    assert!(broken(&case, &work).contains(&rule.to_owned()), "{rule}: {:?}", broken(&case, &work));
}

// ---- onboarding --------------------------------------------------------------------------------------------------

#[test]
fn on_1_onboarding_starts_after_signature_and_deposit() {
    for spoil in [|l: &mut Lead| l.signature = None, |l: &mut Lead| l.deposit_confirmed = false] {
        let mut case = at(Stage::Onboarding);
        let (work, _) = honest_checklist(&case);
        spoil(case.lead.as_mut().expect("a lead"));
        assert!(broken(&case, &work).contains(&"ON-1".to_owned()));
    }
}

#[test]
fn on_2_every_step_has_owner_due_proof_and_undo() {
    onboarding_breaks("ON-2", |l, _| l.steps.clear());
    onboarding_breaks("ON-2", |l, _| l.steps[0].proof.clear());
    onboarding_breaks("ON-2", |l, _| l.steps[0].undo.clear());
    onboarding_breaks("ON-2", |l, _| l.steps[1].instructions.clear());
    onboarding_breaks("ON-2", |l, _| l.steps[1].due = None);
    onboarding_breaks("ON-2", |l, _| l.steps[1].due = Some(date(2026, 12, 6)));
    onboarding_breaks("ON-2", |l, _| l.steps[1].id = l.steps[0].id.clone());
}

#[test]
fn on_3_the_welcome_names_people_kick_off_and_ways() {
    onboarding_breaks("ON-3", |l, _| l.welcome.approver.clear());
    onboarding_breaks("ON-3", |l, _| l.welcome.kick_off = None);
    onboarding_breaks("ON-3", |l, _| l.welcome.agenda.clear());
    onboarding_breaks("ON-3", |l, _| l.welcome.communication.clear());
    onboarding_breaks("ON-3", |_, w| w.messages.clear());
}

#[test]
fn on_4_no_password_by_mail_and_access_by_invitation() {
    onboarding_breaks("ON-4", |l, _| l.access.clear());
    for text in ["Password: hunter2", "Bitte senden Sie uns Ihr Passwort.", "Envoyez-nous votre mot de passe"] {
        onboarding_breaks("ON-4", |_, w| w.messages[0].body = text.into());
    }
    let case = at(Stage::Onboarding);
    let (mut work, _) = honest_checklist(&case);
    work.messages[0].body = "Please send no passwords by mail; give access by invitation.".into();
    assert_eq!(broken(&case, &work), Vec::<String>::new(), "saying so is no request");
}

#[test]
fn on_5_invoice_facts_and_data_processing_are_steps() {
    for cover in [Cover::InvoiceFacts, Cover::DataProcessing] {
        onboarding_breaks("ON-5", |l, _| l.steps.retain(|s| s.covers != Some(cover)));
    }
}

#[test]
fn on_6_the_hand_over_links_documents_and_promises() {
    onboarding_breaks("ON-6", |l, _| l.hand_over.documents.clear());
    let invented = Promise { message: "no-such-message".into(), quote: "we will call every day".into() };
    onboarding_breaks("ON-6", move |l, _| l.hand_over.promises.push(invented.clone()));
}

#[test]
fn on_7_every_client_duty_is_a_step() {
    let mut case = at(Stage::Onboarding);
    let scoping = case.lead.as_mut().expect("a lead").data.get_mut(&Stage::Scoping).expect("a scope");
    scoping["scope"]["client_duties"] = serde_json::json!(["Send the texts"]);
    let (mut work, mut list) = honest_checklist(&case);
    assert!(broken(&case, &work).contains(&"ON-7".to_owned()));
    let step = max_core::stages::onboarding::Step {
        id: "O-9".into(),
        owner: max_core::stages::onboarding::Owner::Client,
        covers_duty: Some("Send the texts".into()),
        covers: None,
        ..list.steps[1].clone()
    };
    list.steps.push(step);
    work.result = StageResult::Checklist(list);
    assert_eq!(broken(&case, &work), Vec::<String>::new());
}

fn texts_due(due: jiff::civil::Date) -> Duty {
    Duty { id: "D-1".into(), text: "Send the texts".into(), due, done: None }
}

// ---- the plan ----------------------------------------------------------------------------------------------------

#[test]
fn dl_1_every_must_and_priced_should_has_one_milestone() {
    plan_breaks("DL-1", |p| p.milestones[0].requirements.clear());
    plan_breaks("DL-1", |p| p.milestones[1].requirements.clear());
    plan_breaks("DL-1", |p| p.milestones[1].requirements.push("R-001".into()));
    plan_breaks("DL-1", |p| p.milestones[0].due = date(2026, 12, 13));
    plan_breaks("DL-1", |p| p.milestones[0].due = date(2026, 12, 25));
    plan_breaks("DL-1", |p| p.milestones[0].due = date(2026, 12, 8));
    plan_breaks("DL-1", |p| p.end = Some(date(2027, 1, 4)));
    plan_breaks("DL-1", |p| p.check_ins = vec![date(2027, 1, 1)]);
}

#[test]
fn dl_2_payment_shares_sum_to_the_whole_price() {
    plan_breaks("DL-2", |p| p.milestones[0].share_basis_points = 4_000);
    plan_breaks("DL-2", |p| p.milestones[0].gross_minor += 1);
    plan_breaks("DL-2", |p| p.milestones[0].owner.clear());
    plan_breaks("DL-2", |p| p.milestones[0].acceptance.clear());
}

#[test]
fn dl_3_the_plan_has_no_cycle_and_duties_are_nodes() {
    plan_breaks("DL-3", |p| {
        p.milestones[0].depends_on = vec!["M-2".into()];
        p.milestones[1].depends_on = vec!["M-1".into()];
    });
    plan_breaks("DL-3", |p| p.milestones[0].depends_on = vec!["D-7".into()]);
    let mut case = at(Stage::DeliveryPM);
    let scoping = case.lead.as_mut().expect("a lead").data.get_mut(&Stage::Scoping).expect("a scope");
    scoping["scope"]["client_duties"] = serde_json::json!(["Send the texts"]);
    let honest = plan(Some(lead(&case)));
    assert!(broken(&case, &honest).contains(&"DL-3".to_owned()));
    let StageResult::Plan(mut planned) = honest.result.clone() else { panic!("a plan") };
    planned.duties.push(texts_due(date(2026, 12, 8)));
    planned.milestones[0].depends_on.push("D-1".into());
    assert_eq!(broken(&case, &Work { result: StageResult::Plan(planned), ..honest }), Vec::<String>::new());
}

// ---- reports -----------------------------------------------------------------------------------------------------

#[track_caller]
fn report_breaks(rule: &str, case: &Case, day: jiff::civil::Date, spoil: impl Fn(&mut StatusReport, &mut Work)) {
    let mut work = status_report(lead(case), &case.policy, day);
    assert_eq!(broken(case, &work), Vec::<String>::new());
    let mut report = the_report(lead(case), &case.policy, day);
    spoil(&mut report, &mut work);
    work.result = StageResult::StatusReport(report);
    assert!(broken(case, &work).contains(&rule.to_owned()), "{rule}: {:?}", broken(case, &work));
}

#[test]
fn dl_4_a_report_says_what_the_records_say() {
    let case = running();
    let day = date(2026, 12, 14);
    report_breaks("DL-4", &case, day, |r, _| r.done.push("M-1".into()));
    report_breaks("DL-4", &case, day, |r, _| r.used_minor += 1);
    report_breaks("DL-4", &case, day, |r, _| r.planned_minor += 1);
    report_breaks("DL-4", &case, day, |_, w| w.messages.clear());
}

#[test]
fn dl_5_the_colour_is_computed_and_moves_one_step_a_week() {
    let mut case = running();
    assert_eq!(the_report(lead(&case), &case.policy, date(2026, 12, 18)).colour, Colour::Green);
    assert_eq!(the_report(lead(&case), &case.policy, date(2026, 12, 23)).colour, Colour::Amber);
    assert_eq!(the_report(lead(&case), &case.policy, date(2026, 12, 24)).colour, Colour::Red);
    report_breaks("DL-5", &case, date(2026, 12, 21), |r, _| (r.colour, r.days_late) = (Colour::Green, 0));
    // From green to red within a week needs a reason.
    let green = the_report(lead(&case), &case.policy, date(2026, 12, 18));
    let data = case.lead.as_mut().expect("a lead").data.get_mut(&Stage::DeliveryPM).expect("a plan");
    data.insert("status_report".into(), serde_json::to_value(green).expect("JSON"));
    report_breaks("DL-5", &case, date(2026, 12, 24), |r, _| r.reason.clear());
}

#[test]
fn dl_6_a_date_that_slips_is_told_before_the_client_asks() {
    let mut case = running();
    report_breaks("DL-6", &case, date(2026, 12, 21), |r, _| r.slips.clear());
    report_breaks("DL-6", &case, date(2026, 12, 21), |r, _| r.slips[0].forecast = date(2026, 12, 18));
    // M-1 is due on Friday, and nobody has handed it over: on Monday morning the client is told.
    let policy = case.policy.clone();
    assert!(report_due(lead(&case), &policy).is_some_and(|day| day <= date(2026, 12, 21)));
    while let Some((at, what)) = due(lead(&case), &policy) {
        case.now = case.now.max(at);
        ask(&mut case, Actor::Director, Command::Wake);
        if what == Due::Report {
            break;
        }
    }
    let task = lead(&case).open_task().expect("a report to write").clone();
    assert_eq!(task.reason, TaskReason::Report);
    let report = honest_work(lead(&case), &task, &policy, 0);
    submit(&mut case, report);
    let told: StatusReport = lead(&case).stage_value(Stage::DeliveryPM, "status_report").expect("a report");
    assert!(told.day <= date(2026, 12, 21));
}

// ---- requests, sign-off, closing ---------------------------------------------------------------------------------

fn sorting(case: &Case) -> RequestSorted {
    let StageResult::RequestSorted(mut round) = sorted().result else { panic!("requests") };
    let source = lead(case).messages.last().expect("a message").id.to_string();
    round.requests.iter_mut().for_each(|r| r.source.clone_from(&source));
    round
}

#[test]
fn dl_7_a_request_names_its_requirement_and_a_change_is_signed_first() {
    let case = running();
    let honest = sorting(&case);
    assert_eq!(broken(&case, &work(StageResult::RequestSorted(honest.clone()))), Vec::<String>::new());
    let breaks = |spoil: &dyn Fn(&mut RequestSorted)| {
        let mut round = honest.clone();
        spoil(&mut round);
        broken(&case, &work(StageResult::RequestSorted(round)))
    };
    assert_eq!(breaks(&|r| r.requests[0].requirement = None), ["DL-7"]);
    assert_eq!(breaks(&|r| r.requests[0].confidence = 30), ["DL-7"]);
    assert_eq!(breaks(&|r| r.requests[0].reason.clear()), ["DL-7"]);
    assert_eq!(breaks(&|r| r.requests[1].id = "RQ-1".into()), ["DL-7"]);
    assert_eq!(breaks(&|r| r.requests.clear()), ["DL-7"]);
    assert_eq!(breaks(&|r| r.requests[0].source = "elsewhere".into()), ["X-4"]);
    // Work on what no change order covers enters no plan.
    plan_breaks("DL-7", |p| p.milestones[1].requirements.push("R-099".into()));
}

#[test]
fn dl_8_a_sign_off_is_bound_to_the_version_and_lists_defects() {
    let mut case = running();
    let honest = milestone_ready("M-1");
    assert_eq!(broken(&case, &honest), Vec::<String>::new());
    let other = Work { artifacts: Vec::new(), ..honest.clone() };
    assert!(broken(&case, &other).contains(&"DL-8".to_owned()), "what is signed must be a file that goes with it");
    let mut unsent = honest.clone();
    unsent.messages[0].attachments.clear();
    assert_eq!(broken(&case, &unsent), ["DL-8"], "the client signs what he was sent");
    let mut source = honest.clone();
    source.artifacts[0].name = "milestone-M-1.md".into();
    source.messages[0].attachments = vec!["milestone-M-1.md".into()];
    assert_eq!(broken(&case, &source), ["DL-8"], "what is signed is the PDF, not what it was made from");
    ask(&mut case, Actor::Client, incoming(MessageKind::Reply, "The button does nothing.", None));
    let mut round = sorting(&case);
    round.requests.retain(|r| r.class == Class::Defect);
    submit(&mut case, work(StageResult::RequestSorted(round)));
    assert_eq!(broken(&case, &honest), ["DL-8"], "a reported defect must be named");
    let named = |mended: bool| {
        let (open, mended) = if mended { (vec![], vec!["RQ-1".into()]) } else { (vec!["RQ-1".into()], vec![]) };
        let document = Digest::of(milestone_text("M-1").as_bytes());
        let file = "milestone-M-1.pdf".into();
        let result = MilestoneReady { id: "M-1".into(), document, file, open_defects: open, mended };
        Work { result: StageResult::MilestoneReady(result), ..honest.clone() }
    };
    assert_eq!(broken(&case, &named(false)), Vec::<String>::new());
    submit(&mut case, named(true));
    step(&mut case);
    assert!(matches!(&lead(&case).turn, Turn::AwaitingClient(w) if matches!(w.ask, ClientAsk::Milestone { .. })));
    step(&mut case);
    let signed = &lead(&case).accepted_milestones["M-1"];
    assert_eq!((signed.signer.as_str(), signed.document), ("Mina Berg", Digest::of(milestone_text("M-1").as_bytes())));
    assert!(sorted_requests(lead(&case)).iter().all(|r| !r.is_open_defect()), "the signature settles what was mended");
    assert!(broken(&case, &honest).contains(&"DL-8".to_owned()), "nothing is signed off twice");
}

#[test]
fn dl_9_closing_hands_over_and_removes_access() {
    let mut case = running();
    assert_eq!(broken(&case, &project_closed()), ["DL-8"]);
    while lead(&case).accepted_milestones.len() < 2 {
        step(&mut case);
    }
    let honest = || closed(lead(&case), &case.policy);
    assert_eq!(broken(&case, &honest()), Vec::<String>::new());
    let day = |work: &Work| match &work.result {
        StageResult::ProjectClosed(closed) => closed.closing.warranty_until.expect("a day"),
        other => panic!("{other:?}"),
    };
    // What counts is the contract that was signed, not what the agency promises today.
    let signed_off = lead(&case).accepted_milestones.values().map(|s| case.policy.today(s.at)).max().expect("signed");
    assert_eq!(day(&honest()), signed_off.saturating_add(jiff::Span::new().days(90)));
    let mut other = Case::new(case.policy.clone());
    other.lead = case.lead.clone();
    other.policy.rate_card.terms.warranty_days = 30;
    assert_eq!(day(&closed(lead(&other), &other.policy)), signed_off.saturating_add(jiff::Span::new().days(30)));
    let slots = other.lead.as_mut().expect("a lead").data.get_mut(&Stage::Closer).expect("a contract");
    slots["contract"]["slots"] = serde_json::json!({"warranty_days": "60", "retention_years": "6"});
    assert_eq!(day(&closed(lead(&other), &other.policy)), signed_off.saturating_add(jiff::Span::new().days(60)));
    assert_eq!(broken(&other, &honest()), ["DL-9", "DL-9"], "neither warranty nor retention is the contract's");
    let spoils: [fn(&mut max_core::stages::delivery_pm::Closing); 5] = [
        |c| c.hand_over.clear(),
        |c| c.access_removed.clear(),
        |c| c.warranty_until = None,
        |c| c.kept_until = None,
        |c| c.feedback.clear(),
    ];
    for spoil in spoils {
        let mut work = closed(lead(&case), &case.policy);
        if let StageResult::ProjectClosed(closed) = &mut work.result {
            spoil(&mut closed.closing);
        }
        assert_eq!(broken(&case, &work), ["DL-9"]);
    }
    assert!(!contract_text(1).is_empty());
}
