//! The deposit arrives: a person says so, by the approval that asks for it or as a payment of its own.

use super::Deciding;
use super::tasks::new_task;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::lead::{Approval, ApprovalKind, IncomingPayment, Need, TaskReason, Turn};
use crate::stages::closer;

impl Deciding<'_> {
    /// Records the payment, which is also the yes to the question whether it arrived. Recorded before, it changes
    /// nothing; recorded before it was asked for, it is not asked for any more.
    pub(super) fn record_payment(&mut self, payment: &IncomingPayment) -> Result<(), Refusal> {
        self.persons_move("records a payment")?;
        self.not_ended()?;
        if self.lead.signature.is_none() {
            return Err(self.refuse(RefusalKind::State, "nothing is signed yet, so no deposit is due"));
        }
        if self.lead.deposit_confirmed {
            return Ok(());
        }
        self.check_payment(payment)?;
        if let Some(asked) = self.lead.pending_approval().filter(|a| a.kind == ApprovalKind::Deposit).cloned() {
            self.deposit_is_there(asked, payment);
            return Ok(());
        }
        self.events.push(Event::DepositConfirmed { payment: Some(payment.clone()) });
        if matches!(self.lead.turn, Turn::AwaitingNeed { need: Need::Deposit, .. }) && !self.at_rest() {
            self.begin(TaskReason::StageEntered);
        }
        Ok(())
    }

    fn check_payment(&self, payment: &IncomingPayment) -> Result<(), Refusal> {
        if payment.reference.chars().count() > 200 || payment.reference.chars().any(char::is_control) {
            return Err(
                self.refuse(RefusalKind::Invalid, "a payment's reference is one line of at most 200 characters")
            );
        }
        let today = self.policy.today(self.fresh.now());
        if payment.received_on.is_some_and(|day| day > today) {
            return Err(self.refuse(RefusalKind::Invalid, format!("no payment arrives later than today, {today}")));
        }
        let Some(offer) = closer::agreed(self.lead) else { return Ok(()) };
        let due = offer.deposit_minor();
        match payment.amount_minor {
            Some(amount) if amount < due => {
                let (amount, due) = (closer::money(amount, &offer.currency), closer::money(due, &offer.currency));
                let why = format!(
                    "{amount} is less than the deposit of {due}; record it when the rest is there, or leave the amount \
                     out to accept what came"
                );
                Err(self.refuse(RefusalKind::Invalid, why))
            }
            _ => Ok(()),
        }
    }

    /// The same as approving that it arrived, with what the account shows.
    fn deposit_is_there(&mut self, asked: Approval, payment: &IncomingPayment) {
        self.events.push(Event::ApprovalDecided {
            approval: asked.id,
            kind: asked.kind,
            payload_sha256: asked.payload_sha256,
            approved: true,
            reason: Some("the payment was recorded".into()),
            through: self.request.seen.through,
        });
        self.resolve_escalation("the deposit arrived".into());
        self.events.push(Event::DepositConfirmed { payment: Some(payment.clone()) });
        let mut task = new_task(self.lead.stage.eidolon(), TaskReason::Continued, self.fresh);
        task.id = asked.task;
        self.go_on(asked.then, &task, &format!("the deposit arrived: {}", asked.title));
    }
}
