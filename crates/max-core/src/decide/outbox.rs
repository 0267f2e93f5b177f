//! The outbox: what waits to leave, the rule that lets it, and what became of it.

use jiff::Timestamp;

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{Digest, MessageId};
use crate::lead::{
    Actor, ArtifactRef, Delivery, Direction, Draft, Message, MessageKind, Outcome, address_key, is_robot,
};
use crate::rules::{Rule, Weight};

/// What is checked about mail, in the words of `product.md` 2.3. The other checks of mail stand where it is written and
/// read: `channels::folder`, `mail::parse`, `usecase::receive_mail`.
pub const RULES: &[Rule] = &[
    rule(
        "M-2a",
        "A follow-up names an address to unsubscribe at in one click (RFC 8058), where clients can reach the portal.",
        "channels::folder::compose",
        "m_2a_a_follow_up_can_be_unsubscribed_from_in_one_click",
    ),
    rule(
        "M-2b",
        "Unsubscribing is a POST without sign-in; fetching the address changes nothing.",
        "portal::unsubscribe::leave",
        "m_2b_unsubscribing_is_a_post_and_looking_changes_nothing",
    ),
    rule(
        "M-3a",
        "A mail has a random Message-ID of its own that is stored before it leaves, and names what it answers.",
        "decide::outbox::queue",
        "m_3a_a_mail_has_its_own_id_before_it_leaves_and_names_its_thread",
    ),
    rule(
        "M-3b",
        "An answer finds its lead by In-Reply-To and References; a sender known only by an address is marked unverified. \
         No subject line decides anything.",
        "usecase::receive_mail::receive_mail",
        "m_3b_a_mail_finds_its_lead_by_its_thread_and_never_by_its_subject",
    ),
    rule(
        "M-4a",
        "What no person wrote says so: Auto-Submitted is auto-replied for an answer, auto-generated otherwise (RFC 3834).",
        "channels::folder::compose",
        "m_4a_unattended_mail_says_so",
    ),
    rule(
        "M-4b",
        "No answer goes to a null Return-Path, Auto-Submitted other than no, List-*, Precedence bulk, list or junk, \
         X-Auto-Response-Suppress, a mailer-daemon or the agency's own address.",
        "usecase::receive_mail::receive_mail",
        "m_4b_what_a_machine_wrote_is_never_answered",
    ),
    rule(
        "M-4c",
        "No automatic mail leaves to the agency's own address or to one that no person reads.",
        "decide::outbox::release",
        "m_4c_no_automatic_mail_to_ourselves_or_to_a_robot",
    ),
    rule(
        "M-4d",
        "A sender gets one automatic receipt a day, however often he writes.",
        "decide::outbox::acknowledged_lately",
        "m_4d_a_sender_gets_one_receipt_a_day",
    ),
    rule(
        "M-4e",
        "More than five automatic mails to one client within an hour, without a person in between, stop and call a person.",
        "decide::outbox::too_many_mails",
        "m_4e_a_sixth_automatic_mail_within_an_hour_calls_a_person",
    ),
    rule(
        "M-5a",
        "A mail leaves once: the same message again is the same mail, also after a crash.",
        "channels::folder::write",
        "the_same_message_twice_is_one_mail",
    ),
    rule(
        "M-5b",
        "A bounce marks the address dead, and nothing automatic leaves any more.",
        "decide::messages::bounced",
        "a_bounce_calls_a_person_and_stops_what_is_automatic",
    ),
    rule(
        "M-5c",
        "A mail is plain text with its files: no HTML, so no tracking pixel.",
        "channels::folder::compose",
        "m_5c_a_mail_is_plain_text_without_anything_to_track",
    ),
];

const fn rule(id: &'static str, says: &'static str, check: &'static str, test: &'static str) -> Rule {
    Rule { id, says, weight: Weight::Refuses, check, test }
}

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
        } else if message.automatic && self.is_own(&lead.contact.email) {
            self.events.push(held("the address is the agency's own"));
            self.escalate_unless_open("the lead has the agency's own address; correct it, or close the lead");
        } else if message.automatic && is_robot(&lead.contact.email) {
            self.events.push(held("nobody reads the address"));
            self.escalate_unless_open("no person reads this address; find another way to reach the client");
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

    /// True for an address of the agency: mail to it would come back as an enquiry.
    fn is_own(&self, address: &str) -> bool {
        let key = address_key(address);
        self.policy.own_addresses().any(|own| address_key(&own) == key)
    }

    /// RFC 3834: one automatic receipt to a sender in a period, however often he writes.
    pub(super) fn acknowledged_lately(&self) -> bool {
        let since = self.fresh.now() - self.policy.receipt_every;
        let told = self.lead.messages.iter().filter(|m| m.kind == MessageKind::Receipt);
        told.into_iter().any(|m| m.direction == Direction::Out && m.at > since)
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
