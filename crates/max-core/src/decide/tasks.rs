//! Tasks: claimed, delivered, failed. Everything written with an old fencing token is refused.

use super::Deciding;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{Fresh, TaskId};
use crate::lead::{ArtifactRef, Task, TaskReason};
use crate::stage::Eidolon;
use crate::stages::{self, StageResult, Work};

pub(super) fn new_task(eidolon: Eidolon, reason: TaskReason, fresh: &mut Fresh) -> Task {
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

impl Deciding<'_> {
    pub(super) fn claim(&mut self, task: TaskId, holder: &str) -> Result<(), Refusal> {
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

    pub(super) fn fail(&mut self, task: TaskId, attempt: u32, error: &str, retryable: bool) -> Result<(), Refusal> {
        let open = self.fenced(task, attempt)?;
        let again = retryable && attempt < self.policy.max_attempts;
        let retry_at = again.then(|| self.fresh.now() + self.policy.backoff(attempt, self.fresh.fraction()));
        self.events.push(Event::AttemptFailed { task, attempt, error: error.into(), retry_at });
        if again {
            return Ok(());
        }
        match open.reason {
            TaskReason::Review { escalation } => self.events.push(Event::EscalationReviewed {
                escalation,
                advice: "look at it yourself; the Core Orchestra could not".into(),
            }),
            _ => {
                let times = if attempt == 1 { "once".into() } else { format!("{attempt} times") };
                self.escalate(format!("{} failed {times}: {error}", self.lead.stage), true);
            }
        }
        Ok(())
    }

    pub(super) fn submit(&mut self, task: TaskId, attempt: u32, work: &Work) -> Result<(), Refusal> {
        if self.lead.last_submission == Some((task, attempt)) {
            return Ok(());
        }
        let open = self.fenced(task, attempt)?;
        self.check_submission(&open, work)?;
        let artifacts = self.versioned(work);
        self.events.push(Event::WorkSubmitted {
            task,
            attempt,
            result: work.result.name().into(),
            value: result_value(&work.result),
            artifacts: artifacts.clone(),
            summary: work.summary.clone(),
            voice: work.voice.clone(),
            instead_of: work.instead_of.clone(),
        });
        if let (StageResult::Recommendation(advice), TaskReason::Review { escalation }) = (&work.result, &open.reason) {
            return self.reviewed(*escalation, advice);
        }
        self.look_over(work);
        let next = stages::next(self.lead, &open, work, self.policy);
        self.follow(next, &open, work, artifacts);
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
}

/// The result alone, without the word for its kind.
fn result_value(result: &StageResult) -> serde_json::Value {
    let mut value = serde_json::to_value(result).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("kind");
    }
    value
}
