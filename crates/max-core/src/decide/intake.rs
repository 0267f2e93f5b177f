//! A lead comes in, new or as a project already under way.

use super::{Deciding, Decision, asks_for_erasure};
use crate::apply::apply;
use crate::command::{Command, Import, Request};
use crate::error::{Refusal, RefusalKind};
use crate::event::{Entry, Event};
use crate::id::{Fresh, LeadId, MessageId};
use crate::lead::{Lead, NewLead, StageTransition, TaskReason, data_path};
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::{is_artifact_name, missing_need};

/// Decides a request about a lead that is not there yet.
pub(super) fn decide_new(
    id: LeadId,
    request: &Request,
    fresh: &mut Fresh,
    policy: &Policy,
) -> Result<Decision, Refusal> {
    check_new(id, request)?;
    let message = MessageId(fresh.uuid());
    let (first, stage, summary) = match &request.command {
        Command::Import(import) => {
            let Import { lead, stage, data, artifacts, approved_scope, signed } = &**import;
            let imported = Event::LeadImported {
                lead: Box::new(lead.clone()),
                message,
                data: data.clone(),
                artifacts: artifacts.clone(),
                approved_scope: *approved_scope,
                signed: *signed,
            };
            (imported, *stage, format!("imported into {stage}"))
        }
        Command::Ingest { lead } => {
            (Event::LeadIngested { lead: lead.clone(), message }, Stage::LeadGen, ingested_summary(lead))
        }
        _ => return Err(unknown(id, request)),
    };
    let transition = StageTransition {
        from_stage: None,
        to_stage: stage,
        at: fresh.now(),
        by: request.by.clone(),
        signal_id: request.signal_id.clone(),
        summary,
        data_path: Some(data_path(id, stage)),
    };
    let mut events = vec![first, Event::StageEntered { transition, reason: None }];
    if let Command::Ingest { lead } = &request.command
        && asks_for_erasure(&lead.message)
    {
        events.extend(for_a_person(id, &events, request, fresh, policy));
        return Ok(Decision::Events(events));
    }
    events.push(first_turn(id, stage, &events, request, fresh, policy));
    Ok(Decision::Events(events))
}

/// What becomes of an enquiry that asks for nothing but erasure.
fn for_a_person(id: LeadId, events: &[Event], request: &Request, fresh: &mut Fresh, policy: &Policy) -> Vec<Event> {
    let Some(lead) = as_it_came(id, events, request, fresh) else { return Vec::new() };
    let mut deciding = Deciding { lead: &lead, request, fresh, policy, events: Vec::new(), kept: Vec::new() };
    deciding.stranger_wants_erasure();
    deciding.events
}

/// The lead as its first events make it.
fn as_it_came(id: LeadId, events: &[Event], request: &Request, fresh: &mut Fresh) -> Option<Lead> {
    let (by, events) = (request.by.clone(), events.to_vec());
    apply(None, &Entry { lead: id, version: 1, at: fresh.now(), by, signal_id: None, events })
}

/// The stage's first task, or what the stage misses in the lead as it came in.
fn first_turn(
    id: LeadId,
    stage: Stage,
    events: &[Event],
    request: &Request,
    fresh: &mut Fresh,
    policy: &Policy,
) -> Event {
    let open = |fresh: &mut Fresh| Event::TaskOpened {
        task: super::tasks::new_task(stage.eidolon(), TaskReason::StageEntered, fresh),
    };
    if stage <= Stage::Scoping {
        return open(fresh);
    }
    match as_it_came(id, events, request, fresh).and_then(|lead| missing_need(&lead, stage, policy)) {
        Some(need) => Event::NeedMissed { need },
        None => open(fresh),
    }
}

fn check_new(id: LeadId, request: &Request) -> Result<(), Refusal> {
    let lead = match &request.command {
        Command::Ingest { lead } if lead.message.trim().is_empty() => return Err(invalid(request, "give a message")),
        Command::Ingest { lead } => lead,
        Command::Import(import) => &import.lead,
        _ => return Err(unknown(id, request)),
    };
    if lead.name.trim().is_empty() && lead.email.trim().is_empty() {
        return Err(invalid(request, "give a name or an email address"));
    }
    if let Command::Import(import) = &request.command
        && let Some(odd) = import.artifacts.iter().find(|a| !is_artifact_name(&a.name))
    {
        return Err(invalid(request, &format!("`{}` is no artifact name: use A-Z a-z 0-9 . _ - /", odd.name)));
    }
    Ok(())
}

fn invalid(request: &Request, reason: &str) -> Refusal {
    Refusal {
        kind: RefusalKind::Invalid,
        state: "new".into(),
        command: request.command.verb().into(),
        reason: reason.into(),
        allowed: Vec::new(),
        findings: Vec::new(),
    }
}

fn unknown(id: LeadId, request: &Request) -> Refusal {
    Refusal {
        kind: RefusalKind::NotFound,
        state: "unknown".into(),
        command: request.command.verb().into(),
        reason: format!("there is no lead {id}"),
        allowed: vec!["ingest it first".into()],
        findings: Vec::new(),
    }
}

fn ingested_summary(lead: &NewLead) -> String {
    let from = lead.source.as_deref().map_or(String::new(), |source| format!(" by {source}"));
    format!("{} came in{from}", lead.display_name())
}

impl Deciding<'_> {
    /// The same person with the same message is a repeat; anybody else under a known id is refused.
    pub(super) fn known_already(&mut self, lead: &NewLead) -> Result<(), Refusal> {
        if lead.fingerprint() == self.lead.contact.fingerprint() {
            return Ok(());
        }
        Err(self.refuse(RefusalKind::State, "it is known already"))
    }
}
