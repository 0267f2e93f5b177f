//! How long the documents of a large project take: scope, mockup, offer and contract of forty requirements, written and
//! linted one after another on one core, the PDF apart, and what the memory does over a thousand leads.
//!
//! Nothing stands in for anything: the typed results come from an enquiry with forty wishes that the playbook worked up
//! to the contract (`Project`), and the renderers and the linter are those of every turn.

mod project;

use std::time::{Duration, Instant};

use max_core::id::Digest;
use max_core::stages::Finding;
use max_documents::contract::{self, Agreement};
use max_documents::doc::{Doc, Meta};
use max_documents::lint::{self, Record};
use max_documents::mockup::{self, Story};
use max_documents::{Lang, Letterhead, proposal, scope};
use serde::Serialize;

use self::project::Project;
use super::Report;
use super::stats::{Figure, Latencies, Target, Usage};

/// Written and linted within this many milliseconds each.
const WRITTEN: f64 = 150.0;
/// Printed within this many milliseconds each.
const PRINTED: f64 = 400.0;
/// More memory than this between the first tenth of the leads and the last is no longer flat.
const GROWTH_MIB: f64 = 16.0;

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct DocumentsOptions {
    /// How often each document is written.
    pub rounds: usize,
    /// How many leads get all their documents for the figures of memory.
    pub leads: usize,
}

/// Measures, telling `progress` what comes next. It blocks, and wants a thread of its own.
///
/// # Errors
/// When the project cannot be played or a document cannot be written, which is a fault of this build.
pub fn run(options: &DocumentsOptions, progress: impl Fn(&str)) -> anyhow::Result<Report> {
    let mut report = Report {
        name: "documents",
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        figures: Vec::new(),
    };
    let figures = &mut report.figures;
    progress("a project of forty requirements, from its enquiry to its contract");
    let started = Instant::now();
    let project = Project::play()?;
    let built = project.scope.built().count();
    let (lines, waived) = (project.offer.lines.len(), project.waived.len());
    let note = format!("{built} requirements, {lines} price lines, {waived} findings waived; reads the fonts");
    figures.push(Figure::new("the project, from enquiry to contract", ms(started.elapsed()), "ms").note(note));
    for kind in Kind::ALL {
        progress(kind.name());
        measure(kind, &project, options.rounds.max(1), figures)?;
    }
    progress("memory over many leads");
    memory(&project, options.leads, figures)?;
    Ok(report)
}

/// The documents of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scope,
    Mockup,
    Offer,
    Contract,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Scope, Kind::Mockup, Kind::Offer, Kind::Contract];

    const fn name(self) -> &'static str {
        match self {
            Kind::Scope => "scope",
            Kind::Mockup => "mockup",
            Kind::Offer => "offer",
            Kind::Contract => "contract",
        }
    }

    /// What its files are called.
    const fn file(self) -> &'static str {
        match self {
            Kind::Offer => "proposal",
            other => other.name(),
        }
    }
}

/// The files of a document, as a stage leaves them.
struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    /// The typed result that a document is made from.
    fn of(kind: Kind, project: &Project) -> anyhow::Result<Self> {
        fn json<T: Serialize>(value: &T) -> anyhow::Result<Vec<u8>> {
            Ok(serde_json::to_vec_pretty(value)?)
        }
        let source = match kind {
            Kind::Scope => json(&project.scope),
            Kind::Mockup => json(&project.mockup),
            Kind::Offer => json(&project.offer),
            Kind::Contract => json(&project.contract),
        }?;
        Ok(Self(vec![(format!("{}.json", kind.file()), source)]))
    }

    fn source(&self) -> Option<Digest> {
        self.0.first().map(|(_, bytes)| Digest::of(bytes))
    }

    fn add(&mut self, kind: Kind, ending: &str, bytes: impl Into<Vec<u8>>) {
        self.0.push((format!("{}.{ending}", kind.file()), bytes.into()));
    }

    fn lint(&self, record: &Record) -> Vec<Finding> {
        let files: Vec<lint::File<'_>> = self.0.iter().map(|(name, bytes)| lint::File { name, bytes }).collect();
        lint::files(record, &files)
    }
}

