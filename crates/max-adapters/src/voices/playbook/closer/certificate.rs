//! The signed contract as it is kept: the contract itself with the certificate of its signature as the last page.

use max_core::decide::signing::SIGNED_CONTRACT;
use max_core::id::Digest;
use max_core::lead::Signature;
use max_core::stage::Stage;
use max_core::stages::closer::{Contract, Promised};
use max_documents::certificate;
use max_documents::contract::{self as paper, Agreement};
use max_documents::doc::Doc;
use max_engine::ports::{CallFail, File};

use super::super::turn::{Turn, file, unwritable};
use super::{contract_source, meta};

/// How far back the day of a contract is looked for; no offer is valid for longer.
const DAYS_BACK: i64 = 400;

/// The file with its certificate, for the client to keep. Nothing for a contract that was signed before MAX knew of it.
pub fn copy(turn: &Turn, signature: &Signature) -> Result<Vec<File>, CallFail> {
    let Some(contract) = turn.lead.stage_value::<Contract>(Stage::Closer, "contract") else {
        return Ok(Vec::new());
    };
    let promised = Some(Promised::of(turn.lead, turn.policy));
    let doc = match written(turn, &contract)? {
        Some(mut doc) if is(&doc, signature.document)? => {
            certificate::append(&mut doc, &contract.file, signature, 1, promised);
            doc
        }
        // Signed on paper, or the owner's clauses have changed since: the certificate stands alone.
        _ => {
            let mut doc = Doc::new(turn.lang.pick(KIND), turn.project(), &turn.head(), turn.lang);
            certificate::alone(&mut doc, &contract.file, signature, 1, promised);
            doc
        }
    };
    Ok(vec![file(SIGNED_CONTRACT, doc.pdf().map_err(unwritable)?.bytes)])
}

const KIND: [&str; 4] = ["Contract", "Vertrag", "Contract", "Contrat"];

/// The contract as it was written, from what it was written from.
fn written(turn: &Turn, contract: &Contract) -> Result<Option<Doc>, CallFail> {
    let (Some(scope), Some(offer)) = (turn.scope(), turn.proposal()) else { return Ok(None) };
    let offer = contract.option.map_or(Some(offer.clone()), |kind| offer.with(kind)).unwrap_or(offer);
    let mut head = turn.head();
    let day = contract.slots.get("date");
    let days = (0..DAYS_BACK).map(|back| head.date.saturating_sub(jiff::Span::new().days(back)));
    let Some(date) = days.into_iter().find(|date| day == Some(&turn.lang.date(*date))) else { return Ok(None) };
    head.date = date;
    let agreement = Agreement {
        clauses: turn.agency.clauses(turn.lang),
        slots: &contract.slots,
        offer: &offer,
        scope: &scope,
        scope_sha256: contract.scope,
    };
    let source = contract_source(contract)?;
    paper::document(&agreement, &head, meta(turn, &source), turn.lang).map(Some).map_err(unwritable)
}

/// True when the document is to the byte what was signed.
fn is(doc: &Doc, signed: Digest) -> Result<bool, CallFail> {
    Ok(Digest::of(&doc.pdf().map_err(unwritable)?.bytes) == signed)
}
