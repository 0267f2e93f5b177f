//! Each rule of Scoping with a scope that breaks it, and with one that does not.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::*;
use crate::apply::apply;
use crate::event::{Entry, Event};
use crate::id::{Fresh, LeadId, MessageId};
use crate::lead::{Actor, Direction, Draft, Message, MessageKind, NewLead};
use crate::stage::Stage;
use crate::stages::StageResult;

const SAID: &str = "We need a website with online booking.\nA gallery would be\nnice to have. No shop, please.";

/// A client who said [`SAID`] first and wrote once more.
fn lead() -> Lead {
    let at: jiff::Timestamp = "2026-11-23T09:00:00Z".parse().expect("a timestamp");
    let mut fresh = Fresh::new(at, 7);
    let id = LeadId(fresh.uuid());
    let lead = NewLead { name: "Mina".into(), message: SAID.into(), ..NewLead::default() };
    let again = Message {
        id: MessageId(fresh.uuid()),
        direction: Direction::In,
        kind: MessageKind::Reply,
        stage: Stage::Scoping,
        at,
        by: Actor::Client,
        subject: String::new(),
        body: String::new(),
        attachments: Vec::new(),
        rfc_id: String::new(),
        in_reply_to: None,
        references: Vec::new(),
        address: String::new(),
        written_by: None,
        verified: true,
    };
    let events = vec![
        Event::LeadIngested { lead: Box::new(lead), message: MessageId(fresh.uuid()) },
        Event::MessageReceived { message: Box::new(again) },
    ];
    apply(None, &Entry { lead: id, version: 1, at, by: Actor::Client, signal_id: None, events }).expect("a lead")
}

fn requirement(id: &str, priority: Priority, effort: u32, quote: &str) -> Requirement {
    Requirement {
        id: id.into(),
        text: format!("{id} is done"),
        priority,
        acceptance: "A visitor does it on a phone.".into(),
        source: "lead".into(),
        quote: quote.into(),
        effort_quarter_days: effort,
        ..Requirement::default()
    }
}

fn scope() -> Scope {
    let wish = |quote: &str, id: &str| Wish {
        quote: quote.into(),
        source: "lead".into(),
        met_by: vec![id.into()],
        ..Wish::default()
    };
    Scope {
        title: "Website".into(),
        goal: "bookings".into(),
        requirements: vec![
            requirement("R-001", Priority::Must, 8, "We need a website"),
            requirement("R-002", Priority::Must, 4, "online booking"),
            requirement("R-003", Priority::Could, 8, "A gallery would be nice to have"),
        ],
        out_of_scope: vec!["A shop".into()],
        deliverables: vec![Deliverable {
            id: "D-1".into(),
            name: "Website".into(),
            description: "The pages".into(),
            acceptance: "They are online.".into(),
            requirements: vec!["R-001".into(), "R-002".into()],
            milestone: "release".into(),
            due: None,
        }],
        assumptions: vec![Assumption {
            text: "Texts are there".into(),
            owner: "client".into(),
            if_wrong: "later".into(),
            ..Assumption::default()
        }],
        open_questions: vec![OpenQuestion {
            id: "Q-1".into(),
            topic: "budget".into(),
            text: "How much?".into(),
            requirements: vec!["R-003".into()],
            ..OpenQuestion::default()
        }],
        measures: vec![Measure {
            text: "Bookings without a call".into(),
            number: "40 a week".into(),
            by: Some(date(2027, 6, 30)),
            ..Measure::default()
        }],
        users: vec![Users { text: "Guests on a phone".into(), ..Users::default() }],
        in_scope: vec!["Website".into()],
        client_duties: vec!["Texts and pictures".into()],
        qualities: [QualityKind::Accessibility, QualityKind::Privacy, QualityKind::Performance, QualityKind::Hosting]
            .map(|of| Quality { of, text: "as usual, measured at the end".into() })
            .into(),
        risks: vec![Risk {
            text: "Texts come late".into(),
            effect: "a later date".into(),
            answer: "remind".into(),
            owner: "agency".into(),
        }],
        acceptance: "Every Must passes.".into(),
        change_rule: "A change order.".into(),
        glossary: vec![Term { term: "guest".into(), means: "whoever books".into() }],
        wishes: vec![wish("We need a website", "R-001"), wish("online booking", "R-002"), wish("A gallery", "R-003")],
        ..Scope::default()
    }
}

