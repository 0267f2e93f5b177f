//! Orchestra: an offline clickable mockup in which every Must is shown.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoping::Scope;
use super::{Finding, Work, counted};
use crate::lead::Lead;
use crate::stage::Stage;

/// What the mockup shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mockup {
    /// Its screens.
    pub screens: Vec<Screen>,
    /// Requirements without a face, with the reason.
    #[serde(default)]
    pub omitted: Vec<Omitted>,
}

impl Mockup {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        format!("send the mockup to {}: {}", lead.contact.display_name(), counted(self.screens.len(), "screen"))
    }
}

/// One screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// Its anchor in the file.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// The requirements it shows.
    pub requirements: Vec<String>,
}

/// A requirement that no screen can show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// The requirement.
    pub requirement: String,
    /// Why.
    pub reason: String,
}

pub(super) fn check(lead: &Lead, mockup: &Mockup, work: &Work, findings: &mut Vec<Finding>) {
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else {
        findings.push(Finding::new("X-4", "there is no scope to show"));
        return;
    };
    let shown: BTreeSet<&str> = mockup.screens.iter().flat_map(|s| s.requirements.iter().map(String::as_str)).collect();
    let omitted: BTreeSet<&str> = mockup.omitted.iter().map(|o| o.requirement.as_str()).collect();
    for must in scope.musts() {
        if !shown.contains(must.id.as_str()) && !omitted.contains(must.id.as_str()) {
            findings.push(Finding::new("MK-1", format!("{} is a Must and no screen shows it", must.id)));
        }
    }
    for id in shown.iter().chain(&omitted) {
        if scope.requirement(id).is_none() {
            findings.push(Finding::new("X-4", format!("{id} is no requirement of the scope")));
        }
    }
    if !work.artifacts.iter().any(|a| a.name == "mockup.html") {
        findings.push(Finding::new("X-1", "the mockup needs its file mockup.html"));
    }
}
