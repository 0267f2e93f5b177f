//! How a project stands, and the report that tells the client: computed from the plan and what was signed off.

use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Finding, Work};
use super::{Agreed, Duty, Milestone, Plan, open_duties};
use crate::calendar::Calendar;
use crate::lead::{ClientAsk, Lead, MessageKind, Turn};
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::scoping::Priority;

/// So many days late is still amber.
const AMBER_DAYS: i64 = 5;

/// A report on how the project stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusReport {
    /// 1 for the first.
    pub number: u32,
    /// The day it describes.
    pub day: Date,
    /// How it stands, computed.
    pub colour: Colour,
    /// How many days the latest milestone is late; 0 for none.
    pub days_late: i64,
    /// Why the colour moved by more than one step in a week, when it did.
    #[serde(default)]
    pub reason: String,
    /// Milestones signed off.
    pub done: Vec<String>,
    /// Milestones ahead, the nearest first.
    pub next: Vec<String>,
    /// What may go wrong.
    #[serde(default)]
    pub risks: Vec<Risk>,
    /// What the client has to decide or bring, and by when.
    #[serde(default)]
    pub decisions: Vec<DecisionNeeded>,
    /// Dates that slip, each with its new date.
    #[serde(default)]
    pub slips: Vec<Slip>,
    /// The gross price of what is signed off, in minor units.
    pub used_minor: i64,
    /// The gross price of what should be signed off by this day.
    pub planned_minor: i64,
    /// The gross price of everything.
    pub total_minor: i64,
    /// ISO 4217; empty when there is no price on record.
    #[serde(default)]
    pub currency: String,
}

/// How a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// No milestone is late.
    Green,
    /// Up to five days late.
    Amber,
    /// More than five days late.
    Red,
}

impl Colour {
    /// The colour of so many days late.
    pub const fn of(days_late: i64) -> Self {
        match days_late {
            i64::MIN..=0 => Colour::Green,
            1..=AMBER_DAYS => Colour::Amber,
            _ => Colour::Red,
        }
    }

    /// The word as it stands in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Amber => "amber",
            Colour::Red => "red",
        }
    }

    const fn step(self) -> i64 {
        match self {
            Colour::Green => 0,
            Colour::Amber => 1,
            Colour::Red => 2,
        }
    }
}

/// Something that may go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// What it hangs on: a milestone, a duty, a request.
    pub about: String,
    /// What it is, in a sentence.
    pub text: String,
}

/// Something the client has to decide or bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionNeeded {
    /// What it concerns: a milestone, a duty, a change order.
    pub about: String,
    /// What it is, in a sentence.
    pub text: String,
    /// By when.
    pub by: Date,
}

/// A date that slips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// The milestone.
    pub milestone: String,
    /// When it was planned.
    pub planned: Date,
    /// When it is expected now.
    pub forecast: Date,
}

/// How a project stands on a day, from the records alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The colour.
    pub colour: Colour,
    /// How many days the latest milestone is late.
    pub days_late: i64,
    /// Milestones signed off.
    pub done: Vec<String>,
    /// Milestones ahead.
    pub next: Vec<String>,
    /// Milestones that are late and not handed over yet.
    pub slipped: Vec<String>,
    /// Milestones whose date cannot hold any more, because what the client has to bring for them is late.
    pub moved: Vec<Slip>,
    /// The gross price of what is signed off.
    pub used_minor: i64,
    /// The gross price of what should be signed off by now.
    pub planned_minor: i64,
    /// The gross price of everything.
    pub total_minor: i64,
}

impl Standing {
    /// How the project stands on `day`.
    pub fn on(lead: &Lead, plan: &Plan, policy: &Policy, day: Date) -> Self {
        let accepted = |m: &&Milestone| lead.accepted_milestones.contains_key(&m.id);
        let (done, next): (Vec<&Milestone>, Vec<&Milestone>) = plan.milestones.iter().partition(accepted);
        let late = |m: &&Milestone| days_late(lead, m, policy, day);
        let days_late = next.iter().map(late).max().unwrap_or(0).max(0);
        let slipped = next.iter().filter(|m| late(m) > 0 && handed_over(lead, m).is_none());
        let ids = |of: &[&Milestone]| of.iter().map(|m| m.id.clone()).collect();
        Self {
            colour: Colour::of(days_late),
            days_late,
            slipped: slipped.map(|m| m.id.clone()).collect(),
            moved: moved(lead, plan, &next, policy, day),
            used_minor: done.iter().map(|m| m.gross_minor).sum(),
            planned_minor: plan.milestones.iter().filter(|m| m.due <= day).map(|m| m.gross_minor).sum(),
            total_minor: plan.milestones.iter().map(|m| m.gross_minor).sum(),
            done: ids(&done),
            next: ids(&next),
        }
    }
}

