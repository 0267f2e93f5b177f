//! How long the documents of a large project take: scope, mockup, offer and contract of forty requirements, written,
//! linted and printed one after another on one core, and what the memory does over a thousand leads.

use std::time::{Duration, Instant};

use max_core::stages::orchestra::Mockup;
use max_core::stages::placeholder;
use max_core::stages::scoping::Scope;
use max_documents::doc::{Block, Card, Column, Doc, Row, Signer, Table, Text, Tone};
use max_documents::mockup::Story;
use max_documents::{Lang, Letterhead, RenderError, lint, mockup};
use serde_json::json;

use super::Report;
use super::stats::{Figure, Latencies, Target, Usage};

/// How many requirements the project has.
const REQUIREMENTS: usize = 40;
/// Written and linted within this many milliseconds each.
const WRITTEN: f64 = 150.0;
/// Printed within this many milliseconds each.
const PRINTED: f64 = 400.0;
/// More memory than this after all leads than after the first tenth is a leak.
const GROWTH_MIB: f64 = 16.0;

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct DocumentsOptions {
    /// How often each document is written.
    pub rounds: usize,
    /// How many leads get an offer for the figure of memory.
    pub leads: usize,
}

/// Measures, telling `progress` what comes next. It blocks, and wants a thread of its own.
pub fn run(options: &DocumentsOptions, progress: impl Fn(&str)) -> Result<Report, RenderError> {
    let mut report = Report {
        name: "documents",
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        figures: Vec::new(),
    };
    progress("a document, once, with the fonts");
    let started = Instant::now();
    scope(0).pdf()?;
    report.figures.push(Figure::new("first PDF of the process", ms(started.elapsed()), "ms").note("reads the fonts"));
    for (name, document) in [("scope", scope as fn(usize) -> Doc), ("offer", offer), ("contract", contract)] {
        progress(name);
        measure(name, document, options.rounds.max(1), &mut report.figures)?;
    }
    progress("mockup");
    report.figures.push(drawn(options.rounds.max(1))?);
    progress("memory over many leads");
    memory(options.leads, &mut report.figures)?;
    Ok(report)
}

/// One document: Markdown and HTML with their lint, then the PDF.
fn measure(
    name: &str,
    document: fn(usize) -> Doc,
    rounds: usize,
    figures: &mut Vec<Figure>,
) -> Result<(), RenderError> {
    let (mut written, mut linted, mut printed) = <(Latencies, Latencies, Latencies)>::default();
    let mut pages = 0;
    for round in 0..rounds {
        let doc = document(round);
        let started = Instant::now();
        let (markdown, html) = (doc.markdown(), doc.html());
        written.note(started.elapsed());
        let started = Instant::now();
        let found = placeholder(&markdown).or_else(|| placeholder(&html));
        linted.note(started.elapsed());
        debug_assert!(found.is_none(), "{found:?}");
        let started = Instant::now();
        pages = doc.pdf()?.pages;
        printed.note(started.elapsed());
    }
    figures.push(latency(format!("{name}: Markdown and HTML"), &written).target(Target::AtMost(WRITTEN)));
    figures.push(latency(format!("{name}: searched for placeholders"), &linted).target(Target::AtMost(WRITTEN)));
    let note = format!("{pages} pages");
    figures.push(latency(format!("{name}: PDF"), &printed).target(Target::AtMost(PRINTED)).note(note));
    Ok(())
}

/// The mockup and the check of its page.
fn drawn(rounds: usize) -> Result<Figure, RenderError> {
    let (scope, mockup) = prototype()?;
    let mut took = Latencies::default();
    for _ in 0..rounds {
        let started = Instant::now();
        let page = mockup::render(&mockup, &scope, &Story::default(), &head(), Lang::En)?;
        let _findings = lint::mockup::check(&page, &mockup, &scope);
        took.note(started.elapsed());
    }
    Ok(latency("mockup: drawn and linted", &took).target(Target::AtMost(WRITTEN)))
}

/// An offer for each lead, each with words of its own; what a long-running MAX does in a month.
fn memory(leads: usize, figures: &mut Vec<Figure>) -> Result<(), RenderError> {
    let mut early = None;
    for lead in 0..leads {
        let rendered = offer(lead).render()?;
        debug_assert!(!rendered.pdf.is_empty());
        if lead == leads / 10 {
            early = resident();
        }
    }
    let (Some(early), Some(late)) = (early, resident()) else { return Ok(()) };
    figures.push(Figure::new(format!("resident after {} leads", leads / 10), early, "MiB"));
    figures.push(Figure::new(format!("resident after {leads} leads"), late, "MiB"));
    figures.push(Figure::new("growth between them", (late - early).max(0.0), "MiB").target(Target::AtMost(GROWTH_MIB)));
    Ok(())
}

fn resident() -> Option<f64> {
    Usage::of(std::process::id()).map(|usage| usage.rss as f64 / f64::from(1 << 20))
}

