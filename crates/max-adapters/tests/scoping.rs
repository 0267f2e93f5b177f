//! Scoping by the playbook: what is asked and what is not, how answers come back, how wishes become a scope, and what
//! becomes of an enquiry that is too large to be judged by rules.

#[path = "playbook/house.rs"]
#[expect(dead_code, reason = "each test program uses its own part")]
mod house;

use std::fmt::Write as _;
use std::time::Instant;

use house::House;
use max_core::lead::{ApprovalKind, Direction, MessageKind, NewLead, Outcome};
use max_core::rules::Weight;
use max_core::stage::Stage;
use max_core::stages::scoping::{Bid, Priority, Questions, Scope};
use max_core::stages::{Finding, StageResult, Work, check_said};

fn lead(message: &str) -> NewLead {
    NewLead {
        name: "Robin Example".into(),
        email: "client@example.com".into(),
        company: Some("Example Studio".into()),
        message: message.into(),
        ..NewLead::default()
    }
}

/// The lead at its scope: the client says `answers` whenever something is asked.
fn scoped(new: NewLead, answers: &[&str]) -> (House, Scope) {
    let mut house = House::ingest(new);
    let mut answers = answers.iter().chain(std::iter::repeat(&"That is all we know."));
    for _ in 0..12 {
        while house.lead.open_task().is_some() {
            house.work();
        }
        match house.lead.pending_approval().map(|a| a.kind) {
            Some(ApprovalKind::Scope) => break,
            Some(_) => house.decide(true, None),
            None => house.hears(answers.next().expect("an answer")),
        }
    }
    let scope = house.lead.stage_value(Stage::Scoping, "scope").expect("a scope");
    (house, scope)
}

/// What was asked so far, by topic.
fn asked(house: &House) -> Vec<String> {
    let last: Option<Questions> = house.lead.stage_value(Stage::Scoping, "questions");
    last.into_iter().flat_map(|q| q.earlier.into_iter().chain(q.questions)).map(|q| q.topic).collect()
}

/// What the client's own words, over all messages, tell against the scope: quotes that nobody said, wishes unheard.
fn unsaid(house: &House, scope: &Scope) -> Vec<Finding> {
    let his = house.messages.iter().filter(|m| m.direction == Direction::In);
    let said = his.map(|m| (m.id.to_string(), m.body.clone())).collect();
    let work = Work {
        result: StageResult::Scope(scope.clone()),
        messages: Vec::new(),
        artifacts: Vec::new(),
        summary: String::new(),
        voice: String::new(),
        instead_of: Vec::new(),
    };
    check_said(&house.lead, &work, &said)
}

const TELLING: &[(&str, &str)] = &[
    ("timeline", "It should go live in March."),
    ("timeline", "Die Seite soll bis Ende März fertig sein."),
    ("timeline", "De site moet voor het einde van maart klaar zijn."),
    ("timeline", "Le site doit être en ligne en mars."),
    ("budget", "Our budget is 12.500,00 EUR."),
    ("budget", "Wir haben etwa 12k € eingeplant."),
    ("budget", "Ons budget is 12.500 euro."),
    ("budget", "Nous avons 12 500 € pour cela."),
    ("audience", "Our guests will use it."),
    ("audience", "Unsere Kunden werden sie nutzen."),
    ("audience", "Onze klanten gaan de site gebruiken."),
    ("audience", "Nos visiteurs vont l'utiliser."),
    ("content", "The texts are written already."),
    ("content", "Texte und Bilder liefern wir."),
    ("content", "De teksten zijn er al."),
    ("content", "Les textes existent déjà."),
    ("integrations", "It has to work with our CRM."),
    ("integrations", "Keine anderen Systeme."),
    ("integrations", "Er zijn geen andere systemen."),
    ("integrations", "Il n'y a aucun autre système."),
    ("decision", "I decide as the owner."),
    ("decision", "Ich entscheide als Inhaber."),
    ("decision", "Ik beslis als eigenaar."),
    ("decision", "Je décide en tant que gérant."),
    ("languages", "In English and French."),
    ("languages", "Auf Deutsch und Englisch."),
    ("languages", "In het Nederlands en Engels."),
    ("languages", "En français et en anglais."),
    ("hosting", "The hosting stays where it is."),
    ("hosting", "Das Hosting bleibt, wo es ist."),
    ("hosting", "De hosting blijft waar die is."),
    ("hosting", "L'hébergement reste chez le même fournisseur."),
];

