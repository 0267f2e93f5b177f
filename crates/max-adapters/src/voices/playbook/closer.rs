//! Closer: the offer, what is negotiated about it, the contract, the signature.

use std::collections::BTreeMap;

use max_core::id::Digest;
use max_core::lead::{ClientAsk, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::closer::{Contract, ContractSigned, Proposal};
use max_core::stages::scoping::Scope;
use max_documents::Lang;
use max_documents::contract::Terms;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::intent::{self, Haggle};
use super::turn::{Turn, file, json, needs_person, unwritable};

/// The discount offered to somebody who only asks for "less".
const FIRST_STEP_BASIS_POINTS: u32 = 500;

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if turn.lead.signature.is_some() {
        return Ok(signed(turn));
    }
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to price; bring the lead back to Scoping"));
    };
    let news = turn.news();
    if let Some(words) = news.as_deref().filter(|w| intent::withdraws(w)) {
        return turn.withdrawn(words);
    }
    match (turn.lead.last_wait.as_ref().map(|w| &w.ask), news) {
        (Some(ask @ ClientAsk::Signature { .. }), news) => under_contract(turn, ask, news.as_deref(), &scope),
        (Some(ClientAsk::Decision), Some(words)) => negotiate(turn, &words, &scope),
        (Some(ClientAsk::Decision), None) if turn.rejection().is_none() => Ok(turn.keep_waiting(ClientAsk::Decision)),
        _ => offer(turn, &scope, standing_discount(turn)),
    }
}

/// The client answered an offer.
fn negotiate(turn: &Turn, words: &str, scope: &Scope) -> Result<Thought, CallFail> {
    if intent::accepts(words) {
        return contract(turn, scope);
    }
    if let Some(haggle) = intent::haggles(words) {
        return haggled(turn, haggle, scope);
    }
    let reminder = match turn.lang {
        Lang::En => "Our offer stands as sent; to accept it, answer \"we accept\".",
        Lang::De => "Unser Angebot gilt wie gesendet; zum Annehmen antworten Sie „einverstanden“.",
    };
    turn.answer(words, ClientAsk::Decision, reminder)
}

/// The client wants to pay less: within the authority a new revision with something in return, else a person.
fn haggled(turn: &Turn, haggle: Haggle, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(sent) = turn.proposal() else { return offer(turn, scope, 0) };
    let alone = turn.policy.discount_alone_basis_points;
    let rejected = turn.rejection().is_some();
    let wanted = match haggle {
        Haggle::By(points) => points,
        Haggle::To(units) => points_down_to(&sent, units),
        // The turn may be handed out again after the new revision was written and before it was sent.
        Haggle::Lower if rejected && sent.discount_basis_points > 0 => sent.discount_basis_points,
        Haggle::Lower if sent.discount_basis_points == 0 => FIRST_STEP_BASIS_POINTS.min(alone),
        Haggle::Lower => sent.discount_basis_points.saturating_add(FIRST_STEP_BASIS_POINTS),
    };
    if wanted > alone {
        let (wanted, alone) = (Lang::En.percent(wanted), Lang::En.percent(alone));
        return Ok(needs_person(&format!(
            "the client asks for a discount of {wanted}, and MAX may give {alone} alone; decide and answer the client"
        )));
    }
    offer(turn, scope, wanted.max(standing_discount(turn)))
}

/// The discount in basis points that brings the total down to `units`, rounded up to a tenth of a percent.
fn points_down_to(sent: &Proposal, units: u64) -> u32 {
    let target = i64::try_from(units).unwrap_or(i64::MAX / 1_000_000).saturating_mul(100);
    let full = sent.list_minor + sent.list_minor.saturating_mul(i64::from(sent.vat_basis_points)) / 10_000;
    if full <= 0 || target >= full {
        return 0;
    }
    let points = (full - target).saturating_mul(10_000).div_euclid(full) + 1;
    u32::try_from((points + 9) / 10 * 10).unwrap_or(10_000)
}

/// What the last offer granted; a new revision takes nothing back.
fn standing_discount(turn: &Turn) -> u32 {
    turn.proposal().map_or(0, |p| p.discount_basis_points).min(turn.policy.discount_alone_basis_points)
}

