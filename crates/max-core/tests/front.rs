//! LeadGen and FirstResponder: each rule with an input that breaks it.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use std::collections::BTreeMap;

use common::{Case, MONDAY, WorkExt, ingest, new_lead, qualification, reply};
use jiff::SignedDuration;
use max_core::command::{Command, Request, Seen};
use max_core::decide::{Due, due};
use max_core::event::Event;
use max_core::lead::{Actor, ApprovalKind, ClientAsk, Delivery, Direction, Lead, MessageKind, NewLead};
use max_core::policy::{Policy, Receipt};
use max_core::rules::{self, Weight};
use max_core::stage::{Eidolon, Stage};
use max_core::stages::first_responder::{Fact, FirstReply, Reply, check_speed};
use max_core::stages::lead_gen::{Decision, Enriched, Factor, Qualification, given};
use max_core::stages::{StageResult, Work, check};

/// A lead that just came in.
fn came_in(lead: NewLead) -> Case {
    let mut case = Case::new(Policy::default());
    let command = Command::Ingest { lead: Box::new(lead) };
    case.ask(&Request::new(Actor::Client, command)).expect("taken in");
    case
}

/// The rules that `work` breaks.
fn broken(case: &Case, work: &Work) -> Vec<String> {
    let lead = case.lead.as_ref().expect("a lead");
    let task = lead.open_task().expect("a task").clone();
    let mut rules: Vec<String> = check(lead, &task, work, &case.policy).into_iter().map(|f| f.rule).collect();
    rules.dedup();
    rules
}

/// The same for a verdict that was changed.
fn judged(change: impl FnOnce(&mut Qualification, &Lead)) -> Vec<String> {
    let case = came_in(new_lead());
    let mut work = qualification(Decision::Fit);
    let lead = case.lead.as_ref().expect("a lead").clone();
    let StageResult::Qualification(q) = &mut work.result else { panic!("a verdict") };
    change(q, &lead);
    broken(&case, &work)
}

fn factor(name: &str, points: u8, evidence: Option<&str>) -> Factor {
    Factor { name: name.into(), points, most: 100, evidence: evidence.map(str::to_owned) }
}

#[test]
fn lg_1_the_score_is_the_sum_of_listed_factors_with_evidence() {
    assert_eq!(judged(|_, _| {}), Vec::<String>::new());
    assert_eq!(judged(|q, _| q.score = 90), ["LG-1"]);
    assert_eq!(judged(|q, _| q.factors[0].name = "sympathy".into()), ["LG-1"]);
    assert_eq!(judged(|q, _| q.factors.push(factor("need", 0, None))), ["LG-1", "LG-6"], "no factor twice");
    assert_eq!(judged(|q, _| q.factors[0].evidence = Some("a spaceship".into())), ["LG-1"]);
    assert_eq!(judged(|q, _| q.factors[0].evidence = Some(" ".into())), ["LG-1"]);
    assert_eq!(judged(|q, _| q.factors[0].most = 5), ["LG-1"]);
}

#[test]
fn lg_2_unknown_never_counts_as_good() {
    let rules = judged(|q, _| q.factors[0].evidence = None);
    assert!(rules.contains(&"LG-2".to_owned()), "{rules:?}");
}

#[test]
fn lg_3_the_same_input_gets_the_same_score() {
    assert_eq!(judged(|q, lead| q.judged = Some(given(lead))), Vec::<String>::new());
    assert_eq!(judged(|q, _| q.judged = Some(max_core::id::Digest([7; 32]))), ["LG-3"], "something else was judged");
    // Judged once, rejected by a person, judged again by the same words.
    let mut case = came_in(new_lead());
    let mut first = qualification(Decision::Fit);
    let digest = given(case.lead.as_ref().expect("a lead"));
    let StageResult::Qualification(q) = &mut first.result else { panic!("a verdict") };
    q.judged = Some(digest);
    let lead = case.lead.as_mut().expect("a lead");
    let mut value = serde_json::to_value(&*q).expect("JSON");
    lead.data.entry(Stage::LeadGen).or_default().insert("qualification".into(), value.take());
    assert_eq!(broken(&case, &first), Vec::<String>::new());
    let StageResult::Qualification(q) = &mut first.result else { panic!("a verdict") };
    (q.score, q.factors[0].points) = (50, 50);
    assert_eq!(broken(&case, &first), ["LG-3"]);
}

