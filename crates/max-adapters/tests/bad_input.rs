//! What clients write that nobody expects, in every field, and what becomes of it in every format a document has.

#[expect(dead_code, reason = "the house of the playbook's tests has more words than are needed here")]
#[path = "playbook/house.rs"]
mod house;

use house::{House, policy};
use jiff::civil::date;
use max_adapters::mail::parse::{MailError, parse};
use max_core::command::{Command, Request};
use max_core::decide::decide;
use max_core::id::{Fresh, LeadId};
use max_core::lead::{Actor, ApprovalKind, Direction, NewLead};
use max_core::stage::Stage;
use max_core::stages::scoping::Scope;
use max_documents::Lang;

/// What is written, by what it is.
fn strange() -> Vec<(&'static str, String)> {
    let known = [
        ("right to left", "שלום \u{202e}05\u{202c} مرحبا بالعالم"),
        ("emoji", "👩‍👩‍👧‍👦 🇩🇪 🦊❤️"),
        ("quotes", "O'Hara \"the\" `one` “two” «three» \\ \\\" '"),
        ("HTML", "<script>alert(1)</script><img src=x onerror=alert(1)><b onclick='x'>bold</b> &lt; </style> <!--"),
        (
            "Markdown",
            "# head\n- item\n> quote\n| a | b |\n```\ncode\n[x](javascript:alert(1)) ![y](http://y.example/p.png)",
        ),
        ("a spreadsheet formula", "=HYPERLINK(\"http://x.example\",\"y\") +1 -1 @SUM(A1:A9)\t=cmd|' /C calc'!A0"),
        ("typst", "#read(\"/etc/passwd\") #import \"x.typ\" $x^2$ *b* _e_ <label> @ref // /*"),
        ("a template", "{{ agency }} {% for x in y %} {# z #} ${a} %s"),
        ("control characters", "a\u{0}b\u{7}c\u{1b}[31md\u{85}e\u{feff}f\r\ng\u{b}h"),
        ("lone combining marks", "\u{301}\u{302}\u{20dd} a\u{301}\u{301}\u{301}\u{301} \u{200d}\u{fe0f}"),
        ("no letters", "??? !!! … — · 123 ٤٢"),
        ("unassigned and private", "\u{2121} \u{f130} \u{e000} \u{10fffd} \u{378}"),
    ];
    let mut all: Vec<(&str, String)> = known.into_iter().map(|(what, text)| (what, text.to_owned())).collect();
    all.push(("ten thousand characters in one word", "Ü".repeat(10_000)));
    all.push(("ten thousand characters in words", "we need 😀 wörds ".repeat(588)));
    all
}

/// A project whose client writes this into every field there is, as far as it goes.
fn played(text: &str) -> House {
    let mut house = House::ingest(NewLead {
        name: text.into(),
        email: "client@example.com".into(),
        company: Some(text.into()),
        phone: Some(text.into()),
        role: Some(text.into()),
        website: Some(text.into()),
        message: format!("We need a website with online booking and a gallery. {text} We need a contact form. {text}"),
        budget: Some(format!("15,000 EUR {text}")),
        timeline: Some(text.into()),
        ..NewLead::default()
    });
    house.settle();
    // Answers in another script are a person's to read, which is another test's matter.
    let answers = "Our customers book courses. Texts and photos are there. English only. I decide. No other systems.";
    for said in [answers, answers, "We accept the offer."] {
        if house.outcome().is_some() || house.lead.escalation.is_some() {
            break;
        }
        house.hears(said);
        house.settle();
    }
    house
}

#[test]
fn whatever_a_client_writes_stays_text_in_every_format() {
    for (what, text) in strange() {
        let house = played(&text);
        assert!(
            house.files.contains_key("scope.pdf"),
            "{what}: it came to a scope: {:?} {:?}",
            house.lead.turn,
            house.results.last()
        );
        for (name, bytes) in &house.files {
            let place = format!("{what} in {name}");
            match name.rsplit('.').next() {
                Some("html") => html(std::str::from_utf8(bytes).expect("text"), &place),
                Some("md") => markdown(std::str::from_utf8(bytes).expect("text"), &place),
                Some("json") => drop(serde_json::from_slice::<serde_json::Value>(bytes).expect(&place)),
                Some("pdf") => assert!(bytes.starts_with(b"%PDF-") && bytes.len() > 5_000, "{place}"),
                _ => {}
            }
        }
        for mail in house.messages.iter().filter(|m| m.direction == Direction::Out) {
            assert!(!mail.subject.contains(['\r', '\n']), "{what}: no header is added by {:?}", mail.subject);
            visible(&mail.body, &format!("{what} in a mail"));
        }
    }
}

/// No character that hides something or turns it round.
fn visible(text: &str, place: &str) {
    let bad = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let found = text.chars().find(|c| bad(*c));
    assert!(found.is_none(), "{place}: {found:?}");
}