#[test]
fn what_was_said_is_never_asked_in_any_language() {
    for (topic, sentence) in TELLING {
        let opening = match sentence {
            s if s.contains("Wir") || s.contains("soll") => "Guten Tag, wir brauchen eine neue Webseite.",
            _ => "Hello, we need a new website.",
        };
        let (house, _) = scoped(lead(&format!("{opening} {sentence}")), &[]);
        assert!(!asked(&house).iter().any(|t| t == topic), "{topic} was said: {sentence}");
    }
}

#[test]
fn what_the_form_says_is_not_asked_either() {
    let new = NewLead {
        budget: Some("25-30k ex VAT".into()),
        timeline: Some("01.03.2027".into()),
        role: Some("Owner".into()),
        ..lead("We need a new website.")
    };
    let (house, scope) = scoped(new, &[]);
    let asked = asked(&house);
    for topic in ["budget", "timeline", "decision"] {
        assert!(!asked.iter().any(|t| t == topic), "{asked:?}");
    }
    let budget = scope.budget.expect("a budget");
    assert_eq!((budget.low_minor, budget.high_minor, budget.includes_vat), (2_500_000, 3_000_000, false));
    assert_eq!(scope.timeline.end, Some(jiff::civil::date(2027, 3, 1)));
}

#[test]
fn questions_come_in_rounds_of_five_and_none_comes_twice() {
    let opening = "We need an online shop with payment, a member area where people log in, and a booking calendar.";
    let mut house = House::ingest(lead(opening));
    house.settle();
    let mut rounds = 0;
    for answer in
        ["Thanks.", "1. In March.\n2. 40k EUR\n3. not known yet", "We will see.", "We will see.", "We will see."]
    {
        house.hears(answer);
        while house.lead.open_task().is_some() {
            house.work();
        }
        rounds += usize::from(matches!(house.results.last(), Some(StageResult::Questions(_))));
        if house.lead.pending_approval().is_some() {
            break;
        }
    }
    assert!((2..=3).contains(&rounds), "{rounds} rounds");
    for mail in house.sent(MessageKind::Questions) {
        assert!(mail.body.matches('?').count() <= 5, "{}", mail.body);
    }
    let mut topics = asked(&house);
    let all = topics.len();
    topics.sort();
    topics.dedup();
    assert_eq!(topics.len(), all, "nothing is asked twice");
    let scope: Scope = house.lead.stage_value(Stage::Scoping, "scope").expect("a scope");
    let answer = |topic: &str| scope.answers.iter().find(|a| a.topic == topic).map(|a| a.quote.as_str());
    assert_eq!(answer("timeline"), Some("In March."), "{:?}", scope.answers);
    assert_eq!(answer("budget"), Some("40k EUR"));
    assert_eq!(scope.timeline.end, Some(jiff::civil::date(2027, 3, 31)));
    assert_eq!(scope.budget.as_ref().map(|b| b.high_minor), Some(4_000_000));
    assert!(scope.open_questions.iter().any(|q| q.topic == "audience"), "not known yet is still open");
    assert!(unsaid(&house, &scope).is_empty(), "{:?}", unsaid(&house, &scope));
}

