//! A signal came in from outside (a dropped file, the API): what does it ask for, and may it?
//!
//! `from` is a claim, not an identity, so a signal can do only what anyone with access to the drop box may do; an
//! approval carries a signature of its own.

use std::sync::Arc;

use max_core::command::{Command, Incoming, Request, Seen};
use max_core::id::{ApprovalId, Digest, ExternalRef, LeadId, LeadRef, SignalId};
use max_core::lead::{Actor, Lead, MessageKind, NewLead, Through};
use max_core::signal::{Signal, SignalType};
use max_core::stage::{Aliases, Stage};
use serde_json::Value;

use crate::director::Director;
use crate::error::Error;
use crate::ledger::{Acted, IngestedAs, signal_key};
use crate::ports::OnceKey;

/// Routes signals to the Director.
#[derive(Clone)]
pub struct SignalRouter {
    /// Whom to ask.
    pub director: Director,
    /// How stages and personas are called here.
    pub aliases: Arc<Aliases>,
    /// Says whether a `data_path` stays inside the lead's folder.
    pub check_path: Arc<CheckPath>,
    /// Says whether an `APPROVAL` carries a valid signature.
    pub check_signature: Arc<CheckSignature>,
}

/// Says in a sentence why a path may not be used for a lead.
pub type CheckPath = dyn Fn(&str, LeadId, Option<&ExternalRef>) -> Result<(), String> + Send + Sync;
/// Says in a sentence why an approval's signature does not count.
pub type CheckSignature = dyn Fn(&ApprovalSlip) -> Result<(), String> + Send + Sync;

/// What an `APPROVAL` signal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSlip {
    /// Which approval.
    pub approval: ApprovalId,
    /// What is agreed to.
    pub payload_sha256: Digest,
    /// `approve` or `reject`.
    pub decision: String,
    /// Why.
    pub reason: Option<String>,
    /// Made by `max approvals` with the root's own key.
    pub signature: String,
}

/// What a signal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// What happened, in a sentence.
    pub sentence: String,
    /// The lead it was about.
    pub lead: Option<LeadId>,
}

/// Why a signal did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejected {
    /// What is wrong and how to mend it, in a sentence.
    pub reason: String,
    /// True when the same signal may be accepted later (the store could not answer).
    pub retry: bool,
}

impl Rejected {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: false }
    }
}

impl From<Error> for Rejected {
    fn from(error: Error) -> Self {
        let retry = matches!(error, Error::Store(_) | Error::Stopping);
        let reason = match error {
            Error::KeyReused => "duplicate id: it stands for another signal already; give a new signal a new id".into(),
            other => other.to_string(),
        };
        Self { reason, retry }
    }
}

impl SignalRouter {
    /// Carries out what a signal asks for. `by` is who may be held to it: the API's caller, or nothing for a file.
    pub async fn route(&self, signal: &Signal, by: Option<&str>) -> Result<Routed, Rejected> {
        let by = match by {
            Some(who) => Actor::Person(who.to_owned()),
            None => Actor::Signal(claimed(&signal.from)),
        };
        match signal.kind {
            SignalType::Lead => self.lead_signal(signal, by).await,
            SignalType::PipelineTransition => self.transition(signal, by).await,
            SignalType::ClientMessage => self.client_message(signal).await,
            SignalType::Approval => self.approval(signal, by).await,
            SignalType::Escalation => self.escalation(signal, by).await,
            SignalType::Sapwave => self.sapwave(signal),
            SignalType::Heartbeat => Ok(Routed { sentence: "noted".into(), lead: None }),
            SignalType::Consult | SignalType::ConsultResponse => Err(Rejected::because(
                "voices consult each other through the Conductor; from outside send a CLIENT_MESSAGE or an ESCALATION",
            )),
            SignalType::TaskAssignment | SignalType::TaskResponse | SignalType::ProjectComplete => {
                Err(Rejected::because(format!(
                    "{} is sent by the Director; to work on a task use POST /api/tasks/claim and submit",
                    signal.kind
                )))
            }
        }
    }

