//! DeliveryPM: a plan with milestones and check-ins, sign-off of each milestone, closing.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Finding;
use super::scoping::Scope;
use crate::id::Digest;
use crate::lead::Lead;
use crate::stage::Stage;

/// The plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// First working day.
    pub start: Date,
    /// The milestones in order.
    pub milestones: Vec<Milestone>,
    /// Days on which the client hears how it stands.
    pub check_ins: Vec<Date>,
}

/// One milestone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// `M-1` ….
    pub id: String,
    /// What is reached.
    pub title: String,
    /// The requirements it delivers.
    pub requirements: Vec<String>,
    /// When.
    pub due: Date,
    /// How it is accepted.
    pub acceptance: String,
    /// Its share of the price in basis points; all shares sum to 10,000.
    pub share_basis_points: u32,
}

/// A milestone is ready for sign-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MilestoneReady {
    /// The milestone.
    pub id: String,
    /// SHA-256 of what is handed over for sign-off.
    pub document: Digest,
}

/// Everything is signed off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectClosed {
    /// A closing sentence.
    pub reason: String,
}

pub(super) fn check_plan(lead: &Lead, plan: &Plan, findings: &mut Vec<Finding>) {
    let shares: u32 = plan.milestones.iter().map(|m| m.share_basis_points).sum();
    if shares != 10_000 {
        findings.push(Finding::new("DL-2", format!("the payment shares sum to {shares} of 10000")));
    }
    let mut placed = BTreeSet::new();
    for milestone in &plan.milestones {
        if milestone.due < plan.start {
            findings.push(Finding::new("X-6", format!("{} is due before the project starts", milestone.id)));
        }
        if matches!(milestone.due.weekday(), Weekday::Saturday | Weekday::Sunday) {
            findings.push(Finding::new("DL-1", format!("{} is due on a weekend", milestone.id)));
        }
        for id in &milestone.requirements {
            if !placed.insert(id.as_str()) {
                findings.push(Finding::new("DL-1", format!("{id} stands in two milestones")));
            }
        }
    }
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else { return };
    for must in scope.musts() {
        if !placed.contains(must.id.as_str()) {
            findings.push(Finding::new("DL-1", format!("{} is a Must and stands in no milestone", must.id)));
        }
    }
    for id in placed {
        if scope.requirement(id).is_none() {
            findings.push(Finding::new("X-4", format!("{id} is no requirement of the scope")));
        }
    }
}

pub(super) fn check_milestone(lead: &Lead, ready: &MilestoneReady, findings: &mut Vec<Finding>) {
    let known = lead
        .stage_value::<Plan>(Stage::DeliveryPM, "plan")
        .is_some_and(|plan| plan.milestones.iter().any(|m| m.id == ready.id));
    if !known {
        findings.push(Finding::new("X-4", format!("{} is no milestone of the plan", ready.id)));
    }
    if lead.accepted_milestones.contains_key(&ready.id) {
        findings.push(Finding::new("DL-8", format!("{} is signed off already", ready.id)));
    }
}

pub(super) fn check_closed(lead: &Lead, findings: &mut Vec<Finding>) {
    let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan");
    let open: Vec<String> = plan
        .iter()
        .flat_map(|p| &p.milestones)
        .filter(|m| !lead.accepted_milestones.contains_key(&m.id))
        .map(|m| m.id.clone())
        .collect();
    if plan.is_none() {
        findings.push(Finding::new("DL-8", "there is no plan to have been delivered"));
    } else if !open.is_empty() {
        findings.push(Finding::new("DL-8", format!("not signed off yet: {}", open.join(", "))));
    }
}
