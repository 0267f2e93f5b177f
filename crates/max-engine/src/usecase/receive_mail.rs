//! A mail came in: whose conversation is it, or is it a new lead?
//!
//! By the thread first (In-Reply-To and References name a Message-ID that MAX made), then by the address of an open
//! lead, which proves nothing and is marked so. What a machine wrote never becomes a lead.

use max_core::command::{Command, Incoming, Request};
use max_core::id::{LeadId, SignalId};
use max_core::lead::{Actor, MessageKind, NewLead};
use serde_json::json;

use crate::director::Director;
use crate::error::Error;
use crate::ledger::IngestedAs;
use crate::ports::OnceKey;

/// A mail as the intake read it. Untrusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// The sender's address.
    pub from_address: String,
    /// The sender's name.
    pub from_name: String,
    /// The subject line.
    pub subject: String,
    /// The text without the quoted history.
    pub text: String,
    /// RFC 5322 Message-ID.
    pub message_id: Option<String>,
    /// The Message-ID it answers.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first.
    pub references: Vec<String>,
    /// What kind of message it is, as far as the intake can tell.
    pub kind: MessageKind,
    /// True when a machine wrote it (RFC 3834).
    pub automatic: bool,
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message of this lead.
    Message(LeadId),
    /// A new lead.
    NewLead(LeadId),
    /// Nothing: a machine wrote it and it belongs to no conversation.
    Ignored(String),
}

impl Director {
    /// Takes in a mail. `signal_id` makes the same mail twice harmless.
    pub async fn receive_mail(&self, mail: Mail, signal_id: SignalId) -> Result<Received, Error> {
        let mut mail = mail;
        let person = max_core::lead::address_key(&mail.from_address);
        // Our own mail that comes back is no enquiry, and an answer to it would come back as well.
        if self.inner.policy.own_addresses().any(|own| max_core::lead::address_key(&own) == person) {
            return Ok(Received::Ignored("it comes from the agency's own address".into()));
        }
        // What no person wrote (a list, a robot) is kept with its lead and never answered (RFC 3834).
        if mail.automatic && mail.kind == MessageKind::Reply {
            mail.kind = MessageKind::OutOfOffice;
        }
        let thread_is_new = mail.in_reply_to.is_none() && mail.references.is_empty();
        let thread: Vec<String> = mail.in_reply_to.iter().chain(mail.references.iter().rev()).cloned().collect();
        let (lead, verified) = self
            .read(move |store| {
                for id in &thread {
                    if let Some(lead) = store.lead_of_thread(id)? {
                        let known = store.lead(lead)?.is_some_and(|l| l.contact.person_key() == person);
                        return Ok((Some(lead), known));
                    }
                }
                Ok((store.any_lead_of(&person)?, false))
            })
            .await?;
        match lead {
            Some(lead) if thread_is_new && self.is_the_enquiry(lead, &mail).await? => {
                self.enquiry(mail, signal_id).await
            }
            Some(lead) if self.takes(lead, &mail).await? => {
                let incoming = Incoming {
                    kind: mail.kind,
                    subject: mail.subject,
                    body: mail.text,
                    address: mail.from_address,
                    rfc_id: mail.message_id,
                    in_reply_to: mail.in_reply_to,
                    verified,
                };
                let command = Command::Receive(Box::new(incoming));
                self.act(lead, Request::new(Actor::Client, command).by_signal(Some(signal_id)), None).await?;
                Ok(Received::Message(lead))
            }
            _ if mail.automatic || mail.kind != MessageKind::Reply => {
                Ok(Received::Ignored("a machine wrote it and it belongs to no lead".into()))
            }
            _ => self.enquiry(mail, signal_id).await,
        }
    }

    /// Whether a mail goes on with a lead: an open or lost one, or one that it answers.
    async fn takes(&self, lead: LeadId, mail: &Mail) -> Result<bool, Error> {
        use max_core::lead::Outcome;
        let outcome = self.lead(lead).await?.lead.outcome();
        // Whoever asks to be forgotten means what is there, also when it has ended.
        let wish = outcome != Some(Outcome::Erased) && max_core::decide::asks_for_erasure(&mail.text);
        Ok(wish || mail.in_reply_to.is_some() || mail.automatic || matches!(outcome, None | Some(Outcome::Lost)))
    }

    /// Whether a mail says word for word what this lead came in with, by whichever way that was.
    async fn is_the_enquiry(&self, lead: LeadId, mail: &Mail) -> Result<bool, Error> {
        let known = self.lead(lead).await?.lead.contact.fingerprint();
        let said = NewLead { email: mail.from_address.clone(), message: mail.text.clone(), ..NewLead::default() };
        Ok(mail.kind == MessageKind::Reply && !mail.automatic && said.fingerprint() == known)
    }

    async fn enquiry(&self, mail: Mail, signal_id: SignalId) -> Result<Received, Error> {
        let mut lead = NewLead {
            name: mail.from_name,
            email: mail.from_address,
            message: mail.text,
            source: Some("email".into()),
            ..NewLead::default()
        };
        lead.extra.insert("subject".into(), json!(mail.subject));
        if let Some(id) = mail.message_id {
            lead.extra.insert("message_id".into(), json!(id));
        }
        let once = OnceKey { key: crate::ledger::signal_key(&signal_id), body: max_core::id::Digest::of_json(&lead) };
        let ingested = self.ingest(lead, Actor::Client, Some(signal_id), Some(once)).await?;
        Ok(match ingested.how {
            IngestedAs::New => Received::NewLead(ingested.lead.id),
            IngestedAs::Repeat | IngestedAs::Message => Received::Message(ingested.lead.id),
        })
    }
}
