//! From the signature to the closing, as the client lives it: what he is asked, told and given to sign.

use max_core::command::Command;
use max_core::id::Digest;
use max_core::lead::{Actor, ApprovalKind, ClientAsk, MessageKind, Outcome};
use max_core::stage::Stage;
use max_core::stages::closer::{ContractSigned, payment_reference};
use max_core::stages::delivery_pm::{Colour, Plan, ProjectClosed, StatusReport, lapsed_orders, open_order};
use max_core::stages::onboarding::{Owner, StepState, checklist};

use super::house::{House, person};
use super::{DE_ANSWERS, EN_ANSWERS, bakery, yoga};

/// A client who agreed to the offer and signed the contract.
fn signed(english: bool) -> House {
    let (mut house, answers, yes) = if english {
        (House::ingest(yoga()), EN_ANSWERS, "Great, we accept the offer.")
    } else {
        (House::ingest(bakery()), DE_ANSWERS, "Einverstanden, legen Sie los.")
    };
    house.settle();
    house.hears(answers);
    house.settle();
    if house.ask() == ClientAsk::Answers {
        house.hears(answers);
        house.settle();
    }
    house.hears(yes);
    house.settle();
    house.sign();
    house
}

/// A project that runs: its first milestone waits for the agency's own hand-over.
fn running(english: bool) -> House {
    let mut house = signed(english);
    house.settle_until(ApprovalKind::Milestone);
    house
}

fn plan(house: &House) -> Plan {
    house.lead.stage_value(Stage::DeliveryPM, "plan").expect("a plan")
}

fn report(house: &House) -> StatusReport {
    house.lead.stage_value(Stage::DeliveryPM, "status_report").expect("a report")
}

/// Lets time pass until a report was written; a person is reminded meanwhile and does nothing.
fn until_a_report(house: &mut House) -> StatusReport {
    let before = house.sent(MessageKind::Report).len();
    for _ in 0..20 {
        house.wait();
        while house.lead.open_task().is_some() {
            house.work();
        }
        if house.sent(MessageKind::Report).len() > before {
            return report(house);
        }
    }
    panic!("no report comes: {:?}", house.lead.turn);
}

#[test]
fn the_deposit_is_asked_for_with_amount_reference_and_what_comes_next() {
    for (english, what_next) in [(true, "until then nothing begins"), (false, "bis dahin beginnt nichts")] {
        let mut house = signed(english);
        house.settle_until(ApprovalKind::Deposit);
        let asked: ContractSigned = house.lead.stage_value(Stage::Closer, "contract_signed").expect("asked");
        let mails = house.sent(MessageKind::Deposit);
        let [mail] = mails[..] else { panic!("{mails:?}") };
        let lang = if english { max_documents::Lang::En } else { max_documents::Lang::De };
        let invoice = asked.invoice.expect("an invoice");
        for part in [
            lang.money(asked.deposit_minor, &asked.currency),
            lang.date(invoice.due),
            payment_reference(house.lead.id),
            what_next.to_owned(),
        ] {
            assert!(mail.body.contains(&part), "{part} in {}", mail.body);
        }
        assert_eq!(mail.attachments[0].name, "contract-signed.pdf", "with his copy");
        assert_eq!(house.lead.stage, Stage::Closer, "onboarding waits");
        house.settle();
        assert!(house.lead.stage > Stage::Onboarding);
        assert_eq!(house.sent(MessageKind::Deposit).len(), 1, "once");
    }
}

#[test]
fn the_weekly_report_comes_by_itself_and_says_what_the_records_say() {
    let mut house = running(true);
    let first = until_a_report(&mut house);
    assert_eq!((first.number, first.colour), (1, Colour::Green));
    assert_eq!(first.day, plan(&house).check_ins[0], "on the first check-in of the plan");
    let text = house.text("reports/status-report-1.md");
    let heads = ["Status", "Done", "risks", "Decisions", "Money"];
    let places: Vec<_> = heads.iter().map(|head| text.to_lowercase().find(&head.to_lowercase())).collect();
    assert!(places.iter().all(Option::is_some) && places[0] < places[1], "{places:?} in {text}");
    let second = until_a_report(&mut house);
    assert_eq!(second.number, 2);
    assert!(second.day > first.day && house.sent(MessageKind::FollowUp).is_empty());
}

