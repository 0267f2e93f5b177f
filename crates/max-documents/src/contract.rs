//! The contract: the owner's clauses with their slots filled, the price, and the annex with every requirement, its
//! price and its acceptance.
//!
//! A clause is small Markdown: paragraphs, lists with `- `, `**words to notice**`, and slots `{{ name }}`. It is taken
//! apart before its slots are filled, so nothing that stands in a slot is ever read as markup.

use std::collections::BTreeMap;

use max_core::id::Digest;
use max_core::policy::ContractTerms;
use max_core::stages::closer::{AnnexLine, Proposal, price};
use max_core::stages::scoping::Scope;

use crate::doc::{Block, Doc, Meta, Row, Table, Text, Tone};
use crate::engine::{self, RenderError, label};
use crate::proposal::{columns, occasion, option_name, payment_table, price_table, signers, vat_in_words};
use crate::{Lang, Letterhead, Rendered};

/// A clause of the owner's library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its file name without the ending, `05-price`.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Its text: small Markdown with slots.
    pub text: String,
}

impl Clause {
    /// SHA-256 over heading and text, by which a contract names the clause it used.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("{}\n{}", self.title, self.text).as_bytes())
    }
}

/// What the slots are filled from, besides the offer and the letterhead.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The client's address for notices.
    pub client_mail: String,
    /// SHA-256 of the approved scope.
    pub scope_sha256: Option<Digest>,
    /// The law that governs the contract.
    pub law: String,
    /// The courts that decide.
    pub venue: String,
    /// The agency's usual terms.
    pub usual: ContractTerms,
}

/// What clauses may refer to, each as `{{ name }}`.
pub const SLOTS: [&str; 26] = [
    "agency",
    "agency_address",
    "agency_mail",
    "client",
    "person",
    "client_mail",
    "project",
    "scope_sha256",
    "offer_revision",
    "option",
    "net",
    "vat",
    "vat_rate",
    "gross",
    "payments",
    "currency",
    "date",
    "law",
    "venue",
    "acceptance_days",
    "warranty_days",
    "retention_years",
    "revision_rounds",
    "payment_days",
    "kill_fee",
    "liability_cap",
];

/// Everything a contract is written from.
#[derive(Clone, Copy, Debug)]
pub struct Agreement<'a> {
    /// The owner's clauses, in order.
    pub clauses: &'a [Clause],
    /// What each slot is filled with; see [`slots`].
    pub slots: &'a BTreeMap<String, String>,
    /// The offer, with the accepted option.
    pub offer: &'a Proposal,
    /// The approved scope.
    pub scope: &'a Scope,
    /// Its digest.
    pub scope_sha256: Option<Digest>,
}

/// The contract in every form. The client signs the PDF.
pub fn render(agreement: &Agreement, head: &Letterhead, meta: Meta, lang: Lang) -> Result<Rendered, RenderError> {
    document(agreement, head, meta, lang)?.render()
}

/// The contract as a document.
pub fn document(agreement: &Agreement, head: &Letterhead, meta: Meta, lang: Lang) -> Result<Doc, RenderError> {
    let mut doc = Doc::new(label(lang, "contract"), agreement.scope.title.as_str(), head, lang);
    doc.meta = Meta { version: agreement.offer.revision, ..meta };
    for (at, clause) in agreement.clauses.iter().enumerate() {
        doc.section(format!("{}. {}", at + 1, clause.title));
        for block in blocks(clause, agreement.slots)? {
            doc.push(block);
        }
    }
    doc.section(label(lang, "signatures"));
    doc.push(Block::Signatures(signers(head, lang)));
    doc.push(Block::PageBreak);
    annex(&mut doc, agreement, lang);
    Ok(doc)
}

fn annex(doc: &mut Doc, agreement: &Agreement, lang: Lang) {
    let Agreement { offer, scope, .. } = *agreement;
    doc.section(label(lang, "annex"));
    doc.para(label(lang, "annex_text"));
    let mut facts = vec![(label(lang, "annex_offer").to_owned(), Text::from(offer.revision.to_string()))];
    if let Some(kind) = offer.chosen {
        facts.push((label(lang, "offer_option").into(), option_name(kind, lang).into()));
    }
    if let Some(digest) = agreement.scope_sha256 {
        facts.push((label(lang, "annex_scope").into(), Text::default().code(digest.to_string())));
    }
    doc.push(Block::Facts(facts));
    let columns = columns(&[
        (label(lang, "offer_number"), false),
        (label(lang, "offer_requirement"), false),
        (label(lang, "offer_accepted_when"), false),
        (label(lang, "annex_line"), true),
        (label(lang, "price"), true),
    ]);
    let rows = annex_lines(offer, scope).into_iter().map(|line| Row {
        cells: vec![
            Text::default().code(line.requirement),
            line.text.into(),
            line.acceptance.into(),
            line.price_line.to_string().into(),
            lang.money(line.price_minor, &offer.currency).into(),
        ],
        tone: Tone::Plain,
    });
    doc.push(Block::Table(Table { columns, rows: rows.collect() }));
    doc.section(label(lang, "offer_price"));
    doc.push(Block::Table(price_table(offer, lang)));
    doc.section(label(lang, "payments"));
    doc.push(Block::Table(payment_table(&offer.schedule, &offer.currency, lang)));
}

