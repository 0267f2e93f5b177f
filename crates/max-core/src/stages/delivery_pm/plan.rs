//! The plan: milestones and client duties as nodes of one graph, with dates, shares and what depends on what.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Finding;
use super::order::signed_orders;
use super::request::RequestSorted;
use crate::lead::Lead;
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::change_order::ChangeOrder;
use crate::stages::closer::Proposal;
use crate::stages::onboarding::{self, Step, StepState};
use crate::stages::scoping::{Priority, Requirement, Scope};

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
    /// 1 for the first; counted up when a change order or a slip moves dates.
    #[serde(default = "first")]
    pub revision: u32,
    /// Last day; the last milestone's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
    /// What the client has to bring, and by when.
    #[serde(default)]
    pub duties: Vec<Duty>,
    /// How often the client hears how it stands.
    #[serde(default)]
    pub cadence: Cadence,
    /// ISO 4217 of the amounts; empty when there is no price on record.
    #[serde(default)]
    pub currency: String,
}

const fn first() -> u32 {
    1
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
    /// Its share of the gross price in minor units; all shares sum to the price.
    #[serde(default)]
    pub gross_minor: i64,
    /// Who of the agency answers for it.
    #[serde(default)]
    pub owner: String,
    /// What must be there first: ids of milestones and duties.
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// Something the client has to bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// `D-1` ….
    pub id: String,
    /// What, in the scope's words.
    pub text: String,
    /// By when.
    pub due: Date,
    /// When it was there, once that has moved the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Date>,
}

/// How often the client hears how it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Every week.
    #[default]
    Weekly,
    /// Every second week.
    Fortnightly,
}

impl Cadence {
    /// The days between two reports.
    pub const fn days(self) -> i64 {
        match self {
            Cadence::Weekly => 7,
            Cadence::Fortnightly => 14,
        }
    }
}

impl Plan {
    /// The last day of the project.
    pub fn last_day(&self) -> Date {
        let last = self.milestones.iter().map(|m| m.due).max().unwrap_or(self.start);
        self.end.unwrap_or(last)
    }

    /// The milestone with this id.
    pub fn milestone(&self, id: &str) -> Option<&Milestone> {
        self.milestones.iter().find(|m| m.id == id)
    }

    /// The milestone that delivers this requirement.
    pub fn milestone_of(&self, requirement: &str) -> Option<&Milestone> {
        self.milestones.iter().find(|m| m.requirements.iter().any(|r| r == requirement))
    }

    /// The duties that a milestone hangs on, also by way of other milestones.
    pub fn duties_before(&self, milestone: &str) -> BTreeSet<&str> {
        let (mut open, mut seen) = (vec![milestone], BTreeSet::new());
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.milestone(id).into_iter().flat_map(|m| &m.depends_on).map(String::as_str));
            }
        }
        self.duties.iter().map(|d| d.id.as_str()).filter(|id| seen.contains(id)).collect()
    }

    /// The first milestone that is not signed off.
    pub fn open_milestone(&self, lead: &Lead) -> Option<&Milestone> {
        self.milestones.iter().find(|m| !lead.accepted_milestones.contains_key(&m.id))
    }
}

/// The duties of the plan that the client has not brought yet.
pub fn open_duties<'a>(lead: &Lead, plan: &'a Plan) -> Vec<&'a Duty> {
    let rounds: Vec<RequestSorted> = lead.stage_value(Stage::DeliveryPM, "requests").unwrap_or_default();
    let checklist = onboarding::checklist(lead).unwrap_or_default();
    let step_of = |d: &Duty| checklist.steps.iter().find(|step| step.covers_duty.as_ref() == Some(&d.text));
    let done = |d: &Duty| match step_of(d) {
        Some(step) => step.state == StepState::Done,
        None => rounds.iter().any(|r| r.duties_done.contains(&d.id)),
    };
    plan.duties.iter().filter(|d| d.done.is_none() && !done(d)).collect()
}

/// Duties that came later than the plan wanted them and have not moved it yet, each with the day on which it was there.
pub fn duties_come_late(lead: &Lead, plan: &Plan, policy: &Policy) -> Vec<(String, Date)> {
    let checklist = onboarding::checklist(lead).unwrap_or_default();
    let came = |d: &Duty| {
        let step = checklist.steps.iter().find(|step| step.covers_duty.as_ref() == Some(&d.text))?;
        let mark = step.marked.as_ref().filter(|_| step.state == StepState::Done)?;
        Some(policy.today(mark.at)).filter(|day| d.done.is_none() && *day > d.due)
    };
    plan.duties.iter().filter_map(|d| Some((d.id.clone(), came(d)?))).collect()
}

/// Whether a step of the checklist is a duty that the plan names.
pub fn is_duty(lead: &Lead, step: &Step) -> bool {
    let Some(duty) = &step.covers_duty else { return false };
    let plan = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan");
    plan.is_some_and(|plan| plan.duties.iter().any(|d| d.text == *duty))
}

