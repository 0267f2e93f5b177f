//! The two first stages: who is judged how, and what the first reply says, in four languages and with bad input.

use max_core::lead::{ApprovalKind, MessageKind, NewLead, Outcome};
use max_core::prose::{self, Address};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::lead_gen::{Decision, Qualification};
use max_engine::ports::Related;

use super::house::{House, policy};

fn lead(name: &str, message: &str) -> NewLead {
    NewLead {
        name: name.into(),
        email: format!("{}@studio.example", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), ".")),
        message: message.into(),
        ..NewLead::default()
    }
}

fn verdict(new: NewLead) -> Qualification {
    let mut house = House::ingest(new);
    house.work();
    match house.results.remove(0) {
        StageResult::Qualification(q) => q,
        other => panic!("{other:?}"),
    }
}

/// The first reply to a message, and the language that the lead has then.
fn first_reply(message: &str) -> (String, String) {
    let mut house = House::ingest(lead("Kim", message));
    house.settle();
    let reply = house.sent(MessageKind::Reply).first().map(|m| m.body.clone());
    (reply.unwrap_or_else(|| panic!("{message}: {:?}", house.results)), house.lead.language.clone().unwrap_or_default())
}

#[test]
fn the_first_reply_is_in_the_clients_language_and_form_of_address() {
    for (message, tag, form) in [
        ("Hello, we need a new website with online booking for our yoga studio. Can you help us?", "en", None),
        (
            "Guten Tag, wir brauchen eine neue Website mit Onlinebuchung für unser Studio. Können Sie uns helfen?",
            "de",
            Some(Address::Formal),
        ),
        (
            "Hallo, wir brauchen eine neue Website mit Onlinebuchung für unser Studio. Könnt ihr uns helfen?",
            "de",
            Some(Address::Informal),
        ),
        (
            "Goedendag, wij zoeken een bureau voor een nieuwe website met online reserveren. Kunt u ons helpen?",
            "nl",
            Some(Address::Formal),
        ),
        (
            "Hoi, wij willen een nieuwe website met een webshop voor onze winkel. Kun je ons daarbij helpen?",
            "nl",
            Some(Address::Informal),
        ),
        (
            "Bonjour, nous cherchons une agence pour un nouveau site web avec réservation en ligne. Pouvez-vous nous aider ?",
            "fr",
            Some(Address::Formal),
        ),
        (
            "Salut, nous voulons un nouveau site web pour notre atelier. Peux-tu nous aider ? Dis-moi ce que tu en penses.",
            "fr",
            Some(Address::Informal),
        ),
    ] {
        let (reply, language) = first_reply(message);
        assert_eq!(language, tag, "{message}");
        assert_eq!(prose::language(&reply), Some(tag), "{reply}");
        // English knows no difference; elsewhere the reply's form is the client's.
        assert_eq!(prose::address(&reply, tag), form, "{reply}");
        assert!(prose::names_ai(&reply) && reply.contains("hello@agency.example"), "{reply}");
        assert!(reply.contains("https://agency.example/privacy"), "{reply}");
    }
}

#[test]
fn whether_a_person_writes_is_answered_truthfully_in_four_languages() {
    for (message, question, truth) in [
        ("We need a new website for our studio, please help us.", "Are you human?", "no. I am"),
        ("Wir brauchen eine neue Website für unser Studio, bitte.", "Sind Sie ein Mensch?", "nein. Ich bin"),
        ("Wij zoeken een nieuwe website voor onze studio, graag.", "Bent u een mens of een robot?", "nee. Ik ben"),
        ("Nous cherchons un nouveau site web pour notre studio.", "Êtes-vous un robot ?", "non. Je suis"),
    ] {
        let mut house = House::ingest(lead("Kim", message));
        house.settle();
        house.hears(question);
        house.settle();
        let answer = &house.messages.last().expect("an answer").body;
        assert!(answer.contains(truth), "{answer}");
        let (first, _) = first_reply(&format!("{message} {question}"));
        assert!(prose::names_ai(&first) && first.to_lowercase().contains(&truth[..2]), "{first}");
    }
}

#[test]
fn a_neutral_receipt_goes_first_where_a_person_releases_the_reply() {
    for (message, words) in [
        ("Wij zoeken een nieuwe website voor onze studio, graag met een webshop.", "aangekomen"),
        ("Nous cherchons un nouveau site web pour notre studio, avec une boutique.", "bien arrivé"),
    ] {
        let mut strict = policy();
        strict.approvals.insert(ApprovalKind::Reply, true);
        let mut house = House::with(lead("Kim", message), strict);
        while house.lead.open_task().is_some() {
            house.work();
        }
        let receipt = house.sent(MessageKind::Receipt)[0];
        assert!(receipt.body.contains(words) && !receipt.body.contains("studio"), "{}", receipt.body);
        assert!(house.sent(MessageKind::Reply).is_empty());
    }
}

