//! Approvals: a person agrees to exactly what was shown, or says why not.

use super::Deciding;
use super::tasks::new_task;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{ApprovalId, Digest};
use crate::lead::{Actor, Approval, ApprovalKind, MessageKind, Need, TaskReason};
use crate::rules::Weight;
use crate::stage::Stage;
use crate::stages::Next;

impl Deciding<'_> {
    pub(super) fn decide_approval(
        &mut self,
        id: ApprovalId,
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
        let reason = reason.map(str::trim).filter(|r| !r.is_empty());
        self.check_decision(&approval, payload_sha256, approve, reason)?;
        self.events.push(Event::ApprovalDecided {
            approval: id,
            kind: approval.kind,
            payload_sha256,
            approved: approve,
            reason: reason.map(str::to_owned),
            through: self.request.seen.through,
        });
        self.resolve_escalation("the approval was decided".into());
        if approval.kind == ApprovalKind::Erasure {
            self.erasure_decided(id, approve);
            return Ok(());
        }
        match reason {
            Some(reason) if !approve => self.rejected(&approval, reason),
            _ => self.approved(approval),
        }
        Ok(())
    }

    fn check_decision(
        &self,
        approval: &Approval,
        payload_sha256: Digest,
        approve: bool,
        reason: Option<&str>,
    ) -> Result<(), Refusal> {
        if !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "only a person decides an approval"));
        }
        if approval.payload_sha256 != payload_sha256 {
            let reason = format!("what goes out has changed; look again and decide on {}", approval.payload_sha256);
            return Err(self.refuse(RefusalKind::State, reason));
        }
        if !approve && reason.is_none() {
            let reason = "a rejection needs a reason, so that the next try can be better";
            return Err(self.refuse(RefusalKind::Invalid, reason));
        }
        if approve { self.check_execution(approval) } else { Ok(()) }
    }

    /// A person lets the pending approval pass in spite of one finding, and says why.
    pub(super) fn waive(&mut self, id: ApprovalId, rule: &str, place: &str, reason: &str) -> Result<(), Refusal> {
        if !matches!(self.request.by, Actor::Person(_)) {
            return Err(self.refuse(RefusalKind::State, "only a person waives a finding"));
        }
        let reason = reason.trim();
        if reason.is_empty() {
            let why = "a waiver needs a reason: say why this may go out all the same";
            return Err(self.refuse(RefusalKind::Invalid, why));
        }
        let Some(approval) = self.lead.pending_approval().filter(|a| a.id == id) else {
            return Err(self.refuse(RefusalKind::NotFound, format!("approval {id} is not pending here")));
        };
        let found = self.findings_at_execution(approval);
        let Some(finding) = found.iter().find(|f| f.rule == rule && f.place == place) else {
            let why = format!("approval {id} has no finding of {rule} at `{place}`; `max approvals show` lists them");
            return Err(self.refuse(RefusalKind::NotFound, why));
        };
        if finding.weight == Weight::Refuses {
            return Err(self.refuse(RefusalKind::State, format!("nobody can waive {rule}; reject, and it is mended")));
        }
        if !approval.has_waived(finding) {
            let (rule, place) = (rule.into(), place.into());
            self.events.push(Event::FindingWaived { approval: id, rule, place, reason: reason.into() });
        }
        Ok(())
    }

    fn rejected(&mut self, approval: &Approval, reason: &str) {
        // No other work can make up for a missing deposit: the stage goes on lacking it.
        if approval.kind == ApprovalKind::Deposit && self.missing_here() == Some(Need::Deposit) {
            return self.events.push(Event::NeedMissed { need: Need::Deposit });
        }
        // Another try would be the same reminder: it is left out, and the calendar goes on after it.
        match (self.follow_up_of(approval), approval.then.clone()) {
            (Some(TaskReason::FollowUp { .. }), Next::Close { .. }) => {
                self.events.push(Event::TurnPaused {});
                self.escalate(format!("the last follow-up was rejected ({reason}); write yourself, or close"), false);
            }
            (Some(follow_up), then) => {
                let task = new_task(self.lead.stage.eidolon(), follow_up, self.fresh);
                self.go_on(then, &task, "");
            }
            (None, _) => {
                self.open_task(self.lead.stage.eidolon(), TaskReason::Rejected { reason: reason.into() });
            }
        }
    }

    /// Which follow-up an approval holds, if it holds one.
    fn follow_up_of(&self, approval: &Approval) -> Option<TaskReason> {
        let holds = approval.outgoing.iter().any(|draft| draft.kind == MessageKind::FollowUp);
        let before = self.lead.last_wait.as_ref().filter(|_| holds)?.follow_ups;
        Some(TaskReason::FollowUp {
            number: before.saturating_add(1),
            last: matches!(approval.then, Next::Close { .. }),
        })
    }

    fn approved(&mut self, approval: Approval) {
        for draft in &approval.outgoing {
            self.queue(draft, &approval.artifacts);
        }
        match approval.kind {
            ApprovalKind::Scope => {
                let scope = approval.artifacts.iter().find(|a| a.name == "scope.json");
                let document = scope.map_or(approval.payload_sha256, |a| a.sha256);
                self.events.push(Event::ScopeApproved { document });
            }
            ApprovalKind::Deposit => self.events.push(Event::DepositConfirmed { payment: None }),
            _ => {}
        }
        let reason = self.follow_up_of(&approval).unwrap_or(TaskReason::Continued);
        let mut task = new_task(self.lead.stage.eidolon(), reason, self.fresh);
        task.id = approval.task;
        let summary = format!("{} approved: {}", approval.kind.name(), approval.title);
        self.go_on(approval.then, &task, &summary);
    }

    /// A stage that starts after the deposit was entered without it (a person's handoff, or a contract signed
    /// outside): the same question that the Closer asks, and work begins on the answer.
    pub(super) fn ask_for_deposit(&mut self, stage: Stage) {
        let task = new_task(stage.eidolon(), TaskReason::StageEntered, self.fresh);
        let title = format!("confirm that the deposit of {} arrived", self.lead.contact.display_name());
        self.ask_approval(ApprovalKind::Deposit, title, Vec::new(), Vec::new(), Next::Continue, &task);
    }
}
