//! What a request does to a lead: events, or a refusal that says what would be allowed. Pure.
//!
//! The table, by command; every row not listed is refused.
//!
//! | command | is allowed when | becomes |
//! |---|---|---|
//! | ingest, import | there is no such lead | the lead's first stage and task |
//! | hand off | not completed; one forward, back or past a stage with a reason; not back over a signature | the stage, and its task or what it misses |
//! | claim | the task is open, unclaimed and due | the next attempt |
//! | submit, fail | the fencing token is the newest | what the stage's contract says; another attempt or an escalation |
//! | decide | the approval is pending and the hash is the one shown | what was agreed, or another turn |
//! | receive | always | another turn where one can be; reopens a lost lead |
//! | sign | this document waits for a signature | another turn |
//! | take over, hand back | not completed / taken over | pause, go on |
//! | escalate, retry, close, reopen | not completed / something to retry / not completed / completed | |
//! | wake | always | the follow-up or reminder that is due |
//!
//! A second copy of a request with the same signal id, and a second copy of a submission or decision, is a
//! [`Decision::Repeat`]: nothing changes and nobody is told off.

use jiff::Timestamp;

use crate::command::{Command, Import, Incoming, Request};
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{Digest, EscalationId, Fresh, LeadId, MessageId, TaskId};
use crate::lead::{
    Actor, Approval, ApprovalKind, ArtifactRef, ClientAsk, ClientWait, Delivery, Direction, Draft, Ending, Escalation,
    Lead, Message, MessageKind, NewLead, Outcome, StageTransition, Task, TaskReason, Turn, data_path,
};
use crate::policy::Policy;
use crate::stage::{Eidolon, Stage};
use crate::stages::{self, Next, StageResult, Work};

/// How an escalation is settled when the Core Orchestra asks for another try.
pub const CORE_RETRY: &str = "the Core Orchestra asked for another try";

/// What a request comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// These facts, to be committed together.
    Events(Vec<Event>),
    /// The request was carried out before, or there is nothing to do.
    Repeat,
}

/// Decides `request` on `lead`. `id` is the lead's id, also for one that is only now coming in.
pub fn decide(
    lead: Option<&Lead>,
    id: LeadId,
    request: &Request,
    fresh: &mut Fresh,
    policy: &Policy,
) -> Result<Decision, Refusal> {
    let Some(lead) = lead else { return decide_new(id, request, fresh) };
    if request.signal_id.as_ref().is_some_and(|signal| lead.signals.contains(signal)) {
        return Ok(Decision::Repeat);
    }
    let mut turn = Deciding { lead, request, fresh, policy, events: Vec::new() };
    turn.decide()?;
    Ok(if turn.events.is_empty() { Decision::Repeat } else { Decision::Events(turn.events) })
}

fn decide_new(id: LeadId, request: &Request, fresh: &mut Fresh) -> Result<Decision, Refusal> {
    let now = fresh.now();
    let (first, stage, summary, missing) = match &request.command {
        Command::Ingest { lead } => {
            let message = MessageId(fresh.uuid());
            check_new(lead, request)?;
            (Event::LeadIngested { lead: lead.clone(), message }, Stage::LeadGen, ingested_summary(lead), None)
        }
        Command::Import(import) => {
            let message = MessageId(fresh.uuid());
            check_new(&import.lead, request)?;
            let Import { lead, stage, data, artifacts, approved_scope, signed } = &**import;
            let first = Event::LeadImported {
                lead: Box::new(lead.clone()),
                message,
                data: data.clone(),
                artifacts: artifacts.clone(),
                approved_scope: *approved_scope,
                signed: *signed,
            };
            let missing = match stage {
                Stage::Orchestra | Stage::Closer if approved_scope.is_none() => Some(crate::lead::Need::ApprovedScope),
                Stage::Onboarding | Stage::DeliveryPM if !signed => Some(crate::lead::Need::Signature),
                _ => None,
            };
            (first, *stage, format!("imported into {stage}"), missing)
        }
        other => {
            return Err(Refusal {
                kind: RefusalKind::NotFound,
                state: "unknown".into(),
                command: other.verb().into(),
                reason: format!("there is no lead {id}"),
                allowed: vec!["ingest it first".into()],
                findings: Vec::new(),
            });
        }
    };
    let entered = Event::StageEntered {
        transition: StageTransition {
            from_stage: None,
            to_stage: stage,
            at: now,
            by: request.by.clone(),
            signal_id: request.signal_id.clone(),
            summary,
            data_path: Some(data_path(id, stage)),
        },
        reason: None,
    };
    let then = match missing {
        Some(need) => Event::NeedMissed { need },
        None => Event::TaskOpened { task: new_task(stage.eidolon(), TaskReason::StageEntered, fresh) },
    };
    Ok(Decision::Events(vec![first, entered, then]))
}

