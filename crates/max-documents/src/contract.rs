//! The contract: the owner's clauses with their slots filled, and the annex with every requirement and its price.

use max_core::id::Digest;
use max_core::stages::closer::Proposal;
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::escape::small_markdown_to_html;
use crate::proposal::occasion;
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

/// What clauses may refer to, each as `{{ name }}`.
#[derive(Clone, Debug, Serialize)]
pub struct Slots {
    agency: String,
    agency_address: String,
    agency_mail: String,
    client: String,
    person: String,
    client_mail: String,
    project: String,
    scope_sha256: String,
    offer_revision: u32,
    net: String,
    vat: String,
    vat_rate: String,
    gross: String,
    payments: String,
    currency: String,
    date: String,
    law: String,
    venue: String,
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
}

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    clauses: Vec<Filled<'a>>,
    annex: Vec<AnnexLine<'a>>,
    gross: String,
}

#[derive(Serialize)]
struct Filled<'a> {
    number: usize,
    title: &'a str,
    markdown: String,
    html: String,
}

#[derive(Serialize)]
struct AnnexLine<'a> {
    id: &'a str,
    text: &'a str,
    acceptance: &'a str,
    price: String,
}

/// The contract in both forms. The client signs the Markdown's digest.
pub fn render(
    clauses: &[Clause],
    terms: &Terms,
    proposal: &Proposal,
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> Result<Rendered, RenderError> {
    let slots = slots(terms, proposal, scope, head, lang);
    let filled = clauses.iter().enumerate().map(|(i, clause)| {
        Ok(Filled {
            number: i + 1,
            title: &clause.title,
            markdown: engine::foreign(&clause.id, clause.text.trim(), &slots, false)?,
            html: engine::foreign(&clause.id, &small_markdown_to_html(&clause.text), &slots, true)?,
        })
    });
    let annex = proposal.lines.iter().flat_map(|line| {
        line.requirements.iter().filter_map(|id| scope.requirement(id)).map(|r| AnnexLine {
            id: &r.id,
            text: &r.text,
            acceptance: &r.acceptance,
            price: lang.money(line.total_minor, &proposal.currency),
        })
    });
    let view = View {
        title: &scope.title,
        clauses: filled.collect::<Result<_, RenderError>>()?,
        annex: annex.collect(),
        gross: slots.gross.clone(),
    };
    engine::both("contract", &view, head, lang)
}

/// Tries a clause with example values, so that a slot that does not exist is found before a client waits.
pub fn try_clause(clause: &Clause) -> Result<(), RenderError> {
    let example = || "example".to_owned();
    let slots = Slots {
        agency: example(),
        agency_address: example(),
        agency_mail: example(),
        client: example(),
        person: example(),
        client_mail: example(),
        project: example(),
        scope_sha256: example(),
        offer_revision: 1,
        net: example(),
        vat: example(),
        vat_rate: example(),
        gross: example(),
        payments: example(),
        currency: example(),
        date: example(),
        law: example(),
        venue: example(),
    };
    engine::foreign(&clause.id, &clause.text, &slots, false)?;
    engine::foreign(&clause.id, &small_markdown_to_html(&clause.text), &slots, true)?;
    Ok(())
}

fn slots(terms: &Terms, proposal: &Proposal, scope: &Scope, head: &Letterhead, lang: Lang) -> Slots {
    let money = |minor: i64| lang.money(minor, &proposal.currency);
    let payments: Vec<String> =
        proposal.schedule.iter().map(|p| format!("{} {}", money(p.gross_minor), occasion(&p.on, lang))).collect();
    Slots {
        agency: head.agency.clone(),
        agency_address: head.agency_address.clone(),
        agency_mail: head.agency_mail.clone(),
        client: head.client.clone(),
        person: head.person.clone(),
        client_mail: terms.client_mail.clone(),
        project: scope.title.clone(),
        scope_sha256: terms.scope_sha256.map_or_else(|| "-".into(), |d| d.to_string()),
        offer_revision: proposal.revision,
        net: money(proposal.net_minor),
        vat: money(proposal.vat_minor),
        vat_rate: lang.percent(proposal.vat_basis_points),
        gross: money(proposal.gross_minor),
        payments: payments.join("; "),
        currency: proposal.currency.clone(),
        date: lang.date(head.date),
        law: terms.law.clone(),
        venue: terms.venue.clone(),
    }
}
