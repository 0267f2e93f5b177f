//! What stands on paper: the numbers of the typed results, in each language, and what changed between two versions.

#[expect(dead_code, reason = "the house of the playbook's tests has more words than are needed here")]
#[path = "playbook/house.rs"]
mod house;

use std::io::Write as _;
use std::process::{Command, Stdio};

use house::{House, policy};
use jiff::civil::Date;
use max_core::lead::{ClientAsk, NewLead};
use max_documents::{Lang, diff};
use serde_json::Value;

/// A lead with its answers to questions and its yes.
struct Story {
    lang: Lang,
    message: &'static str,
    answers: &'static str,
    yes: &'static str,
}

const STORIES: [Story; 4] = [
    Story {
        lang: Lang::En,
        message: "Hello, we run a yoga studio in Ulm. We need a new website with online booking for our courses and an \
                  online shop for mats. The timetable should be easy to change. We do not need an app.",
        answers: "Our customers are people between 25 and 60 who book courses. Texts and photos are there. We use Google \
                  Calendar. English and German. I decide. Budget 35,000 EUR, by the end of March.",
        yes: "Great, we accept the offer.",
    },
    Story {
        lang: Lang::De,
        message: "Guten Tag, wir sind eine Bäckerei in Ulm und brauchen eine neue Website mit Onlineshop. Wir brauchen:\n- ein \
                  Kontaktformular\n- Öffnungszeiten mit Anfahrt\n- eine Galerie unserer Torten\nEin Blog wäre schön.",
        answers: "Unsere Kunden sind Familien aus der Umgebung. Texte und Fotos liefern wir. Keine anderen Systeme. Nur \
                  Deutsch. Ich entscheide als Inhaber. Budget 32.000 Euro, bis Ende März.",
        yes: "Einverstanden, legen Sie los.",
    },
    Story {
        lang: Lang::Nl,
        message: "Goedendag, wij zoeken een bureau voor een nieuwe website met een webshop en online reserveren voor onze \
                  studio in Utrecht. Een nieuwsbrief zou mooi zijn. Kunt u ons helpen?",
        answers: "Onze klanten zijn gezinnen uit de buurt. Teksten en foto's zijn er. Geen andere systemen. Alleen \
                  Nederlands. Ik beslis. Ons budget is 32.000 euro, voor het einde van maart.",
        yes: "Akkoord, wij nemen de offerte aan.",
    },
    Story {
        lang: Lang::Fr,
        message: "Bonjour, nous cherchons une agence pour un nouveau site web avec une boutique en ligne et la réservation \
                  en ligne pour notre studio à Lyon. Une newsletter serait un plus. Pouvez-vous nous aider ?",
        answers: "Nos clients sont des familles du quartier. Les textes et les photos sont prêts. Pas d'autres systèmes. \
                  Uniquement en français. Je décide. Notre budget est de 32 000 €, avant la fin de mars.",
        yes: "D'accord, nous acceptons l'offre.",
    },
];

/// The project up to a contract that waits for its signature; what a shop costs is taxed apart.
fn contracted(story: &Story) -> House {
    let new = NewLead {
        name: "Robin Example".into(),
        email: "client@example.com".into(),
        company: Some("Example Studio".into()),
        message: story.message.into(),
        ..NewLead::default()
    };
    let mut policy = policy();
    policy.rate_card.vat_by_service.insert("shop".into(), 700);
    let mut house = House::with(new, policy);
    for _ in 0..8 {
        house.settle();
        match house.ask() {
            ClientAsk::Signature { .. } => return house,
            ClientAsk::Decision => house.hears(story.yes),
            _ => house.hears(story.answers),
        }
    }
    panic!("{:?}: no contract: {:?}", story.lang, house.lead.turn)
}

/// A PDF's words as `pdftotext` reads them, with one space between them: where a line ends says nothing. Nothing where it is not
/// installed, which `./test` makes a failure in CI.
fn read(pdf: &[u8]) -> Option<String> {
    let mut program = Command::new("pdftotext");
    let reader = program.args(["-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut reader) = reader else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "pdftotext is missing");
        return None;
    };
    let mut stdin = reader.stdin.take().expect("its input");
    let bytes = pdf.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = reader.wait_with_output().expect("its output");
    writer.join().expect("the writer").expect("written");
    Some(spaced(&String::from_utf8_lossy(&output.stdout)))
}

fn spaced(text: &str) -> String {
    text.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True when a figure stands in the text and is no part of a longer one.
fn holds(text: &str, figure: &str) -> bool {
    let figure = spaced(figure);
    let goes_on = |mut beside: std::iter::Peekable<Box<dyn Iterator<Item = char> + '_>>| {
        beside.next_if(|c| matches!(c, '.' | ','));
        beside.next().is_some_and(|c| c.is_ascii_digit())
    };
    let (first, last) = (figure.starts_with(is_digit), figure.ends_with(is_digit));
    text.match_indices(&figure).any(|(at, _)| {
        let before: Box<dyn Iterator<Item = char>> = Box::new(text[..at].chars().rev());
        let after: Box<dyn Iterator<Item = char>> = Box::new(text[at + figure.len()..].chars());
        let part_of_more = (first && goes_on(before.peekable())) || (last && goes_on(after.peekable()));
        !part_of_more
    })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Every figure of a typed result as its reader expects it: amounts, tax rates, dates.
fn figures(value: &Value, currency: &str, lang: Lang) -> Vec<String> {
    let mut found = Vec::new();
    walk("", value, &mut |path, value| match value {
        Value::Number(n) if path.ends_with("_minor") => found.push(lang.money(n.as_i64().expect("cents"), currency)),
        Value::Number(n) if path.ends_with("basis_points") => {
            found.push(lang.percent(u32::try_from(n.as_u64().expect("a rate")).expect("a rate")));
        }
        Value::String(text) => found.extend(text.parse::<Date>().ok().map(|day| lang.date(day))),
        _ => {}
    });
    found
}

fn walk(path: &str, value: &Value, tell: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(&format!("{path}.{key}"), value, tell)),
        Value::Array(items) => items.iter().for_each(|item| walk(path, item, tell)),
        other => tell(path, other),
    }
}