/// What a document took.
struct Took {
    written: Duration,
    linted: Duration,
    /// Nothing for a mockup, which has no paper.
    printed: Option<Duration>,
    pages: usize,
    findings: Vec<Finding>,
}

/// Writes, prints and lints one document.
fn write(kind: Kind, project: &Project, head: &Letterhead, record: &Record) -> anyhow::Result<(Took, Files)> {
    let mut files = Files::of(kind, project)?;
    let source = files.source();
    let started = Instant::now();
    let doc = match kind {
        Kind::Mockup => {
            let story = Story { said: project.lead.contact.message.clone(), ..Story::default() };
            let page = mockup::render(&project.mockup, &project.scope, &story, head, Lang::En)?;
            files.add(kind, "html", page);
            None
        }
        _ => {
            let doc = document(kind, project, head, source)?;
            files.add(kind, "md", doc.markdown());
            files.add(kind, "html", doc.html());
            Some(doc)
        }
    };
    let written = started.elapsed();
    let started = Instant::now();
    let pdf = doc.map(|doc| doc.pdf()).transpose()?;
    let printed = pdf.as_ref().map(|_| started.elapsed());
    let pages = pdf.as_ref().map_or(0, |pdf| pdf.pages);
    if let Some(pdf) = pdf {
        files.add(kind, "pdf", pdf.bytes);
    }
    let started = Instant::now();
    let findings = files.lint(record);
    Ok((Took { written, linted: started.elapsed(), printed, pages, findings }, files))
}

/// A document as the stage that owes it builds it.
fn document(kind: Kind, project: &Project, head: &Letterhead, source: Option<Digest>) -> anyhow::Result<Doc> {
    let profile = &project.agency.profile;
    let meta = Meta {
        persona: "Clara".into(),
        voice: "playbook".into(),
        approver: profile.contact.clone(),
        version: 1,
        source,
        accent: None,
    };
    let Project { scope, offer, contract, .. } = project;
    Ok(match kind {
        Kind::Scope | Kind::Mockup => scope::doc(scope, head, Lang::En, meta),
        Kind::Offer => proposal::document(offer, scope, head, meta, Lang::En),
        Kind::Contract => {
            let clauses = project.agency.clauses(Lang::En);
            let agreement = Agreement { clauses, slots: &contract.slots, offer, scope, scope_sha256: contract.scope };
            contract::document(&agreement, head, meta, Lang::En)?
        }
    })
}

fn record_of(project: &Project, head: &Letterhead) -> Record {
    Record::of(&project.lead).at_agency(&head.agency, &project.policy.rate_card.currency, head.date)
}

fn measure(kind: Kind, project: &Project, rounds: usize, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let (mut written, mut linted, mut both) = <(Latencies, Latencies, Latencies)>::default();
    let mut printed = Latencies::default();
    let mut last = None;
    for round in 0..rounds {
        let project = project.of_client(round);
        let head = project.head();
        let (took, _) = write(kind, &project, &head, &record_of(&project, &head))?;
        written.note(took.written);
        linted.note(took.linted);
        both.note(took.written + took.linted);
        if let Some(paper) = took.printed {
            printed.note(paper);
        }
        last = Some(took);
    }
    let Some(last) = last else { return Ok(()) };
    let name = kind.name();
    let forms = if kind == Kind::Mockup { "HTML" } else { "Markdown and HTML" };
    figures.push(latency(format!("{name}: {forms}"), &written));
    figures.push(latency(format!("{name}: lint"), &linted).note(format!("{} findings", last.findings.len())));
    figures.push(latency(format!("{name}: both"), &both).target(Target::AtMost(WRITTEN)));
    if printed.count() > 0 {
        let note = format!("{} pages", last.pages);
        figures.push(latency(format!("{name}: PDF"), &printed).target(Target::AtMost(PRINTED)).note(note));
    }
    Ok(())
}