fn offer(turn: &Turn, scope: &Scope, discount_basis_points: u32) -> Result<Thought, CallFail> {
    let policy = turn.policy;
    let mut proposal = Proposal::price(scope, &policy.rate_card, policy, discount_basis_points, turn.today());
    proposal.revision = turn.proposal().map_or(1, |p| p.revision + 1);
    if discount_basis_points > 0 {
        proposal.in_return = turn.agency.profile.discount_in_return.get(turn.lang).to_owned();
    }
    let rendered = max_documents::proposal::render(&proposal, scope, &turn.head(), turn.lang).map_err(unwritable)?;
    let slots = context! { revision => proposal.revision, in_return => proposal.in_return.as_str() };
    let attachments = ["proposal.html", "proposal.md"];
    Ok(Thought {
        summary: format!(
            "Offer revision {}: {} gross",
            proposal.revision,
            turn.lang.money(proposal.gross_minor, &proposal.currency)
        ),
        messages: turn.mail_with(MessageKind::Proposal, "proposal", slots, &attachments)?,
        files: vec![
            json("proposal.json", &proposal)?,
            file("proposal.md", rendered.markdown),
            file("proposal.html", rendered.html),
        ],
        result: StageResult::Proposal(proposal),
    })
}

fn contract(turn: &Turn, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(proposal) = turn.proposal() else { return offer(turn, scope, 0) };
    let clauses = turn.agency.clauses(turn.lang);
    let terms = Terms {
        client_mail: turn.lead.contact.email.trim().to_owned(),
        scope_sha256: turn.lead.approved_scope,
        law: turn.agency.profile.law.get(turn.lang).to_owned(),
        venue: turn.agency.profile.venue.get(turn.lang).to_owned(),
    };
    let head = turn.head();
    let rendered =
        max_documents::contract::render(clauses, &terms, &proposal, scope, &head, turn.lang).map_err(unwritable)?;
    let document = Digest::of(rendered.markdown.as_bytes());
    let used: BTreeMap<String, Digest> =
        clauses.iter().map(|c| (c.id.clone(), Digest::of(format!("{}\n{}", c.title, c.text).as_bytes()))).collect();
    let result = Contract {
        clauses: used,
        document,
        file: "contract.md".into(),
        proposal_revision: proposal.revision,
        gross_minor: proposal.gross_minor,
    };
    let slots = context! { document => document.to_string() };
    Ok(Thought {
        summary: format!("The client accepted revision {}; contract of {} clauses", proposal.revision, clauses.len()),
        messages: turn.mail_with(MessageKind::Contract, "contract", slots, &["contract.html", "contract.md"])?,
        files: vec![
            json("contract.json", &result)?,
            file("contract.md", rendered.markdown),
            file("contract.html", rendered.html),
        ],
        result: StageResult::Contract(result),
    })
}

/// A contract waits for its signature.
fn under_contract(turn: &Turn, ask: &ClientAsk, news: Option<&str>, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(words) = news else {
        return if turn.rejection().is_some() { contract(turn, scope) } else { Ok(turn.keep_waiting(ask.clone())) };
    };
    if intent::haggles(words).is_some() {
        return Ok(needs_person("the client wants other terms while the contract waits for the signature"));
    }
    let reminder = match turn.lang {
        Lang::En => {
            "To sign the contract, answer with the name of the person who may sign for you; a person of the agency records the signature."
        }
        Lang::De => {
            "Zum Unterschreiben antworten Sie mit dem Namen der zeichnungsberechtigten Person; ein Mensch der Agentur hält die Unterschrift fest."
        }
    };
    turn.answer(words, ask.clone(), reminder)
}

/// The contract is signed: what is due now stands in the offer.
fn signed(turn: &Turn) -> Thought {
    let proposal: Option<Proposal> = turn.lead.stage_value(Stage::Closer, "proposal");
    let due = proposal.as_ref().and_then(|p| p.schedule.iter().find(|s| s.on == "signature"));
    let deposit_minor = due.map_or(0, |d| d.gross_minor);
    let currency = proposal.map_or_else(|| turn.policy.rate_card.currency.clone(), |p| p.currency);
    Thought {
        summary: format!("The contract is signed; deposit {}", turn.lang.money(deposit_minor, &currency)),
        result: StageResult::ContractSigned(ContractSigned { deposit_minor, currency }),
        messages: Vec::new(),
        files: Vec::new(),
    }
}
