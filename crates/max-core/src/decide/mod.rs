//! What a request does to a lead: events, or a refusal that says what would be allowed. Pure.
//!
//! The table, by command; every row not listed is refused.
//!
//! | command | is allowed when | becomes | in |
//! |---|---|---|---|
//! | ingest, import | there is no such lead | the lead's first stage and task | `intake` |
//! | hand off | not completed; one forward, back or past a stage with a reason; not back over a signature | the stage, and its task or what it misses | `moves` |
//! | claim | the task is open, unclaimed and due | the next attempt | `tasks` |
//! | submit, fail | the fencing token is the newest | what the stage's contract says; another attempt or an escalation | `tasks` |
//! | decide | the approval is pending, the hash is the one shown, nothing blocks a yes | what was agreed, or another turn | `approvals` |
//! | waive a finding | a person, with a reason, while its approval is pending | a waiver that ends with it | `approvals` |
//! | receive | always | another turn where one can be; reopens a lost lead | `messages` |
//! | sign | this document waits for a signature | another turn | `signing` |
//! | record a payment | a person, once something is signed | the deposit is there, the stage goes on | `deposit` |
//! | mark a step | the client his own, a person any that people do | the checklist | `steps` |
//! | send, release, record | a person writes; the message is on its way | the outbox | `outbox` |
//! | take over, hand back | not completed / taken over | pause, go on | `people` |
//! | escalate, retry | not completed / something to retry | help is called, the turn goes on | `help` |
//! | close, reopen | not completed (erasing: always) / completed, not erased | the outcome, another turn | `people` |
//! | record consent | always | what was agreed to | `privacy` |
//! | request erasure, erase | a person asks; the list of erasures | restriction and an approval; a shell | `privacy` |
//! | confirm identity | the link is the one sent, and not too old | the request counts as the client's own | `identity` |
//! | wake | always | the follow-up or reminder that is due | `time` |
//!
//! A second copy of a request with the same signal id, and a second copy of a submission or decision, is a
//! [`Decision::Repeat`]: nothing changes and nobody is told off.

mod approvals;
mod deposit;
mod follow;
mod gate;
mod help;
pub mod identity;
mod intake;
mod messages;
mod moves;
pub(crate) mod outbox;
mod people;
mod privacy;
mod refusals;
pub mod signing;
mod steps;
mod tasks;
pub(crate) mod time;

use crate::command::{Command, Request};
use crate::error::{Refusal, RefusalKind};
use crate::event::{Entry, Event};
use crate::id::{Fresh, LeadId};
use crate::lead::{Actor, Lead};
use crate::policy::Policy;
use crate::stages::Finding;

pub use help::CORE_RETRY;
pub(crate) use identity::UNKNOWN_ASKER;
pub use privacy::asks_for_erasure;
pub(crate) use privacy::{empty, erasure_title, shell};
pub use refusals::allowed;
pub use time::{Due, due};

/// What a request comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// These facts, to be committed together.
    Events(Vec<Event>),
    /// The request was carried out before, or there is nothing to do.
    Repeat,
}

/// Decides `request` on `lead`. `id` is the lead's id, also for one that is only now coming in.
///
/// # Errors
/// A [`Refusal`] names state and command, why not, and what would be allowed; nothing has changed.
pub fn decide(
    lead: Option<&Lead>,
    id: LeadId,
    request: &Request,
    fresh: &mut Fresh,
    policy: &Policy,
) -> Result<Decision, Refusal> {
    let Some(lead) = lead else { return intake::decide_new(id, request, fresh, policy) };
    if request.signal_id.as_ref().is_some_and(|signal| lead.signals.contains(signal)) {
        return Ok(Decision::Repeat);
    }
    let mut deciding = Deciding { lead, request, fresh, policy, events: Vec::new(), kept: Vec::new() };
    deciding.decide()?;
    Ok(if deciding.events.is_empty() { Decision::Repeat } else { Decision::Events(deciding.events) })
}

/// One decision in the making.
struct Deciding<'a> {
    lead: &'a Lead,
    request: &'a Request,
    fresh: &'a mut Fresh,
    policy: &'a Policy,
    events: Vec<Event>,
    /// What checks found and did not refuse: the next approval asked for carries it.
    kept: Vec<Finding>,
}

impl Deciding<'_> {
    fn decide(&mut self) -> Result<(), Refusal> {
        if self.privacy_gate()? {
            return Ok(());
        }
        match &self.request.command {
            Command::Ingest { lead } => self.known_already(lead),
            Command::Import(import) => self.known_already(&import.lead),
            Command::HandOff { to, expected, summary, reason } => {
                self.hand_off(*to, *expected, summary, reason.as_deref())
            }
            Command::Claim { task, holder } => self.claim(*task, holder),
            Command::Submit { task, attempt, work } => self.submit(*task, *attempt, work),
            Command::Fail { task, attempt, error, retryable } => self.fail(*task, *attempt, error, *retryable),
            Command::Decide { approval, payload_sha256, approve, reason } => {
                self.decide_approval(*approval, *payload_sha256, *approve, reason.as_deref())
            }
            Command::WaiveFinding { approval, rule, place, reason } => self.waive(*approval, rule, place, reason),
            Command::Receive(incoming) => self.receive(incoming),
            Command::Sign { document, signer } => self.sign(*document, signer),
            Command::RecordPayment { payment } => self.record_payment(payment),
            Command::MarkStep { step, done, proof } => self.mark_step(step, *done, proof),
            Command::ConfirmIdentity { token } => self.confirm_identity(token),
            Command::Send { subject, body } => self.send(subject, body),
            Command::Release { message } => self.release(*message),
            Command::Hold { message, why } => self.hold(*message, why),
            Command::RecordSent { message } => self.record_sent(*message),
            Command::RecordSendFailure { message, error } => self.record_send_failure(*message, error),
            Command::TakeOver => self.take_over(),
            Command::HandBack => self.hand_back(),
            Command::Escalate { reason } => self.escalate_by_request(reason),
            Command::Retry => self.retry(),
            Command::Close { outcome, reason, merged_into } => self.close_by_request(*outcome, reason, *merged_into),
            Command::Reopen { reason } => self.reopen(reason),
            Command::RecordConsent { purpose, given, text_version, source } => {
                self.record_consent(*purpose, *given, text_version, source);
                Ok(())
            }
            Command::RequestErasure { reason, asked_by } => self.request_erasure(reason, asked_by),
            Command::Erase if self.request.by == Actor::Director => {
                self.erase(None);
                Ok(())
            }
            Command::Erase => Err(self.refuse(RefusalKind::State, "an erasure is asked for first, then approved")),
            Command::Wake => self.wake(),
        }
    }

    /// The lead after the events decided so far.
    fn so_far(&self) -> Lead {
        let entry = Entry {
            lead: self.lead.id,
            version: self.lead.version,
            at: self.fresh.now(),
            by: self.request.by.clone(),
            signal_id: None,
            events: self.events.clone(),
        };
        crate::apply::apply(Some(self.lead.clone()), &entry).unwrap_or_else(|| self.lead.clone())
    }

    /// True while nothing may run for the lead: a person has taken over, an escalation is open, or an erasure waits.
    fn at_rest(&self) -> bool {
        self.lead.taken_over.is_some() || self.lead.escalation.is_some() || self.lead.is_restricted()
    }
}