fn check_new(lead: &NewLead, request: &Request) -> Result<(), Refusal> {
    let reason = if lead.name.trim().is_empty() && lead.email.trim().is_empty() {
        "give a name or an email address"
    } else if lead.message.trim().is_empty() && matches!(request.command, Command::Ingest { .. }) {
        "give a message"
    } else {
        return Ok(());
    };
    Err(Refusal {
        kind: RefusalKind::Invalid,
        state: "new".into(),
        command: request.command.verb().into(),
        reason: reason.into(),
        allowed: Vec::new(),
        findings: Vec::new(),
    })
}

fn ingested_summary(lead: &NewLead) -> String {
    let from = lead.source.as_deref().map_or(String::new(), |source| format!(" by {source}"));
    format!("{} came in{from}", lead.display_name())
}

fn new_task(eidolon: Eidolon, reason: TaskReason, fresh: &mut Fresh) -> Task {
    Task {
        id: TaskId(fresh.uuid()),
        eidolon,
        reason,
        attempt: 0,
        holder: None,
        opened_at: fresh.now(),
        not_before: None,
        last_error: None,
    }
}

/// One decision in the making.
struct Deciding<'a> {
    lead: &'a Lead,
    request: &'a Request,
    fresh: &'a mut Fresh,
    policy: &'a Policy,
    events: Vec<Event>,
}