    async fn lead_signal(&self, signal: &Signal, by: Actor) -> Result<Routed, Rejected> {
        let lead = new_lead(signal)?;
        let id = required_id(signal)?;
        let once = OnceKey { key: signal_key(&id), body: Digest::of_json(&lead) };
        let ingested = self.director.ingest(lead, by, Some(id), Some(once)).await?;
        let sentence = match ingested.how {
            IngestedAs::New => "a new lead",
            IngestedAs::Repeat => "the lead was known already",
            IngestedAs::Message => "a further message of an open lead",
        };
        Ok(Routed { sentence: sentence.into(), lead: Some(ingested.lead.id) })
    }

    async fn transition(&self, signal: &Signal, by: Actor) -> Result<Routed, Rejected> {
        let lead = self.lead_of(signal).await?;
        let to = self.target(signal)?;
        let expected = signal.previous_stage.as_deref().map(|name| self.stage("previous_stage", name)).transpose()?;
        if let Some(path) = &signal.data_path {
            (self.check_path)(path, lead.id, lead.contact.external_ref.as_ref())
                .map_err(|why| Rejected::because(format!("data_path: {why}")))?;
        }
        // Without an id of its own a transition is compare-and-set on `previous_stage`, not told again by its name.
        let signal_id = signal.id.clone().filter(|id| !is_derived(id));
        if signal_id.is_none() && expected.is_none() {
            return Err(Rejected::because("give previous_stage, or an id, so that the move cannot happen twice"));
        }
        let command = Command::HandOff {
            to: Some(to),
            expected,
            summary: signal.summary.clone().unwrap_or_default(),
            reason: signal.extra_text("reason").map(str::to_owned),
        };
        let acted = self.act(signal, lead.id, Request::new(by, command).by_signal(signal_id)).await?;
        Ok(told(&acted, &format!("handed to {to}"), &format!("the lead was in {to} already")))
    }

    async fn client_message(&self, signal: &Signal) -> Result<Routed, Rejected> {
        let lead = self.lead_of(signal).await?;
        let body = ["body", "text", "message"].into_iter().find_map(|key| signal.extra_text(key));
        let body = body.or(signal.summary.as_deref()).map(str::trim).filter(|text| !text.is_empty());
        let body = body.ok_or_else(|| Rejected::because("the message is empty: give body (or summary)"))?;
        let incoming = Incoming {
            kind: message_kind(signal)?,
            subject: signal.extra_text("subject").unwrap_or_default().to_owned(),
            body: body.to_owned(),
            address: signal.extra_text("email").unwrap_or(&lead.contact.email).to_owned(),
            rfc_id: signal.extra_text("message_id").map(str::to_owned),
            in_reply_to: signal.extra_text("in_reply_to").map(str::to_owned),
            verified: false,
        };
        let command = Command::Receive(Box::new(incoming));
        let acted =
            self.act(signal, lead.id, Request::new(Actor::Client, command).by_signal(signal.id.clone())).await?;
        Ok(told(&acted, "the message was taken in", "the message was known already"))
    }

    async fn approval(&self, signal: &Signal, by: Actor) -> Result<Routed, Rejected> {
        let slip = approval_slip(signal)?;
        (self.check_signature)(&slip).map_err(Rejected::because)?;
        let lead = self.director.lead_of_approval(slip.approval).await?;
        let command = Command::Decide {
            approval: slip.approval,
            payload_sha256: slip.payload_sha256,
            approve: slip.decision == "approve",
            reason: slip.reason,
        };
        let seen = Seen { through: Some(Through::SignedSignal), ..Seen::default() };
        let request = Request::new(by, command).by_signal(signal.id.clone()).having_seen(seen);
        let acted = self.act(signal, lead, request).await?;
        Ok(told(&acted, "decided", "it was decided before"))
    }

