//! Refusals: every no names the state, the command, the reason and what would be allowed.

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::lead::{Actor, Lead, Need, Outcome, Turn};
use crate::stage::Stage;

impl Deciding<'_> {
    pub(super) fn not_ended(&self) -> Result<(), Refusal> {
        match self.lead.outcome() {
            None => Ok(()),
            Some(Outcome::Erased) => Err(self.refuse(RefusalKind::State, "what is erased stays erased")),
            Some(outcome) => {
                Err(self.refuse(RefusalKind::State, format!("its outcome is {}; reopen it first", outcome.name())))
            }
        }
    }

    /// Refuses what the client, an Eidolon or a voice asks for though only people may.
    pub(super) fn persons_move(&self, what: &str) -> Result<(), Refusal> {
        match self.request.by {
            Actor::Client | Actor::Eidolon(_) => Err(self.refuse(RefusalKind::State, format!("only a person {what}"))),
            Actor::Director | Actor::Person(_) | Actor::Signal(_) | Actor::Import(_) => Ok(()),
        }
    }

    pub(super) fn refuse(&self, kind: RefusalKind, reason: impl Into<String>) -> Refusal {
        let lead = self.lead;
        let state = format!("{} in {} ({})", lead.status().name(), lead.stage, lead.turn.name());
        Refusal {
            kind,
            state,
            command: self.request.command.verb().into(),
            reason: reason.into(),
            allowed: allowed(lead),
            findings: Vec::new(),
        }
    }
}

/// What a person may do with a lead, in words.
pub fn allowed(lead: &Lead) -> Vec<String> {
    match lead.outcome() {
        Some(Outcome::Erased) => return Vec::new(),
        _ if lead.is_restricted() => return vec!["decide the erasure".into(), "write to the client".into()],
        Some(_) => return vec!["reopen with a reason".into()],
        None => {}
    }
    let mut allowed = Vec::new();
    if let Some(next) = lead.stage.next() {
        allowed.push(format!("hand off to {next}"));
    }
    let later: Vec<&str> =
        Stage::ALL.into_iter().filter(|s| *s as usize > lead.stage as usize + 1).map(Stage::name).collect();
    if !later.is_empty() {
        allowed.push(format!("past a stage to {} with a reason", later.join(" or ")));
    }
    let back: Vec<&str> = Stage::ALL
        .into_iter()
        .filter(|s| *s < lead.stage && (lead.signature.is_none() || *s > Stage::Closer))
        .map(Stage::name)
        .collect();
    if !back.is_empty() {
        allowed.push(format!("back to {} with a reason", back.join(" or ")));
    }
    if lead.pending_approval().is_some() {
        allowed.push("decide the approval".into());
    }
    if lead.escalation.is_some() || matches!(lead.turn, Turn::Exhausted { .. } | Turn::AwaitingNeed { .. }) {
        allowed.push("retry".into());
    }
    if matches!(lead.turn, Turn::AwaitingNeed { need: Need::Signature, .. }) {
        allowed.push("record the signature".into());
    }
    allowed.push(if lead.taken_over.is_some() { "hand back" } else { "take over" }.into());
    allowed.push("close with a reason".into());
    allowed
}