impl Deciding<'_> {
    fn decide(&mut self) -> Result<(), Refusal> {
        match &self.request.command {
            Command::Ingest { .. } | Command::Import(_) => Err(self.refuse(RefusalKind::State, "it is known already")),
            Command::HandOff { to, expected, summary, reason } => {
                self.hand_off(*to, *expected, summary, reason.as_deref())
            }
            Command::Claim { task, holder } => self.claim(*task, holder),
            Command::Submit { task, attempt, work } => self.submit(*task, *attempt, work),
            Command::Fail { task, attempt, error, retryable } => self.fail(*task, *attempt, error, *retryable),
            Command::Decide { approval, payload_sha256, approve, reason } => {
                self.decide_approval(*approval, *payload_sha256, *approve, reason.as_deref())
            }
            Command::Receive(incoming) => self.receive(incoming),
            Command::Sign { document, signer } => self.sign(*document, signer),
            Command::Send { subject, body } => self.send(subject, body),
            Command::Release { message } => self.release(*message),
            Command::RecordSent { message } => self.record_sent(*message),
            Command::RecordSendFailure { message, error } => self.record_send_failure(*message, error),
            Command::TakeOver => self.take_over(),
            Command::HandBack => self.hand_back(),
            Command::Escalate { reason } => self.escalate_by_request(reason),
            Command::Retry => self.retry(),
            Command::Close { outcome, reason, merged_into } => self.close_by_request(*outcome, reason, *merged_into),
            Command::Reopen { reason } => self.reopen(reason),
            Command::Wake => self.wake(),
        }
    }

    // ---- moves ------------------------------------------------------------------------------------------------

    fn hand_off(
        &mut self,
        to: Option<Stage>,
        expected: Option<Stage>,
        summary: &str,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        let here = self.lead.stage;
        let reason = reason.map(str::trim).filter(|r| !r.is_empty());
        if !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "a handoff is a person's move; a voice submits its task"));
        }
        let Some(to) = to.or(here.next()) else {
            return Err(self.refuse(RefusalKind::State, format!("{here} is the last stage")));
        };
        if let Some(expected) = expected
            && expected != here
        {
            // Compare-and-set: being there already is a repeat of the same move.
            return if to == here {
                Ok(())
            } else {
                Err(self.refuse(RefusalKind::State, format!("previous_stage is {expected}, but the lead is in {here}")))
            };
        }
        self.not_ended()?;
        if to == here {
            return Err(self.refuse(RefusalKind::State, format!("it is in {here} already")));
        }
        if to < here {
            if reason.is_none() {
                return Err(self.refuse(RefusalKind::State, format!("going back from {here} to {to} needs a reason")));
            }
            if self.lead.signature.is_some() && to <= Stage::Closer {
                return Err(self.refuse(RefusalKind::State, "the contract is signed; the way back is a change order"));
            }
        } else if Some(to) != here.next() && reason.is_none() {
            return Err(
                self.refuse(RefusalKind::State, format!("going past a stage from {here} to {to} needs a reason"))
            );
        }
        self.leave_turn(&format!("handed off to {to}"));
        if let Some(escalation) = &self.lead.escalation {
            self.events
                .push(Event::EscalationResolved { escalation: escalation.id, how: format!("handed off to {to}") });
        }
        let summary = match (summary.trim(), reason) {
            ("", Some(reason)) => reason.to_owned(),
            ("", None) => format!("handed off from {here} to {to}"),
            (text, _) => text.to_owned(),
        };
        self.enter(to, summary, reason.map(str::to_owned));
        Ok(())
    }

    /// Enters a stage and opens its first turn, or says what it misses.
    fn enter(&mut self, to: Stage, summary: String, reason: Option<String>) {
        let transition = StageTransition {
            from_stage: Some(self.lead.stage),
            to_stage: to,
            at: self.fresh.now(),
            by: self.request.by.clone(),
            signal_id: self.request.signal_id.clone(),
            summary,
            data_path: Some(self.lead.data_path(self.lead.stage)),
        };
        self.events.push(Event::StageEntered { transition, reason });
        // What the stage needs is looked up in the lead as it is after the events so far.
        let after = self.so_far();
        let need = stages::missing_need(&after, to, self.policy);
        if after.taken_over.is_some() {
            return;
        }
        match need {
            Some(need) => self.events.push(Event::NeedMissed { need }),
            None => self.open_task(to.eidolon(), TaskReason::StageEntered),
        }
    }

    /// The lead after the events decided so far.
    fn so_far(&self) -> Lead {
        let entry = crate::event::Entry {
            lead: self.lead.id,
            version: self.lead.version,
            at: self.fresh.now(),
            by: self.request.by.clone(),
            signal_id: None,
            events: self.events.clone(),
        };
        crate::apply::apply(Some(self.lead.clone()), &entry).unwrap_or_else(|| self.lead.clone())
    }

    /// Takes the current turn off whoever has it: the task is fenced, a pending approval void.
    fn leave_turn(&mut self, why: &str) {
        match &self.lead.turn {
            Turn::Working(task) => self.events.push(Event::TaskSuperseded { task: task.id, why: why.into() }),
            Turn::AwaitingApproval(approval) => {
                self.events.push(Event::ApprovalVoided { approval: approval.id, why: why.into() });
            }
            _ => {}
        }
    }

    fn open_task(&mut self, eidolon: Eidolon, reason: TaskReason) {
        let task = new_task(eidolon, reason, self.fresh);
        self.events.push(Event::TaskOpened { task });
    }

    // ---- tasks ------------------------------------------------------------------------------------------------

    fn claim(&mut self, task: TaskId, holder: &str) -> Result<(), Refusal> {
        let open = self.open(task)?;
        match &open.holder {
            Some(other) if other == holder => return Ok(()),
            Some(other) => {
                return Err(self.refuse(RefusalKind::State, format!("{other} works on the task")));
            }
            None => {}
        }
        if open.not_before.is_some_and(|at| at > self.fresh.now()) {
            return Err(self.refuse(RefusalKind::State, "the task waits for its next attempt"));
        }
        let attempt = open.attempt + 1;
        self.events.push(Event::TaskClaimed { task, attempt, holder: holder.into() });
        Ok(())
    }

    /// The open task, if it is `task`.
    fn open(&self, task: TaskId) -> Result<&Task, Refusal> {
        match self.lead.open_task() {
            Some(open) if open.id == task => Ok(open),
            _ => Err(self.refuse(RefusalKind::Fenced, format!("task {task} is not open"))),
        }
    }

    /// The open task, if `task` and `attempt` are its newest fencing token.
    fn fenced(&self, task: TaskId, attempt: u32) -> Result<Task, Refusal> {
        let open = self.open(task)?;
        if open.attempt != attempt || open.holder.is_none() {
            return Err(self.refuse(
                RefusalKind::Fenced,
                format!("attempt {attempt} of task {task} is over; the newest is {}", open.attempt),
            ));
        }
        Ok(open.clone())
    }

    fn fail(&mut self, task: TaskId, attempt: u32, error: &str, retryable: bool) -> Result<(), Refusal> {
        let open = self.fenced(task, attempt)?;
        let again = retryable && attempt < self.policy.max_attempts;
        let retry_at = again.then(|| self.fresh.now() + self.policy.backoff(attempt, self.fresh.fraction()));
        self.events.push(Event::AttemptFailed { task, attempt, error: error.into(), retry_at });
        if again {
            return Ok(());
        }
        match (&open.reason, &self.lead.escalation) {
            (TaskReason::Review { escalation }, _) => self.events.push(Event::EscalationReviewed {
                escalation: *escalation,
                advice: "look at it yourself; the Core Orchestra could not".into(),
            }),
            (_, None) => {
                let reason = format!("{} failed {attempt} times: {error}", self.lead.stage);
                self.escalate(reason, true);
            }
            _ => {}
        }
        Ok(())
    }

    fn submit(&mut self, task: TaskId, attempt: u32, work: &Work) -> Result<(), Refusal> {
        if self.lead.last_submission == Some((task, attempt)) {
            return Ok(());
        }
        let open = self.fenced(task, attempt)?;
        let findings = stages::check(self.lead, &open, work, self.policy);
        if !findings.is_empty() {
            let first = findings.first().map_or(String::new(), |f| format!("{}: {}", f.rule, f.detail));
            let mut refusal = self.refuse(RefusalKind::Checks, format!("{} findings, first {first}", findings.len()));
            refusal.findings = findings;
            return Err(refusal);
        }
        let artifacts = self.versioned(work);
        self.events.push(Event::WorkSubmitted {
            task,
            attempt,
            result: work.result.name().into(),
            value: result_value(&work.result),
            artifacts: artifacts.clone(),
            summary: work.summary.clone(),
            voice: work.voice.clone(),
        });
        if let (StageResult::Recommendation(advice), TaskReason::Review { escalation }) = (&work.result, &open.reason) {
            return self.reviewed(*escalation, advice);
        }
        let next = stages::next(self.lead, &open, work, self.policy);
        self.follow(next, &open, work.messages.clone(), artifacts, &work.summary);
        Ok(())
    }

    /// The files of a submission with their versions: the same content again is no new version.
    fn versioned(&self, work: &Work) -> Vec<ArtifactRef> {
        let stage = self.lead.stage;
        work.artifacts
            .iter()
            .map(|a| {
                let known = self.lead.artifacts.iter().find(|k| k.stage == stage && k.name == a.name);
                let version = match known {
                    Some(known) if known.sha256 == a.sha256 => known.version,
                    Some(known) => known.version + 1,
                    None => 1,
                };
                ArtifactRef {
                    stage,
                    name: a.name.clone(),
                    version,
                    sha256: a.sha256,
                    bytes: a.bytes,
                    superseded: false,
                }
            })
            .collect()
    }

    fn follow(&mut self, next: Next, task: &Task, messages: Vec<Draft>, artifacts: Vec<ArtifactRef>, summary: &str) {
        match next {
            Next::Approve { kind, title, then } => {
                let now = self.fresh.now();
                let payload_sha256 = Approval::digest(kind, &artifacts, &messages, &then);
                self.events.push(Event::ApprovalRequested {
                    approval: Box::new(Approval {
                        id: crate::id::ApprovalId(self.fresh.uuid()),
                        kind,
                        stage: self.lead.stage,
                        task: task.id,
                        title,
                        artifacts,
                        outgoing: messages,
                        then: *then,
                        payload_sha256,
                        requested_at: now,
                        due_at: self.policy.approval_due(kind, now, self.lead),
                        reminders: 0,
                    }),
                });
            }
            next => {
                for draft in &messages {
                    self.queue(draft);
                }
                if self.lead.stage == Stage::Scoping
                    && matches!(next, Next::Advance)
                    && let Some(scope) = artifacts.iter().find(|a| a.name == "scope.json")
                {
                    self.events.push(Event::ScopeApproved { document: scope.sha256 });
                }
                self.go_on(next, task, summary);
            }
        }
    }

    /// What follows once nothing is held back any more.
    fn go_on(&mut self, next: Next, task: &Task, summary: &str) {
        let now = self.fresh.now();
        match next {
            Next::Advance => match self.lead.stage.next() {
                Some(to) => self.enter(to, summary.into(), None),
                None => self.close(Outcome::Delivered, summary.into(), None),
            },
            Next::Continue => self.open_task(self.lead.stage.eidolon(), TaskReason::Continued),
            Next::AskClient { ask } => {
                let wait = match (&task.reason, &self.lead.last_wait) {
                    (TaskReason::FollowUp { number, .. }, Some(wait)) => {
                        ClientWait { follow_ups: *number, ..wait.clone() }
                    }
                    _ => ClientWait { ask, since: now, follow_ups: 0 },
                };
                self.events.push(Event::ClientAwaited { wait });
            }
            Next::Close { outcome, reason } => self.close(outcome, reason, None),
            Next::Escalate { reason } => {
                self.events.push(Event::TurnPaused {});
                self.escalate(reason, true);
            }
            // An approval inside an approval would ask the same person twice for one thing.
            Next::Approve { then, .. } => self.go_on(*then, task, summary),
        }
    }

    // ---- approvals --------------------------------------------------------------------------------------------

    fn decide_approval(
        &mut self,
        id: crate::id::ApprovalId,
        payload_sha256: Digest,
        approve: bool,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        if let Some(before) = self.lead.decided.get(&id) {
            return if *before == approve {
                Ok(())
            } else {
                let word = if *before { "approved" } else { "rejected" };
                Err(self.refuse(RefusalKind::State, format!("approval {id} was {word} before")))
            };
        }
        let Some(approval) = self.lead.pending_approval().filter(|a| a.id == id).cloned() else {
            return Err(self.refuse(RefusalKind::NotFound, format!("approval {id} is not pending here")));
        };
        if !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "only a person decides an approval"));
        }
        if approval.payload_sha256 != payload_sha256 {
            return Err(self.refuse(
                RefusalKind::State,
                format!("what goes out has changed; look again and decide on {}", approval.payload_sha256),
            ));
        }
        let reason = reason.map(str::trim).filter(|r| !r.is_empty());
        if !approve && reason.is_none() {
            return Err(
                self.refuse(RefusalKind::Invalid, "a rejection needs a reason, so that the next try can be better")
            );
        }
        self.events.push(Event::ApprovalDecided {
            approval: id,
            kind: approval.kind,
            payload_sha256,
            approved: approve,
            reason: reason.map(str::to_owned),
        });
        if let Some(escalation) = &self.lead.escalation {
            let how = "the approval was decided".to_owned();
            self.events.push(Event::EscalationResolved { escalation: escalation.id, how });
        }
        if !approve {
            let reason = reason.unwrap_or_default().to_owned();
            self.open_task(self.lead.stage.eidolon(), TaskReason::Rejected { reason });
            return Ok(());
        }
        for draft in &approval.outgoing {
            self.queue(draft);
        }
        match approval.kind {
            ApprovalKind::Scope => {
                let document = approval.artifacts.iter().find(|a| a.name == "scope.json").map(|a| a.sha256);
                self.events.push(Event::ScopeApproved { document: document.unwrap_or(payload_sha256) });
            }
            ApprovalKind::Deposit => self.events.push(Event::DepositConfirmed {}),
            _ => {}
        }
        let mut task = new_task(self.lead.stage.eidolon(), TaskReason::Continued, self.fresh);
        task.id = approval.task;
        let summary = format!("{} approved: {}", approval.kind.name(), approval.title);
        self.go_on(approval.then, &task, &summary);
        Ok(())
    }

    // ---- messages ---------------------------------------------------------------------------------------------

    fn receive(&mut self, incoming: &Incoming) -> Result<(), Refusal> {
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
            MessageKind::OutOfOffice => {
                // No reply, but nobody is there: the sequence starts again from today.
                if let Turn::AwaitingClient(wait) = &self.lead.turn {
                    self.events.push(Event::ClientAwaited { wait: ClientWait { since: now, ..wait.clone() } });
                }
                return Ok(());
            }
            MessageKind::Bounce => {
                self.events.push(Event::ClientUnreachable { why: "the address bounced".into() });
                if self.lead.escalation.is_none() && self.lead.outcome().is_none() {
                    self.leave_turn("the address bounced");
                    self.pause_if_working();
                    self.escalate("the client's address bounces; find another way to reach them".into(), false);
                }
                return Ok(());
            }
            MessageKind::OptOut => {
                self.events.push(Event::ClientUnreachable { why: "the client wants no more mail".into() });
                if self.lead.outcome().is_none() && self.lead.signature.is_none() {
                    self.leave_turn("the client opted out");
                    self.close(Outcome::Lost, "the client wants no more mail".into(), None);
                }
                return Ok(());
            }
            _ => {}
        }
        if self.lead.taken_over.is_some() || self.lead.escalation.is_some() {
            return Ok(());
        }
        let reason = TaskReason::ClientMessage { message: id };
        match &self.lead.turn {
            Turn::Working(_) | Turn::AwaitingApproval(_) => {
                // What was being written does not know what the client just said.
                self.leave_turn("the client wrote");
                self.open_task(self.lead.stage.eidolon(), reason);
            }
            Turn::AwaitingClient(_) => self.open_task(self.lead.stage.eidolon(), reason),
            Turn::Ended(ending) if ending.outcome == Outcome::Lost => {
                self.events.push(Event::Reopened { reason: "the client wrote again".into() });
                self.resume(reason);
            }
            Turn::AwaitingNeed { .. } | Turn::Paused { .. } | Turn::Exhausted { .. } | Turn::Ended(_) => {}
        }
        Ok(())
    }

    fn sign(&mut self, document: Digest, signer: &str) -> Result<(), Refusal> {
        let signer = signer.trim();
        if signer.is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "a signature needs the signer's name"));
        }
        let known = self.lead.signature.iter().chain(self.lead.accepted_milestones.values());
        if known.into_iter().any(|s| s.document == document) {
            return Ok(());
        }
        let wait = match &self.lead.turn {
            Turn::AwaitingClient(wait) => Some(&wait.ask),
            // Somebody is writing a reminder while the client signs: the signature wins.
            Turn::Working(task) if matches!(task.reason, TaskReason::FollowUp { .. }) => {
                self.lead.last_wait.as_ref().map(|w| &w.ask)
            }
            _ => None,
        };
        let milestone = match wait {
            Some(ClientAsk::Signature { document: asked }) if *asked == document => None,
            Some(ClientAsk::Milestone { id, document: asked }) if *asked == document => Some(id.clone()),
            Some(ask) if ask.document().is_some() => {
                return Err(self.refuse(RefusalKind::State, "another version of the document waits for the signature"));
            }
            _ if matches!(self.lead.turn, Turn::AwaitingNeed { need: crate::lead::Need::Signature, .. })
                && self.request.by.is_person() =>
            {
                // Signed outside MAX, recorded by a person.
                self.events.push(Event::DocumentSigned { document, signer: signer.into(), milestone: None });
                self.after_need();
                return Ok(());
            }
            _ => return Err(self.refuse(RefusalKind::State, "nothing waits for a signature")),
        };
        self.leave_turn("the client signed");
        self.events.push(Event::DocumentSigned { document, signer: signer.into(), milestone });
        if self.lead.taken_over.is_none() && self.lead.escalation.is_none() {
            self.open_task(self.lead.stage.eidolon(), TaskReason::Signed);
        }
        Ok(())
    }

    fn send(&mut self, subject: &str, body: &str) -> Result<(), Refusal> {
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
        self.queue(&draft);
        Ok(())
    }

    /// Puts a message into the outbox, threaded onto the conversation (RFC 5322 section 3.6.4).
    fn queue(&mut self, draft: &Draft) {
        let id = MessageId(self.fresh.uuid());
        let thread: Vec<String> =
            self.lead.messages.iter().filter(|m| !m.rfc_id.is_empty()).map(|m| m.rfc_id.clone()).collect();
        let last_in = self.lead.messages.iter().rev().find(|m| m.direction == Direction::In && !m.rfc_id.is_empty());
        let in_reply_to = last_in.map(|m| m.rfc_id.clone()).or_else(|| thread.last().cloned());
        let attachments = draft.attachments.iter().filter_map(|name| self.attachment(name)).collect();
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
    }

    fn attachment(&self, name: &str) -> Option<ArtifactRef> {
        let fresh = self.events.iter().rev().find_map(|event| match event {
            Event::WorkSubmitted { artifacts, .. } => artifacts.iter().find(|a| a.name == name),
            _ => None,
        });
        fresh.or_else(|| self.lead.artifacts.iter().find(|a| a.stage == self.lead.stage && a.name == name)).cloned()
    }

    fn release(&mut self, id: MessageId) -> Result<(), Refusal> {
        let Some(message) = self.lead.messages.iter().find(|m| m.id == id && m.direction == Direction::Out) else {
            return Err(self.refuse(RefusalKind::NotFound, format!("there is no outgoing message {id}")));
        };
        match message.delivery {
            Delivery::Queued => {}
            // It was let go before a crash; the channel takes the same message id only once.
            Delivery::Sending => return Ok(()),
            other => return Err(self.refuse(RefusalKind::State, format!("message {id} is {other:?} already"))),
        }
        let held = |why: &str| Event::MessageHeld { message: id, why: why.into() };
        let lead = self.lead;
        if lead.contact.email.trim().is_empty() {
            self.events.push(held("the lead has no email address"));
            self.escalate_unless_open("there is no address to answer to; find another way to reach the client");
        } else if message.automatic && lead.taken_over.is_some() {
            self.events.push(held("a person has taken over"));
        } else if lead.outcome() == Some(Outcome::Erased) {
            self.events.push(held("the lead is erased"));
        } else if let Some(why) = lead.unreachable.as_ref().filter(|_| message.automatic) {
            self.events.push(held(why));
        } else if message.automatic && self.too_many_mails(message.at) {
            self.events.push(held("too many automatic mails in an hour"));
            self.escalate_unless_open(
                "more automatic mails in an hour than the policy allows; look at the conversation",
            );
        } else {
            let rule = if message.automatic {
                "address of the lead, not taken over, reachable"
            } else {
                "written by a person"
            };
            self.events.push(Event::MessageReleased { message: id, rule: rule.into() });
        }
        Ok(())
    }

    fn too_many_mails(&self, at: Timestamp) -> bool {
        self.lead.automatic_mails_in_last_hour(at) > self.policy.automatic_mails_per_hour
    }

    fn record_sent(&mut self, id: MessageId) -> Result<(), Refusal> {
        match self.lead.messages.iter().find(|m| m.id == id).map(|m| m.delivery) {
            Some(Delivery::Sending) => self.events.push(Event::MessageSent { message: id }),
            Some(Delivery::Sent) => {}
            _ => return Err(self.refuse(RefusalKind::State, format!("message {id} was not let go"))),
        }
        Ok(())
    }

    fn record_send_failure(&mut self, id: MessageId, error: &str) -> Result<(), Refusal> {
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

    // ---- people -----------------------------------------------------------------------------------------------

    fn take_over(&mut self) -> Result<(), Refusal> {
        self.not_ended()?;
        match &self.lead.taken_over {
            Some(take_over) if take_over.by == self.request.by => return Ok(()),
            Some(take_over) => {
                return Err(self.refuse(RefusalKind::State, format!("{} has taken over already", take_over.by)));
            }
            None => {}
        }
        self.leave_turn("a person took over");
        self.events.push(Event::TakenOver {});
        Ok(())
    }

    fn hand_back(&mut self) -> Result<(), Refusal> {
        if self.lead.taken_over.is_none() {
            return Err(self.refuse(RefusalKind::State, "nobody has taken over"));
        }
        self.events.push(Event::HandedBack {});
        let waits = match &self.lead.turn {
            Turn::AwaitingClient(_) => self.lead.unanswered == 0,
            Turn::AwaitingNeed { .. } | Turn::Exhausted { .. } | Turn::Ended(_) => true,
            Turn::Working(_) | Turn::AwaitingApproval(_) | Turn::Paused { .. } => false,
        };
        if !waits && self.lead.escalation.is_none() {
            self.resume(TaskReason::HandedBack);
        }
        Ok(())
    }

    fn escalate_by_request(&mut self, reason: &str) -> Result<(), Refusal> {
        self.not_ended()?;
        if reason.trim().is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "an escalation needs a reason"));
        }
        if let Some(open) = &self.lead.escalation {
            return Err(self.refuse(RefusalKind::State, format!("an escalation is open: {}", open.reason)));
        }
        self.pause_if_working();
        self.escalate(reason.trim().into(), !self.request.by.is_person());
        Ok(())
    }

    fn pause_if_working(&mut self) {
        if let Turn::Working(task) = &self.lead.turn {
            self.events.push(Event::TaskSuperseded { task: task.id, why: "escalated".into() });
        }
    }

    fn escalate_unless_open(&mut self, reason: &str) {
        if self.lead.escalation.is_none() && self.lead.outcome().is_none() {
            self.pause_if_working();
            self.escalate(reason.into(), false);
        }
    }

    /// Opens an escalation; `review` asks the Core Orchestra first.
    fn escalate(&mut self, reason: String, review: bool) {
        let id = EscalationId(self.fresh.uuid());
        let review = review.then(|| new_task(Eidolon::Mach42v2, TaskReason::Review { escalation: id }, self.fresh));
        self.events.push(Event::Escalated {
            escalation: Box::new(Escalation {
                id,
                reason,
                by: self.request.by.clone(),
                at: self.fresh.now(),
                review,
                recommendation: None,
            }),
        });
    }

    fn reviewed(&mut self, escalation: EscalationId, advice: &stages::Recommendation) -> Result<(), Refusal> {
        if advice.retry && self.lead.core_retries < self.policy.core_retries {
            self.events.push(Event::EscalationResolved { escalation, how: CORE_RETRY.into() });
            self.resume(TaskReason::Retried);
        } else {
            self.events.push(Event::EscalationReviewed { escalation, advice: advice.advice.clone() });
        }
        Ok(())
    }

    fn retry(&mut self) -> Result<(), Refusal> {
        self.not_ended()?;
        if let Some(escalation) = &self.lead.escalation {
            let how = format!("{} asked for another try", self.request.by);
            self.events.push(Event::EscalationResolved { escalation: escalation.id, how });
        }
        match &self.lead.turn {
            Turn::AwaitingNeed { .. } => self.after_need(),
            Turn::Exhausted { .. } | Turn::Paused { .. } if self.lead.taken_over.is_none() => {
                self.resume(TaskReason::Retried)
            }
            // Somebody should not have to wait for the back-off once the cause is mended.
            Turn::Working(task)
                if self.lead.escalation.is_none() && task.holder.is_none() && task.not_before.is_some() =>
            {
                self.leave_turn("retried by a person");
                self.open_task(self.lead.stage.eidolon(), TaskReason::Retried);
            }
            _ if self.lead.escalation.is_some() => {}
            _ => return Err(self.refuse(RefusalKind::State, "there is nothing to retry")),
        }
        Ok(())
    }

    /// Looks again for what the stage missed.
    fn after_need(&mut self) {
        let after = self.so_far();
        match stages::missing_need(&after, self.lead.stage, self.policy) {
            Some(need) => self.events.push(Event::NeedMissed { need }),
            None => self.open_task(self.lead.stage.eidolon(), TaskReason::Retried),
        }
    }

    /// Goes on with the stage: its task, or what it misses.
    fn resume(&mut self, reason: TaskReason) {
        match stages::missing_need(self.lead, self.lead.stage, self.policy) {
            Some(need) => self.events.push(Event::NeedMissed { need }),
            None => self.open_task(self.lead.stage.eidolon(), reason),
        }
    }

    fn close_by_request(&mut self, outcome: Outcome, reason: &str, merged_into: Option<LeadId>) -> Result<(), Refusal> {
        if self.lead.outcome() == Some(outcome) {
            return Ok(());
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
        self.close(outcome, reason.trim().into(), merged_into);
        Ok(())
    }

    fn close(&mut self, outcome: Outcome, reason: String, merged_into: Option<LeadId>) {
        let ending = Ending { outcome, reason, merged_into, at: self.fresh.now() };
        self.events.push(Event::Closed { ending });
    }

    fn reopen(&mut self, reason: &str) -> Result<(), Refusal> {
        match self.lead.outcome() {
            None => return Err(self.refuse(RefusalKind::State, "it is open")),
            Some(Outcome::Erased) => return Err(self.refuse(RefusalKind::State, "what is erased stays erased")),
            Some(_) => {}
        }
        if reason.trim().is_empty() {
            return Err(self.refuse(RefusalKind::Invalid, "reopening needs a reason"));
        }
        self.events.push(Event::Reopened { reason: reason.trim().into() });
        self.resume(TaskReason::Reopened);
        Ok(())
    }

    // ---- time -------------------------------------------------------------------------------------------------

    fn wake(&mut self) -> Result<(), Refusal> {
        let now = self.fresh.now();
        let Some((_, due)) = due(self.lead, self.policy).filter(|(at, _)| *at <= now) else { return Ok(()) };
        match due {
            Due::FollowUp { number, last } => {
                self.open_task(self.lead.stage.eidolon(), TaskReason::FollowUp { number, last });
            }
            Due::Remind => {
                if let Some(approval) = self.lead.pending_approval() {
                    self.events.push(Event::ApprovalReminded { approval: approval.id });
                }
            }
            Due::Overdue => {
                if let Some(approval) = self.lead.pending_approval() {
                    self.events.push(Event::ApprovalReminded { approval: approval.id });
                    let reason = format!("nobody decided in time: {}", approval.title);
                    self.escalate(reason, false);
                }
            }
        }
        Ok(())
    }

    // ---- refusals ---------------------------------------------------------------------------------------------

    fn not_ended(&self) -> Result<(), Refusal> {
        match self.lead.outcome() {
            None => Ok(()),
            Some(outcome) => {
                Err(self.refuse(RefusalKind::State, format!("its outcome is {}; reopen it first", outcome.name())))
            }
        }
    }

    fn refuse(&self, kind: RefusalKind, reason: impl Into<String>) -> Refusal {
        let lead = self.lead;
        let state = format!("{} in {} ({})", lead.status().name(), lead.stage, lead.turn.name());
        Refusal {
            kind,
            state,
            command: self.request.command.verb().into(),
            reason: reason.into(),
            allowed: allowed(lead),
            findings: Vec::new(),
        }
    }
}

