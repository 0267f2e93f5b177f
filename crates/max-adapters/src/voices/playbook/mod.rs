//! The playbook: rules and templates from the agency's own folder. Always there, never pretends to be a model.
//!
//! What is to be done is read from the state of the lead (results of the stages, what the client was last asked,
//! signatures); the task's reason is only a hint. So a turn that is handed out again comes to the same result.
//!
//! One module per stage, each with a `think`; `turn::Turn` is what they share, `text` and `intent` are how they
//! read the client's words.

mod closer;
mod delivery_pm;
mod first_responder;
mod follow_up;
mod intent;
mod lead_gen;
mod onboarding;
mod orchestra;
mod review;
mod scoping;
mod text;
mod turn;
mod wishes;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use max_core::lead::{ApprovalKind, MessageKind, TaskReason};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_engine::ports::{Brief, CallFail, Thought, Voice};

use crate::agency::Agency;
use turn::Turn;

/// What drafts of the playbook carry as their author.
pub const NAME: &str = "playbook";

/// The voice that works by rules and templates.
#[derive(Clone, Debug)]
pub struct Playbook {
    agency: Arc<Agency>,
}

impl Playbook {
    /// A playbook over an agency's folder.
    pub fn new(agency: Arc<Agency>) -> Self {
        Self { agency }
    }

    /// Works one turn. The same brief gives the same thought.
    pub fn work(&self, brief: &Brief) -> Result<Thought, CallFail> {
        let turn = Turn::new(brief, &self.agency);
        let own = matches!(brief.task.reason, TaskReason::Review { .. } | TaskReason::FollowUp { .. });
        if let (false, Some(unread)) = (own, turn.unread()) {
            return Ok(unread);
        }
        let thought = self.stage(&turn)?;
        with_receipt(&turn, thought)
    }

    fn stage(&self, turn: &Turn) -> Result<Thought, CallFail> {
        match (&turn.brief.task.reason, turn.lead.stage) {
            (TaskReason::Review { .. }, _) => Ok(review::think(turn)),
            (TaskReason::FollowUp { number, .. }, _) => follow_up::think(turn, *number),
            (_, Stage::LeadGen) => lead_gen::think(turn),
            (_, Stage::FirstResponder) => first_responder::think(turn),
            (_, Stage::Scoping) => scoping::think(turn),
            (_, Stage::Orchestra) => orchestra::think(turn),
            (_, Stage::Closer) => closer::think(turn),
            (_, Stage::Onboarding) => onboarding::think(turn),
            (_, Stage::DeliveryPM) => delivery_pm::think(turn),
        }
    }
}

/// What the client wrote is acknowledged at once where a person releases the answer.
fn with_receipt(turn: &Turn, mut thought: Thought) -> Result<Thought, CallFail> {
    let answers = matches!(thought.result, StageResult::Reply(_) | StageResult::Answer(_));
    let waited_for = turn.news().is_some() || !turn.has_written();
    let held = answers && !thought.messages.is_empty() && turn.policy.needs_approval(ApprovalKind::Reply);
    if held && waited_for && !turn.lead.contact.email.trim().is_empty() {
        thought.messages.extend(turn.mail(MessageKind::Receipt, "receipt", minijinja::context! {})?);
    }
    Ok(thought)
}

impl Voice for Playbook {
    fn name(&self) -> &str {
        NAME
    }

    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        async move { self.work(brief) }.boxed()
    }
}