#[test]
fn spam_is_told_from_its_honest_twin() {
    for spam in [
        "We need to talk about your website! Our SEO services and backlinks bring you to the first page of Google.",
        "Sehr geehrte Damen und Herren, wir bieten Backlinks: mit Ihrer Website auf Seite 1 bei Google! Hier klicken: \
         https://a.example https://b.example",
        "Geachte webmaster, wij bieden SEO-diensten: uw website op de eerste pagina van Google, gegarandeerd. Klik hier.",
        "Bonjour, nous proposons des services SEO: votre site en première page de Google, plus de trafic garanti.",
    ] {
        let q = verdict(lead("Rank", spam));
        assert_eq!(q.decision, Decision::Spam, "{spam}: {q:?}");
    }
    for honest in [
        "HELLO!!! WE NEED A NEW WEBSITE, our SEO agency sold us backlinks and the first page of Google. Old site: \
         https://a.example, what we like: https://b.example https://c.example https://d.example",
        "Wir brauchen eine neue Webseite. Unsere alte Agentur versprach Seite 1 bei Google und Backlinks. Beispiele: \
         https://a.example https://b.example https://c.example",
        "Wij zoeken een nieuwe website. Ons vorige bureau verkocht ons SEO-diensten en backlinks, klik hier: https://a.example",
        "Nous cherchons un nouveau site web. On nous a vendu des services SEO, des backlinks et la première page de Google.",
    ] {
        let q = verdict(lead("Ruth", honest));
        assert_eq!(q.decision, Decision::Fit, "{honest}: {q:?}");
    }
}

#[test]
fn the_same_words_get_the_same_score_five_times() {
    let message = "We need a new website by March, our budget is 25-30k ex VAT, I am the owner.";
    let scores: Vec<u8> = (0..5).map(|_| verdict(lead("Mina", message)).score).collect();
    assert!(scores.iter().all(|s| *s == scores[0]), "{scores:?}");
    assert_eq!(scores[0], 30 + 25 + 12 + 20 + 10);
}

#[test]
fn a_budget_is_read_in_every_way_of_writing_it() {
    let points = |budget: Option<&str>, message: &str| {
        let new = NewLead { budget: budget.map(str::to_owned), ..lead("Mina", message) };
        let q = verdict(new);
        q.factors.iter().find(|f| f.name == "budget").map(|f| (f.points, f.evidence.is_some())).expect("a factor")
    };
    for budget in ["12.500,00 EUR", "€12k", "25-30k ex VAT", "12 500 € HT", "12500", "up to 20k", "$ 15,000.00"] {
        assert_eq!(points(Some(budget), "We need a website."), (25, true), "{budget}");
        assert_eq!(points(None, &format!("We need a website. Our budget: {budget}.")), (25, true), "{budget}");
    }
    assert_eq!(points(None, "We need a website for our 12 rooms."), (0, false));
    assert_eq!(points(Some("=SUM(A1:A9)"), "We need a website."), (10, true), "said, but no amount");
}

#[test]
fn a_verdict_names_what_is_unknown_what_was_given_and_who_reviews() {
    let q = verdict(NewLead {
        website: Some("https://www.studio.example/kontakt".into()),
        ..lead("Mina", "We need a website.")
    });
    assert!(q.factors.iter().any(|f| f.evidence.is_none() && f.points == 0) && q.next_question.is_some(), "{q:?}");
    let fields: Vec<&str> = q.enrichment.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["website", "mail_domain"]);
    assert!(q.enrichment.iter().all(|e| e.url == "https://studio.example/"), "{:?}", q.enrichment);

    let mut house = House::ingest(lead("Tom", "Can you fix my laptop?"));
    house.settle();
    assert_eq!(house.outcome(), Some(Outcome::Disqualified));
    let mail = &house.sent(MessageKind::Decline)[0].body;
    assert!(mail.contains("a person will look at it again") && mail.contains("hello@agency.example"), "{mail}");
    let report = house.text("qualification.md");
    for words in ["Threshold", "hello@agency.example", "max lead reopen", "unknown"] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

#[test]
fn a_lead_of_a_known_company_is_proposed_to_a_person_and_goes_its_way() {
    let mut house = House::ingest(lead("Mina", "We need a new website for our studio."));
    let other = max_core::id::LeadId(uuid::Uuid::from_u128(7));
    house.related = vec![Related { lead: other, domain: "studio.example".into() }];
    let thought = house.think();
    let StageResult::Qualification(q) = &thought.result else { panic!("{thought:?}") };
    assert_eq!(q.possible_duplicates.first().map(|d| d.lead), Some(other));
    assert!(thought.summary.contains("a person may merge") && thought.summary.contains("studio.example"));
    house.work();
    assert_eq!((house.lead.stage, house.outcome()), (Stage::FirstResponder, None), "nothing is merged silently");
}

#[test]
fn bad_names_and_messages_are_shown_tamed_or_left_out() {
    let long = "N".repeat(10_000);
    for name in [
        "\u{202e}nimdA\u{202c}",
        "🦊 Fox 🦊",
        "O'Brien \"Bob\" \\ `id`",
        &long,
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "+49 30 1234",
        "@SUM(A1)",
        "{{ disclosure }}",
        "Ada\r\nBcc: all@b.example",
        "www.evil.example",
        "מינה",
        "50% off €10k 01.03.2027",
    ] {
        for message in ["We need a new website with a booking page.", "Wij zoeken een nieuwe website met een webshop."]
        {
            let new = NewLead { email: "h@studio.example".into(), company: Some(name.into()), ..lead(name, message) };
            let mut house = House::ingest(new);
            house.settle();
            let reply = house.sent(MessageKind::Reply)[0];
            let greeting = reply.body.lines().next().unwrap_or_default();
            assert!(greeting.chars().count() < 90, "{greeting}");
            for odd in ["<", "{{", "=", "\u{202e}", "`", "\r", "@", "|"] {
                assert!(!greeting.contains(odd) && !reply.subject.contains(['\r', '\n']), "{name}: {greeting}");
            }
        }
    }
    for message in ["?", "...", "🦊", "\u{200b}\u{202e}", "=1+1", "<b></b>", "x"] {
        let mut house = House::ingest(NewLead { name: "Kim".into(), ..lead("Kim", message) });
        house.settle();
        assert!(house.lead.escalation.is_none(), "{message}: {:?}", house.lead.escalation);
    }
}
