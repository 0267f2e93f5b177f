//! Onboarding: a checklist of script, agency and client steps, each with proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, counted};
use crate::lead::Lead;

/// The checklist, with what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// The steps in order.
    pub steps: Vec<Step>,
}

impl Checklist {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let manual = self.steps.iter().filter(|s| s.owner == Owner::Agency).count();
        format!("confirm {} for {}", counted(manual, "manual onboarding step"), lead.contact.display_name())
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `O-1` ….
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// By whom.
    pub owner: Owner,
    /// How far it is.
    pub state: StepState,
    /// What shows that it was done.
    #[serde(default)]
    pub proof: String,
    /// How it is undone.
    #[serde(default)]
    pub undo: String,
}

/// Who does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// MAX, by a script.
    Max,
    /// A person of the agency.
    Agency,
    /// The client.
    Client,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not done yet.
    Open,
    /// Done, with proof.
    Done,
}

pub(super) fn check(lead: &Lead, checklist: &Checklist, findings: &mut Vec<Finding>) {
    if lead.signature.is_none() {
        findings.push(Finding::new("ON-1", "onboarding starts after the signature"));
    }
    for step in &checklist.steps {
        if step.state == StepState::Done && step.proof.trim().is_empty() {
            findings.push(Finding::new("ON-2", format!("{} is done without proof", step.id)));
        }
        if step.owner == Owner::Max && step.state != StepState::Done {
            findings.push(Finding::new("ON-2", format!("{} is a script step and is not done", step.id)));
        }
    }
    if checklist.steps.is_empty() {
        findings.push(Finding::new("ON-2", "a checklist has steps"));
    }
}