    async fn escalation(&self, signal: &Signal, by: Actor) -> Result<Routed, Rejected> {
        let lead = self.lead_of(signal).await?;
        let reason = signal.extra_text("reason").or(signal.summary.as_deref()).unwrap_or_default().to_owned();
        let command = Command::Escalate { reason };
        let acted = self.act(signal, lead.id, Request::new(by, command).by_signal(signal.id.clone())).await?;
        Ok(told(&acted, "escalated", "it was escalated before"))
    }

    fn sapwave(&self, signal: &Signal) -> Result<Routed, Rejected> {
        let eidolon = self.aliases.eidolon(&signal.to).map_err(|e| Rejected::because(format!("to: {e}")))?;
        self.director.board().wake(eidolon);
        Ok(Routed { sentence: format!("{eidolon} was woken"), lead: None })
    }

    /// An id that the sender gave stands for one content: with another it is a mistake, not a repeat.
    async fn act(&self, signal: &Signal, lead: LeadId, request: Request) -> Result<Acted, Rejected> {
        let given = request.signal_id.as_ref().filter(|id| !is_derived(id));
        let once = given
            .map(|id| OnceKey { key: signal_key(id), body: Digest::of_json(&Signal { at: None, ..signal.clone() }) });
        Ok(self.director.act(lead, request, once).await?)
    }

    async fn lead_of(&self, signal: &Signal) -> Result<Arc<Lead>, Rejected> {
        let text = signal.lead_id.as_deref().map(str::trim).filter(|t| !t.is_empty());
        let text = text.ok_or_else(|| Rejected::because("lead_id is missing: give the lead's UUID or external_ref"))?;
        let reference: LeadRef = text.parse().map_err(|e| Rejected::because(format!("lead_id: {e}")))?;
        let id = self.director.resolve(&reference).await.map_err(|error| match error {
            Error::NotFound(_) => Rejected::because(format!(
                "lead_id: there is no lead `{reference}`; use the UUID or the external_ref given at ingestion"
            )),
            other => other.into(),
        })?;
        Ok(Arc::clone(&self.director.lead(id).await?.lead))
    }

    /// The stage a transition goes to: `next_stage`, else `to`. When both name a stage they must agree.
    fn target(&self, signal: &Signal) -> Result<Stage, Rejected> {
        let next = signal.next_stage.as_deref().map(|name| self.stage("next_stage", name)).transpose()?;
        let to = Some(signal.to.trim()).filter(|t| !t.is_empty() && !t.eq_ignore_ascii_case("director"));
        match (next, to) {
            (Some(next), Some(to)) => match self.stage("to", to)? {
                same if same == next => Ok(next),
                other => {
                    Err(Rejected::because(format!("to names {other}, but next_stage names {next}; make them agree")))
                }
            },
            (Some(next), None) => Ok(next),
            (None, Some(to)) => self.stage("to", to),
            (None, None) => Err(Rejected::because("next_stage is missing: name the stage to hand over to")),
        }
    }

    fn stage(&self, field: &str, name: &str) -> Result<Stage, Rejected> {
        self.aliases.stage(name).map_err(|e| Rejected::because(format!("{field}: {e}")))
    }
}

fn told(acted: &Acted, done: &str, known: &str) -> Routed {
    let sentence = if acted.repeated { known } else { done };
    Routed { sentence: sentence.into(), lead: Some(acted.lead.id) }
}

/// The sender's claim, short and on one line.
fn claimed(from: &str) -> String {
    let name: String = from.chars().filter(|c| !c.is_control()).take(80).collect();
    if name.trim().is_empty() { "unknown".into() } else { name.trim().to_owned() }
}

/// True for an id that was derived from a file's name and content.
pub fn is_derived(id: &SignalId) -> bool {
    id.as_str().starts_with("file-")
}

fn required_id(signal: &Signal) -> Result<SignalId, Rejected> {
    signal.id.clone().ok_or_else(|| Rejected::because("id is missing: give one, so that the lead cannot come in twice"))
}

fn message_kind(signal: &Signal) -> Result<MessageKind, Rejected> {
    match signal.extra_text("kind").unwrap_or("reply") {
        "reply" => Ok(MessageKind::Reply),
        "out_of_office" => Ok(MessageKind::OutOfOffice),
        "bounce" => Ok(MessageKind::Bounce),
        "opt_out" => Ok(MessageKind::OptOut),
        other => Err(Rejected::because(format!("kind: `{other}` is none of reply, out_of_office, bounce, opt_out"))),
    }
}