/// The rules that `check` finds broken after `change`; the scope before it breaks none.
fn broken(check: impl Fn(&Scope, &mut Vec<Finding>), change: impl FnOnce(&mut Scope)) -> Vec<String> {
    let mut scope = scope();
    let mut findings = Vec::new();
    check(&scope, &mut findings);
    assert_eq!(findings, [], "the scope is good before the change");
    change(&mut scope);
    check(&scope, &mut findings);
    findings.into_iter().map(|f| f.rule).collect()
}

#[test]
fn sc_0_questions_are_few_and_none_is_asked_twice() {
    let question = |n: usize| Question {
        id: format!("Q-{n}"),
        topic: format!("topic {n}"),
        text: format!("And number {n}?"),
        round: 1,
    };
    let work = |messages| Work {
        result: StageResult::Questions(Questions { questions: Vec::new(), round: 1, earlier: Vec::new() }),
        messages,
        artifacts: Vec::new(),
        summary: "asked".into(),
        voice: String::new(),
        instead_of: Vec::new(),
    };
    let draft = Draft {
        kind: MessageKind::Questions,
        subject: "Questions".into(),
        body: "And?".into(),
        attachments: Vec::new(),
        written_by: "playbook".into(),
    };
    let found = |questions: Vec<Question>, round, earlier, messages| {
        let mut findings = Vec::new();
        check_questions(&Questions { questions, round, earlier }, &work(messages), &mut findings);
        findings.len()
    };
    let asked = || vec![draft.clone()];
    assert_eq!(found((1..=5).map(question).collect(), 3, vec![question(9)], asked()), 0);
    assert_eq!(found(Vec::new(), 1, Vec::new(), asked()), 1, "none");
    assert_eq!(found((1..=6).map(question).collect(), 1, Vec::new(), asked()), 1, "six at once");
    assert_eq!(found(vec![question(1)], 4, Vec::new(), asked()), 1, "a fourth round");
    assert_eq!(found(vec![question(1)], 2, vec![question(1)], asked()), 1, "the same again");
    assert_eq!(found(vec![question(1)], 1, Vec::new(), Vec::new()), 1, "nobody is asked");
}

#[test]
fn sc_1_every_requirement_is_complete() {
    let changes: [fn(&mut Scope); 7] = [
        |s| s.requirements[0].id = "R-1".into(),
        |s| s.requirements[1].id = "R-001".into(),
        |s| s.requirements[0].text.clear(),
        |s| s.requirements[0].acceptance = " ".into(),
        |s| s.requirements[0].source.clear(),
        |s| s.requirements[0].effort_quarter_days = 0,
        |s| s.requirements[0].depends_on = vec!["R-009".into()],
    ];
    for change in changes {
        assert_eq!(broken(check_requirements, change), ["SC-1"]);
    }
    let no_must = broken(check_requirements, |s| s.requirements.iter_mut().for_each(|r| r.priority = Priority::Should));
    assert_eq!(no_must, ["SC-1"]);
}

#[test]
fn sc_2_something_is_left_out() {
    assert_eq!(broken(check_exclusions, |s| s.out_of_scope.clear()), ["SC-2"]);
}

#[test]
fn sc_3_musts_are_at_most_60_percent() {
    assert_eq!(broken(check_musts, |s| s.requirements[0].effort_quarter_days = 9), ["SC-3"]);
    let single = |s: &mut Scope| {
        s.requirements[1].priority = Priority::Should;
        s.requirements[0].effort_quarter_days = 90;
    };
    assert!(broken(check_musts, single).is_empty(), "a single Must cannot be traded for another");
    let without_coulds = |s: &mut Scope| s.requirements[2].priority = Priority::Should;
    assert_eq!(broken(check_musts, without_coulds), ["SC-3"], "noticed: nothing can be left for later");
}