#[test]
fn a_date_that_slips_is_told_the_next_working_morning_before_the_client_asks() {
    let mut house = running(false);
    let due = plan(&house).milestones[0].due;
    // Nobody hands the milestone over.
    let told = loop {
        let report = until_a_report(&mut house);
        if report.day > due {
            break report;
        }
    };
    let calendar = house.policy.calendar_of(&house.lead);
    assert_eq!(told.day, calendar.after(due, 1), "the working day after the date");
    let slip = told.slips.iter().find(|s| s.milestone == "M-1").expect("M-1 slips");
    assert!(slip.planned == due && slip.forecast > told.day && told.colour != Colour::Green);
    let mail = house.sent(MessageKind::Report).last().expect("a mail").body.clone();
    let asked = house.messages.iter().filter(|m| m.body.contains("Wie steht")).count();
    assert!(asked == 0 && mail.contains("Ein Termin hat sich verschoben"), "{mail}");
}

#[test]
fn a_milestone_is_signed_off_on_the_very_file_that_was_sent() {
    let mut house = running(true);
    house.settle();
    let ClientAsk::Milestone { id, document } = house.ask() else { panic!("{:?}", house.ask()) };
    let pdf = format!("milestone-{id}.pdf");
    assert_eq!(document, Digest::of(&house.files[&pdf]), "the PDF, to the byte");
    let mail = house.sent(MessageKind::Milestone)[0];
    let sent: Vec<&str> = mail.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!((sent, mail.attachments[0].sha256), (vec![pdf.as_str()], document), "and that is what he got");
    assert!(mail.body.contains(&document.to_string()));
    house.sign();
    house.settle();
    let signature = &house.lead.accepted_milestones[&id];
    assert_eq!((signature.document, signature.signer.as_str()), (document, "The Client"));
    assert!(house.files.contains_key(&format!("certificates/{id}.pdf")), "its certificate lies beside it");
    assert_eq!(&house.files[&format!("certificates/{id}.pdf")][..5], b"%PDF-");
}

#[test]
fn a_project_closes_with_hand_over_access_warranty_and_retention_of_its_contract() {
    let mut house = signed(true);
    // What the agency promises others later is not this client's business.
    let mut later = (*house.policy).clone();
    later.rate_card.terms.warranty_days = 31;
    later.rate_card.terms.retention_years = 2;
    house.policy = later.into();
    house.settle();
    for _ in 0..8 {
        if house.outcome().is_some() {
            break;
        }
        house.sign();
        house.settle();
    }
    assert_eq!(house.outcome(), Some(Outcome::Delivered));
    let closed: ProjectClosed = house.lead.stage_value(Stage::DeliveryPM, "project_closed").expect("closed");
    let last = house.lead.accepted_milestones.values().map(|s| house.policy.today(s.at)).max().expect("signed");
    let lang = max_documents::Lang::En;
    let (warranty, kept) = (closed.closing.warranty_until.expect("a day"), closed.closing.kept_until.expect("a day"));
    assert_eq!(warranty, last.saturating_add(jiff::Span::new().days(90)), "as the contract says");
    assert_eq!(kept, last.saturating_add(jiff::Span::new().years(10)));
    let contract = house.text("contract.md");
    assert!(
        contract.contains("within 90 days after acceptance") && contract.contains("for 10 years after"),
        "{contract}"
    );
    let letter = house.text("closing.md");
    for part in [lang.date(warranty), lang.date(kept), "domain".into()] {
        assert!(letter.contains(&part), "{part} in {letter}");
    }
    for signature in house.lead.accepted_milestones.values() {
        assert!(letter.contains(&signature.document.to_string()), "every sign-off with its fingerprint");
    }
    assert!(!closed.closing.feedback.is_empty() && house.sent(MessageKind::Closing).len() == 1);
}