/// The lead in a `LEAD` signal: its fields stand beside `type`, or below `lead`.
fn new_lead(signal: &Signal) -> Result<NewLead, Rejected> {
    let mut fields = match signal.extra.get("lead") {
        Some(Value::Object(lead)) => lead.clone(),
        Some(_) => return Err(Rejected::because("lead: must be a mapping of fields such as name, email, message")),
        None => signal.extra.clone(),
    };
    if let Some(body) = fields.remove("body")
        && !fields.contains_key("message")
    {
        fields.insert("message".into(), body);
    }
    if let (Some(summary), false) = (&signal.summary, fields.contains_key("message")) {
        fields.insert("message".into(), Value::String(summary.clone()));
    }
    if let (Some(reference), false) = (&signal.lead_id, fields.contains_key("external_ref")) {
        fields.insert("external_ref".into(), Value::String(reference.clone()));
    }
    fields.entry("source").or_insert_with(|| "signal".into());
    lead_from_fields(fields).map_err(|(field, reason)| Rejected::because(format!("{field}: {reason}")))
}

/// Reads a lead from loose fields. Fields MAX does not know are kept in `extra`; a wrong type names the field.
///
/// # Errors
/// The field, and what is wrong with it.
pub fn lead_from_fields(fields: serde_json::Map<String, Value>) -> Result<NewLead, (String, String)> {
    let mut lead = NewLead::default();
    for (key, value) in fields {
        let text = || match &value {
            Value::String(text) => Ok(Some(text.clone())),
            Value::Null => Ok(None),
            _ => Err((key.clone(), "must be text".to_owned())),
        };
        match key.as_str() {
            "name" => lead.name = text()?.unwrap_or_default(),
            "email" => lead.email = text()?.unwrap_or_default(),
            "phone" => lead.phone = text()?,
            "company" => lead.company = text()?,
            "role" => lead.role = text()?,
            "website" => lead.website = text()?,
            "message" => lead.message = text()?.unwrap_or_default(),
            "source" => lead.source = text()?,
            "locale" => lead.locale = text()?,
            "timeline" => lead.timeline = text()?,
            "budget" => {
                lead.budget = match &value {
                    Value::Number(number) => Some(number.to_string()),
                    _ => text().map_err(|(k, _)| (k, "must be text or a number".to_owned()))?,
                }
            }
            "consent" => lead.consent = (!value.is_null()).then(|| value.clone()),
            "external_ref" => {
                let reference = text()?.map(ExternalRef::try_from).transpose();
                lead.external_ref = reference.map_err(|e| (key.clone(), e.to_string()))?;
            }
            "extra" => match value {
                Value::Object(more) => lead.extra.extend(more),
                other => drop(lead.extra.insert(key, other)),
            },
            _ => drop(lead.extra.insert(key, value)),
        }
    }
    Ok(lead)
}

fn approval_slip(signal: &Signal) -> Result<ApprovalSlip, Rejected> {
    let field = |key: &str| {
        let value = signal.extra_text(key).map(str::trim).filter(|t| !t.is_empty());
        value.ok_or_else(|| Rejected::because(format!("{key} is missing: an APPROVAL is made by `max approvals`")))
    };
    let decision = field("decision")?.to_owned();
    if decision != "approve" && decision != "reject" {
        return Err(Rejected::because(format!("decision: `{decision}` is neither approve nor reject")));
    }
    Ok(ApprovalSlip {
        approval: field("approval_id")?.parse().map_err(|e| Rejected::because(format!("approval_id: {e}")))?,
        payload_sha256: field("payload_sha256")?
            .parse()
            .map_err(|e| Rejected::because(format!("payload_sha256: {e}")))?,
        decision,
        reason: signal.extra_text("reason").map(str::to_owned),
        signature: field("signature")?.to_owned(),
    })
}