/// What waits for the client moves with him, working day by working day.
fn moved(lead: &Lead, plan: &Plan, ahead: &[&Milestone], policy: &Policy, day: Date) -> Vec<Slip> {
    let calendar = policy.calendar_of(lead);
    let late: Vec<(&str, u32)> = open_duties(lead, plan)
        .into_iter()
        .filter(|duty| duty.due < day)
        .map(|duty| (duty.id.as_str(), calendar.count(duty.due.saturating_add(1.day()), day)))
        .collect();
    let waits = |m: &&&Milestone| m.due >= day && handed_over(lead, m).is_none();
    ahead
        .iter()
        .filter(waits)
        .filter_map(|m| {
            let before = plan.duties_before(&m.id);
            let days = late.iter().filter(|(id, _)| before.contains(id)).map(|(_, days)| *days).max()?;
            Some(Slip { milestone: m.id.clone(), planned: m.due, forecast: calendar.after(m.due, days) })
        })
        .filter(|slip| slip.forecast > slip.planned)
        .collect()
}

/// Since which day a milestone lies with the client for sign-off, if it does.
fn handed_over(lead: &Lead, milestone: &Milestone) -> Option<jiff::Timestamp> {
    let wait = lead.last_wait.as_ref()?;
    matches!(&wait.ask, ClientAsk::Milestone { id, .. } if *id == milestone.id).then_some(wait.since)
}

/// Days between the date due and the hand-over, or today while there is none. What lies with the client gets no later.
fn days_late(lead: &Lead, milestone: &Milestone, policy: &Policy, day: Date) -> i64 {
    let zone = &policy.working_hours.zone;
    let until = handed_over(lead, milestone).map_or(day, |at| at.to_zoned(zone.clone()).date());
    i64::from(milestone.due.until(until).map_or(0, |span| span.get_days()))
}

/// The day on which the next report is due: the next check-in, or the first working day after a date that slipped.
/// Once the plan has no more check-ins, the cadence goes on until everything lies with the client.
pub fn report_due(lead: &Lead, policy: &Policy) -> Option<Date> {
    if lead.stage != Stage::DeliveryPM {
        return None;
    }
    let plan: Plan = lead.stage_value(Stage::DeliveryPM, "plan")?;
    let calendar = policy.calendar_of(lead);
    let told = lead.stage_value::<StatusReport>(Stage::DeliveryPM, "status_report").map(|r| r.day);
    let since = told.unwrap_or(plan.start);
    let open: Vec<&Milestone> =
        plan.milestones.iter().filter(|m| !lead.accepted_milestones.contains_key(&m.id)).collect();
    let slips = open.iter().filter(|m| handed_over(lead, m).is_none()).map(|m| calendar.after(m.due, 1));
    // What the client has not brought moves what waits for it: he hears so the day after.
    let waited_for = |d: &&Duty| open.iter().any(|m| plan.duties_before(&m.id).contains(d.id.as_str()));
    let late = open_duties(lead, &plan).into_iter().filter(waited_for).map(|d| calendar.after(d.due, 1));
    let slips = slips.chain(late);
    let check_in = plan.check_ins.iter().copied().filter(|day| *day > since).min();
    let check_in = check_in.or_else(|| beyond(&plan, &open, since, lead, &calendar));
    slips.filter(|day| *day > since).chain(check_in).min()
}

/// The check-in after the last planned one, while the agency still owes something.
fn beyond(plan: &Plan, open: &[&Milestone], since: Date, lead: &Lead, calendar: &Calendar) -> Option<Date> {
    let owed = open.iter().any(|m| handed_over(lead, m).is_none()) && !matches!(lead.turn, Turn::AwaitingClient(_));
    let next = since.checked_add(plan.cadence.days().days()).ok()?;
    owed.then(|| calendar.on_or_after(next))
}