#[test]
fn a_scope_has_all_its_sections_and_breaks_no_rule() {
    let openings = [
        "Hello, we run a yoga studio. We need a new website with online booking for our courses and a photo gallery. A \
         newsletter would be nice to have. We do not need an online shop. Budget 25,000 EUR, by the end of March.",
        "Guten Tag, wir brauchen eine neue Webseite mit Terminbuchung und einer Galerie. Ein Blog wäre schön. Wir brauchen \
         keinen Onlineshop. Budget 25.000 Euro, bis Ende März.",
        "Goedendag, wij zoeken een nieuwe website met een reserveringssysteem en een galerij voor onze gasten. Een \
         nieuwsbrief zou mooi zijn. We hebben geen webshop nodig. Ons budget is 25.000 euro, voor het einde van maart.",
        "Bonjour, nous cherchons un nouveau site web avec une réservation en ligne et une galerie pour nos visiteurs. Une \
         newsletter serait un plus. Nous n'avons pas besoin de boutique en ligne. Notre budget est de 25 000 €, d'ici fin mars.",
    ];
    for opening in openings {
        let (house, scope) = scoped(lead(opening), &[]);
        let blocking: Vec<_> =
            house.lead.pending_approval().map(|_| check(&house, &scope)).into_iter().flatten().collect();
        assert!(blocking.is_empty(), "{opening}: {blocking:?}");
        assert!(scope.requirements.iter().any(|r| r.priority == Priority::Wont), "{:?}", scope.requirements);
        assert!(scope.requirements.iter().any(|r| r.priority == Priority::Could), "{:?}", scope.requirements);
        assert!(!scope.measures.is_empty() && !scope.users.is_empty() && !scope.in_scope.is_empty());
        assert!(!scope.deliverables.is_empty() && !scope.assumptions.is_empty() && !scope.dependencies.is_empty());
        assert!(scope.qualities.len() >= 4 && !scope.risks.is_empty() && !scope.glossary.is_empty());
        assert!(!scope.acceptance.is_empty() && !scope.change_rule.is_empty());
        assert_eq!(scope.budget.as_ref().map(|b| b.high_minor), Some(2_500_000), "{opening}");
        assert_eq!(scope.timeline.end, Some(jiff::civil::date(2027, 3, 31)), "{opening}");
        assert!(unsaid(&house, &scope).is_empty(), "{:?}", unsaid(&house, &scope));
        for file in ["scope.json", "scope.md", "scope.html", "scope.pdf"] {
            assert!(house.files.contains_key(file), "{file}");
        }
    }
}

/// What blocks the scope, by the rules that need no policy.
fn check(house: &House, scope: &Scope) -> Vec<Finding> {
    use max_core::stages::scoping as rules;
    let mut findings = Vec::new();
    rules::check_requirements(scope, &mut findings);
    rules::check_exclusions(scope, &mut findings);
    rules::check_musts(scope, &mut findings);
    rules::check_deliverables(scope, &mut findings);
    rules::check_assumptions(scope, &mut findings);
    rules::check_budget(scope, &house.policy, &mut findings);
    rules::check_open_questions(scope, &mut findings);
    rules::check_wishes(scope, &mut findings);
    findings.extend(unsaid(house, scope));
    findings.retain(|f| f.weight >= Weight::Blocks);
    findings
}

#[test]
fn what_the_client_stresses_is_a_must_and_the_rest_leaves_room() {
    let (_, scope) = scoped(
        lead("We need a website. We need an online shop. The contact form is essential. We need a gallery and a blog."),
        &[],
    );
    let of = |word: &str| scope.requirements.iter().find(|r| r.text.to_lowercase().contains(word)).map(|r| r.priority);
    assert_eq!(of("form"), Some(Priority::Must), "{:?}", scope.requirements);
    assert!(scope.share(Priority::Must) <= 6_000, "{:?}", scope.requirements);
    assert!(scope.requirements.iter().any(|r| r.priority == Priority::Should));
}

