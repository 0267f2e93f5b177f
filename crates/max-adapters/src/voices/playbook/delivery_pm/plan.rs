//! Making the plan, and making it again when a change order was signed.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use max_core::calendar::Calendar;
use max_core::lead::MessageKind;
use max_core::stages::StageResult;
use max_core::stages::change_order::ChangeOrder;
use max_core::stages::delivery_pm::{Cadence, Duty, Milestone, Plan};
use max_core::stages::scoping::{Deliverable, Requirement};
use max_documents::{Lang, delivery};
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::super::text;
use super::Running;

/// By how many working days after the start the client's duties are due.
const DUTY_DAYS: u32 = 4;
/// At most so many check-ins are put into a plan.
const CHECK_INS: usize = 52;

pub(super) fn first(running: &Running) -> Result<Thought, CallFail> {
    let (turn, agreed) = (running.turn, &running.agreed);
    let calendar = turn.calendar();
    let start = calendar.after(turn.today(), 1);
    let unpriced = agreed.priced.is_empty();
    let built: Vec<&Requirement> = agreed
        .requirements
        .iter()
        .filter(|r| agreed.must_be_planned(r) || unpriced && r.priority != max_core::stages::scoping::Priority::Wont)
        .collect();
    let groups = balanced(&built);
    let parts = turn.scope().map(|scope| scope.deliverables).unwrap_or_default();
    let mut named = BTreeSet::new();
    let mut milestones: Vec<Milestone> = Vec::new();
    let mut done = 0;
    for (i, group) in groups.iter().enumerate() {
        done += effort(group);
        let last = i + 1 == groups.len();
        milestones.push(Milestone {
            id: format!("M-{}", i + 1),
            title: title(group, last, &mut named, &parts, turn.lang),
            requirements: group.iter().map(|r| r.id.clone()).collect(),
            due: calendar.after(start, u32::try_from(done.div_ceil(4)).unwrap_or(u32::MAX)),
            acceptance: acceptance(turn.lang).into(),
            share_basis_points: u32::try_from(effort(group)).unwrap_or(u32::MAX),
            gross_minor: 0,
            owner: turn.agency.profile.contact.clone(),
            depends_on: milestones.last().map(|m| m.id.clone()).into_iter().collect(),
        });
    }
    let due = calendar.after(start, DUTY_DAYS).min(milestones.first().map_or(Date::MAX, |m| m.due));
    let duty = |(i, text): (usize, &String)| Duty { id: format!("D-{}", i + 1), text: text.clone(), due, done: None };
    let duties: Vec<Duty> = agreed.duties.iter().enumerate().map(duty).collect();
    if let Some(first) = milestones.first_mut() {
        first.depends_on.extend(duties.iter().map(|d| d.id.clone()));
    }
    divide(&mut milestones, agreed.gross_minor);
    let mut plan = Plan {
        start,
        milestones,
        check_ins: Vec::new(),
        revision: 1,
        end: None,
        duties,
        cadence: Cadence::Weekly,
        currency: agreed.currency.clone(),
    };
    plan.check_ins = check_ins(&plan, start, &calendar);
    send(running, plan)
}

/// The plan with what signed change orders add: a milestone for each, at the end; what was signed off stays.
pub(super) fn revised(running: &Running, plan: &Plan, orders: &[ChangeOrder]) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let calendar = turn.calendar();
    let mut plan = plan.clone();
    plan.revision += 1;
    for order in orders {
        let new: Vec<&Requirement> = order.added.iter().filter(|r| plan.milestone_of(&r.id).is_none()).collect();
        if new.is_empty() {
            continue;
        }
        let due = due_of(&plan, &new, turn.today(), &calendar);
        plan.milestones.push(Milestone {
            id: format!("M-{}", plan.milestones.len() + 1),
            title: format!("{}: {}", order.id(), title(&new, false, &mut BTreeSet::new(), &[], turn.lang)),
            requirements: new.iter().map(|r| r.id.clone()).collect(),
            due,
            acceptance: acceptance(turn.lang).into(),
            share_basis_points: 0,
            gross_minor: order.gross_minor,
            owner: turn.agency.profile.contact.clone(),
            depends_on: plan.milestones.last().map(|m| m.id.clone()).into_iter().collect(),
        });
    }
    shares(&mut plan.milestones);
    plan.check_ins = check_ins(&plan, plan.start, &calendar);
    send(running, plan)
}

