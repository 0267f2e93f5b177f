//! Everything that is held about a lead, for the person it is about: one value, complete and in plain words.

use jiff::Timestamp;
use max_core::event::Event;
use max_core::id::LeadId;
use max_core::lead::ClientState;
use serde_json::{Value, json};

use crate::director::Director;
use crate::error::Error;
use crate::ports::Logged;
use crate::view;

/// How the form of the export is called; a change that breaks readers gets another number.
pub const SCHEMA: &str = "max.export/1";

impl Director {
    /// Everything that is held about a lead.
    pub async fn export(&self, id: LeadId) -> Result<Value, Error> {
        let lead = std::sync::Arc::clone(&self.lead(id).await?.lead);
        let log = self.entries(id, 0, usize::MAX).await?;
        let suppression = self.suppression_of(&lead.contact.email).await?;
        let mut contact = serde_json::to_value(&lead.contact).unwrap_or_default();
        if let Some(contact) = contact.as_object_mut() {
            // It is the first message of the conversation.
            contact.shift_remove("message");
        }
        let state = ClientState::from(&*lead);
        Ok(json!({
            "schema": SCHEMA,
            "exported_at": self.now(),
            "lead_id": id,
            "contact": contact,
            "language": lead.language,
            "state": {
                "stage": lead.stage,
                "status": lead.status(),
                "outcome": lead.outcome().map(|o| o.name()),
                "next_action": state.next_action,
                "created_at": lead.created_at,
                "updated_at": lead.updated_at,
            },
            "consent": lead.privacy.consents,
            "told_that_an_ai_writes": lead.privacy.disclosures,
            "erasure_asked": lead.privacy.asked,
            "conversation": view::messages(&log),
            "results": lead.data,
            "assessments": assessments(&log),
            "notes_of_the_ai": notes(&log),
            "decisions_of_people": view::approvals(&log),
            "signature": lead.signature,
            "milestones_signed_off": lead.accepted_milestones,
            "change_orders_signed": lead.signed_changes,
            "change_orders_lapsed": lead.lapsed_changes,
            "deposit": lead.deposit,
            "artifacts": artifacts(&log),
            "moves": lead.history,
            "suppression": suppression.map(|s| json!({"reason": s.reason, "since": s.at})),
            "sent_to_model_providers": Value::Array(Vec::new()),
            "audit_trail": log.iter().map(audit).collect::<Vec<_>>(),
        }))
    }
}

/// Scores with their reasons, each as it was given.
fn assessments(log: &[Logged]) -> Vec<Value> {
    results(log, |result, value| matches!(result, "qualification") || value.get("score").is_some())
}

/// What the personas wrote down, and by which voice.
fn notes(log: &[Logged]) -> Vec<Value> {
    let mut notes = Vec::new();
    for Logged { entry, .. } in log {
        for event in &entry.events {
            match event {
                Event::WorkSubmitted { result, summary, voice, .. } => notes.push(json!({
                    "at": entry.at, "by": entry.by, "voice": voice, "about": result, "note": summary,
                })),
                Event::EscalationReviewed { advice, .. } => notes.push(json!({
                    "at": entry.at, "by": entry.by, "about": "escalation", "note": advice,
                })),
                _ => {}
            }
        }
    }
    notes
}

fn results(log: &[Logged], wanted: impl Fn(&str, &Value) -> bool) -> Vec<Value> {
    let mut found = Vec::new();
    for Logged { entry, .. } in log {
        for event in &entry.events {
            if let Event::WorkSubmitted { result, value, voice, .. } = event
                && wanted(result, value)
            {
                found.push(json!({"at": entry.at, "by": entry.by, "voice": voice, "result": result, "value": value}));
            }
        }
    }
    found
}

/// Every version of every file, with its digest.
fn artifacts(log: &[Logged]) -> Vec<Value> {
    let row = |at: Timestamp, artifact: &max_core::lead::ArtifactRef| {
        json!({
            "at": at, "stage": artifact.stage, "name": artifact.name, "version": artifact.version,
            "sha256": artifact.sha256, "bytes": artifact.bytes,
        })
    };
    let all = log.iter().flat_map(|l| l.entry.events.iter().map(|event| (l.entry.at, event)));
    all.flat_map(|(at, event)| match event {
        Event::WorkSubmitted { artifacts, .. } | Event::LeadImported { artifacts, .. } => {
            artifacts.iter().map(|artifact| row(at, artifact)).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    })
    .collect()
}

/// One entry of the log: who, when, what, and the digests by which it can be checked.
fn audit(logged: &Logged) -> Value {
    let Logged { entry, seal, erased, .. } = logged;
    json!({
        "version": entry.version,
        "at": entry.at,
        "by": entry.by,
        "signal_id": entry.signal_id,
        "what": entry.events.iter().map(view::line).collect::<Vec<_>>(),
        "payload_sha256": seal.payload,
        "chain": seal.chain,
        "erased": erased,
    })
}