/// The slowest of a hundred is what counts.
fn latency(name: impl Into<String>, took: &Latencies) -> Figure {
    let mut figure = Figure::new(name, took.percentile(99.0), "ms p99");
    figure.p50_ms = Some(took.percentile(50.0));
    figure.p99_ms = Some(took.percentile(99.0));
    figure
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

// ---- a project of forty requirements --------------------------------------------------------------------------------

fn head() -> Letterhead {
    Letterhead {
        agency: "Example Studio".into(),
        agency_address: "1 Example Street, Exampletown".into(),
        agency_mail: "hello@studio.example".into(),
        client: "Example Bakery".into(),
        person: "Erin Example".into(),
        disclosure: "Written by an AI assistant; hello@studio.example reaches a person.".into(),
        date: jiff::civil::date(2026, 11, 23),
    }
}

fn blank(kind: &str, lead: usize) -> Doc {
    let mut doc = Doc::new(kind, format!("Online shop for Example Bakery no. {lead}"), &head(), Lang::En);
    doc.meta.persona = "Clara".into();
    doc.meta.voice = "playbook".into();
    doc
}

fn wish(n: usize, lead: usize) -> String {
    format!(
        "A customer of branch {n} orders bread number {} until six in the evening and collects it the next morning",
        n * 7 + lead
    )
}

/// A card for each requirement, as a scope has.
fn scope(lead: usize) -> Doc {
    let mut doc = blank("Scope", lead);
    doc.push(Block::Standfirst(
        "Regulars order until six in the evening and collect at seven the next morning.".into(),
    ));
    for section in ["What is to be reached", "Users", "Qualities", "Assumptions", "Client duties", "Risks"] {
        doc.section(section);
        doc.para(
            "Half of the telephone orders move to the shop within three months, counted by the till each evening.",
        );
        doc.list((0..5).map(|n| wish(n, lead)));
    }
    doc.section("What will be built");
    for n in 1..=REQUIREMENTS {
        doc.push(Block::Card(Card {
            id: format!("R-{n:03}"),
            tag: "Must".into(),
            tone: Tone::Must,
            title: wish(n, lead),
            facts: vec![
                ("Accepted when".into(), "An order placed before 18:00 stands on the list of the same evening.".into()),
                ("Effort".into(), Lang::En.days(10).into()),
                ("Said by the client".into(), Text::default().plain("“order until six” ").soft("first message")),
            ],
        }));
    }
    doc
}

/// Three options with a line for each requirement, as an offer has.
fn offer(lead: usize) -> Doc {
    let mut doc = blank("Offer", lead);
    doc.push(Block::Standfirst("Three ways to the shop, and what each costs.".into()));
    for option in ["Core", "Recommended", "Everything"] {
        doc.section(option);
        doc.para("What this option holds, requirement by requirement; the sums are at its end.");
        doc.push(prices(lead));
    }
    doc.section("Signature");
    doc.push(signatures());
    doc
}

/// Seventeen clauses and the annex, as a contract has.
fn contract(lead: usize) -> Doc {
    let mut doc = blank("Contract", lead);
    for n in 1..=17 {
        doc.section(format!("{n}. A clause of the owner's library"));
        for _ in 0..3 {
            doc.para(
                "The agency delivers what the annex names, by the dates of the timetable. The client reads what is \
                 delivered within ten working days and says in writing what does not meet the acceptance of the scope; \
                 what nobody objects to by then counts as accepted.",
            );
        }
    }
    doc.push(Block::PageBreak);
    doc.section("Annex");
    doc.push(prices(lead));
    doc.push(signatures());
    doc
}

fn prices(lead: usize) -> Block {
    let columns = [("Requirement", false), ("What", false), ("Effort", true), ("Rate", true), ("Amount", true)];
    let money = |minor: i64| Text::from(Lang::En.money(minor, "EUR"));
    let line = |n: usize| Row {
        cells: vec![
            format!("R-{n:03}").into(),
            wish(n, lead).into(),
            Lang::En.days(10).into(),
            money(88_000),
            money(220_000),
        ],
        tone: Tone::Plain,
    };
    let total =
        Row { cells: vec!["".into(), "Total".into(), "".into(), "".into(), money(8_800_000)], tone: Tone::Total };
    Block::Table(Table {
        columns: columns.map(|(title, number)| Column { title: title.into(), number }).to_vec(),
        rows: (1..=REQUIREMENTS).map(line).chain([total]).collect(),
    })
}

fn signatures() -> Block {
    let signer = |role: &str| Signer { role: role.into(), name: "Erin Example".into(), note: "Place, date".into() };
    Block::Signatures(vec![signer("For the client"), signer("For the agency")])
}

/// A scope and a mockup of a screen for every four requirements.
fn prototype() -> Result<(Scope, Mockup), RenderError> {
    let faces = ["page", "booking", "shop", "gallery", "form", "account", "map", "news", "dashboard", "form"];
    let id = |n: usize| format!("R-{n:03}");
    let requirements: Vec<_> = (1..=REQUIREMENTS)
        .map(|n| {
            json!({"id": id(n), "text": wish(n, 0), "priority": "must", "acceptance": "it can be done", "source": "lead",
                   "quote": "order until six", "effort_quarter_days": 10})
        })
        .collect();
    let screens: Vec<_> = faces
        .iter()
        .enumerate()
        .map(|(i, face)| {
            let shows: Vec<String> = (1..=REQUIREMENTS).filter(|n| n % faces.len() == i).map(id).collect();
            json!({"id": format!("s-{i}"), "title": format!("Screen {i}"), "face": face, "requirements": shows})
        })
        .collect();
    let unread = |cause: serde_json::Error| RenderError { document: "mockup".into(), cause: cause.to_string() };
    let scope = json!({"title": "Online shop", "goal": "fewer calls", "requirements": requirements, "out_of_scope": [],
                       "assumptions": [], "client_duties": []});
    let mockup = json!({"client": "Example Bakery", "revision": 1, "screens": screens});
    Ok((serde_json::from_value(scope).map_err(unread)?, serde_json::from_value(mockup).map_err(unread)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_of_the_benchmark_is_written_and_has_its_figures() {
        let report = run(&DocumentsOptions { rounds: 1, leads: 10 }, |_| ()).expect("figures");
        let table = report.table();
        for what in ["scope: PDF", "offer: PDF", "contract: PDF", "mockup: drawn", "growth between them"] {
            assert!(table.contains(what), "{what} in {table}");
        }
    }
}
