//! The Core Orchestra's look at an escalation: another try where the trouble may pass, else advice to people.

use max_core::lead;
use max_core::stages::{Recommendation, StageResult};
use max_engine::ports::Thought;

use super::turn::Turn;

pub fn think(turn: &Turn) -> Thought {
    let lead = turn.lead;
    let reason = lead.escalation.as_ref().map_or("", |e| e.reason.as_str());
    let (retry, advice) = match &lead.turn {
        lead::Turn::Exhausted { error, .. } if lead.core_retries == 0 && may_pass(error) => {
            (true, format!("try {} once more: {error}", lead.stage))
        }
        lead::Turn::Exhausted { error, .. } => (false, format!("mend the cause, then retry the lead: {error}")),
        _ => (false, format!("take over, answer the client yourself and hand back: {reason}")),
    };
    Thought {
        summary: format!("Reviewed the escalation: {advice}"),
        result: StageResult::Recommendation(Recommendation { retry, advice }),
        messages: Vec::new(),
        files: Vec::new(),
    }
}

/// A failure that another try may not meet again. What a voice cannot do at all stays so.
fn may_pass(error: &str) -> bool {
    let error = error.to_lowercase();
    !["cannot do this", "findings", "refused"].iter().any(|word| error.contains(word))
}