/// An enquiry of 120,000 characters with hundreds of different wishes.
fn long_enquiry() -> String {
    let things =
        ["gallery", "contact form", "booking page", "blog", "report", "login", "map", "shop", "export", "logo"];
    let mut text = String::from("Hello, we run a group of houses and need a new web platform.\n");
    let mut n = 0;
    while text.len() < 120_000 {
        let thing = things[n % things.len()];
        writeln!(text, "House number {n} must have a {thing} of its own kind, as described on sheet {n} of our plan.")
            .expect("written");
        n += 1;
    }
    text + "At the very end: the last wish must be a zebra counter.\n"
}

#[test]
fn a_long_enquiry_is_read_whole_after_a_person_has_said_bid() {
    let mut house = House::ingest(lead(&long_enquiry()));
    house.settle();
    house.hears("Thank you.");
    house.settle_until(ApprovalKind::Bid);
    let bid: Bid = house.lead.stage_value(Stage::Scoping, "bid").expect("a bid");
    assert!(bid.characters > 120_000 && bid.wishes > 1_000, "{bid:?}");
    assert!(house.sent(MessageKind::Questions).is_empty(), "nothing goes out before the bid");
    house.decide(true, None);
    while house.lead.pending_approval().is_none_or(|a| a.kind != ApprovalKind::Scope) {
        if house.lead.open_task().is_some() {
            let began = Instant::now();
            house.work();
            eprintln!("a turn took {:?}", began.elapsed());
        } else if house.lead.pending_approval().is_some() {
            house.decide(true, None);
        } else {
            house.hears("That is all we know.");
        }
    }
    let scope: Scope = house.lead.stage_value(Stage::Scoping, "scope").expect("a scope");
    assert!(scope.requirements.len() <= 130, "{}", scope.requirements.len());
    let last = scope.wishes.iter().find(|w| w.quote.contains("zebra")).expect("the last wish");
    assert!(!last.met_by.is_empty());
    let lines = house.lead.contact.message.lines().filter(|l| l.contains("must")).count();
    let covered = scope.wishes.iter().filter(|w| w.quote.contains("must") && !w.met_by.is_empty()).count();
    assert_eq!(covered, lines, "every wish is met");
    assert!(check(&house, &scope).iter().all(|f| f.rule == "SC-3"), "{:?}", check(&house, &scope));
}

#[test]
fn no_bid_ends_the_lead_politely() {
    let mut house = House::ingest(lead(&long_enquiry()));
    house.settle();
    house.hears("Thank you.");
    house.settle_until(ApprovalKind::Bid);
    house.decide(false, Some("Too large for us this year."));
    house.settle();
    assert_eq!(house.outcome(), Some(Outcome::Disqualified));
    let mails = house.sent(MessageKind::Decline);
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].body.contains("not be in good hands") && !mails[0].body.contains("Too large"),
        "{}",
        mails[0].body
    );
}

#[test]
fn an_ordinary_enquiry_needs_no_bid() {
    let (house, _) = scoped(lead("We need a website with a gallery."), &[]);
    assert!(!house.results.iter().any(|r| matches!(r, StageResult::Bid(_))));
    assert_ne!(house.lead.pending_approval().map(|a| a.kind), Some(ApprovalKind::Bid));
}

#[test]
fn sentences_that_a_mail_program_broke_are_read_whole() {
    let (_, scope) = scoped(
        lead(
            "I need a website for my yoga studio where members can log in and book\n\
             courses, and a calendar must show free places. We have photos and we write\n\
             the texts ourselves. There are no other systems to connect. English only. I\n\
             decide. Our customers are families from the town, and most of them use their\n\
             phones. Budget 9,000 EUR, by the end of March.",
        ),
        &["That is all we know."],
    );
    let said: Vec<&str> = scope.users.iter().map(|u| u.text.as_str()).collect();
    assert!(said.iter().any(|text| text.ends_with("most of them use their phones")), "{said:?}");
    let assumed: Vec<&str> = scope.assumptions.iter().map(|a| a.text.as_str()).collect();
    assert!(assumed.iter().any(|text| text.contains("no other systems to connect")), "{assumed:?}");
    assert!(scope.requirements.iter().any(|r| r.quote.contains("show free places")), "{:?}", scope.requirements);
}