/// The plan once what the client brought late is there: what waited for it falls due as many working days later, and
/// the others stay where they are.
pub(super) fn moved(running: &Running, plan: &Plan, late: &[(String, Date)]) -> Result<Thought, CallFail> {
    let calendar = running.turn.calendar();
    let mut plan = plan.clone();
    plan.revision += 1;
    let days = |d: &Duty, there: Date| calendar.count(d.due.saturating_add(1.day()), there);
    let delays: Vec<(String, u32)> = late
        .iter()
        .filter_map(|(id, there)| Some((id.clone(), days(plan.duties.iter().find(|d| d.id == *id)?, *there))))
        .collect();
    let before = plan.clone();
    for milestone in &mut plan.milestones {
        let waited_for = before.duties_before(&milestone.id);
        let open = !running.turn.lead.accepted_milestones.contains_key(&milestone.id);
        let delay = delays.iter().filter(|(id, _)| waited_for.contains(id.as_str())).map(|(_, days)| *days).max();
        if let Some(delay) = delay.filter(|_| open) {
            milestone.due = calendar.after(milestone.due, delay);
        }
    }
    for duty in &mut plan.duties {
        duty.done = late.iter().find(|(id, _)| *id == duty.id).map(|(_, there)| *there).or(duty.done);
    }
    plan.end = plan.end.map(|end| end.max(plan.milestones.iter().map(|m| m.due).max().unwrap_or(end)));
    plan.check_ins = check_ins(&plan, plan.start, &calendar);
    send_with(running, plan, true)
}

/// When work that comes to a plan can be done: after everything else, and not before today.
pub(super) fn due_of(plan: &Plan, added: &[&Requirement], today: Date, calendar: &Calendar) -> Date {
    let days = u32::try_from(effort(added).div_ceil(4)).unwrap_or(u32::MAX);
    calendar.after(plan.last_day().max(today), days.max(1))
}

fn send(running: &Running, plan: Plan) -> Result<Thought, CallFail> {
    send_with(running, plan, false)
}

/// `moved` tells the client that it takes the place of another one, because of what he brought late.
fn send_with(running: &Running, plan: Plan, moved: bool) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let files = turn.document("plan", &plan, delivery::plan(&plan, running.project()))?;
    let (count, last) = (plan.milestones.len(), plan.last_day());
    Ok(Thought {
        summary: format!("Plan {}: {count} milestones from {} to {last}", plan.revision, plan.start),
        messages: turn.mail_with(MessageKind::Report, "plan", context! { moved }, &["plan.pdf"])?,
        result: StageResult::Plan(plan),
        files,
    })
}

/// Divides the price by effort, to the cent: what rounding leaves goes to the last one.
fn divide(milestones: &mut [Milestone], gross_minor: i64) {
    let efforts: Vec<i64> = milestones.iter().map(|m| i64::from(m.share_basis_points)).collect();
    let total = efforts.iter().sum::<i64>().max(1);
    let mut left = gross_minor;
    let last = milestones.len().saturating_sub(1);
    let mut left_points = 10_000;
    for (i, (milestone, effort)) in milestones.iter_mut().zip(efforts).enumerate() {
        let part = gross_minor.saturating_mul(effort) / total;
        let points = u32::try_from(10_000 * effort / total).unwrap_or(10_000);
        milestone.gross_minor = if i == last { left } else { part };
        milestone.share_basis_points = if i == last { left_points } else { points };
        left -= part;
        left_points = left_points.saturating_sub(points);
    }
}