#[test]
fn lg_4_enrichment_names_its_source_and_guesses_no_trait() {
    let found = |field: &str, url: &str, hours: i64| Enriched {
        field: field.into(),
        value: "studio.example".into(),
        url: url.into(),
        at: MONDAY.parse::<jiff::Timestamp>().expect("a moment") + SignedDuration::from_hours(hours),
    };
    let with = |e: Enriched| judged(move |q, _| q.enrichment.push(e));
    assert_eq!(with(found("mail_domain", "https://studio.example/", 1)), Vec::<String>::new());
    for odd in [
        found("age", "https://studio.example/", 1),
        found("religion", "https://studio.example/", 1),
        found("website", "https://people-search.example/mina", 1),
        found("website", "", 1),
        found("website", "javascript://studio.example", 1),
        found("mail_domain", "https://studio.example/", -1),
    ] {
        assert_eq!(with(odd.clone()), ["LG-4"], "{odd:?}");
    }
}

#[test]
fn lg_5_decision_and_threshold_agree_with_the_score() {
    assert_eq!(judged(|q, _| q.threshold = 10), ["LG-5"]);
    assert_eq!(judged(|q, _| q.reason = " ".into()), ["LG-5"]);
    assert_eq!(judged(|q, _| (q.score, q.factors[0].points) = (5, 5)), ["LG-5"]);
}

#[test]
fn lg_6_an_unknown_factor_has_a_next_question() {
    let unknown = |question: Option<&str>| {
        let question = question.map(str::to_owned);
        judged(move |q, _| {
            q.factors.push(factor("budget", 0, None));
            q.next_question = question;
        })
    };
    assert_eq!(unknown(None), ["LG-6"]);
    assert_eq!(unknown(Some("Is there a budget?")), Vec::<String>::new());
    assert_eq!(rules::find("LG-6").map(|r| r.weight), Some(Weight::Advises));
}

#[test]
fn lg_7_only_a_lead_that_is_no_fit_is_written_to() {
    let case = came_in(new_lead());
    let chatty = qualification(Decision::Fit).says(MessageKind::Reply, &format!("Hello!{END}"));
    assert_eq!(broken(&case, &chatty), ["LG-7"]);
    let mut silent = qualification(Decision::NotAFit);
    silent.messages.clear();
    assert_eq!(broken(&case, &silent), ["LG-7"]);
}

#[test]
fn lg_8_a_rejection_says_how_a_person_reviews_it() {
    let case = came_in(new_lead());
    assert_eq!(broken(&case, &qualification(Decision::NotAFit)), Vec::<String>::new());
    let mut hidden = qualification(Decision::NotAFit);
    hidden.messages[0].body = "No. An AI wrote this; ada@agency.example".into();
    assert_eq!(broken(&case, &hidden), ["LG-8"]);
    let mut unnamed = qualification(Decision::NotAFit);
    let StageResult::Qualification(q) = &mut unnamed.result else { panic!("a verdict") };
    q.review_by = None;
    assert_eq!(broken(&case, &unnamed), ["LG-8"]);
}

// ---- the first reply -----------------------------------------------------------------------------------------------

const END: &str = " I am an AI assistant; a person is at hello@agency.example. Privacy: https://agency.example/privacy";

