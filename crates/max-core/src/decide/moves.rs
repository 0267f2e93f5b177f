//! A lead moves: handoffs by people, stages entered, turns begun and left.

use super::Deciding;
use super::tasks::new_task;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::lead::{Actor, Need, StageTransition, Task, TaskReason, Turn};
use crate::stage::{Eidolon, Stage};
use crate::stages;

impl Deciding<'_> {
    pub(super) fn hand_off(
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
        let Some(to) = to.or(expected.unwrap_or(here).next()) else {
            return Err(self.refuse(RefusalKind::State, format!("{here} is the last stage")));
        };
        if self.is_same_move(to, expected) {
            return Ok(());
        }
        if let Some(expected) = expected.filter(|expected| *expected != here) {
            let reason = format!("previous_stage is {expected}, but the lead is in {here}");
            return Err(self.refuse(RefusalKind::State, reason));
        }
        self.not_ended()?;
        self.check_move(to, reason)?;
        self.leave_turn(&format!("handed off to {to}"));
        self.resolve_escalation(format!("handed off to {to}"));
        let summary = match (summary.trim(), reason) {
            ("", Some(reason)) => reason.to_owned(),
            ("", None) => format!("handed off from {here} to {to}"),
            (text, _) => text.to_owned(),
        };
        self.enter(to, summary, reason.map(str::to_owned));
        Ok(())
    }

    /// A transition that names the stage it comes from is compare-and-set, and so is every one by a file of the
    /// drop box: the lead already being where it should go is a repeat of the same move.
    fn is_same_move(&self, to: Stage, expected: Option<Stage>) -> bool {
        let here = self.lead.stage;
        to == here && (expected.is_some_and(|e| e != here) || matches!(self.request.by, Actor::Signal(_)))
    }

    fn check_move(&self, to: Stage, reason: Option<&str>) -> Result<(), Refusal> {
        let here = self.lead.stage;
        let why_not = if to == here {
            format!("it is in {here} already")
        } else if to < here && reason.is_none() {
            format!("going back from {here} to {to} needs a reason")
        } else if to < here && self.lead.signature.is_some() && to <= Stage::Closer {
            "the contract is signed; the way back is a change order".into()
        } else if to > here && Some(to) != here.next() && reason.is_none() {
            format!("going past a stage from {here} to {to} needs a reason")
        } else {
            return Ok(());
        };
        Err(self.refuse(RefusalKind::State, why_not))
    }

    /// Enters a stage and begins its first turn, unless a person has taken over.
    pub(super) fn enter(&mut self, to: Stage, summary: String, reason: Option<String>) {
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
        if self.lead.taken_over.is_none() {
            self.begin(TaskReason::StageEntered);
        }
    }

    /// Begins a turn of the stage the lead is in by now, or says what it misses.
    pub(super) fn begin(&mut self, reason: TaskReason) {
        // What the stage needs is looked up in the lead as it is after the events so far.
        let after = self.so_far();
        match stages::missing_need(&after, after.stage, self.policy) {
            None => self.open_task(after.stage.eidolon(), reason),
            // Somebody has to look at the account, so somebody is asked.
            Some(Need::Deposit) => self.ask_for_deposit(after.stage),
            Some(need) if matches!(&after.turn, Turn::AwaitingNeed { need: known, .. } if *known == need) => {}
            Some(need) => self.events.push(Event::NeedMissed { need }),
        }
    }

    /// What the current stage misses.
    pub(super) fn missing_here(&self) -> Option<Need> {
        stages::missing_need(self.lead, self.lead.stage, self.policy)
    }

    /// Takes the current turn off whoever has it: the task is fenced, a pending approval void.
    pub(super) fn leave_turn(&mut self, why: &str) {
        match &self.lead.turn {
            Turn::Working(task) => self.events.push(Event::TaskSuperseded { task: task.id, why: why.into() }),
            Turn::AwaitingApproval(approval) => {
                self.events.push(Event::ApprovalVoided { approval: approval.id, why: why.into() });
            }
            _ => {}
        }
    }

    /// Fences the stage's task, if there is one. A follow-up that is not written leaves the client waited for as
    /// before, so that the calendar goes on where it stopped.
    pub(super) fn set_work_aside(&mut self, why: &str) {
        let Turn::Working(Task { id, reason, .. }) = &self.lead.turn else { return };
        self.events.push(Event::TaskSuperseded { task: *id, why: why.into() });
        if let (TaskReason::FollowUp { .. }, Some(wait)) = (reason, &self.lead.last_wait) {
            self.events.push(Event::ClientAwaited { wait: wait.clone() });
        }
    }

    pub(super) fn open_task(&mut self, eidolon: Eidolon, reason: TaskReason) {
        let task = new_task(eidolon, reason, self.fresh);
        self.events.push(Event::TaskOpened { task });
    }
}
