//! Closer: the offer, what is negotiated about it, the contract, the signature.

mod asks;
mod certificate;
mod negotiation;
mod sections;
mod value;

use std::collections::BTreeMap;

use max_core::id::Digest;
use max_core::lead::{ClientAsk, MessageKind, Signature};
use max_core::stage::Eidolon;
use max_core::stages::StageResult;
use max_core::stages::closer::{
    Concessions, Contract, ContractSigned, Invoice, LeverKind, Proposal, payment_reference, price,
};
use max_core::stages::scoping::Scope;
use max_documents::contract::{self as paper, Agreement, Terms};
use max_documents::doc::Meta;
use max_engine::ports::{CallFail, File, Thought};
use minijinja::context;

use super::NAME;
use super::intent;
use super::turn::{Turn, file, json, needs_person, unwritable};

/// The file that the client signs.
const SIGNED_FILE: &str = "contract.pdf";

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if let Some(signature) = &turn.lead.signature {
        return signed(turn, signature);
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
        (Some(ClientAsk::Decision), news) => decided(turn, news.as_deref(), &scope),
        _ => again(turn, &scope),
    }
}

/// An offer waits for the client's decision.
fn decided(turn: &Turn, news: Option<&str>, scope: &Scope) -> Result<Thought, CallFail> {
    let accepted = news.is_some_and(|words| asks::accepts(words, &[]).is_some());
    match (turn.rejection(), news) {
        // A contract that a person rejected is written again from the same words.
        (Some(_), Some(words)) if accepted => negotiation::negotiate(turn, words, scope),
        (Some(reason), _) => negotiation::rejected(turn, &reason, scope),
        (None, Some(words)) => negotiation::negotiate(turn, words, scope),
        (None, None) => Ok(turn.keep_waiting(ClientAsk::Decision)),
    }
}

/// The first offer, or the first one again because a person rejected it.
fn again(turn: &Turn, scope: &Scope) -> Result<Thought, CallFail> {
    match (turn.rejection(), turn.proposal()) {
        (Some(reason), Some(_)) => negotiation::rejected(turn, &reason, scope),
        (_, Some(sent)) => offer(turn, scope, &Concessions::of(&sent, scope), Vec::new()),
        (_, None) => offer(turn, scope, &Concessions::default(), Vec::new()),
    }
}

/// An offer, or its next revision, with its documents and its mail.
fn offer(turn: &Turn, scope: &Scope, given: &Concessions, changes: Vec<String>) -> Result<Thought, CallFail> {
    let policy = turn.policy;
    let mut given = given.clone();
    given.in_return.entry(LeverKind::Upfront).or_insert_with(|| negotiation::in_return(turn, LeverKind::Upfront));
    let mut proposal = Proposal::offer(scope, &policy.rate_card, policy, &given, turn.today());
    proposal.revision = turn.proposal().map_or(1, |p| p.revision + 1);
    let changes = if proposal.revision > 1 && changes.is_empty() { vec![drawn_up_again(turn)] } else { changes };
    let sections = sections::sections(turn, scope, &proposal, changes);
    proposal.sections = sections;
    let source = json("proposal.json", &proposal)?;
    let rendered = max_documents::proposal::render(&proposal, scope, &turn.head(), meta(turn, &source), turn.lang)
        .map_err(unwritable)?;
    proposal.pages = u32::try_from(rendered.pages).ok();
    let slots = context! {
        revision => proposal.revision,
        in_return => proposal.in_return.as_str(),
        changes => proposal.sections.changes.clone(),
    };
    Ok(Thought {
        summary: format!(
            "Offer revision {}: {} gross",
            proposal.revision,
            turn.lang.money(proposal.gross_minor, &proposal.currency)
        ),
        messages: turn.mail_with(MessageKind::Proposal, "proposal", slots, &["proposal.pdf"])?,
        files: vec![
            source,
            file("proposal.md", rendered.markdown),
            file("proposal.html", rendered.html),
            file("proposal.pdf", rendered.pdf),
        ],
        result: StageResult::Proposal(proposal),
    })
}

fn drawn_up_again(turn: &Turn) -> String {
    turn.lang
        .pick([
            "Drawn up again with today's date.",
            "Mit heutigem Datum neu ausgestellt.",
            "Opnieuw opgesteld met de datum van vandaag.",
            "Établie à nouveau à la date du jour.",
        ])
        .into()
}