/// Every document of each lead, one lead after another; what a long-running MAX does in a year.
fn memory(project: &Project, leads: usize, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let marks = [leads / 10, leads / 2, leads];
    let mut seen: Vec<f64> = Vec::new();
    for lead in 1..=leads {
        let project = project.of_client(lead);
        let head = project.head();
        let record = record_of(&project, &head);
        for kind in Kind::ALL {
            write(kind, &project, &head, &record)?;
        }
        for _ in marks.iter().filter(|mark| **mark == lead) {
            let Some(now) = resident() else { return Ok(()) };
            figures.push(Figure::new(format!("resident after {lead} leads"), now, "MiB"));
            seen.push(now);
        }
    }
    if let (Some(first), Some(last)) = (seen.first(), seen.last()) {
        let growth = (last - first).max(0.0);
        let name = format!("growth from lead {} to lead {leads}", marks[0]);
        figures.push(Figure::new(name, growth, "MiB").target(Target::AtMost(GROWTH_MIB)));
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use max_core::prose::normalised;

    use super::*;

    #[test]
    fn the_benchmark_writes_the_documents_of_a_project_of_forty_requirements() {
        let report = run(&DocumentsOptions { rounds: 1, leads: 2 }, |_| ()).expect("figures");
        let table = report.table();
        for what in [
            "scope: both",
            "scope: PDF",
            "mockup: both",
            "offer: lint",
            "offer: PDF",
            "contract: PDF",
            "resident after 2 leads",
            "growth from",
        ] {
            assert!(table.contains(what), "{what} in {table}");
        }
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["name"], "documents");
        assert!(json["figures"][0]["note"].as_str().is_some_and(|n| n.contains("40 requirements")), "{json}");
    }

    /// Everything the project's documents hold, by file name.
    fn documents(project: &Project) -> BTreeMap<String, Vec<u8>> {
        let head = project.head();
        let record = record_of(project, &head);
        let mut all = BTreeMap::new();
        for kind in Kind::ALL {
            let (took, files) = write(kind, project, &head, &record).expect("written");
            assert_eq!(took.findings, Vec::new(), "{kind:?}");
            all.extend(files.0);
        }
        if let Some(folder) = std::env::var_os("MAX_TEST_KEEP").map(std::path::PathBuf::from) {
            all.iter().for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes).expect("kept"));
        }
        all
    }

    #[test]
    fn the_linter_has_nothing_to_say_of_the_benchmarks_documents() {
        let project = Project::play().expect("a project");
        assert_eq!(documents(&project).len(), 14);
    }

    #[test]
    fn pc_2_an_offer_of_forty_requirements_is_short_enough_to_be_read() {
        let project = Project::play().expect("a project");
        let lines: usize = project.offer.lines.iter().map(|line| line.requirements.len()).sum();
        assert_eq!((project.scope.built().count(), lines), (40, 40), "every requirement is offered");
        let pages = project.offer.pages.expect("a printed offer");
        assert!((3..=8).contains(&pages), "{pages} pages");
        let against = |rule: &str| project.waived.iter().filter(|f| f.rule.starts_with(rule)).count();
        assert_eq!((against("PC-"), against("X-")), (0, 0), "{:?}", project.waived);
    }

    #[test]
    fn x_8_every_quote_of_the_printed_offer_was_said() {
        let project = Project::play().expect("a project");
        let page = String::from_utf8(documents(&project).remove("proposal.html").expect("an offer")).expect("text");
        let quoted: Vec<&str> = page
            .split("<blockquote")
            .skip(1)
            .filter_map(|q| q.split_once('>')?.1.split_once("</blockquote>"))
            .map(|q| q.0)
            .collect();
        assert!(!quoted.is_empty());
        let said = normalised(&format!("{}\n{}", project::ENQUIRY, project::ANSWERS));
        for quote in &quoted {
            assert!(said.contains(&normalised(quote)), "`{quote}` was never said");
        }
    }
}
