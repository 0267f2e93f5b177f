//! The writers, asked about every kind of block and about the worst that a client writes.

use jiff::civil::date;
use max_core::id::Digest;

use crate::doc::{Block, Card, Column, Doc, Row, Signer, Table, Text, Tone};
use crate::{Lang, Letterhead};

/// A document with every kind of block.
pub fn sample(lang: Lang) -> Doc {
    let head = Letterhead {
        agency: "Studio Nordlicht".into(),
        agency_address: "Beispielgasse 7, 12345 Musterstadt".into(),
        agency_mail: "hallo@nordlicht.example".into(),
        client: "Bäckerei Krume & Sohn".into(),
        person: "Berta Krume".into(),
        disclosure: "This text was written by an AI assistant. Write to hallo@nordlicht.example to reach a person."
            .into(),
        date: date(2026, 11, 23),
    };
    let mut doc = Doc::new("Scope", "Online shop for Bäckerei Krume & Sohn", &head, lang);
    doc.meta.persona = "Clara".into();
    doc.meta.voice = "playbook".into();
    doc.meta.approver = "Nora Beispiel".into();
    doc.meta.source = Some(Digest::of(b"{}"));
    doc.push(Block::Standfirst(
        "Regulars order bread until six in the evening and collect it at seven the next morning, without a phone call."
            .into(),
    ));
    doc.section("What is to be reached");
    doc.para(
        Text::default()
            .plain("Half of the ")
            .strong("telephone orders")
            .plain(" move to the shop by ")
            .strong("1 March 2027")
            .plain("; counted by the till, source ")
            .code("msg-0192")
            .soft(" (said on the phone)")
            .plain("."),
    );
    doc.push(Block::Quote {
        text: "We lose about two hours every morning on the phone.\nThat has to stop.".into(),
        source: "Berta Krume, 12 November 2026".into(),
    });
    doc.list([
        "Orders by day and branch",
        "Payment on collection or by card",
        "A list for the bakery at 19:00, printed without a click",
    ]);
    doc.push(Block::Facts(vec![
        ("Start".into(), "4 January 2027".into()),
        ("Hosting".into(), "At the agency's provider, in the EU".into()),
    ]));
    doc.section("What will be built");
    for n in 1..=4 {
        let (tag, tone) =
            [("Must", Tone::Must), ("Should", Tone::Should), ("Could", Tone::Could), ("Won't", Tone::Wont)][n - 1];
        doc.push(Block::Card(Card {
            id: format!("R-{n:03}"),
            tag: tag.into(),
            tone,
            title: "A customer orders bread for a branch and a day".into(),
            facts: vec![
                ("Accepted when".into(), "An order placed before 18:00 stands on the list of the same evening, with branch, name and time of collection.".into()),
                ("Effort".into(), "2.5 days".into()),
                ("Said by the client".into(), Text::default().plain("“order until six in the evening” ").soft("message 1")),
            ],
        }));
    }
    doc.section("Price");
    doc.push(Block::Table(prices()));
    doc.push(Block::Note(
        Text::default()
            .strong("Changes")
            .plain(" to this scope are agreed in writing as a numbered change order, before work on them starts."),
    ));
    doc.push(Block::Heading { level: 3, text: "Order of payment".into() });
    doc.push(Block::List { ordered: true, items: vec!["30 % on signature".into(), "70 % on acceptance".into()] });
    doc.section("Signature");
    doc.push(Block::Signatures(vec![
        Signer { role: "For the client".into(), name: "Berta Krume".into(), note: "Place, date".into() },
        Signer { role: "For Studio Nordlicht".into(), name: "Nora Beispiel".into(), note: "Place, date".into() },
    ]));
    doc
}

fn prices() -> Table {
    let row = |cells: [&str; 5], tone| Row { cells: cells.map(Text::from).to_vec(), tone };
    Table {
        columns: [("Requirement", false), ("What", false), ("Effort", true), ("Rate", true), ("Amount", true)]
            .map(|(title, number)| Column { title: title.into(), number })
            .to_vec(),
        rows: vec![
            row(
                [
                    "R-001, R-002",
                    "Ordering by branch and day, with a closing time each branch sets",
                    "2.5 days",
                    "€880.00",
                    "€2,200.00",
                ],
                Tone::Plain,
            ),
            row(["R-003", "Payment by card", "1.25 days", "€880.00", "€1,100.00"], Tone::Plain),
            row(["", "Net", "", "", "€3,300.00"], Tone::Sum),
            row(["", "VAT 19%", "", "", "€627.00"], Tone::Plain),
            row(["", "Total", "", "", "€3,927.00"], Tone::Total),
        ],
    }
}