/// The contract over an offer with the accepted option chosen.
fn contract(turn: &Turn, scope: &Scope, offer: Proposal) -> Result<Thought, CallFail> {
    let clauses = turn.agency.clauses(turn.lang);
    let terms = Terms {
        client_mail: turn.lead.contact.email.trim().to_owned(),
        scope_sha256: turn.lead.approved_scope,
        law: turn.agency.profile.law.get(turn.lang).to_owned(),
        venue: turn.agency.profile.venue.get(turn.lang).to_owned(),
        usual: turn.policy.rate_card.terms.clone(),
    };
    let head = turn.head();
    let slots = paper::slots(&terms, &offer, scope, &head, turn.lang);
    let used: BTreeMap<String, Digest> = clauses.iter().map(|c| (c.id.clone(), c.digest())).collect();
    let mut result = Contract {
        clauses: used,
        document: Digest([0; 32]),
        file: SIGNED_FILE.into(),
        proposal_revision: offer.revision,
        gross_minor: offer.gross_minor,
        option: offer.chosen,
        scope: turn.lead.approved_scope,
        language: turn.lang.tag().into(),
        slots,
        currency: offer.currency.clone(),
        net_minor: offer.net_minor,
        vat: offer.vat.clone(),
        schedule: offer.schedule.clone(),
        annex: paper::annex_lines(&offer, scope),
    };
    let source = contract_source(&result)?;
    let agreement =
        Agreement { clauses, slots: &result.slots, offer: &offer, scope, scope_sha256: turn.lead.approved_scope };
    let rendered = paper::render(&agreement, &head, meta(turn, &source), turn.lang).map_err(unwritable)?;
    result.document = Digest::of(&rendered.pdf);
    let slots = context! { document => result.document.to_string() };
    Ok(Thought {
        summary: format!("The client accepted revision {}; contract of {} clauses", offer.revision, clauses.len()),
        messages: turn.mail_with(MessageKind::Contract, "contract", slots, &[SIGNED_FILE])?,
        files: vec![
            source,
            file("contract.md", rendered.markdown),
            file("contract.html", rendered.html),
            file(SIGNED_FILE, rendered.pdf),
        ],
        result: StageResult::Contract(result),
    })
}

/// Everything the contract is rendered from; the digest of what comes of it cannot stand in it.
fn contract_source(contract: &Contract) -> Result<File, CallFail> {
    let mut value = serde_json::to_value(contract).map_err(|e| CallFail::Unable(format!("contract.json: {e}")))?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("document");
    }
    json("contract.json", &value)
}

/// How a document came to be.
fn meta(turn: &Turn, source: &File) -> Meta {
    Meta {
        persona: turn.agency.persona(Eidolon::Closer).to_owned(),
        voice: NAME.into(),
        approver: turn.agency.profile.contact.clone(),
        version: 1,
        source: Some(Digest::of(&source.bytes)),
        accent: None,
    }
}

/// A contract waits for its signature.
fn under_contract(turn: &Turn, ask: &ClientAsk, news: Option<&str>, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(words) = news else {
        return match turn.proposal().filter(|_| turn.rejection().is_some()) {
            Some(offer) => contract(turn, scope, offer),
            None => Ok(turn.keep_waiting(ask.clone())),
        };
    };
    if asks::threatens(words) || !asks::asks(words).is_empty() {
        return Ok(needs_person("the client wants other terms while the contract waits for the signature"));
    }
    let reminder = turn.say(
        [
            "To sign the contract, answer with the name of the person who may sign for you; a person of the agency records the signature.",
            "Zum Unterschreiben antworten Sie mit dem Namen der zeichnungsberechtigten Person; ein Mensch der Agentur hält die Unterschrift fest.",
            "Antwoord om te ondertekenen met de naam van de persoon die voor u mag tekenen; een medewerker van het bureau legt de handtekening vast.",
            "Pour signer, répondez avec le nom de la personne habilitée à signer ; une personne de l'agence enregistre la signature.",
        ],
        [
            "Zum Unterschreiben antworte mit dem Namen der zeichnungsberechtigten Person; ein Mensch der Agentur hält die Unterschrift fest.",
            "Antwoord om te ondertekenen met de naam van de persoon die voor jullie mag tekenen; een medewerker van het bureau legt de handtekening vast.",
            "Pour signer, réponds avec le nom de la personne habilitée à signer ; une personne de l'agence enregistre la signature.",
        ],
    );
    turn.answer(words, ask.clone(), reminder)
}

/// The contract is signed: what is due now stands in the offer as it was agreed.
fn signed(turn: &Turn, signature: &Signature) -> Result<Thought, CallFail> {
    let offer = turn.proposal();
    let deposit_minor = offer.as_ref().map_or(0, Proposal::deposit_minor);
    let currency = offer.as_ref().map_or_else(|| turn.policy.rate_card.currency.clone(), |p| p.currency.clone());
    let invoice = offer.filter(|_| deposit_minor > 0).map(|offer| Invoice {
        to: turn.client(),
        mail: turn.lead.contact.email.trim().to_owned(),
        reference: turn.project(),
        payment_reference: payment_reference(turn.lead.id),
        gross_minor: deposit_minor,
        vat_minor: price::part(offer.vat_minor, deposit_minor, offer.gross_minor),
        due: turn.today().saturating_add(jiff::Span::new().days(i64::from(turn.policy.rate_card.terms.payment_days))),
    });
    let files = certificate::copy(turn, signature)?;
    let copy: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    let asked = invoice.as_ref().filter(|_| turn.policy.wants_deposit() && !turn.lead.deposit_confirmed);
    let messages = match asked {
        // One letter brings the copy and says what is due.
        Some(invoice) => {
            let slots = context! {
                amount => turn.lang.money(invoice.gross_minor, &currency),
                due => turn.lang.date(invoice.due),
                reference => invoice.payment_reference.as_str(),
            };
            turn.mail_with(MessageKind::Deposit, "deposit", slots, &copy)?
        }
        None if copy.is_empty() => Vec::new(),
        None => turn.mail_with(MessageKind::Reply, "signed", context! {}, &copy)?,
    };
    Ok(Thought {
        summary: format!("The contract is signed; deposit {}", turn.lang.money(deposit_minor, &currency)),
        result: StageResult::ContractSigned(ContractSigned { deposit_minor, currency, invoice }),
        messages,
        files,
    })
}