#[test]
fn a_change_order_that_lapsed_is_offered_again_under_a_new_number() {
    let mut house = running(true);
    house.settle();
    house.hears("We would also like a members area with invoices for download.");
    house.settle();
    let ClientAsk::ChangeOrder { number: 1, document } = house.ask() else { panic!("{:?}", house.ask()) };
    assert_eq!(document, Digest::of(&house.files["change-orders/CO-1.pdf"]), "the PDF that he got");
    let last = open_order(&house.lead).expect("an order").order.valid_until;
    house.now =
        last.saturating_add(jiff::Span::new().days(1)).to_zoned(jiff::tz::TimeZone::UTC).expect("a day").timestamp();
    let late = Command::Sign { document, signer: "The Client".into() };
    assert!(house.give(Actor::Client, late).is_err(), "nobody signs it any more");
    // Reminders and a report were due before; the clock brings them about one after the other.
    for _ in 0..12 {
        if !lapsed_orders(&house.lead).is_empty() {
            break;
        }
        house.wait();
        house.settle();
    }
    assert_eq!(lapsed_orders(&house.lead).len(), 1);
    let told = house.messages.iter().any(|m| m.subject.contains("CO-1 has lapsed") && m.body.contains("new number"));
    assert!(told, "{:?}", house.messages.iter().map(|m| &m.subject).collect::<Vec<_>>());
    assert!(matches!(house.ask(), ClientAsk::Milestone { .. }), "the project goes on without it");
    house.hears("We do want CO-1 after all, please.");
    house.settle();
    assert!(matches!(house.ask(), ClientAsk::ChangeOrder { number: 2, .. }), "{:?}", house.ask());
    let open = open_order(&house.lead).expect("an order").order;
    assert!(open.quote.contains("members area") && open.valid_until > last);
    house.sign();
    house.settle();
    assert!(house.lead.signed_changes.contains_key(&2) && house.files.contains_key("certificates/CO-2.pdf"));
}

#[test]
fn what_the_client_brings_late_moves_the_plan_that_hangs_on_it() {
    let mut house = signed(true);
    house.settle_until(ApprovalKind::ManualSteps);
    let list = checklist(&house.lead).expect("a checklist");
    let reminder = list.reminder.expect("the words of a reminder");
    assert!(reminder.opening.contains("we still need this from you") && reminder.closing.contains("AI assistant"));
    let step = list.steps.iter().find(|s| s.owner == Owner::Client && s.covers_duty.is_some()).expect("a duty").clone();
    house.settle();
    let before = plan(&house);
    let duty = before.duties.iter().find(|d| Some(&d.text) == step.covers_duty.as_ref()).expect("in the plan").clone();
    let calendar = house.policy.calendar_of(&house.lead);
    let late = calendar.after(duty.due, 3);
    house.now =
        late.to_datetime(jiff::civil::time(10, 0, 0, 0)).to_zoned(jiff::tz::TimeZone::UTC).expect("a day").timestamp();
    let mark = Command::MarkStep { step: step.id.clone(), done: true, proof: "sent as a ZIP file".into() };
    house.give(Actor::Client, mark).expect("marked");
    house.settle();
    let after = plan(&house);
    assert_eq!(after.revision, before.revision + 1);
    assert_eq!(after.duties.iter().find(|d| d.id == duty.id).and_then(|d| d.done), Some(late));
    let moved = calendar.count(duty.due.saturating_add(jiff::Span::new().days(1)), late);
    for (old, new) in before.milestones.iter().zip(&after.milestones) {
        assert_eq!(new.due, calendar.after(old.due, moved), "{} moves by {moved} working days", old.id);
    }
    let done = checklist(&house.lead).expect("a checklist").steps.into_iter().find(|s| s.id == step.id).expect("it");
    assert_eq!((done.state, done.proof.as_str()), (StepState::Done, "sent as a ZIP file"));
    assert!(house.sent(MessageKind::Report).last().is_some_and(|m| m.body.contains("has moved with it")));
    let again = Command::MarkStep { step: step.id, done: true, proof: "again".into() };
    house.give(person(), again).expect("nothing happens");
    assert!(house.lead.open_task().is_none());
}