#[test]
fn a_document_has_three_forms() {
    let rendered = sample(Lang::En).render().expect("rendered");
    assert!(rendered.pdf.starts_with(b"%PDF-"));
    keep("sample", &sample(Lang::En));
}

/// What a client may write into every field there is.
fn hostile() -> Doc {
    let evil = [
        "<script>alert(1)</script> & <b onclick=x>\"'",
        "#read(\"/etc/passwd\") #import \"x.typ\" $x^2$ *not bold* _no_ `raw` @ref <label> \\ // /* */",
        "[link](javascript:alert(1)) ![x](http://x.example/p.png) | pipe | **no** ~~no~~ {{ 7*7 }}",
        "=HYPERLINK(\"http://x.example\") +1 -1 @SUM(A1)",
        "שלום עולם, הזמנה 42 — مرحبا بالعالم، طلب ١٢٣",
        "👩‍👩‍👧‍👦 emoji 🇩🇪 日本語 ไทย",
        "1. not a list\n- not an item\n# not a heading\n> no quote\n\n    no code\n---\n<!-- no comment -->",
        "\u{202e}05\u{202c} \u{0}\u{7}\u{1b}[31mred\u{feff}",
    ];
    let long = "Ü".repeat(10_000);
    let all = || evil.iter().map(|e| (*e).to_owned()).chain([long.clone(), "word ".repeat(2_000)]);
    let mut doc = sample(Lang::De);
    doc.blocks.clear();
    doc.head.client = long.clone();
    doc.head.person = evil.join(" ");
    doc.head.agency = evil[0].into();
    doc.title = evil.join(" ");
    doc.meta.approver = "x --> <script>\"".into();
    for text in all() {
        doc.push(Block::Card(Card {
            id: text.clone(),
            tag: text.clone(),
            tone: Tone::Bad,
            title: text.clone(),
            facts: vec![(text.clone(), text.as_str().into())],
        }));
        doc.push(Block::Heading { level: 3, text: text.clone() });
        doc.push(Block::Heading { level: 2, text: text.clone() });
        doc.para(Text::default().plain(&text).strong(&text).soft(&text).code(&text));
        doc.push(Block::Quote { text: text.clone(), source: text.clone() });
        doc.list([text.as_str(), ""]);
        doc.push(Block::List { ordered: true, items: vec![text.as_str().into()] });
        doc.push(Block::Facts(vec![(text.clone(), text.as_str().into())]));
        doc.push(Block::Note(text.as_str().into()));
        doc.push(Block::Standfirst(text.as_str().into()));
        let columns = vec![Column { title: text.clone(), number: false }, Column { title: text.clone(), number: true }];
        let row = |tone| Row { cells: vec![text.as_str().into(), text.as_str().into()], tone };
        doc.push(Block::Table(Table { columns, rows: vec![row(Tone::Plain), row(Tone::Total)] }));
        doc.push(Block::Signatures(vec![Signer { role: text.clone(), name: text.clone(), note: text.clone() }]));
    }
    doc.push(Block::Table(Table::default()));
    doc.push(Block::Signatures(Vec::new()));
    doc.push(Block::Facts(Vec::new()));
    doc.push(Block::List { ordered: false, items: Vec::new() });
    doc.push(Block::PageBreak);
    doc
}

#[test]
fn a_clients_text_stays_text_in_every_form() {
    let doc = hostile();
    keep("hostile", &doc);
    let html = doc.html();
    assert!(!html.contains("<script>") && !html.contains("<b onclick"));
    let markdown = doc.markdown();
    assert!(!markdown.contains("<script>"));
    for line in markdown.lines().filter(|l| l.contains("not a heading")) {
        assert!(!line.starts_with("# not") && !line.starts_with("1. not a"), "{line}");
    }
    assert!(!html.contains('\u{202e}') && !markdown.contains('\u{202e}') && !markdown.contains('\u{1b}'));
    doc.pdf().expect("whatever a client writes, there is a PDF");
}