/// The steps of the checklist that cover these duties of the plan.
pub(crate) fn steps_of_duties(lead: &Lead, duties: &[String]) -> Vec<String> {
    let Some(plan) = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan").filter(|_| !duties.is_empty()) else {
        return Vec::new();
    };
    let texts: Vec<&String> = plan.duties.iter().filter(|d| duties.contains(&d.id)).map(|d| &d.text).collect();
    let checklist = onboarding::checklist(lead).unwrap_or_default();
    let covers = |step: &&Step| step.covers_duty.as_ref().is_some_and(|duty| texts.contains(&duty));
    checklist.steps.iter().filter(covers).map(|step| step.id.clone()).collect()
}

/// What was agreed on and is to be delivered: the scope and every signed change order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The requirements, in order.
    pub requirements: Vec<Requirement>,
    /// Those that somebody pays for.
    pub priced: BTreeSet<String>,
    /// What the client pays in all, in minor units.
    pub gross_minor: i64,
    /// ISO 4217; empty without a price.
    pub currency: String,
    /// What the client has to bring.
    pub duties: Vec<String>,
}

impl Agreed {
    /// What the records of this lead say was agreed on.
    pub fn of(lead: &Lead) -> Option<Self> {
        let scope = lead.stage_value::<Scope>(Stage::Scoping, "scope")?;
        let proposal = lead.stage_value::<Proposal>(Stage::Closer, "proposal");
        let priced = proposal.iter().flat_map(|p| &p.lines).flat_map(|l| l.requirements.iter().cloned()).collect();
        let mut agreed = Self {
            requirements: scope.requirements,
            priced,
            gross_minor: proposal.as_ref().map_or(0, |p| p.gross_minor),
            currency: proposal.map(|p| p.currency).unwrap_or_default(),
            duties: scope.client_duties,
        };
        for order in signed_orders(lead) {
            agreed.change(order);
        }
        Some(agreed)
    }