/// Only elements and attributes that our own writers make.
fn html(page: &str, place: &str) {
    visible(page, place);
    // Between the tags of a page everything is escaped, so a `<` begins a tag of ours.
    let css = page.find("<style>").map_or(0..0, |from| from..page.find("</style>").map_or(from, |to| to));
    let body = format!("{}{}", &page[..css.start], &page[css.end..]);
    for tag in body.split('<').skip(1) {
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        for bad in ["script", "iframe", "object", "embed", "img", "base", "link"] {
            assert_ne!(name, bad, "{place}: <{}", tag.chars().take(80).collect::<String>());
        }
        // Outside of quoted values an attribute is a name of ours.
        let inside = tag.split('>').next().unwrap_or_default();
        let names: String = inside.split('"').step_by(2).collect();
        assert!(!names.contains(" on") && !names.contains('\''), "{place}: <{inside}");
        assert!(!inside.contains("href=\"javascript"), "{place}: <{inside}");
    }
}

fn markdown(text: &str, place: &str) {
    visible(text, place);
    for line in text.lines().filter(|l| !l.starts_with("<!-- MAX")) {
        // A tag and a link begin with a sign that is escaped.
        for (at, _) in line.match_indices('<').chain(line.match_indices("](")) {
            assert!(line[..at].ends_with('\\'), "{place}: {}", line.chars().take(120).collect::<String>());
        }
        assert!(!line.starts_with("```") && !line.starts_with("# head") && !line.starts_with('='), "{place}: {line}");
    }
}

#[test]
fn amounts_and_dates_are_read_as_they_are_written() {
    struct Case {
        says: &'static str,
        low: i64,
        high: i64,
        includes_vat: Option<bool>,
        shown: &'static str,
    }
    let case = |says, low, high, includes_vat, shown| Case { says, low, high, includes_vat, shown };
    for case in [
        case("Our budget is 12.500,00 EUR.", 0, 1_250_000, None, "€12,500.00"),
        case("Our budget is €12k.", 0, 1_200_000, None, "€12,000.00"),
        case("Our budget is 25-30k ex VAT.", 2_500_000, 3_000_000, Some(false), "€25,000.00"),
        case("Our budget is 25-30k ex VAT.", 2_500_000, 3_000_000, Some(false), "€30,000.00"),
    ] {
        let mut house = House::ingest(NewLead {
            name: "Robin Example".into(),
            email: "client@example.com".into(),
            message: format!("We need a website with online booking. {} It has to be online by 01.03.2027.", case.says),
            ..NewLead::default()
        });
        house.settle();
        house.hears("Our guests use it. Texts and photos are there. English only. I decide. No other systems.");
        house.settle_until_scope();
        assert_eq!(house.lead.pending_approval().map(|a| a.kind), Some(ApprovalKind::Scope));
        let scope: Scope = house.lead.stage_value(Stage::Scoping, "scope").expect("a scope");
        let budget = scope.budget.as_ref().unwrap_or_else(|| panic!("a budget in {}", case.says));
        assert_eq!((budget.low_minor, budget.high_minor), (case.low, case.high), "{}: {budget:?}", case.says);
        assert_eq!(budget.currency, "EUR");
        if let Some(includes) = case.includes_vat {
            assert_eq!(budget.includes_vat, includes, "{}", case.says);
        }
        assert_eq!(scope.timeline.end, Some(date(2027, 3, 1)), "{:?}", scope.timeline);
        for form in ["scope.md", "scope.html"] {
            assert!(house.text(form).contains(case.shown), "{} in {form}", case.shown);
            assert!(house.text(form).contains(&Lang::En.date(date(2027, 3, 1))), "the day in {form}");
        }
    }
}

#[test]
fn an_empty_message_is_refused_with_a_sentence() {
    for message in ["", "   ", "\n\t\r\n", "\u{a0}\u{2003}"] {
        let new = NewLead {
            name: "Robin".into(),
            email: "r@example.com".into(),
            message: message.into(),
            ..NewLead::default()
        };
        let request = Request::new(Actor::Client, Command::Ingest { lead: Box::new(new) });
        let now = "2026-11-23T09:00:00Z".parse().expect("a moment");
        let id = LeadId(uuid::Uuid::from_u128(1));
        let refused = decide(None, id, &request, &mut Fresh::new(now, 1), &policy()).expect_err("nothing to work with");
        assert!(refused.reason.to_string().contains("message"), "{message:?}: {}", refused.reason);
    }
}

/// A mail with a file of this type and name.
fn mail(kind: &str, name: &str) -> Vec<u8> {
    format!(
        "From: Robin <r@example.com>\r\nTo: hello@agency.example\r\nSubject: A website\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         We need a website.\r\n--x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\nTVqQAAMAAAAEAAAA\r\n--x--\r\n"
    )
    .into_bytes()
}

#[test]
fn a_file_of_the_wrong_type_is_named_and_never_read_as_words() {
    for (kind, name) in [
        ("application/x-msdownload", "invoice.exe"),
        ("text/html", "page.html"),
        ("image/svg+xml", "logo.svg"),
        ("text/plain", "../../etc/passwd"),
        ("no/such-type", "=cmd.csv"),
    ] {
        let read = parse(&mail(kind, name)).expect("a mail");
        assert_eq!(read.text.trim(), "We need a website.", "{name}");
        assert_eq!(read.attachments.len(), 1, "{name}: {:?}", read.attachments);
        assert!(!read.text.contains("TVqQ") && !read.text.contains("MZ"), "{name}");
    }
    let picture = parse(b"\x89PNG\r\n\x1a\n\x00\x00");
    assert!(matches!(picture, Err(MailError::NoMail | MailError::NoSender)), "a picture is no mail: {picture:?}");
}