/// A lead that waits for its first reply.
fn judged_fit(lead: NewLead) -> Case {
    let mut case = came_in(lead);
    let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
    let by = |eidolon| Actor::Eidolon(eidolon);
    let claim = Command::Claim { task: open.id, holder: "test#1".into() };
    case.ask(&Request::new(by(Eidolon::LeadGen), claim)).expect("claimed");
    let mut work = qualification(Decision::Fit);
    let StageResult::Qualification(q) = &mut work.result else { panic!("a verdict") };
    q.factors[0].evidence = case.lead.as_ref().map(|l| l.contact.message.clone());
    let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(work) };
    case.ask(&Request::new(by(Eidolon::LeadGen), submit)).expect("submitted");
    case
}

/// The rules that a first reply breaks.
fn replied(change: impl FnOnce(&mut Reply, &mut String)) -> Vec<String> {
    replied_to(new_lead(), change)
}

fn replied_to(lead: NewLead, change: impl FnOnce(&mut Reply, &mut String)) -> Vec<String> {
    let case = judged_fit(lead);
    let mut work = reply();
    let StageResult::Reply(reply) = &mut work.result else { panic!("a reply") };
    change(reply, &mut work.messages[0].body);
    broken(&case, &work)
}

#[test]
fn fr_1_a_reply_is_short_with_few_questions_and_one_next_step() {
    assert_eq!(replied(|_, _| {}), Vec::<String>::new());
    assert_eq!(replied(|_, body| body.push_str(&" more".repeat(160))), ["FR-1"]);
    assert_eq!(replied(|_, body| body.push_str(" Who? When? Why?")), ["FR-1"]);
    assert_eq!(replied(|_, body| body.push_str(" Just answer this mail.")), Vec::<String>::new());
    assert_eq!(replied(|_, body| body.push_str(" Just answer this mail or book a call or click here.")), ["FR-1"]);
    let case = judged_fit(new_lead());
    assert_eq!(broken(&case, &reply().says(MessageKind::Reply, &format!("And a booking page!{END}"))), ["FR-1"]);
}

#[test]
fn fr_2_the_first_reply_takes_up_a_concrete_word() {
    assert_eq!(replied(|reply, _| reply.quotes = vec!["a spaceship".into()]), ["FR-2"]);
    assert_eq!(replied(|reply, _| reply.quotes = vec!["for our".into()]), ["FR-2"]);
    assert_eq!(replied(|reply, _| reply.quotes.clear()), ["FR-2"]);
    assert_eq!(replied(|_, body| *body = format!("Who will use it?{END}")), ["FR-2"]);
    assert_eq!(replied(|reply, _| reply.quotes = vec!["BOOKING   page".into()]), Vec::<String>::new());
}

#[test]
fn fr_3_language_and_form_of_address_are_the_clients() {
    let german = "Vielen Dank, wir freuen uns auf die booking page und brauchen noch etwas von Ihnen, bitte.";
    assert_eq!(replied(|_, body| *body = format!("{german} KI, hello@a.example, https://a.example")), ["FR-3"]);
    let du = NewLead {
        message: "Hi, könnt ihr uns eine booking page bauen? Wir brauchen sie für unser Studio.".into(),
        locale: Some("de".into()),
        ..new_lead()
    };
    let says = |words: &str| {
        let body = format!("Danke für die Nachricht zur booking page. {words} KI, hello@a.example, https://a.example");
        replied_to(du.clone(), |reply, text| {
            reply.language = "de".into();
            *text = body;
        })
    };
    assert_eq!(says("Schreib uns, wann du sie brauchst."), Vec::<String>::new());
    assert_eq!(says("Schreiben Sie uns, wann Sie sie brauchen."), ["FR-3"]);
    assert_eq!(says("Schreiben Sie uns, wenn Sie dein Studio öffnen."), Vec::<String>::new(), "mixed is unclear");
}