/// The shares that follow from the amounts; without amounts the new ones have none.
fn shares(milestones: &mut [Milestone]) {
    let total: i64 = milestones.iter().map(|m| m.gross_minor).sum();
    if total <= 0 {
        return;
    }
    let last = milestones.len().saturating_sub(1);
    let mut left = 10_000u32;
    for (i, milestone) in milestones.iter_mut().enumerate() {
        let points = u32::try_from(milestone.gross_minor.max(0).saturating_mul(10_000) / total).unwrap_or(10_000);
        milestone.share_basis_points = if i == last { left } else { points.min(left) };
        left -= milestone.share_basis_points;
    }
}

/// The working days on which the client hears how it stands: once a period, to the last day.
fn check_ins(plan: &Plan, start: Date, calendar: &Calendar) -> Vec<Date> {
    let weeks = (1..).map(|n: i64| calendar.on_or_after(start.saturating_add((n * plan.cadence.days()).days())));
    let last = plan.last_day();
    let mut days: Vec<Date> = weeks.take(CHECK_INS).take_while(|day| *day <= last).collect();
    days.dedup();
    days
}

/// Cuts the requirements, in their order, into two to four milestones of about the same effort.
fn balanced<'a>(built: &[&'a Requirement]) -> Vec<Vec<&'a Requirement>> {
    let total = effort(built);
    // About two working weeks each, as far as there are requirements to put into them.
    let wanted = (total / 40 + 1).clamp(2, 4);
    let count = wanted.min(built.len() as u64).max(1);
    let mut groups: Vec<Vec<&Requirement>> = Vec::new();
    let mut group: Vec<&Requirement> = Vec::new();
    let mut done = 0;
    for (i, requirement) in built.iter().enumerate() {
        group.push(requirement);
        done += u64::from(requirement.effort_quarter_days);
        let standing = groups.len() as u64 + 1;
        let (left, groups_left) = ((built.len() - i - 1) as u64, count - standing);
        let full = done * count >= total * standing;
        if groups_left > 0 && (full || left == groups_left) {
            groups.push(std::mem::take(&mut group));
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

/// Quarters of a day, over all.
fn effort(requirements: &[&Requirement]) -> u64 {
    requirements.iter().map(|r| u64::from(r.effort_quarter_days)).sum()
}

/// What a milestone is called: by the parts of the project that it hands over and no earlier one did, else by its first
/// requirement.
fn title(
    group: &[&Requirement],
    last: bool,
    named: &mut BTreeSet<String>,
    parts: &[Deliverable],
    lang: Lang,
) -> String {
    let of_group = parts.iter().filter(|part| group.iter().any(|r| part.requirements.contains(&r.id)));
    let mut names: Vec<String> =
        of_group.filter(|part| named.insert(part.name.clone())).map(|part| text::tame(&part.name, 40)).collect();
    names.retain(|name| !name.is_empty());
    let (and, more) = lang.pick([("and", "more"), ("und", "weitere"), ("en", "andere"), ("et", "autres")]);
    let (listed, left) = match names.len() {
        0 => (group.first().map_or_else(String::new, |r| text::tame(&r.text, 70)), group.len().saturating_sub(1)),
        n if n <= 3 => (joined(&names, and), 0),
        n => (names[..2].join(", "), n - 2),
    };
    let title = if left == 0 { listed } else { format!("{listed} {and} {left} {more}") };
    if last { format!("{title}, {}", lang.pick(["hand-over", "Übergabe", "oplevering", "livraison"])) } else { title }
}

/// `a, b and c`.
fn joined(names: &[String], and: &str) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
        None => String::new(),
    }
}

fn acceptance(lang: Lang) -> &'static str {
    lang.pick([
        "Every requirement listed meets its acceptance criterion.",
        "Jede aufgeführte Anforderung erfüllt ihr Abnahmekriterium.",
        "Elke genoemde eis voldoet aan haar acceptatiecriterium.",
        "Chaque exigence citée satisfait à son critère d'acceptation.",
    ])
}