/// What a person may do with a lead, in words.
pub fn allowed(lead: &Lead) -> Vec<String> {
    if lead.outcome().is_some() {
        return vec!["reopen with a reason".into()];
    }
    let mut allowed = Vec::new();
    if let Some(next) = lead.stage.next() {
        allowed.push(format!("hand off to {next}"));
    }
    let later: Vec<&str> =
        Stage::ALL.into_iter().filter(|s| *s as usize > lead.stage as usize + 1).map(Stage::name).collect();
    if !later.is_empty() {
        allowed.push(format!("past a stage to {} with a reason", later.join(" or ")));
    }
    let back: Vec<&str> = Stage::ALL
        .into_iter()
        .filter(|s| *s < lead.stage && (lead.signature.is_none() || *s > Stage::Closer))
        .map(Stage::name)
        .collect();
    if !back.is_empty() {
        allowed.push(format!("back to {} with a reason", back.join(" or ")));
    }
    if lead.pending_approval().is_some() {
        allowed.push("decide the approval".into());
    }
    if lead.escalation.is_some() || matches!(lead.turn, Turn::Exhausted { .. } | Turn::AwaitingNeed { .. }) {
        allowed.push("retry".into());
    }
    allowed.push(if lead.taken_over.is_some() { "hand back" } else { "take over" }.into());
    allowed.push("close with a reason".into());
    allowed
}

