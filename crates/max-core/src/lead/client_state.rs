//! A lead as the world reads it: `state.json` and the API.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Lead, Outcome, StageTransition, Status, Turn};
use crate::id::LeadId;
use crate::stage::Stage;

/// What `state.json` holds and the API answers: exactly these fields, names and values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientState {
    /// The lead.
    pub lead_id: LeadId,
    /// Its stage.
    pub current_stage: Stage,
    /// Its status.
    pub status: Status,
    /// Keyed by stage, plus `lead` (what came in), `waiting_for` and `outcome`.
    pub data: Map<String, Value>,
    /// A sentence a person can act on.
    pub next_action: String,
    /// The moves so far.
    pub history: Vec<StageTransition>,
    /// When it came in (RFC 3339, UTC).
    pub created_at: Timestamp,
    /// When it last changed (RFC 3339, UTC).
    pub updated_at: Timestamp,
}

impl From<&Lead> for ClientState {
    fn from(lead: &Lead) -> Self {
        let mut data = Map::new();
        data.insert("lead".into(), serde_json::to_value(&lead.contact).unwrap_or_default());
        for (stage, values) in &lead.data {
            data.insert(stage.name().into(), Value::Object(values.clone()));
        }
        if let Some(waiting) = waiting_for(lead) {
            data.insert("waiting_for".into(), waiting);
        }
        if let Turn::Ended(ending) = &lead.turn {
            data.insert("outcome".into(), ending.outcome.name().into());
            if let Some(other) = ending.merged_into {
                data.insert("merged_into".into(), other.to_string().into());
            }
        }
        Self {
            lead_id: lead.id,
            current_stage: lead.stage,
            status: lead.status(),
            data,
            next_action: lead.next_action(),
            history: lead.history.clone(),
            created_at: lead.created_at,
            updated_at: lead.updated_at,
        }
    }
}

/// What the lead waits for, for programs.
fn waiting_for(lead: &Lead) -> Option<Value> {
    use serde_json::json;
    let asked = |a: &super::Approval| {
        json!({
            "kind": "approval", "id": a.id, "approval": a.kind, "title": a.title,
            "since": a.requested_at, "due_at": a.due_at,
        })
    };
    if let Some(erasure) = &lead.privacy.erasure {
        return Some(asked(erasure));
    }
    if matches!(lead.turn, Turn::Ended(_)) {
        return None;
    }
    if let Some(escalation) = &lead.escalation {
        return Some(
            json!({"kind": "escalation", "id": escalation.id, "reason": escalation.reason, "since": escalation.at}),
        );
    }
    if let Some(take_over) = &lead.taken_over {
        return Some(json!({"kind": "take_over", "by": take_over.by, "since": take_over.at}));
    }
    match &lead.turn {
        Turn::AwaitingApproval(a) => Some(asked(a)),
        Turn::AwaitingClient(wait) => {
            let mut value = json!({"kind": "client", "for": wait.ask.sentence(), "since": wait.since, "follow_ups": wait.follow_ups});
            if let Some(document) = wait.ask.document() {
                value["document"] = json!(document);
                // The very file that is signed, as it lies in the lead's folder.
                if let Some(file) = lead.artifacts.iter().find(|a| a.sha256 == document) {
                    value["file"] = json!(format!("{}/{}", file.stage.folder(), file.name));
                }
            }
            Some(value)
        }
        Turn::AwaitingNeed { need, since } => Some(json!({"kind": "need", "need": need, "since": since})),
        Turn::Paused { .. } | Turn::Exhausted { .. } => Some(json!({"kind": "person"})),
        Turn::Working(_) | Turn::Ended(_) => None,
    }
}

/// What should happen next, in a sentence a person can act on.
pub(super) fn next_action(lead: &Lead) -> String {
    let persona = lead.stage.eidolon().persona();
    if let Some(erasure) = &lead.privacy.erasure {
        return format!("Decide: {}.", erasure.title.trim_end_matches('.'));
    }
    if let Turn::Ended(ending) = &lead.turn {
        return match ending.outcome {
            Outcome::Delivered => "Nothing: the project is delivered and signed off.".into(),
            outcome => format!("Nothing: closed as {} ({}).", outcome.name(), ending.reason.trim_end_matches('.')),
        };
    }
    if let Some(escalation) = &lead.escalation {
        let advice = match (&escalation.recommendation, &escalation.review) {
            (Some(text), _) => format!(" The Core Orchestra recommends: {}.", text.trim_end_matches('.')),
            (None, Some(_)) => " The Core Orchestra is looking at it.".into(),
            (None, None) => String::new(),
        };
        let decide = if lead.pending_approval().is_some() { "Decide the approval, retry" } else { "Retry" };
        let reason = escalation.reason.trim_end_matches('.');
        return format!("{decide}, hand off or close this lead: {reason}.{advice}");
    }
    if let Some(take_over) = &lead.taken_over {
        return format!("{} has taken over; hand the lead back when done.", take_over.by.who());
    }
    match &lead.turn {
        Turn::Working(task) if task.holder.is_some() => format!("{persona} is working on {}.", lead.stage),
        Turn::Working(task) => match task.not_before {
            Some(at) => format!("{persona} tries {} again at {}.", lead.stage, at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => format!("{persona} takes up {}.", lead.stage),
        },
        Turn::AwaitingApproval(approval) => format!("Decide: {}.", approval.title.trim_end_matches('.')),
        Turn::AwaitingClient(wait) => match &lead.unreachable {
            Some(why) => format!("Reach the client another way ({why}) for the {}.", wait.ask.sentence()),
            None => format!("Wait for the client's {}.", wait.ask.sentence()),
        },
        Turn::AwaitingNeed { need, .. } => {
            format!("{} waits for {}: {}.", lead.stage, need.sentence(), need.remedy())
        }
        Turn::Paused { .. } => "Retry, hand off or close this lead.".into(),
        Turn::Exhausted { attempts, error, .. } => {
            format!("Retry, hand off or close this lead: {attempts} attempts failed ({}).", error.trim_end_matches('.'))
        }
        Turn::Ended(_) => String::new(),
    }
}