#[test]
fn fr_3_the_reply_is_written_in_the_language_of_the_message() {
    let french = NewLead {
        message: "Bonjour, nous cherchons une page de réservation pour notre studio, avec une galerie.".into(),
        ..new_lead()
    };
    let answered_in = |language: &str, words: &str| {
        replied_to(french.clone(), |reply, body| {
            reply.language = language.into();
            reply.quotes = vec!["page de réservation".into()];
            *body = format!("{words}{END}");
        })
    };
    let french = "Une page de réservation : qui va l'utiliser ? Nous sommes là pour vous et votre studio.";
    let german =
        "Zur page de réservation: Wer wird sie nutzen? Wir freuen uns auf die Bilder und brauchen noch eine Antwort.";
    assert_eq!(answered_in("fr", french), Vec::<String>::new());
    assert_eq!(answered_in("de", german), ["FR-3"], "German through and through, but the client wrote French");
}

/// A German lead past its profile, and a mail of a later stage to it.
fn later_mail(message: &str, address: &str, body: &str) -> Vec<String> {
    let mut lead = NewLead { message: message.into(), locale: Some("de".into()), ..new_lead() };
    lead.extra.insert("subject".into(), "Unser Studio".into());
    let mut lead = came_in(lead).lead.expect("a lead");
    lead.language = Some("de".into());
    lead.stage = Stage::Closer;
    let profile = serde_json::json!({"language": "de", "address": address, "wants": []});
    lead.data.entry(Stage::FirstResponder).or_default().insert("profile".into(), profile);
    let task = lead.open_task().expect("a task").clone();
    let answer = common::work(StageResult::Answer(max_core::stages::Answer { ask: ClientAsk::Decision }));
    let answer = answer.says(MessageKind::Reply, &format!("{body} KI, hello@agency.example"));
    check(&lead, &task, &answer, &Policy::default()).into_iter().map(|f| f.rule).collect()
}

#[test]
fn fr_3b_the_form_of_address_is_kept_in_later_mails() {
    const SIE: &str = "Das Angebot ist für Sie und Ihr Studio; wir freuen uns auf Ihre Antwort und die Bilder.";
    const DU: &str = "Das Angebot ist für dich und dein Studio; wir freuen uns auf deine Antwort und die Bilder.";
    let du = "Hallo, baust du uns eine booking page?";
    let sie = "Guten Tag, bauen Sie uns eine booking page?";
    assert_eq!(later_mail(du, "informal", DU), Vec::<String>::new());
    assert_eq!(later_mail(du, "informal", SIE), ["FR-3b"]);
    assert_eq!(later_mail(sie, "formal", DU), ["FR-3b"]);
    assert_eq!(later_mail(sie, "formal", SIE), Vec::<String>::new());
    // Who did not say it in the first message may have said it later: the profile keeps it.
    assert_eq!(later_mail("Wir brauchen eine booking page.", "informal", SIE), ["FR-3b"]);
    assert_eq!(later_mail("Wir brauchen eine booking page.", "", SIE), Vec::<String>::new());
}

#[test]
fn fr_4_the_first_mail_of_any_stage_discloses_the_machine() {
    let case = came_in(new_lead());
    let mut no = qualification(Decision::NotAFit);
    assert_eq!(broken(&case, &no), Vec::<String>::new());
    no.messages[0].body = "Thank you, we cannot help. A review: hello@agency.example.".into();
    assert_eq!(broken(&case, &no), ["FR-4"]);
}

/// A lead that waits for its first reply, under a policy with a receipt.
fn waiting_for_the_first_reply() -> Case {
    let receipt = |body: &str| Receipt { subject: "Your message".into(), body: format!("{body}{END}") };
    let mut case = judged_fit(new_lead());
    case.policy.receipts =
        [("en".to_owned(), receipt("It has arrived.")), ("de".to_owned(), receipt("Sie ist da."))].into();
    case
}

fn mails(case: &Case) -> Vec<(MessageKind, bool)> {
    let lead = case.lead.as_ref().expect("a lead");
    lead.messages.iter().filter(|m| m.direction == Direction::Out).map(|m| (m.kind, m.sent_at.is_some())).collect()
}