/// What a clock brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A follow-up to a silent client.
    FollowUp {
        /// 1 for the first.
        number: u8,
        /// Whether it closes.
        last: bool,
    },
    /// A person is reminded of an approval at half time.
    Remind,
    /// Nobody decided in time.
    Overdue,
}

/// The next moment at which [`Command::Wake`] has something to do. A function of the state, so a timer can be
/// neither lost nor doubled.
pub fn due(lead: &Lead, policy: &Policy) -> Option<(Timestamp, Due)> {
    if lead.escalation.is_some() || lead.taken_over.is_some() {
        return None;
    }
    match &lead.turn {
        Turn::AwaitingClient(wait) if lead.unreachable.is_none() => {
            let number = wait.follow_ups + 1;
            let at = policy.follow_up_at(&wait.ask, wait.since, number, policy.zone_of(lead))?;
            Some((at, Due::FollowUp { number, last: policy.is_last_follow_up(&wait.ask, number) }))
        }
        Turn::AwaitingApproval(approval) => match approval.reminders {
            0 => {
                let half = approval.due_at.duration_since(approval.requested_at) / 2;
                Some((approval.requested_at + half, Due::Remind))
            }
            1 => Some((approval.due_at, Due::Overdue)),
            // The escalation was raised; asking again and again would only be noise.
            _ => None,
        },
        _ => None,
    }
}

/// The result alone, without the word for its kind.
fn result_value(result: &StageResult) -> serde_json::Value {
    let mut value = serde_json::to_value(result).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("kind");
    }
    value
}