#[test]
fn the_contract_on_paper_holds_every_number_of_its_json() {
    for story in STORIES {
        let lang = story.lang;
        let house = contracted(&story);
        let json: Value = serde_json::from_str(house.text("contract.json")).expect("JSON");
        let Some(text) = read(&house.files["contract.pdf"]) else { return };
        let currency = json["currency"].as_str().expect("a currency");
        let rates = json["vat"].as_array().map_or(0, Vec::len);
        assert_eq!(rates, 2, "{lang:?}: two rates of tax in {}", json["vat"]);
        let wanted = figures(&json, currency, lang);
        assert!(wanted.len() > 8, "{lang:?}: {wanted:?}");
        for figure in &wanted {
            assert!(holds(&text, figure), "{lang:?}: `{figure}` of contract.json in {text}");
        }
        // What the clauses say in words: sums, days, percentages, the day of the contract.
        for slot in [
            "net",
            "vat",
            "gross",
            "payments",
            "date",
            "acceptance_days",
            "warranty_days",
            "payment_days",
            "kill_fee",
            "liability_cap",
        ] {
            let value = json["slots"][slot].as_str().unwrap_or_else(|| panic!("{slot} in {}", json["slots"]));
            assert!(holds(&text, value), "{lang:?}: `{value}` of the slot {slot} in {text}");
        }
        for line in json["annex"].as_array().expect("an annex") {
            assert!(text.contains(line["requirement"].as_str().expect("an id")), "{lang:?}: {line}");
        }
    }
}

#[test]
fn the_offer_on_paper_holds_every_number_of_its_json() {
    for story in STORIES {
        let lang = story.lang;
        let house = contracted(&story);
        let mut json: Value = serde_json::from_str(house.text("proposal.json")).expect("JSON");
        let Some(text) = read(&house.files["proposal.pdf"]) else { return };
        let currency = json["currency"].as_str().expect("a currency").to_owned();
        // Of each option the sums are shown, of the one that is recommended everything; a discount of nothing is not, and
        // the tax is shown by rate.
        let options = json["options"].take();
        let fields = json.as_object_mut().expect("an object");
        fields.retain(|key, value| match key.as_str() {
            "options" | "vat_minor" => false,
            "discount_basis_points" => *value != 0,
            _ => true,
        });
        let sums = options.as_array().into_iter().flatten().flat_map(|o| [&o["net_minor"], &o["gross_minor"]]);
        let sums = sums.map(|sum| lang.money(sum.as_i64().expect("cents"), &currency));
        let wanted: Vec<String> = figures(&json, &currency, lang).into_iter().chain(sums).collect();
        assert!(wanted.len() > 12, "{lang:?}: {wanted:?}");
        for figure in &wanted {
            assert!(holds(&text, figure), "{lang:?}: `{figure}` of proposal.json in {text}");
        }
    }
}

#[test]
fn a_number_that_is_not_on_paper_is_missed() {
    let text = spaced("in total € 1.234,50 and 12 days");
    assert!(holds(&text, "€ 1.234,50") && holds(&text, "12 days"));
    assert!(!holds(&text, "234,50") && !holds(&text, "€ 1.234,51") && !holds(&text, "2 days"));
}

/// Every document that a client reads, with a word in it that another version has otherwise.
#[test]
fn every_kind_of_document_has_a_readable_difference_to_its_next_version() {
    let story = &STORIES[0];
    let mut house = contracted(story);
    house.sign();
    house.settle();
    while house.outcome().is_none() {
        house.sign();
        house.settle();
    }
    let named = |name: &str| !name.contains('/') && name.ends_with(".md");
    let documents: Vec<&String> = house.files.keys().filter(|name| named(name)).collect();
    for kind in [
        "scope.md",
        "features.md",
        "proposal.md",
        "contract.md",
        "welcome.md",
        "plan.md",
        "milestone-M-1.md",
        "closing.md",
    ] {
        assert!(documents.iter().any(|name| *name == kind), "{kind} among {documents:?}");
    }
    for name in documents {
        let old = house.text(name);
        let lines = old.lines().filter(|l| l.split(' ').count() > 4 && !l.starts_with("<!--"));
        let word = |line: &'_ str| {
            line.split(' ').rfind(|w| w.chars().all(char::is_alphabetic) && w.len() > 2).map(str::to_owned)
        };
        let (line, word) = lines.filter_map(|l| Some((l, word(l)?))).next().expect("a line with a word");
        let word = word.as_str();
        let changed = line.replacen(word, "Rhabarber", 1);
        let new = old.replacen(line, &changed, 1);
        let changes = diff::readable(old, &new);
        assert_eq!(changes.len(), 1, "{name}: {changes:?}");
        let pieces: Vec<(diff::Kind, &str)> = changes[0].pieces.iter().map(|p| (p.kind, p.text.trim())).collect();
        assert!(pieces.contains(&(diff::Kind::Added, "Rhabarber")), "{name}: {pieces:?}");
        assert!(pieces.contains(&(diff::Kind::Removed, word)), "{name}: {pieces:?}");
        assert!(diff::markdown(&changes, Lang::De).contains("Rhabarber"));
    }
}