/// Everything queued leaves the house.
fn leaves(case: &mut Case) {
    let lead = case.lead.as_ref().expect("a lead");
    let queued: Vec<_> = lead.messages.iter().filter(|m| m.delivery == Delivery::Queued).map(|m| m.id).collect();
    for message in queued {
        case.ask(&Request::new(Actor::Director, Command::Release { message })).expect("looked at");
        let sending = |l: &Lead| l.messages.iter().any(|m| m.id == message && m.delivery == Delivery::Sending);
        if case.lead.as_ref().is_some_and(sending) {
            case.ask(&Request::new(Actor::Director, Command::RecordSent { message })).expect("recorded");
        }
    }
}

fn writes_the_reply(case: &mut Case) {
    let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
    let by = Actor::Eidolon(Eidolon::FirstResponder);
    case.ask(&Request::new(by.clone(), Command::Claim { task: open.id, holder: "test#1".into() })).expect("claimed");
    let mut work = reply();
    work.messages[0].kind = MessageKind::Reply;
    let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(work) };
    case.ask(&Request::new(by, submit)).expect("submitted");
}

#[test]
fn fr_1c_a_receipt_leaves_when_the_reply_takes_longer() {
    let mut case = waiting_for_the_first_reply();
    let (at, what) = due(case.lead.as_ref().expect("a lead"), &case.policy).expect("the receipt");
    assert_eq!((at.duration_since(case.now), what), (SignedDuration::from_secs(60), Due::Receipt));
    let wake = Request::new(Actor::Director, Command::Wake);
    case.pass(SignedDuration::from_secs(59));
    assert!(case.ask(&wake).expect("nothing to do").is_none());
    case.pass(SignedDuration::from_secs(1));
    case.ask(&wake).expect("woken");
    assert_eq!(mails(&case), [(MessageKind::Receipt, false)]);
    // Once; also while the reply still waits for a person to release it.
    case.policy.approvals.insert(ApprovalKind::Reply, true);
    writes_the_reply(&mut case);
    case.pass(SignedDuration::from_secs(3_600));
    assert_ne!(due(case.lead.as_ref().expect("a lead"), &case.policy).map(|(_, due)| due), Some(Due::Receipt));
    assert_eq!(mails(&case).len(), 1);
    // Nobody gets one who has had the reply, who writes to a person, or who cannot be reached.
    let mut quick = waiting_for_the_first_reply();
    quick.policy.approvals.insert(ApprovalKind::Reply, false);
    writes_the_reply(&mut quick);
    assert_ne!(due(quick.lead.as_ref().expect("a lead"), &quick.policy).map(|(_, due)| due), Some(Due::Receipt));
    let mut taken = waiting_for_the_first_reply();
    taken.ask(&Request::new(Actor::Person("ada".into()), Command::TakeOver)).expect("taken over");
    assert_eq!(due(taken.lead.as_ref().expect("a lead"), &taken.policy), None);
}

#[test]
fn fr_1b_a_first_reply_that_took_longer_is_found() {
    let slow = |seconds: i64| {
        let mut case = waiting_for_the_first_reply();
        case.policy.approvals.insert(ApprovalKind::Reply, false);
        case.pass(SignedDuration::from_secs(seconds));
        writes_the_reply(&mut case);
        leaves(&mut case);
        let lead = case.lead.clone().expect("a lead");
        (FirstReply::of(&lead, &case.policy), check_speed(&lead, &case.policy, case.now))
    };
    let (measured, found) = slow(42);
    assert_eq!((measured.expect("measured").reply_after_seconds, found), (Some(42), None));
    let (measured, found) = slow(95);
    assert_eq!(measured.expect("measured").reply_after_seconds, Some(95));
    let found = found.expect("too slow");
    assert_eq!((found.rule.as_str(), found.weight), ("FR-1b", Weight::Advises));
    assert!(found.detail.contains("95 s") && found.detail.contains("60 s"), "{found:?}");
    // What has not left counts from now, and a receipt is no reply.
    let mut case = waiting_for_the_first_reply();
    case.pass(SignedDuration::from_secs(61));
    case.ask(&Request::new(Actor::Director, Command::Wake)).expect("woken");
    leaves(&mut case);
    case.pass(SignedDuration::from_secs(9));
    let found = check_speed(case.lead.as_ref().expect("a lead"), &case.policy, case.now).expect("still waiting");
    assert!(found.detail.contains("70 s") && found.detail.contains("receipt left after 61 s"), "{found:?}");
}