/// The annex as data: every requirement that is paid for, with its line and its acceptance.
pub fn annex_lines(offer: &Proposal, scope: &Scope) -> Vec<AnnexLine> {
    let numbered = (1u32..).zip(&offer.lines);
    numbered
        .flat_map(|(number, line)| {
            line.requirements.iter().filter_map(|id| scope.requirement(id)).map(move |r| AnnexLine {
                requirement: r.id.clone(),
                text: r.text.clone(),
                acceptance: r.acceptance.clone(),
                price_line: number,
                price_minor: line.total_minor,
            })
        })
        .collect()
}

/// What each slot is filled with.
pub fn slots(
    terms: &Terms,
    offer: &Proposal,
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> BTreeMap<String, String> {
    let money = |minor: i64| lang.money(minor, &offer.currency);
    let payments: Vec<String> =
        offer.schedule.iter().map(|p| format!("{} {}", money(p.gross_minor), occasion(&p.on, lang))).collect();
    let rates: Vec<String> = match offer.vat.as_slice() {
        [] => vec![lang.percent(offer.vat_basis_points)],
        vat => vat.iter().map(|v| lang.percent(v.basis_points)).collect(),
    };
    let vat =
        if offer.vat.len() > 1 { vat_in_words(&offer.vat, &offer.currency, lang) } else { money(offer.vat_minor) };
    let usual = &terms.usual;
    let value = |slot: &str| match slot {
        "agency" => head.agency.clone(),
        "agency_address" => head.agency_address.clone(),
        "agency_mail" => head.agency_mail.clone(),
        "client" => head.client.clone(),
        "person" => head.person.clone(),
        "client_mail" => terms.client_mail.clone(),
        "project" => scope.title.clone(),
        "scope_sha256" => terms.scope_sha256.map_or_else(|| "-".into(), |d| d.to_string()),
        "offer_revision" => offer.revision.to_string(),
        "option" => offer.chosen.map_or_else(|| "-".into(), |kind| option_name(kind, lang).to_owned()),
        "net" => money(offer.net_minor),
        "vat" => vat.clone(),
        "vat_rate" => rates.join(" / "),
        "gross" => money(offer.gross_minor),
        "payments" => payments.join("; "),
        "currency" => offer.currency.clone(),
        "date" => lang.date(head.date),
        "law" => terms.law.clone(),
        "venue" => terms.venue.clone(),
        "acceptance_days" => usual.acceptance_days.to_string(),
        "warranty_days" => usual.warranty_days.to_string(),
        "retention_years" => usual.retention_years.to_string(),
        "revision_rounds" => usual.revision_rounds.to_string(),
        "payment_days" => usual.payment_days.to_string(),
        "kill_fee" => lang.percent(usual.kill_fee_basis_points),
        "liability_cap" => money(price::share(offer.gross_minor, usual.liability_basis_points)),
        _ => String::new(),
    };
    SLOTS.iter().map(|slot| ((*slot).to_owned(), value(slot))).collect()
}

/// Tries a clause with example values, so that a slot that does not exist is found before a client waits.
pub fn try_clause(clause: &Clause) -> Result<(), RenderError> {
    let example = SLOTS.iter().map(|slot| ((*slot).to_owned(), "example".to_owned())).collect();
    blocks(clause, &example)
        .map(|_| ())
        .map_err(|error| RenderError { cause: format!("{}; known are {}", error.cause, SLOTS.join(", ")), ..error })
}

/// A clause's text as blocks, its slots filled.
fn blocks(clause: &Clause, slots: &BTreeMap<String, String>) -> Result<Vec<Block>, RenderError> {
    let mut blocks = Vec::new();
    for part in clause.text.replace("\r\n", "\n").split("\n\n").map(str::trim).filter(|part| !part.is_empty()) {
        let items: Option<Vec<&str>> = part.lines().map(|line| line.trim().strip_prefix("- ")).collect();
        match items {
            Some(items) => {
                let items = items.into_iter().map(|item| words(&clause.id, item, slots));
                blocks.push(Block::List { ordered: false, items: items.collect::<Result<_, _>>()? });
            }
            None => {
                let line = part.lines().map(str::trim).collect::<Vec<_>>().join(" ");
                blocks.push(Block::Para(words(&clause.id, &line, slots)?));
            }
        }
    }
    Ok(blocks)
}

/// Words with `**emphasis**`, slots filled.
fn words(id: &str, source: &str, slots: &BTreeMap<String, String>) -> Result<Text, RenderError> {
    let mut text = Text::default();
    for (at, piece) in source.split("**").enumerate() {
        let filled = engine::plain(id, piece, slots)?;
        if !filled.is_empty() {
            text = if at % 2 == 1 { text.strong(filled) } else { text.plain(filled) };
        }
    }
    Ok(text)
}
