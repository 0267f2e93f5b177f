//! Scoping: questions, then the scope: requirements R-nnn with priority, acceptance and source.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, Work, counted};
use crate::lead::{Lead, MessageKind};

/// What has to be asked before the scope can be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// The questions, in order of weight.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id, `Q-1` ….
    pub id: String,
    /// What it is about.
    pub topic: String,
    /// The question as the client reads it.
    pub text: String,
}

/// What will be built, and what will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The project's name.
    pub title: String,
    /// What the client wants to reach, in his words.
    pub goal: String,
    /// The requirements.
    pub requirements: Vec<Requirement>,
    /// What is not part of it.
    pub out_of_scope: Vec<String>,
    /// What is taken for granted.
    pub assumptions: Vec<String>,
    /// What the client has to bring.
    pub client_duties: Vec<String>,
    /// What is still open.
    #[serde(default)]
    pub open_questions: Vec<String>,
}

impl Scope {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let days: u32 = self.requirements.iter().map(|r| r.effort_quarter_days).sum();
        format!(
            "approve the scope for {}: {}, {} days of work",
            lead.contact.display_name(),
            counted(self.requirements.len(), "requirement"),
            f64::from(days) / 4.0
        )
    }

    /// The requirements that have to be met.
    pub fn musts(&self) -> impl Iterator<Item = &Requirement> {
        self.requirements.iter().filter(|r| r.priority == Priority::Must)
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }
}

/// One thing that will be built, or will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `R-001` ….
    pub id: String,
    /// What, in one sentence.
    pub text: String,
    /// MoSCoW.
    pub priority: Priority,
    /// How it is accepted.
    pub acceptance: String,
    /// The message it comes from (an id), or `lead` for the first one.
    pub source: String,
    /// The client's words it comes from.
    pub quote: String,
    /// The effort in quarters of a day.
    pub effort_quarter_days: u32,
    /// The service it is priced by, an id of the rate card; the day rate when empty.
    #[serde(default)]
    pub service: String,
}

/// MoSCoW.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Without it the project has failed.
    Must,
    /// Important, but the project stands without it.
    Should,
    /// If there is time.
    Could,
    /// Not this time.
    Wont,
}

pub(super) fn check_questions(q: &Questions, work: &Work, findings: &mut Vec<Finding>) {
    if q.questions.is_empty() {
        findings.push(Finding::new("SC-0", "nothing is asked: submit the scope instead"));
    }
    if !work.messages.iter().any(|m| m.kind == MessageKind::Questions) {
        findings.push(Finding::new("SC-0", "questions need a message of kind questions that asks them"));
    }
}

pub(super) fn check_scope(scope: &Scope, work: &Work, findings: &mut Vec<Finding>) {
    let mut ids = BTreeSet::new();
    for requirement in &scope.requirements {
        if !is_requirement_id(&requirement.id) || !ids.insert(&requirement.id) {
            findings.push(Finding::new("SC-1", format!("`{}` must be R- and three digits, once", requirement.id)));
        }
        for (field, value) in
            [("text", &requirement.text), ("acceptance", &requirement.acceptance), ("source", &requirement.source)]
        {
            if value.trim().is_empty() {
                findings.push(Finding::new("SC-1", format!("{} has no {field}", requirement.id)));
            }
        }
        if requirement.priority != Priority::Wont && requirement.effort_quarter_days == 0 {
            findings.push(Finding::new("SC-7", format!("{} has no effort", requirement.id)));
        }
    }
    if scope.musts().next().is_none() {
        findings.push(Finding::new("SC-1", "a scope needs at least one Must"));
    }
    if !scope.requirements.iter().any(|r| r.priority == Priority::Wont) && scope.out_of_scope.is_empty() {
        findings.push(Finding::new("SC-2", "say at least one thing that is not part of it"));
    }
    if !work.artifacts.iter().any(|a| a.name == "scope.json") {
        findings.push(Finding::new("X-1", "the scope needs its file scope.json"));
    }
}

fn is_requirement_id(id: &str) -> bool {
    id.strip_prefix("R-").is_some_and(|n| n.len() == 3 && n.bytes().all(|b| b.is_ascii_digit()))
}
