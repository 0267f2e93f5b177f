//! The client writes: an ordinary message opens the next turn, an automatic one does not.

use super::identity::asks_for_export;
use super::{Deciding, asks_for_erasure};
use crate::command::Incoming;
use crate::error::Refusal;
use crate::event::Event;
use crate::id::MessageId;
use crate::lead::{Actor, ClientWait, Direction, Message, MessageKind, Outcome, TaskReason, Turn};

impl Deciding<'_> {
    pub(super) fn receive(&mut self, incoming: &Incoming) -> Result<(), Refusal> {
        let rfc_id = incoming.rfc_id.clone().unwrap_or_default();
        if !rfc_id.is_empty() && self.lead.messages.iter().any(|m| m.rfc_id == rfc_id) {
            return Ok(());
        }
        let id = MessageId(self.fresh.uuid());
        let now = self.fresh.now();
        let message = Message {
            id,
            direction: Direction::In,
            kind: incoming.kind,
            stage: self.lead.stage,
            at: now,
            by: Actor::Client,
            subject: incoming.subject.clone(),
            body: incoming.body.clone(),
            attachments: Vec::new(),
            rfc_id,
            in_reply_to: incoming.in_reply_to.clone(),
            references: Vec::new(),
            address: incoming.address.clone(),
            written_by: None,
            verified: incoming.verified,
        };
        self.events.push(Event::MessageReceived { message: Box::new(message) });
        match incoming.kind {
            MessageKind::OutOfOffice => self.nobody_there(),
            MessageKind::Bounce => self.bounced(),
            MessageKind::OptOut => self.opted_out(),
            _ if asks_for_erasure(&incoming.body) => self.erasure_wished(incoming),
            _ => {
                if asks_for_export(&incoming.body) {
                    self.export_wished(incoming);
                }
                self.client_wrote(id);
            }
        }
        Ok(())
    }

    /// An out-of-office answer is no reply, but nobody is there: the sequence starts again from today.
    fn nobody_there(&mut self) {
        if let Turn::AwaitingClient(wait) = &self.lead.turn {
            let wait = ClientWait { since: self.fresh.now(), ..wait.clone() };
            self.events.push(Event::ClientAwaited { wait });
        }
    }

    fn bounced(&mut self) {
        self.events.push(Event::ClientUnreachable { why: "the address bounced".into() });
        if matches!(self.lead.turn, Turn::AwaitingApproval(_)) && self.lead.escalation.is_none() {
            self.leave_turn("the address bounced");
        }
        self.escalate_unless_open("the client's address bounces; find another way to reach them");
    }

    /// The client wants no more mail. Before the signature that is a no; after it the project goes on, and people
    /// have to find another way.
    fn opted_out(&mut self) {
        self.events.push(Event::ClientUnreachable { why: "the client wants no more mail".into() });
        if self.lead.outcome().is_some() {
        } else if self.lead.signature.is_none() {
            self.leave_turn("the client opted out");
            self.close(Outcome::Lost, "the client wants no more mail".into(), None);
        } else {
            self.escalate_unless_open("the client wants no more mail, but the project runs; reach them another way");
        }
    }

    fn client_wrote(&mut self, message: MessageId) {
        let reason = TaskReason::ClientMessage { message };
        match &self.lead.turn {
            // What was being written does not know what the client just said.
            Turn::AwaitingApproval(_) if self.at_rest() => self.leave_turn("the client wrote"),
            _ if self.at_rest() => {}
            // The stage has not begun: it waits for the deposit, whatever is said.
            Turn::AwaitingApproval(_) if self.missing_here().is_some() => {}
            Turn::Working(_) | Turn::AwaitingApproval(_) => {
                self.leave_turn("the client wrote");
                self.open_task(self.lead.stage.eidolon(), reason);
            }
            Turn::AwaitingClient(_) => self.open_task(self.lead.stage.eidolon(), reason),
            Turn::Ended(ending) if ending.outcome == Outcome::Lost => {
                self.events.push(Event::Reopened { reason: "the client wrote again".into() });
                self.begin(reason);
            }
            // Recorded, and people are told.
            Turn::AwaitingNeed { .. } | Turn::Paused { .. } | Turn::Exhausted { .. } | Turn::Ended(_) => {}
        }
    }
}