// ---- mail ----------------------------------------------------------------------------------------------------------

/// What became of the newest mail, and why it was held.
fn held_because(mut case: Case) -> Option<String> {
    leaves(&mut case);
    let facts = case.log.iter().flat_map(|entry| &entry.events);
    facts.rev().find_map(|event| match event {
        Event::MessageHeld { why, .. } => Some(why.clone()),
        _ => None,
    })
}

#[test]
fn m_3a_a_mail_has_its_own_id_before_it_leaves_and_names_its_thread() {
    let queued = |asked: &str| {
        let mut lead = new_lead();
        lead.extra.insert("message_id".into(), asked.into());
        let mut case = judged_fit(lead);
        case.policy.approvals.insert(ApprovalKind::Reply, false);
        // Another moment, other ids: as the engine draws them.
        case.pass(SignedDuration::from_millis(7));
        writes_the_reply(&mut case);
        let last = case.log.last().expect("an entry").events.iter().find_map(|event| match event {
            Event::MessageQueued { message } => Some(message.clone()),
            _ => None,
        });
        (last.expect("queued"), case)
    };
    let (mail, case) = queued("first@client.example");
    let stored = case.lead.as_ref().expect("a lead").messages.last().expect("kept").clone();
    assert_eq!((stored.delivery, stored.rfc_id.as_str()), (Delivery::Queued, mail.rfc_id.as_str()));
    assert!(mail.rfc_id.ends_with("@agency.example") && mail.rfc_id.len() > 36, "{}", mail.rfc_id);
    assert_eq!(mail.in_reply_to.as_deref(), Some("first@client.example"));
    assert_eq!(mail.references, ["first@client.example"]);
}

#[test]
fn m_4c_no_automatic_mail_to_ourselves_or_to_a_robot() {
    let to = |address: &str| {
        let mut case = judged_fit(NewLead { email: address.into(), ..new_lead() });
        case.policy.approvals.insert(ApprovalKind::Reply, false);
        case.policy.own_words = vec!["Example Agency <hello@agency.example>, Street 1".into()];
        writes_the_reply(&mut case);
        held_because(case)
    };
    assert_eq!(to("mina@studio.example"), None);
    assert_eq!(to("Hello+web@Agency.example").as_deref(), Some("the address is the agency's own"));
    for robot in ["no-reply@shop.example", "MAILER-DAEMON@mx.example", "bounces+17@list.example"] {
        assert_eq!(to(robot).as_deref(), Some("nobody reads the address"), "{robot}");
    }
}

