//! Steps of the onboarding checklist that people do: marked by whoever did them, and remembered when they are late.

use super::Deciding;
use super::time;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::lead::{Actor, Draft, MessageKind, TaskReason, Turn};
use crate::stage::Stage;
use crate::stages::delivery_pm::{self, Plan};
use crate::stages::onboarding::{self, Owner, StepState};

/// The longest proof of a step.
const PROOF_AT_MOST: usize = 2_000;

impl Deciding<'_> {
    pub(super) fn mark_step(&mut self, id: &str, done: bool, proof: &str) -> Result<(), Refusal> {
        self.not_ended()?;
        let Some(checklist) = onboarding::checklist(self.lead) else {
            return Err(self.refuse(RefusalKind::State, "it has no checklist yet; Onboarding makes one"));
        };
        let Some(step) = checklist.steps.iter().find(|step| step.id == id) else {
            let ids: Vec<&str> = checklist.steps.iter().map(|step| step.id.as_str()).collect();
            let why = format!("`{id}` is no step of the checklist; there are {}", ids.join(", "));
            return Err(self.refuse(RefusalKind::NotFound, why));
        };
        match (&self.request.by, step.owner) {
            (_, Owner::Max) => {
                return Err(
                    self.refuse(RefusalKind::State, format!("{id} is done by MAX, and marked when its file stands"))
                );
            }
            (Actor::Eidolon(_), _) => return Err(self.refuse(RefusalKind::State, "only people mark a step")),
            (Actor::Client, Owner::Agency) => {
                return Err(self.refuse(RefusalKind::State, format!("{id} is a step of the agency")));
            }
            _ => {}
        }
        let proof = proof.trim();
        if proof.is_empty() || proof.chars().count() > PROOF_AT_MOST {
            let why = if done { "say what shows that it is done" } else { "say why it is open again" };
            return Err(self.refuse(RefusalKind::Invalid, format!("{why}, in at most {PROOF_AT_MOST} characters")));
        }
        if (step.state == StepState::Done) == done {
            return Ok(());
        }
        self.events.push(Event::StepMarked { step: id.into(), done, proof: proof.into() });
        // The plan was made for another day: what depends on a late duty moves with it.
        if done && matches!(self.lead.turn, Turn::AwaitingClient(_)) && !self.at_rest() {
            let after = self.so_far();
            let plan = after.stage_value::<Plan>(Stage::DeliveryPM, "plan");
            if plan.is_some_and(|plan| !delivery_pm::duties_come_late(&after, &plan, self.policy).is_empty()) {
                self.open_task(Stage::DeliveryPM.eidolon(), TaskReason::Continued);
            }
        }
        Ok(())
    }

    /// Tells the client which of his steps are late, once for each, in the words that the checklist brought along.
    pub(super) fn remind_of_steps(&mut self) {
        let today = self.policy.today(self.fresh.now());
        let late = time::late_steps(self.lead, self.policy);
        let late: Vec<_> = late.into_iter().filter(|step| step.due.is_some_and(|due| due < today)).collect();
        if let Some(words) = onboarding::checklist(self.lead).and_then(|c| c.reminder) {
            let lines: Vec<String> = late.iter().map(|step| format!("- {} {}", step.id, step.title)).collect();
            let draft = Draft {
                kind: MessageKind::Receipt,
                subject: words.subject,
                body: format!("{}\n\n{}\n\n{}", words.opening.trim(), lines.join("\n"), words.closing.trim()),
                attachments: Vec::new(),
                written_by: "playbook".into(),
            };
            if !self.lead.contact.email.trim().is_empty() {
                self.queue(&draft, &[]);
            }
        }
        self.events.push(Event::StepsReminded { steps: late.into_iter().map(|step| step.id).collect() });
    }
}
