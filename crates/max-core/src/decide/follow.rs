//! What follows on work that passed its checks: messages, an approval, the client's turn, the next stage, an end.

use super::Deciding;
use crate::event::Event;
use crate::id::ApprovalId;
use crate::lead::{Approval, ApprovalKind, ArtifactRef, ClientWait, Draft, MessageKind, Outcome, Task, TaskReason};
use crate::stages::{Next, StageResult, Work};

impl Deciding<'_> {
    /// Holds everything for a person where `next` wants an approval; else sends the messages and goes on.
    pub(super) fn follow(&mut self, next: Next, task: &Task, work: &Work, artifacts: Vec<ArtifactRef>) {
        let next = self.held_where_blocked(next, work);
        let (receipts, messages): (Vec<Draft>, Vec<Draft>) =
            work.messages.iter().map(|draft| signed(draft, work)).partition(|draft| draft.kind == MessageKind::Receipt);
        if let Next::Approve { kind, title, then } = next {
            if kind == ApprovalKind::Deposit {
                // Whether money arrived is a question about the account, not about what goes out: the client can only
                // pay what he was asked for.
                messages.iter().for_each(|draft| self.queue(draft, &artifacts));
                return self.ask_approval(kind, title, Vec::new(), Vec::new(), *then, task);
            }
            self.acknowledge(receipts.first());
            let artifacts = self.with_attachments(artifacts, &messages);
            return self.ask_approval(kind, title, artifacts, messages, *then, task);
        }
        // An answer that goes out now needs no receipt beside it.
        for draft in &messages {
            self.queue(draft, &artifacts);
        }
        if matches!(next, Next::Advance) {
            self.agree_without_a_person(work, &artifacts);
        }
        self.go_on(next, task, &work.summary);
    }

    /// Tells the client that the message arrived while the answer waits for a person: once in a while.
    fn acknowledge(&mut self, receipt: Option<&Draft>) {
        let told = self.acknowledged_lately();
        if let Some(receipt) = receipt.filter(|_| !told && !self.lead.contact.email.trim().is_empty()) {
            self.queue(receipt, &[]);
        }
    }

    /// What a person would have agreed to, where the agency's policy wants none: the next stage needs it.
    fn agree_without_a_person(&mut self, work: &Work, artifacts: &[ArtifactRef]) {
        match work.result {
            StageResult::Scope(_) => {
                if let Some(scope) = artifacts.iter().find(|a| a.name == "scope.json") {
                    self.events.push(Event::ScopeApproved { document: scope.sha256 });
                }
            }
            StageResult::ContractSigned(_) if self.policy.wants_deposit() && !self.lead.deposit_confirmed => {
                self.events.push(Event::DepositConfirmed { payment: None });
            }
            _ => {}
        }
    }

    /// An approval is bound to exactly what goes out, so to earlier files that a message takes along as well.
    fn with_attachments(&self, mut artifacts: Vec<ArtifactRef>, drafts: &[Draft]) -> Vec<ArtifactRef> {
        for name in drafts.iter().flat_map(|d| &d.attachments) {
            if !artifacts.iter().any(|a| a.name == *name) {
                artifacts.extend(self.lead.artifact(self.lead.stage, name).cloned());
            }
        }
        artifacts
    }

    pub(super) fn ask_approval(
        &mut self,
        kind: ApprovalKind,
        title: String,
        artifacts: Vec<ArtifactRef>,
        outgoing: Vec<Draft>,
        then: Next,
        task: &Task,
    ) {
        let now = self.fresh.now();
        let approval = Approval {
            id: ApprovalId(self.fresh.uuid()),
            kind,
            stage: task.eidolon.stage().unwrap_or(self.lead.stage),
            task: task.id,
            title,
            payload_sha256: Approval::digest(kind, &artifacts, &outgoing, &then),
            artifacts,
            outgoing,
            then,
            requested_at: now,
            due_at: self.policy.approval_due(kind, now, self.lead),
            reminders: 0,
            findings: std::mem::take(&mut self.kept),
            waived: Vec::new(),
        };
        self.events.push(Event::ApprovalRequested { approval: Box::new(approval) });
    }

    /// What follows once nothing is held back any more.
    pub(super) fn go_on(&mut self, next: Next, task: &Task, summary: &str) {
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
                    // A report in between is no answer, and the reminders go on as planned.
                    (TaskReason::Report, Some(wait)) if wait.ask == ask => wait.clone(),
                    _ => ClientWait { ask, since: self.fresh.now(), follow_ups: 0 },
                };
                self.events.push(Event::ClientAwaited { wait });
            }
            Next::Close { outcome, reason } => self.close(outcome, reason, None),
            Next::Escalate { reason } => {
                self.events.push(Event::TurnPaused {});
                self.escalate(reason, true);
            }
            // The letter was released; whether the money arrived is another question.
            Next::Approve { kind: ApprovalKind::Deposit, title, then } => {
                self.ask_approval(ApprovalKind::Deposit, title, Vec::new(), Vec::new(), *then, task);
            }
            // An approval inside an approval would ask the same person twice for one thing.
            Next::Approve { then, .. } => self.go_on(*then, task, summary),
        }
    }
}

/// A draft with its writer: only a person's message is without one, and no mind passes for a person.
fn signed(draft: &Draft, work: &Work) -> Draft {
    let mut draft = draft.clone();
    if draft.written_by.trim().is_empty() {
        draft.written_by = if work.voice.trim().is_empty() { "voice".into() } else { work.voice.clone() };
    }
    draft
}