#[test]
fn m_4d_a_sender_gets_one_receipt_a_day() {
    let mut case = waiting_for_the_first_reply();
    case.policy.approvals.insert(ApprovalKind::Reply, true);
    let with_receipt = |case: &mut Case| {
        let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
        let by = Actor::Eidolon(Eidolon::FirstResponder);
        let claim = Command::Claim { task: open.id, holder: "test#1".into() };
        case.ask(&Request::new(by.clone(), claim)).expect("claimed");
        let work = reply().says(MessageKind::Receipt, &format!("It has arrived.{END}"));
        let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(work) };
        case.ask(&Request::new(by, submit)).expect("submitted");
    };
    let receipts = |case: &Case| mails(case).iter().filter(|(kind, _)| *kind == MessageKind::Receipt).count();
    with_receipt(&mut case);
    for round in 0..3 {
        case.pass(SignedDuration::from_hours(2));
        let again = common::incoming(MessageKind::Reply, &format!("And the booking page? {round}"), None);
        case.ask(&Request::new(Actor::Client, again)).expect("received");
        with_receipt(&mut case);
        assert_eq!(receipts(&case), 1, "round {round}");
    }
    case.pass(SignedDuration::from_hours(24));
    let again = common::incoming(MessageKind::Reply, "Still there?", None);
    case.ask(&Request::new(Actor::Client, again)).expect("received");
    with_receipt(&mut case);
    assert_eq!(receipts(&case), 2, "the next day is another day");
}

#[test]
fn m_4e_a_sixth_automatic_mail_within_an_hour_calls_a_person() {
    let mut case = judged_fit(new_lead());
    case.policy.approvals.insert(ApprovalKind::Reply, false);
    for round in 1..=6 {
        let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
        let by = Actor::Eidolon(Eidolon::FirstResponder);
        let claim = Command::Claim { task: open.id, holder: "test#1".into() };
        case.ask(&Request::new(by.clone(), claim)).expect("claimed");
        let mut work = reply();
        work.messages[0].body.push_str(&format!(" ({round})"));
        let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(work) };
        case.ask(&Request::new(by, submit)).expect("submitted");
        leaves(&mut case);
        let stopped = case.lead.as_ref().is_some_and(|l| l.escalation.is_some());
        assert_eq!(stopped, round == 6, "round {round}");
        case.pass(SignedDuration::from_mins(5));
        let again = common::incoming(MessageKind::Reply, "And the booking page?", None);
        case.ask(&Request::new(Actor::Client, again)).expect("received");
    }
    assert_eq!(mails(&case).iter().filter(|(_, sent)| *sent).count(), 5);
}

// ---- sources -------------------------------------------------------------------------------------------------------

#[test]
fn x_8_a_quote_is_found_in_the_message_it_names() {
    let mut case = judged_fit(new_lead());
    case.policy.approvals.insert(ApprovalKind::Reply, false);
    writes_the_reply(&mut case);
    let later = common::incoming(MessageKind::Reply, "", None);
    case.ask(&Request::new(Actor::Client, later)).expect("received");
    let id = case.lead.as_ref().expect("a lead").messages.last().expect("it").id.to_string();
    let said: BTreeMap<String, String> =
        [(id.clone(), "We open in March.\nAbout 40 guests -- come\neach day…".to_owned())].into();
    let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
    let by = Actor::Eidolon(Eidolon::FirstResponder);
    let claim = Command::Claim { task: open.id, holder: "test#1".into() };
    case.ask(&Request::new(by.clone(), claim)).expect("claimed");
    let submit = |quote: &str, source: &str| {
        let mut work = common::profile();
        let StageResult::Profile(profile) = &mut work.result else { panic!("a profile") };
        profile.facts = vec![Fact { topic: "audience".into(), quote: quote.into(), source: source.into() }];
        let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(work) };
        let seen = Seen { said: said.clone(), ..Seen::default() };
        let answer = case.would(&Request::new(by.clone(), submit).having_seen(seen));
        answer.err().map(|no| no.findings.into_iter().map(|f| f.rule).collect::<Vec<_>>()).unwrap_or_default()
    };
    let none = Vec::<String>::new();
    assert_eq!(submit("about 40 guests come each day", &id), none, "signs and line breaks do not matter");
    assert_eq!(submit("a booking page for our yoga studio", "lead"), none);
    // In the wrong message, with another word, with half a word, in a message that nobody wrote.
    assert_eq!(submit("about 40 guests come each day", "lead"), ["X-8"]);
    assert_eq!(submit("about 50 guests come each day", &id), ["X-8"]);
    assert_eq!(submit("out 40 guests", &id), ["X-8"]);
    assert_eq!(submit("We open in March", "0197c6c4-0000-7000-8000-00000000abcd"), ["X-8"]);
    assert_eq!(submit("We open in March", ""), ["X-8"]);
}

