//! LeadGen and FirstResponder: each rule with an input that breaks it.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use common::{Case, MONDAY, WorkExt, ingest, new_lead, qualification, reply};
use jiff::SignedDuration;
use max_core::command::{Command, Request};
use max_core::event::Event;
use max_core::lead::{Actor, Lead, MessageKind, NewLead};
use max_core::policy::Policy;
use max_core::rules::{self, Weight};
use max_core::stage::{Eidolon, Stage};
use max_core::stages::first_responder::Reply;
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
    let chatty = qualification(Decision::Fit).says(MessageKind::Reply, "Hello!");
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
    hidden.messages[0].body = "No.".into();
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
