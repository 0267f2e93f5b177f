//! The client signs: the contract, or a milestone. A signature given in time is never lost to a race.

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::Digest;
use crate::lead::{Actor, ClientAsk, Need, TaskReason, Turn};
use crate::stage::Stage;
use crate::stages::closer::{Contract, Proposal};
use crate::stages::delivery_pm::MilestoneReady;

impl Deciding<'_> {
    pub(super) fn sign(&mut self, document: Digest, signer: &str) -> Result<(), Refusal> {
        let signer = signer.trim();
        if signer.is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "a signature needs the signer's name"));
        }
        if matches!(self.request.by, Actor::Eidolon(_)) {
            return Err(self.refuse(RefusalKind::State, "only the client signs; a person may record it"));
        }
        let known = self.lead.signature.iter().chain(self.lead.accepted_milestones.values());
        if known.into_iter().any(|s| s.document == document) {
            return Ok(());
        }
        if matches!(self.lead.turn, Turn::AwaitingNeed { need: Need::Signature, .. }) {
            return self.sign_what_is_missing(document, signer);
        }
        let milestone = match self.asked_to_sign() {
            Some(ClientAsk::Signature { document: asked }) if *asked == document => None,
            Some(ClientAsk::Milestone { id, document: asked }) if *asked == document => Some(id.clone()),
            Some(_) => {
                return Err(self.refuse(RefusalKind::State, "another version of the document waits for the signature"));
            }
            None => return Err(self.refuse(RefusalKind::State, "nothing waits for a signature")),
        };
        self.leave_turn("the client signed");
        self.events.push(Event::DocumentSigned { document, signer: signer.into(), milestone });
        if !self.at_rest() {
            self.open_task(self.lead.stage.eidolon(), TaskReason::Signed);
        } else if matches!(self.lead.turn, Turn::AwaitingClient(_)) {
            // Nothing is asked of the client any more; whoever lets the lead go on begins the next turn.
            self.events.push(Event::TurnPaused {});
        }
        Ok(())
    }

    /// What the client is asked to sign, also while somebody writes to him meanwhile: what counts is that nothing
    /// newer has been put up since it was sent.
    fn asked_to_sign(&self) -> Option<&ClientAsk> {
        let wait = match &self.lead.turn {
            Turn::AwaitingClient(wait) => wait,
            Turn::Ended(_) | Turn::AwaitingNeed { .. } => return None,
            Turn::Working(_) | Turn::AwaitingApproval(_) | Turn::Paused { .. } | Turn::Exhausted { .. } => {
                self.lead.last_wait.as_ref().filter(|wait| self.is_newest(&wait.ask))?
            }
        };
        Some(&wait.ask).filter(|ask| ask.document().is_some())
    }

    fn is_newest(&self, ask: &ClientAsk) -> bool {
        match ask {
            ClientAsk::Signature { document } => {
                self.contract().is_none_or(|contract| {
                    let proposal = self.lead.stage_value::<Proposal>(Stage::Closer, "proposal");
                    contract.document == *document && proposal.is_none_or(|p| p.revision == contract.proposal_revision)
                }) && self.lead.signature.is_none()
            }
            ClientAsk::Milestone { id, document } => {
                let ready = self.lead.stage_value::<MilestoneReady>(Stage::DeliveryPM, "milestone_ready");
                ready.is_none_or(|r| r.document == *document) && !self.lead.accepted_milestones.contains_key(id)
            }
            _ => false,
        }
    }

    fn contract(&self) -> Option<Contract> {
        self.lead.stage_value(Stage::Closer, "contract")
    }

    /// A stage misses the signature: the client may sign the contract he was sent, and a person may record one
    /// that was given outside.
    fn sign_what_is_missing(&mut self, document: Digest, signer: &str) -> Result<(), Refusal> {
        let sent = self.contract().is_some_and(|contract| contract.document == document);
        if !sent && !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "another version of the document waits for the signature"));
        }
        self.events.push(Event::DocumentSigned { document, signer: signer.into(), milestone: None });
        if !self.at_rest() {
            self.begin(TaskReason::Signed);
        }
        Ok(())
    }
}