/// Rules DL-4 to DL-6.
pub(in super::super) fn check_report(
    lead: &Lead,
    report: &StatusReport,
    work: &Work,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) {
    let Some(plan) = lead.stage_value::<Plan>(Stage::DeliveryPM, "plan") else {
        findings.push(Finding::new("X-4", "there is no plan to report on"));
        return;
    };
    let standing = Standing::on(lead, &plan, policy, report.day);
    check_facts(report, &standing, work, findings);
    check_colour(lead, report, &standing, &plan, findings);
    check_slips(report, &standing, &plan, findings);
}

fn check_facts(report: &StatusReport, standing: &Standing, work: &Work, findings: &mut Vec<Finding>) {
    if (&report.done, &report.next) != (&standing.done, &standing.next) {
        findings.push(Finding::new("DL-4", "done and next are not what was signed off and what is open").at("done"));
    }
    let money = (report.used_minor, report.planned_minor, report.total_minor);
    if money != (standing.used_minor, standing.planned_minor, standing.total_minor) {
        findings.push(Finding::new("DL-4", "the money is not that of the milestones signed off and due").at("money"));
    }
    for decision in report.decisions.iter().filter(|d| d.by < report.day) {
        let detail = format!("{} should be decided by {}, which is over", decision.about, decision.by);
        findings.push(Finding::new("DL-4", detail).at("decisions").mend("name a day from today on"));
    }
    let told = work.messages.iter().any(|m| m.kind == MessageKind::Report);
    if !told {
        findings.push(Finding::new("DL-4", "the report goes to nobody").at("messages").mend("send it as a report"));
    }
}

fn check_colour(lead: &Lead, report: &StatusReport, standing: &Standing, plan: &Plan, findings: &mut Vec<Finding>) {
    if (report.colour, report.days_late) != (standing.colour, standing.days_late) {
        let (colour, days) = (standing.colour.name(), standing.days_late);
        findings.push(
            Finding::new("DL-5", format!("{} days late is {colour}, not {}", days, report.colour.name()))
                .at("colour")
                .mend(format!("report {colour}")),
        );
    }
    let agreed = Agreed::of(lead).unwrap_or_default();
    let is_must = |id: &String| agreed.requirement(id).is_some_and(|r| r.priority == Priority::Must);
    let late_must = standing
        .slipped
        .iter()
        .filter_map(|id| plan.milestone(id))
        .flat_map(|m| &m.requirements)
        .find(|id| is_must(id));
    if let (Colour::Green, Some(must)) = (report.colour, late_must) {
        findings.push(Finding::new("DL-5", format!("{must} is a Must and late: that is not green")).at("colour"));
    }
    let Some(before) = lead.stage_value::<StatusReport>(Stage::DeliveryPM, "status_report") else { return };
    let weeks = i64::from(before.day.until(report.day).map_or(0, |span| span.get_days())) / 7;
    let steps = (before.colour.step() - report.colour.step()).abs();
    if steps > weeks.max(1) && report.reason.trim().is_empty() {
        let detail =
            format!("from {} to {} within {} needs a reason", before.colour.name(), report.colour.name(), "a week");
        findings.push(Finding::new("DL-5", detail).at("reason"));
    }
}

fn check_slips(report: &StatusReport, standing: &Standing, plan: &Plan, findings: &mut Vec<Finding>) {
    for id in &standing.slipped {
        if !report.slips.iter().any(|s| s.milestone == *id) {
            findings.push(
                Finding::new("DL-6", format!("{id} is late and the report does not say so"))
                    .at("slips")
                    .mend("name the milestone with its new date"),
            );
        }
    }
    for moved in &standing.moved {
        if !report.slips.iter().any(|s| s.milestone == moved.milestone && s.forecast >= moved.forecast) {
            let Slip { milestone, forecast, .. } = moved;
            findings.push(
                Finding::new("DL-6", format!("{milestone} waits for the client and cannot be there before {forecast}"))
                    .at("slips")
                    .mend("name the milestone with its new date"),
            );
        }
    }
    for slip in &report.slips {
        let planned = plan.milestone(&slip.milestone).map(|m| m.due);
        if planned != Some(slip.planned) || slip.forecast < report.day {
            let detail = format!("{} slips from {} to {}", slip.milestone, slip.planned, slip.forecast);
            findings.push(
                Finding::new("DL-6", format!("{detail}, which is not its date in the plan, or is over already"))
                    .at("slips"),
            );
        }
    }
}