    /// What a signed change order makes of it.
    fn change(&mut self, order: ChangeOrder) {
        self.requirements.retain(|r| !order.dropped.contains(&r.id));
        self.priced.retain(|id| !order.dropped.contains(id));
        self.priced.extend(order.added.iter().map(|r| r.id.clone()));
        self.requirements.extend(order.added);
        self.gross_minor = self.gross_minor.saturating_add(order.gross_minor);
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// Whether a plan must deliver this requirement: every Must, and whatever else is paid for.
    pub fn must_be_planned(&self, requirement: &Requirement) -> bool {
        match requirement.priority {
            Priority::Must => true,
            Priority::Should | Priority::Could => self.priced.contains(&requirement.id),
            Priority::Wont => false,
        }
    }
}

/// Rules DL-1 to DL-3, and as far as they concern a plan.
pub(in super::super) fn check_plan(lead: &Lead, plan: &Plan, policy: &Policy, findings: &mut Vec<Finding>) {
    check_shares(plan, findings);
    check_dates(lead, plan, policy, findings);
    check_graph(plan, findings);
    if let Some(agreed) = Agreed::of(lead) {
        check_placed(plan, &agreed, findings);
        check_effort(lead, plan, &agreed, policy, findings);
        check_price(plan, &agreed, findings);
        for duty in &agreed.duties {
            if !plan.duties.iter().any(|d| d.text == *duty) {
                findings.push(
                    Finding::new("DL-3", format!("the client's duty `{duty}` is no node of the plan"))
                        .at("duties")
                        .mend("add it with a due date"),
                );
            }
        }
    }
}

fn check_shares(plan: &Plan, findings: &mut Vec<Finding>) {
    let shares: u32 = plan.milestones.iter().map(|m| m.share_basis_points).sum();
    if shares != 10_000 {
        findings.push(
            Finding::new("DL-2", format!("the payment shares sum to {shares} of 10000"))
                .at("milestones")
                .mend("make them sum to 10000 basis points"),
        );
    }
    for milestone in &plan.milestones {
        for (field, value) in [("acceptance test", &milestone.acceptance), ("owner", &milestone.owner)] {
            if value.trim().is_empty() {
                findings.push(Finding::new("DL-2", format!("{} has no {field}", milestone.id)).at(&milestone.id));
            }
        }
    }
}

fn check_price(plan: &Plan, agreed: &Agreed, findings: &mut Vec<Finding>) {
    let sum: i64 = plan.milestones.iter().map(|m| m.gross_minor).sum();
    if !agreed.currency.is_empty() && sum != agreed.gross_minor {
        findings.push(
            Finding::new("DL-2", format!("the milestones are worth {sum}, the price is {}", agreed.gross_minor))
                .at("milestones")
                .mend("give each milestone its share of the price; the last one takes the rest"),
        );
    }
}

fn check_dates(lead: &Lead, plan: &Plan, policy: &Policy, findings: &mut Vec<Finding>) {
    let calendar = policy.calendar_of(lead);
    let last = plan.last_day();
    let milestones = plan.milestones.iter().map(|m| (m.id.as_str(), m.due));
    let duties = plan.duties.iter().map(|d| (d.id.as_str(), d.due));
    for (id, due) in milestones.chain(duties).chain([("the start", plan.start)]) {
        if due < plan.start || due > last {
            findings
                .push(Finding::new("DL-1", format!("{id} is due on {due}, outside {} to {last}", plan.start)).at(id));
        }
        if let Some(why) = calendar.why_closed(due) {
            findings.push(
                Finding::new("DL-1", format!("{id} is due on {due}, {why}"))
                    .at(id)
                    .mend(format!("take {}", calendar.on_or_after(due))),
            );
        }
    }
    for day in &plan.check_ins {
        if let Some(why) = calendar.why_closed(*day) {
            findings.push(Finding::new("DL-1", format!("the check-in of {day} is {why}")).at("check_ins"));
        }
    }
}

fn check_placed(plan: &Plan, agreed: &Agreed, findings: &mut Vec<Finding>) {
    let mut placed = BTreeSet::new();
    for milestone in &plan.milestones {
        for id in &milestone.requirements {
            if !placed.insert(id.as_str()) {
                findings.push(Finding::new("DL-1", format!("{id} stands in two milestones")).at(&milestone.id));
            }
            if agreed.requirement(id).is_none() {
                findings.push(
                    Finding::new("DL-7", format!("{id} was not agreed on: it is in neither scope nor signed change"))
                        .at(&milestone.id)
                        .mend("have its change order signed first"),
                );
            }
        }
    }
    for requirement in agreed.requirements.iter().filter(|r| agreed.must_be_planned(r)) {
        if !placed.contains(requirement.id.as_str()) {
            findings.push(
                Finding::new("DL-1", format!("{} was agreed on and stands in no milestone", requirement.id))
                    .at(&requirement.id),
            );
        }
    }
}

/// Up to each milestone there must be working days enough for what it and those before it take.
fn check_effort(lead: &Lead, plan: &Plan, agreed: &Agreed, policy: &Policy, findings: &mut Vec<Finding>) {
    let calendar = policy.calendar_of(lead);
    let mut milestones: Vec<&Milestone> = plan.milestones.iter().collect();
    milestones.sort_by_key(|m| m.due);
    let mut needed = 0u32;
    for milestone in milestones {
        let effort = milestone.requirements.iter().filter_map(|id| agreed.requirement(id));
        needed = needed.saturating_add(effort.map(|r| r.effort_quarter_days).sum());
        // What is signed off was done, whatever the calendar says.
        if lead.accepted_milestones.contains_key(&milestone.id) {
            continue;
        }
        let days = calendar.count(plan.start, milestone.due);
        if days.saturating_mul(4) < needed {
            let wanted = needed.div_ceil(4);
            findings.push(
                Finding::new(
                    "DL-1",
                    format!("{} needs {wanted} working days from {}, and has {days}", milestone.id, plan.start),
                )
                .at(&milestone.id)
                .mend(format!("let it fall due on {}", calendar.after(plan.start, wanted.saturating_sub(1)))),
            );
        }
    }
}

/// Duties are nodes without dependencies; a milestone may hang on both. Found by taking away, again and again, what
/// depends on nothing that is left: what remains is a cycle or hangs on one.
fn check_graph(plan: &Plan, findings: &mut Vec<Finding>) {
    let mut left: BTreeMap<&str, Vec<&str>> = plan.duties.iter().map(|d| (d.id.as_str(), Vec::new())).collect();
    for milestone in &plan.milestones {
        let on = milestone.depends_on.iter().map(String::as_str).collect();
        if left.insert(&milestone.id, on).is_some() {
            findings.push(Finding::new("DL-3", format!("{} stands in the plan twice", milestone.id)).at(&milestone.id));
        }
    }
    let known: BTreeSet<&str> = left.keys().copied().collect();
    for milestone in &plan.milestones {
        for on in milestone.depends_on.iter().filter(|on| !known.contains(on.as_str())) {
            let detail = format!("{} depends on {on}, which is no node of the plan", milestone.id);
            findings.push(Finding::new("DL-3", detail).at(&milestone.id));
        }
    }
    loop {
        let free = |on: &Vec<&str>| !on.iter().any(|id| left.contains_key(id));
        let ready: Vec<&str> = left.iter().filter(|(_, on)| free(on)).map(|(id, _)| *id).collect();
        if ready.is_empty() {
            break;
        }
        for id in ready {
            left.remove(id);
        }
    }
    if !left.is_empty() {
        let names: Vec<&str> = left.into_keys().collect();
        let detail = format!("these depend on each other in a circle: {}", names.join(", "));
        findings.push(Finding::new("DL-3", detail).at("depends_on"));
    }
}
