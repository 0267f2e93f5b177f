//! The two gates of work: what refuses a submission at once, and what a person has to mend or waive before a yes.
//!
//! Both look at the same three sources: the stage's own checks, what the linter found in the files, and the guard over
//! what would go out. The second gate looks again when the approval is carried out, because time has passed since.

use super::Deciding;
use crate::command::OutgoingText;
use crate::error::{Refusal, RefusalKind};
use crate::guard;
use crate::lead::{Approval, ApprovalKind, Task};
use crate::rules::Weight;
use crate::stages::delivery_pm::open_order;
use crate::stages::{self, Finding, Next, StageResult, Work};
use crate::trace::trace;

impl Deciding<'_> {
    /// The first gate. Refuses the work for findings that nobody can waive, and keeps the others for the approval.
    pub(super) fn check_submission(&mut self, task: &Task, work: &Work) -> Result<(), Refusal> {
        let mut findings = stages::check(self.lead, task, work, self.policy);
        findings.extend(stages::check_said(self.lead, work, &self.request.seen.said));
        findings.extend(self.check_signed_files(work));
        findings.extend(self.request.seen.findings.iter().cloned());
        let findings = once_each(findings);
        if findings.iter().any(|finding| finding.weight == Weight::Refuses) {
            return Err(self.refuse_for(RefusalKind::Checks, "", findings));
        }
        self.kept = findings;
        Ok(())
    }

    /// Keeps what the guard finds in the messages of work that counts, and what the trace lost by it.
    pub(super) fn look_over(&mut self, work: &Work) {
        let after = self.so_far();
        let mut findings = guard::check_drafts(&after, self.policy, &work.messages, &self.request.seen);
        if moves_the_trace(&work.result) {
            findings.extend(trace(&after).findings(Some(after.stage)));
        }
        self.kept.append(&mut findings);
        self.kept = once_each(std::mem::take(&mut self.kept));
    }

    /// Holds what would go on without a person, where something was found that only a person may let pass.
    pub(super) fn held_where_blocked(&self, next: Next, work: &Work) -> Next {
        let blocking = self.kept.iter().filter(|finding| finding.weight >= Weight::Blocks).count();
        if blocking == 0 || matches!(next, Next::Approve { .. }) {
            return next;
        }
        let things = if blocking == 1 { "1 finding".to_owned() } else { format!("{blocking} findings") };
        let title = format!("look at the {}: {things} to mend or waive", work.result.name().replace('_', " "));
        Next::Approve { kind: kind_of(&work.result), title, then: Box::new(next) }
    }

    /// The second gate, when a person says yes: what was shown is still what would happen, and nothing blocks it.
    pub(super) fn check_execution(&self, approval: &Approval) -> Result<(), Refusal> {
        if !approval.is_intact() {
            let why = "what would go out is not what its hash says; reject it, and it is made again";
            return Err(self.refuse(RefusalKind::State, why));
        }
        let blocking: Vec<Finding> = self
            .findings_at_execution(approval)
            .into_iter()
            .filter(|finding| finding.weight >= Weight::Blocks && !approval.has_waived(finding))
            .collect();
        if blocking.is_empty() {
            return Ok(());
        }
        Err(self.refuse_for(RefusalKind::State, "; waive each with a reason, or reject", blocking))
    }

    /// What stands against an approval now: what was found when it was asked, and what is found today.
    pub(super) fn findings_at_execution(&self, approval: &Approval) -> Vec<Finding> {
        let mut findings = approval.findings.clone();
        findings.extend(self.request.seen.findings.iter().cloned());
        let seen = &self.request.seen;
        findings.extend(guard::check_drafts(self.lead, self.policy, &approval.outgoing, seen));
        if stands_on_the_trace(approval.kind) {
            findings.extend(trace(self.lead).findings(Some(approval.stage)));
        }
        findings.extend(self.out_of_date(approval));
        once_each(findings)
    }

    /// A change order whose last day is over goes to nobody.
    fn out_of_date(&self, approval: &Approval) -> Option<Finding> {
        let open = open_order(self.lead).filter(|_| approval.kind == ApprovalKind::ChangeOrder)?.order;
        (open.valid_until < self.policy.today(self.fresh.now())).then(|| {
            Finding::new("DL-7", format!("{} could be signed until {}, which is over", open.id(), open.valid_until))
                .at("valid_until")
                .mend("reject it, and it is made again with a day of its own")
        })
    }

    /// Why an automatic message may not leave as it is, and what a person is advised about his own.
    pub(super) fn said_too_much(&self, text: &OutgoingText) -> Vec<Finding> {
        let seen = &self.request.seen;
        let mut findings = guard::check(self.lead, self.policy, text, seen);
        findings.retain(|f| !seen.waived.iter().any(|w| w.rule == f.rule && w.place == f.place));
        findings
    }

    fn refuse_for(&self, kind: RefusalKind, remedy: &str, findings: Vec<Finding>) -> Refusal {
        let first = findings.first().map_or(String::new(), |f| format!("{}: {}", f.rule, f.detail));
        let reason = match findings.len() {
            1 => format!("1 finding, {first}{remedy}"),
            more => format!("{more} findings, first {first}{remedy}"),
        };
        Refusal { findings, ..self.refuse(kind, reason) }
    }
}

/// Each finding once, in the order found.
fn once_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut once: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    once
}

/// Results that add a column to the trace.
fn moves_the_trace(result: &StageResult) -> bool {
    use StageResult::{Contract, Mockup, Plan, Proposal, Scope};
    matches!(result, Scope(_) | Mockup(_) | Proposal(_) | Contract(_) | Plan(_))
}

/// Approvals that a red cell of the trace blocks.
fn stands_on_the_trace(kind: ApprovalKind) -> bool {
    use ApprovalKind::{Contract, Mockup, Proposal, Scope};
    matches!(kind, Scope | Mockup | Proposal | Contract)
}

/// Under which kind of approval a person looks at a result that would have needed none.
fn kind_of(result: &StageResult) -> ApprovalKind {
    match result {
        StageResult::Scope(_) => ApprovalKind::Scope,
        StageResult::Mockup(_) => ApprovalKind::Mockup,
        StageResult::Proposal(_) => ApprovalKind::Proposal,
        StageResult::Contract(_) => ApprovalKind::Contract,
        StageResult::Checklist(_) => ApprovalKind::ManualSteps,
        StageResult::MilestoneReady(_) => ApprovalKind::Milestone,
        StageResult::ChangeOrder(_) => ApprovalKind::ChangeOrder,
        _ => ApprovalKind::Reply,
    }
}