fn keep(name: &str, doc: &Doc) {
    let Some(to) = std::env::var_os("MAX_TEST_KEEP") else { return };
    let to = std::path::Path::new(&to);
    let rendered = doc.render().expect("rendered");
    std::fs::write(to.join(format!("{name}.md")), &rendered.markdown).expect("written");
    std::fs::write(to.join(format!("{name}.html")), &rendered.html).expect("written");
    std::fs::write(to.join(format!("{name}.pdf")), &rendered.pdf).expect("written");
}

#[test]
fn x_1_the_same_document_gives_the_same_bytes() {
    let (one, other) = (sample(Lang::Fr).render().expect("rendered"), sample(Lang::Fr).render().expect("rendered"));
    assert_eq!(one, other);
    let mut next = sample(Lang::Fr);
    next.meta.version = 2;
    assert_ne!(next.render().expect("rendered").pdf, one.pdf);
}

#[test]
fn x_7_every_form_says_that_it_was_drafted_by_ai_and_who_answers_for_it() {
    for lang in Lang::ALL {
        let rendered = sample(lang).render().expect("rendered");
        let pdf = String::from_utf8_lossy(&rendered.pdf);
        let digest = Digest::of(b"{}").to_string();
        for mark in ["AI-drafted", "persona=Clara", "voice=playbook", "approver=Nora Beispiel", digest.as_str()] {
            assert!(rendered.html.contains(mark), "{mark} in the HTML");
            assert!(rendered.markdown.contains(mark), "{mark} in the Markdown");
            assert!(pdf.contains(mark), "{mark} in the PDF");
        }
        assert!(rendered.html.contains("name=\"generator\" content=\"MAX; AI-drafted=yes;"));
        // For people too, not only for machines.
        for form in [&rendered.html, &rendered.markdown] {
            assert!(form.matches("Nora Beispiel").count() > 1 && form.matches("Clara").count() > 1);
        }
    }
}

/// The words of every block, to be found in every form in this order.
const WORDS: [&str; 9] = [
    "Regulars order",
    "counted by the till",
    "Berta Krume, 12 November 2026",
    "Payment on collection",
    "4 January 2027",
    "stands on the list",
    "numbered change order",
    "70 % on acceptance",
    "For Studio Nordlicht",
];

#[test]
fn every_form_has_the_same_words_in_the_same_order() {
    let doc = sample(Lang::En);
    let (markdown, html) = (doc.markdown(), doc.html());
    in_order(&markdown);
    in_order(&html);
    if let Some(text) = read(&doc) {
        in_order(&text);
        for amount in ["€2,200.00", "€3,300.00", "€627.00", "€3,927.00"] {
            assert!(text.contains(amount), "{amount} in {text}");
        }
    }
}

fn in_order(form: &str) {
    let mut rest = form;
    for words in WORDS {
        let at = rest.find(words).unwrap_or_else(|| panic!("`{words}` is missing or out of order in {form}"));
        rest = &rest[at..];
    }
}

#[test]
fn a_right_to_left_name_and_a_character_without_a_glyph_are_shown_or_said() {
    let mut doc = sample(Lang::En);
    doc.blocks.clear();
    doc.para("שלום and مرحبا and 日本");
    if let Some(text) = read(&doc) {
        assert!(text.contains('▯') && text.contains("HTML version"), "{text}");
        assert!(text.chars().any(|c| ('\u{590}'..='\u{5ff}').contains(&c)), "{text}");
    }
    assert!(doc.html().contains("日本") && doc.markdown().contains("日本"));
}

/// What `pdftotext` reads from the PDF; nothing where it is not installed, which `./test` makes a failure in CI.
fn read(doc: &Doc) -> Option<String> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut program = Command::new("pdftotext");
    let mut reader = program.args(["-layout", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let pdf = doc.pdf().expect("a PDF").bytes;
    let mut stdin = reader.stdin.take().expect("its input");
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = reader.wait_with_output().expect("its output");
    writer.join().expect("the writer").expect("written");
    Some(String::from_utf8_lossy(&output.stdout).replace('\u{a0}', " "))
}

#[test]
fn a_colour_that_cannot_be_read_gives_way_to_the_house_colour() {
    let mut doc = sample(Lang::En);
    for (asked, shown) in [("#8a1c3b", "#8a1c3b"), ("#ffe680", "#17494d"), ("red;}", "#17494d"), ("#12", "#17494d")] {
        doc.meta.accent = Some(asked.into());
        assert_eq!(doc.accent(), shown);
    }
}