#[test]
fn fr_4_a_machines_reply_says_so_and_names_a_person() {
    let body = "You need a booking page: who will use it? Privacy: https://agency.example/privacy";
    assert_eq!(replied(|_, text| *text = body.into()), ["FR-4"]);
    assert_eq!(replied(|_, text| *text = format!("{body} I am an AI.")), ["FR-4"], "no person");
    for (disclosure, _) in [("an AI assistant", "en"), ("ein KI-Assistent", "de"), ("un assistant IA", "fr")] {
        assert_eq!(replied(|_, text| *text = format!("{body} {disclosure} hello@a.example")), Vec::<String>::new());
    }
}

#[test]
fn fr_5_a_reply_names_no_price_or_date_and_promises_nothing() {
    for words in [
        "That is about €12k.",
        "It costs 12.500,00 EUR.",
        "You get 10 % off.",
        "It is ready on 01.03.2027.",
        "We start on 3 May.",
        "We guarantee that.",
        "The first draft is free of charge.",
    ] {
        assert_eq!(replied(|_, body| *body = format!("{words} {body}")), ["FR-5"], "{words}");
    }
    // The client's own words are the client's.
    let quote = "Our budget is 12000 EUR";
    assert_eq!(
        replied(|reply, body| {
            reply.quotes.push(quote.into());
            *body = format!("You wrote: {quote}. {body}");
        }),
        Vec::<String>::new()
    );
}

#[test]
fn fr_6_a_reply_continues_the_clients_thread() {
    let mut lead = new_lead();
    lead.extra.insert("message_id".into(), "first@client.example".into());
    lead.extra.insert("subject".into(), "Our yoga studio".into());
    let mut case = judged_fit(lead);
    let open = case.lead.as_ref().and_then(Lead::open_task).expect("a task").clone();
    let by = Actor::Eidolon(Eidolon::FirstResponder);
    let claim = Command::Claim { task: open.id, holder: "test#1".into() };
    case.ask(&Request::new(by.clone(), claim)).expect("claimed");
    case.policy.approvals.insert(max_core::lead::ApprovalKind::Reply, false);
    let submit = Command::Submit { task: open.id, attempt: 1, work: Box::new(reply()) };
    let entry = case.ask(&Request::new(by, submit)).expect("submitted").expect("events");
    let queued = entry.events.iter().find_map(|event| match event {
        Event::MessageQueued { message } => Some(message),
        _ => None,
    });
    let queued = queued.expect("a reply");
    assert_eq!(queued.in_reply_to.as_deref(), Some("first@client.example"));
    assert!(queued.references.contains(&"first@client.example".to_owned()) && !queued.rfc_id.is_empty());
}

#[test]
fn fr_8_the_first_mail_links_to_how_data_is_treated() {
    assert_eq!(replied(|_, body| *body = body.replace("https://", "")), ["FR-8"]);
}

// ---- who is who ----------------------------------------------------------------------------------------------------

#[test]
fn what_came_in_again_under_an_alias_is_a_repeat() {
    let mut case = came_in(new_lead());
    let alias = NewLead { email: "Mina+web@Studio.example".into(), ..new_lead() };
    let again = Command::Ingest { lead: Box::new(alias) };
    assert_eq!(case.ask(&Request::new(Actor::Client, again)).expect("a repeat"), None);
    let other = NewLead { email: "mona@studio.example".into(), ..new_lead() };
    let other = Command::Ingest { lead: Box::new(other) };
    assert!(case.ask(&Request::new(Actor::Client, other)).is_err(), "somebody else");
    assert!(case.ask(&Request::new(Actor::Client, ingest())).expect("a repeat").is_none());
}