#[test]
fn sc_4_every_deliverable_is_complete() {
    let changes: [fn(&mut Scope); 6] = [
        |s| s.deliverables.clear(),
        |s| s.deliverables[0].name.clear(),
        |s| s.deliverables[0].description.clear(),
        |s| s.deliverables[0].acceptance.clear(),
        |s| s.deliverables[0].milestone.clear(),
        |s| s.deliverables[0].requirements = vec!["R-001".into()],
    ];
    for change in changes {
        assert_eq!(broken(check_deliverables, change), ["SC-4"]);
    }
    assert_eq!(broken(check_deliverables, |s| s.deliverables[0].requirements.push("R-099".into())), ["X-4"]);
}

#[test]
fn sc_5_an_assumption_has_an_owner_and_a_consequence() {
    assert_eq!(broken(check_assumptions, |s| s.assumptions[0].owner.clear()), ["SC-5"]);
    assert_eq!(broken(check_assumptions, |s| s.assumptions[0].if_wrong = " ".into()), ["SC-5"]);
}

#[test]
fn sc_6_nothing_is_both_in_and_out() {
    assert_eq!(broken(check_exclusions, |s| s.out_of_scope.push("r-001 IS done!".into())), ["SC-6"]);
    assert_eq!(broken(check_exclusions, |s| s.in_scope.push("A shop".into())), ["SC-6"]);
}

#[test]
fn sc_7_the_budget_covers_the_estimate_or_says_so() {
    let policy = Policy::default();
    let check = |scope: &Scope, findings: &mut Vec<Finding>| check_budget(scope, &policy, findings);
    // Twenty quarter days at 800 EUR a day are 4,000 EUR.
    let budget = |high| Budget { high_minor: high, currency: "EUR".into(), ..Budget::default() };
    assert_eq!(broken(check, |s| s.open_questions.clear()), ["SC-7"], "no budget and no question");
    assert!(broken(check, |s| s.budget = Some(budget(400_000))).is_empty());
    assert_eq!(broken(check, |s| s.budget = Some(budget(399_999))), ["SC-7"]);
    let gross = Budget { includes_vat: true, ..budget(400_000) };
    assert_eq!(broken(check, |s| s.budget = Some(gross)), ["SC-7"], "VAT counts");
    let flagged = Budget { flag: "Above the range: two options follow.".into(), ..budget(1) };
    assert!(broken(check, |s| s.budget = Some(flagged)).is_empty());
    let foreign = Budget { currency: "USD".into(), ..budget(900_000) };
    assert_eq!(broken(check, |s| s.budget = Some(foreign)), ["SC-7"], "another currency cannot be compared");
}

#[test]
fn sc_8_no_must_depends_on_an_open_question() {
    assert_eq!(broken(check_open_questions, |s| s.open_questions[0].requirements = vec!["R-001".into()]), ["SC-8"]);
    assert_eq!(broken(check_open_questions, |s| s.open_questions[0].requirements = vec!["R-099".into()]), ["X-4"]);
}

#[test]
fn sc_9_every_wish_goes_somewhere() {
    let lost = broken(check_wishes, |s| s.wishes.push(Wish { quote: "An app".into(), ..Wish::default() }));
    assert_eq!(lost, ["SC-9", "SC-9"], "the wish, and the coverage");
    assert_eq!(broken(check_wishes, |s| s.wishes.truncate(2)), ["SC-9"], "nobody asked for R-003");
    let elsewhere = |s: &mut Scope| {
        s.wishes.push(Wish { wont: true, ..Wish::default() });
        s.wishes.push(Wish { question: "Q-1".into(), ..Wish::default() });
        s.wishes.push(Wish { section: "budget".into(), quote: "Our budget is 5 EUR".into(), ..Wish::default() });
    };
    assert!(broken(check_wishes, elsewhere).is_empty());
}

