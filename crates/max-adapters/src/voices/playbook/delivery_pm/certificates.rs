//! A certificate for everything the client signed while the project runs, beside the file that he signed.

use max_core::id::Digest;
use max_core::lead::Signature;
use max_core::stage::Stage;
use max_core::stages::closer::Promised;
use max_core::stages::delivery_pm::{ChangeOrderReady, MilestoneReady};
use max_documents::certificate;
use max_documents::doc::Doc;
use max_engine::ports::{CallFail, File};

use super::Running;
use crate::voices::playbook::turn::{file, unwritable};

/// The certificates that are not written yet, oldest signature first.
pub(super) fn missing(running: &Running) -> Result<Vec<File>, CallFail> {
    let lead = running.turn.lead;
    let hand_overs: Vec<MilestoneReady> = lead.stage_value(Stage::DeliveryPM, "hand_overs").unwrap_or_default();
    let orders: Vec<ChangeOrderReady> = lead.stage_value(Stage::DeliveryPM, "change_orders").unwrap_or_default();
    let named = |document: Digest| {
        let of_milestone = hand_overs.iter().filter(|h| h.document == document).map(|h| h.file.clone());
        let of_order = orders.iter().filter(|o| o.document == document).map(|o| o.file.clone());
        of_milestone.chain(of_order).find(|file| !file.is_empty())
    };
    let milestones = lead.accepted_milestones.iter().map(|(id, s)| (id.clone(), s));
    let changes = lead.signed_changes.iter().map(|(number, s)| (format!("CO-{number}"), s));
    let mut signed: Vec<(String, &Signature)> = milestones.chain(changes).collect();
    signed.sort_by_key(|(_, signature)| signature.at);
    let mut files = Vec::new();
    // The contract was signed before all of these.
    for (order, (id, signature)) in (2..).zip(signed) {
        let name = format!("certificates/{id}.pdf");
        if lead.artifact(Stage::DeliveryPM, &name).is_none() {
            let file_signed = named(signature.document).unwrap_or_else(|| id.clone());
            files.push(file(&name, of(running, &id, &file_signed, signature, order)?));
        }
    }
    Ok(files)
}

fn of(running: &Running, id: &str, file: &str, signature: &Signature, order: usize) -> Result<Vec<u8>, CallFail> {
    let turn = running.turn;
    let kind = turn.lang.pick(["Certificate", "Zertifikat", "Certificaat", "Certificat"]);
    let mut doc = Doc::new(kind, format!("{id}: {}", running.title), &running.head, turn.lang);
    certificate::alone(&mut doc, file, signature, order, Some(Promised::of(turn.lead, turn.policy)));
    Ok(doc.pdf().map_err(unwritable)?.bytes)
}
