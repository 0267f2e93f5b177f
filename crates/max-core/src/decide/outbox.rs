//! The outbox: what waits to leave, the rule that lets it, and what became of it.

use jiff::Timestamp;

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{Digest, MessageId};
use crate::lead::{Actor, ArtifactRef, Delivery, Direction, Draft, Message, MessageKind, Outcome};

impl Deciding<'_> {
    pub(super) fn send(&mut self, subject: &str, body: &str) -> Result<(), Refusal> {
        self.persons_move("writes to a client by hand")?;
        if body.trim().is_empty() || subject.trim().is_empty() || subject.contains(['\r', '\n']) {
            return Err(self.refuse(RefusalKind::Invalid, "a message needs a subject of one line and a text"));
        }
        if self.lead.contact.email.trim().is_empty() {
            return Err(self.refuse(RefusalKind::State, "the lead has no email address"));
        }
        let draft = Draft {
            kind: MessageKind::Reply,
            subject: subject.trim().into(),
            body: body.into(),
            attachments: Vec::new(),
            written_by: String::new(),
        };
        self.queue(&draft, &[]);
        Ok(())
    }

    /// Puts a message into the outbox, threaded onto the conversation (RFC 5322 section 3.6.4).
    pub(super) fn queue(&mut self, draft: &Draft, files: &[ArtifactRef]) {
        let id = MessageId(self.fresh.uuid());
        let thread: Vec<String> =
            self.lead.messages.iter().filter(|m| !m.rfc_id.is_empty()).map(|m| m.rfc_id.clone()).collect();
        let last_in = self.lead.messages.iter().rev().find(|m| m.direction == Direction::In && !m.rfc_id.is_empty());
        let in_reply_to = last_in.map(|m| m.rfc_id.clone()).or_else(|| thread.last().cloned());
        let attachments = draft.attachments.iter().filter_map(|name| self.attachment(name, files)).collect();
        let person = draft.written_by.is_empty();
        let message = Message {
            id,
            direction: Direction::Out,
            kind: draft.kind,
            stage: self.lead.stage,
            at: self.fresh.now(),
            by: if person { self.request.by.clone() } else { Actor::Eidolon(self.lead.stage.eidolon()) },
            subject: draft.subject.clone(),
            body: draft.body.clone(),
            attachments,
            rfc_id: format!("{id}@{}", self.policy.mail_domain),
            in_reply_to,
            references: thread.into_iter().rev().take(20).rev().collect(),
            address: self.lead.contact.email.trim().to_owned(),
            written_by: (!person).then(|| draft.written_by.clone()),
            verified: true,
        };
        self.events.push(Event::MessageQueued { message: Box::new(message) });
        self.record_disclosure(id, draft);
    }

    /// The attached file: of the work or approval at hand, else the newest of the stage.
    fn attachment(&self, name: &str, files: &[ArtifactRef]) -> Option<ArtifactRef> {
        let here = files.iter().find(|a| a.name == name);
        here.or_else(|| self.lead.artifact(self.lead.stage, name)).cloned()
    }

    pub(super) fn release(&mut self, id: MessageId) -> Result<(), Refusal> {
        let Some(message) = self.lead.messages.iter().find(|m| m.id == id && m.direction == Direction::Out) else {
            return Err(self.refuse(RefusalKind::NotFound, format!("there is no outgoing message {id}")));
        };
        match message.delivery {
            Delivery::Queued => {}
            // It was let go before a crash; the channel takes the same message id only once.
            Delivery::Sending => return Ok(()),
            other => return Err(self.refuse(RefusalKind::State, format!("message {id} is {} already", other.name()))),
        }
        let held = |why: &str| Event::MessageHeld { message: id, why: why.into() };
        let lead = self.lead;
        // A link to confirm a request about his own data is owed to a person whatever else was stopped.
        let owed = message.kind == MessageKind::Identity;
        if lead.contact.email.trim().is_empty() {
            self.events.push(held("the lead has no email address"));
            self.escalate_unless_open("there is no address to answer to; find another way to reach the client");
        } else if message.automatic && !owed && lead.is_restricted() {
            self.events.push(held("the erasure of the lead's data was asked for"));
        } else if message.automatic && lead.taken_over.is_some() {
            self.events.push(held("a person has taken over"));
        } else if lead.outcome() == Some(Outcome::Erased) {
            self.events.push(held("the lead is erased"));
        } else if let (Some(outcome @ (Outcome::Spam | Outcome::Merged)), true) = (lead.outcome(), message.automatic) {
            self.events.push(held(&format!("the lead was closed as {}", outcome.name())));
        } else if let Some(why) = lead.unreachable.as_ref().filter(|_| message.automatic && !owed) {
            self.events.push(held(why));
            self.escalate_unless_open(&format!("{why}, and a message could not go out; reach them another way"));
        } else if message.automatic && !owed && self.too_many_mails(message.at) {
            self.events.push(held("too many automatic mails in an hour"));
            self.escalate_unless_open(
                "more automatic mails in an hour than the policy allows; look at the conversation",
            );
        } else {
            self.release_what_may_be_said(id, message.automatic, message.text)?;
        }
        Ok(())
    }

    /// The last look at the words: an automatic message that says too much is held, a person is only advised.
    fn release_what_may_be_said(&mut self, id: MessageId, automatic: bool, text: Digest) -> Result<(), Refusal> {
        let found = match &self.request.seen.text {
            Some(seen) if Digest::of(seen.body.as_bytes()) != text => {
                return Err(self.refuse(RefusalKind::State, format!("the text of message {id} is not the one queued")));
            }
            Some(seen) => self.said_too_much(seen),
            None => Vec::new(),
        };
        let first = found.first().map(|finding| format!("{}: {}", finding.rule, finding.detail));
        let rule = match first {
            Some(first) if automatic => {
                self.events.push(Event::MessageHeld { message: id, why: first.clone() });
                self.escalate_unless_open(&format!(
                    "a message says what nobody agreed to ({first}); write it yourself"
                ));
                return Ok(());
            }
            Some(first) => format!("written by a person, who is advised: {first}"),
            None if automatic => {
                {
                "address of the lead, not taken over, reachable, not on the suppression list, nothing said that was not agreed"
                    .into()
            }
            }
            None => "written by a person".into(),
        };
        self.events.push(Event::MessageReleased { message: id, rule });
        Ok(())
    }

    fn too_many_mails(&self, at: Timestamp) -> bool {
        self.lead.automatic_mails_in_last_hour(at) > self.policy.automatic_mails_per_hour
    }

    pub(super) fn record_sent(&mut self, id: MessageId) -> Result<(), Refusal> {
        match self.lead.messages.iter().find(|m| m.id == id).map(|m| m.delivery) {
            Some(Delivery::Sending) => self.events.push(Event::MessageSent { message: id }),
            Some(Delivery::Sent) => {}
            _ => return Err(self.refuse(RefusalKind::State, format!("message {id} was not let go"))),
        }
        Ok(())
    }

    pub(super) fn record_send_failure(&mut self, id: MessageId, error: &str) -> Result<(), Refusal> {
        match self.lead.messages.iter().find(|m| m.id == id).map(|m| m.delivery) {
            Some(Delivery::Sending) => {
                self.events.push(Event::MessageFailed { message: id, error: error.into() });
                self.escalate_unless_open(&format!("a message to the client could not be sent: {error}"));
            }
            Some(Delivery::Failed) => {}
            _ => return Err(self.refuse(RefusalKind::State, format!("message {id} was not let go"))),
        }
        Ok(())
    }
}
