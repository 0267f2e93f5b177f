//! Help: escalations, what the Core Orchestra says to them, and another try.

use super::Deciding;
use super::tasks::new_task;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::EscalationId;
use crate::lead::{Escalation, TaskReason, Turn};
use crate::stage::Eidolon;
use crate::stages::Recommendation;

/// How an escalation is settled when the Core Orchestra asks for another try.
pub const CORE_RETRY: &str = "the Core Orchestra asked for another try";

impl Deciding<'_> {
    pub(super) fn escalate_by_request(&mut self, reason: &str) -> Result<(), Refusal> {
        self.not_ended()?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "an escalation needs a reason"));
        }
        match &self.lead.escalation {
            Some(open) if open.reason == reason => return Ok(()),
            Some(open) => {
                return Err(self.refuse(RefusalKind::State, format!("an escalation is open: {}", open.reason)));
            }
            None => {}
        }
        self.set_work_aside("escalated");
        self.escalate(reason.into(), !self.request.by.is_person());
        Ok(())
    }

    pub(super) fn escalate_unless_open(&mut self, reason: &str) {
        if self.lead.escalation.is_none() && self.lead.outcome().is_none() {
            self.set_work_aside("escalated");
            self.escalate(reason.into(), false);
        }
    }

    /// Opens an escalation; `review` asks the Core Orchestra first, unless a person works with the client anyway.
    pub(super) fn escalate(&mut self, reason: String, review: bool) {
        let id = EscalationId(self.fresh.uuid());
        let review = review && self.lead.taken_over.is_none();
        let review = review.then(|| new_task(Eidolon::Mach42v2, TaskReason::Review { escalation: id }, self.fresh));
        let by = self.request.by.clone();
        let at = self.fresh.now();
        let escalation = Escalation { id, reason, by, at, review, recommendation: None };
        self.events.push(Event::Escalated { escalation: Box::new(escalation) });
    }

    /// The Core Orchestra has looked: another try while it may ask for one, else its advice to people.
    pub(super) fn reviewed(&mut self, escalation: EscalationId, advice: &Recommendation) -> Result<(), Refusal> {
        if advice.retry && self.lead.core_retries < self.policy.core_retries {
            self.events.push(Event::EscalationResolved { escalation, how: CORE_RETRY.into() });
            self.go_on_after_help();
        } else {
            self.events.push(Event::EscalationReviewed { escalation, advice: advice.advice.clone() });
        }
        Ok(())
    }

    /// Settles the open escalation, if there is one, and fences who still reviews it.
    pub(super) fn resolve_escalation(&mut self, how: String) {
        self.leave_review(&how);
        if let Some(escalation) = &self.lead.escalation {
            self.events.push(Event::EscalationResolved { escalation: escalation.id, how });
        }
    }

    pub(super) fn leave_review(&mut self, why: &str) {
        if let Some(review) = self.lead.escalation.as_ref().and_then(|e| e.review.as_ref()) {
            self.events.push(Event::TaskSuperseded { task: review.id, why: why.into() });
        }
    }

    pub(super) fn retry(&mut self) -> Result<(), Refusal> {
        self.not_ended()?;
        self.persons_move("asks for another try")?;
        let escalated = self.lead.escalation.is_some();
        self.resolve_escalation(format!("{} asked for another try", self.request.by.who()));
        if let Some(take_over) = &self.lead.taken_over {
            // The work itself goes on when the lead is handed back.
            return if escalated {
                Ok(())
            } else {
                Err(self.refuse(RefusalKind::State, format!("{} has taken over; hand it back", take_over.by.who())))
            };
        }
        self.go_on_after_help();
        if !self.events.is_empty() {
            return Ok(());
        }
        match &self.lead.turn {
            // Nobody should have to wait for the back-off once the cause is mended.
            Turn::Working(task) if task.holder.is_none() && task.not_before.is_some() => {
                let reason = task.reason.clone();
                self.leave_turn("retried by a person");
                self.open_task(self.lead.stage.eidolon(), reason);
                Ok(())
            }
            Turn::AwaitingNeed { need, .. } => {
                let stage = self.lead.stage;
                Err(self.refuse(RefusalKind::State, format!("{stage} still waits for {}", need.sentence())))
            }
            _ => Err(self.refuse(RefusalKind::State, "there is nothing to retry")),
        }
    }

    /// Takes up what stood still. What waits for somebody else goes on waiting.
    pub(super) fn go_on_after_help(&mut self) {
        match &self.lead.turn {
            Turn::Exhausted { reason, .. } => self.begin(self.again(reason)),
            Turn::Paused { .. } | Turn::AwaitingNeed { .. } => self.begin(TaskReason::Retried),
            Turn::AwaitingClient(_) if self.lead.unanswered > 0 => self.begin(TaskReason::Retried),
            _ => {}
        }
    }

    /// Why there is another try: the same reason where the work depends on it.
    pub(super) fn again(&self, reason: &TaskReason) -> TaskReason {
        match reason {
            TaskReason::FollowUp { .. } if self.lead.unanswered == 0 => reason.clone(),
            TaskReason::Rejected { .. } => reason.clone(),
            _ => TaskReason::Retried,
        }
    }
}