#[test]
fn sc_9_no_sentence_that_asks_for_something_is_left_unheard() {
    let lead = lead();
    let later = lead.messages[1].id.to_string();
    let said = BTreeMap::from([(later, "Thank you. It should also show our opening hours. Best, Mina".to_owned())]);
    let unheard = |change: &dyn Fn(&mut Scope)| {
        let mut scope = scope();
        scope.wishes[0].quote = "We need a website with online booking".into();
        let hours = "It should also show our opening hours";
        scope.wishes.push(Wish { quote: hours.into(), question: "Q-1".into(), ..Wish::default() });
        change(&mut scope);
        let mut findings = Vec::new();
        check_heard(&lead, &scope, &said, &mut findings);
        findings.into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(unheard(&|_| {}), Vec::<String>::new());
    // What a mind leaves out of its list is found in the client's words, in the first message and in a later one.
    assert_eq!(unheard(&|s| drop(s.wishes.pop())), ["SC-9"]);
    assert_eq!(unheard(&|s| s.wishes[3].question = "Q-9".into()), ["SC-9"], "a question that nobody asks");
    let short = |s: &mut Scope| {
        s.wishes[0].quote = "We need".into();
        s.wishes[1].quote.clear();
        s.requirements.iter_mut().for_each(|r| r.quote.clear());
        s.wishes[2].quote = "A gallery would be nice to have".into();
    };
    assert_eq!(unheard(&short), ["SC-9"], "a word of the sentence is not the sentence");
    // That a wish is only about money, time or the goal is believed where it is so.
    for section in ["budget", "goal", "no such section"] {
        let hidden = |s: &mut Scope| {
            s.wishes[3].question.clear();
            s.wishes[3].section = section.into();
        };
        assert_eq!(unheard(&hidden), ["SC-9"], "{section}");
    }
}

#[test]
fn sc_11_vague_words_are_measured() {
    assert_eq!(broken(check_words, |s| s.requirements[0].text = "The site is modern".into()), ["SC-11"]);
    let measured = |s: &mut Scope| {
        s.requirements[0].text = "The site is fast".into();
        s.requirements[0].acceptance = "A page stands within 2 seconds on a phone.".into();
    };
    assert!(broken(check_words, measured).is_empty());
}

#[test]
fn x_6_dates_lie_in_order_and_inside_the_project() {
    let check = |scope: &Scope, findings: &mut Vec<Finding>| check_dates(scope, date(2026, 11, 23), findings);
    let between = |start, end| Timeline { start: Some(start), end: Some(end), ..Timeline::default() };
    let (january, march) = (date(2027, 1, 7), date(2027, 3, 31));
    assert!(broken(check, |s| s.timeline = between(january, march)).is_empty());
    assert_eq!(broken(check, |s| s.timeline = between(march, january)), ["X-6"]);
    assert_eq!(broken(check, |s| s.timeline.end = Some(date(2026, 1, 1))), ["X-6"], "before the enquiry");
    let late = |s: &mut Scope| {
        s.timeline = between(january, march);
        s.deliverables[0].due = Some(date(2027, 4, 1));
    };
    assert_eq!(broken(check, late), ["X-6"]);
}

#[test]
fn sc_12_a_scope_has_all_its_sections() {
    type Empties = fn(&mut Scope);
    let empty: [(&str, Empties); 14] = [
        ("goal", |s| s.goal = " ".into()),
        ("measures", |s| s.measures[0].number = "many".into()),
        ("measures", |s| s.measures[0].text.clear()),
        ("users", |s| s.users.clear()),
        ("in_scope", |s| s.in_scope.clear()),
        ("client_duties", |s| s.client_duties.clear()),
        ("qualities", |s| s.qualities.retain(|q| q.of != QualityKind::Accessibility)),
        ("qualities", |s| s.qualities.retain(|q| q.of != QualityKind::Privacy)),
        ("qualities", |s| s.qualities.retain(|q| q.of != QualityKind::Performance)),
        ("qualities", |s| s.qualities[3].text.clear()),
        ("risks", |s| s.risks.clear()),
        ("acceptance", |s| s.acceptance.clear()),
        ("change_rule", |s| s.change_rule.clear()),
        ("glossary", |s| s.glossary.clear()),
    ];
    for (section, change) in empty {
        assert_eq!(broken(check_sections, change), ["SC-12"], "{section}");
    }
    let undated = |s: &mut Scope| s.measures[0].by = None;
    assert_eq!(broken(check_sections, undated), ["SC-12", "SC-12"], "no date for success, and no timeline");
    let asked = |s: &mut Scope| {
        undated(s);
        s.open_questions[0].topic = "timeline".into();
    };
    assert!(broken(check_sections, asked).is_empty(), "a question about the date is an answer");
}
