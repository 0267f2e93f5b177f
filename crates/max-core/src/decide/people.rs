//! People take a lead over, give it back, end it and take it up again.

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::LeadId;
use crate::lead::{ClientWait, Delivery, Ending, Outcome, TaskReason, Turn};
use crate::stage::Stage;

impl Deciding<'_> {
    pub(super) fn take_over(&mut self) -> Result<(), Refusal> {
        self.not_ended()?;
        self.persons_move("takes over")?;
        match &self.lead.taken_over {
            Some(take_over) if take_over.by == self.request.by => return Ok(()),
            Some(take_over) => {
                return Err(self.refuse(RefusalKind::State, format!("{} has taken over already", take_over.by.who())));
            }
            None => {}
        }
        let why = "a person took over";
        match &self.lead.turn {
            Turn::Working(_) => self.set_work_aside(why),
            _ => self.leave_turn(why),
        }
        self.leave_review(why);
        self.events.push(Event::TakenOver {});
        Ok(())
    }

    pub(super) fn hand_back(&mut self) -> Result<(), Refusal> {
        self.persons_move("hands back")?;
        if self.lead.taken_over.is_none() {
            return Err(self.refuse(RefusalKind::State, "nobody has taken over"));
        }
        self.events.push(Event::HandedBack {});
        if self.lead.escalation.is_none() {
            self.go_on_after_rest();
        }
        Ok(())
    }

    /// Takes up again what was set aside while a person had the lead.
    pub(super) fn go_on_after_rest(&mut self) {
        match &self.lead.turn {
            Turn::AwaitingClient(wait) if self.lead.unanswered == 0 && !self.was_held_back(wait) => {}
            Turn::AwaitingApproval(_) | Turn::Ended(_) => {}
            Turn::Exhausted { reason, .. } => self.begin(self.again(reason)),
            Turn::Working(_) | Turn::AwaitingClient(_) | Turn::AwaitingNeed { .. } | Turn::Paused { .. } => {
                self.begin(TaskReason::HandedBack);
            }
        }
    }

    /// True when the client never got the message whose answer is waited for.
    fn was_held_back(&self, wait: &ClientWait) -> bool {
        self.lead.messages.iter().any(|m| m.automatic && m.delivery == Delivery::Held && m.at >= wait.since)
    }

    pub(super) fn close_by_request(
        &mut self,
        outcome: Outcome,
        reason: &str,
        merged_into: Option<LeadId>,
    ) -> Result<(), Refusal> {
        if self.lead.outcome() == Some(outcome) {
            return Ok(());
        }
        if outcome == Outcome::Erased {
            let how = "an erasure is asked for (`max lead erase`), then approved by a person; closing erases nothing";
            return Err(self.refuse(RefusalKind::Invalid, how));
        }
        self.not_ended()?;
        if reason.trim().is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "closing needs a reason"));
        }
        if !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "only a person closes a lead; a voice submits its task"));
        }
        if outcome == Outcome::Delivered && self.lead.stage != Stage::DeliveryPM {
            return Err(self.refuse(RefusalKind::State, "only a lead in DeliveryPM can be delivered"));
        }
        if outcome == Outcome::Merged && merged_into.is_none_or(|other| other == self.lead.id) {
            return Err(self.refuse(RefusalKind::Invalid, "merging names another lead in merged_into"));
        }
        self.leave_turn("closed");
        self.leave_review("closed");
        self.close(outcome, reason.trim().into(), merged_into);
        Ok(())
    }

    pub(super) fn close(&mut self, outcome: Outcome, reason: String, merged_into: Option<LeadId>) {
        let ending = Ending { outcome, reason, merged_into, at: self.fresh.now() };
        self.events.push(Event::Closed { ending });
    }

    pub(super) fn reopen(&mut self, reason: &str) -> Result<(), Refusal> {
        match self.lead.outcome() {
            None => return Err(self.refuse(RefusalKind::State, "it is open")),
            Some(Outcome::Erased) => return Err(self.refuse(RefusalKind::State, "what is erased stays erased")),
            Some(_) => {}
        }
        self.persons_move("reopens a lead")?;
        if reason.trim().is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "reopening needs a reason"));
        }
        self.events.push(Event::Reopened { reason: reason.trim().into() });
        self.begin(TaskReason::Reopened);
        Ok(())
    }
}
