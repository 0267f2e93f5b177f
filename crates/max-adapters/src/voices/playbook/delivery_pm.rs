//! DeliveryPM: the plan, one milestone after the other, the closing.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use max_core::id::Digest;
use max_core::lead::{ClientAsk, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::delivery_pm::{Milestone, MilestoneReady, Plan, ProjectClosed};
use max_core::stages::scoping::{Priority, Requirement, Scope};
use max_documents::{Lang, delivery};
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::intent;
use super::text;
use super::turn::{Turn, file, json, needs_person, unwritable};

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to deliver; add it to the lead, then retry"));
    };
    let Some(plan) = turn.lead.stage_value::<Plan>(Stage::DeliveryPM, "plan") else {
        return make_plan(turn, &scope);
    };
    let open = plan.milestones.iter().find(|m| !turn.lead.accepted_milestones.contains_key(&m.id));
    let Some(milestone) = open else { return close(turn, &plan, &scope) };
    let waiting = turn.lead.last_wait.as_ref().map(|w| &w.ask);
    match (waiting, turn.news()) {
        (_, Some(words)) if intent::withdraws(&words) => turn.withdrawn(&words),
        (_, Some(words)) if intent::complains(&words) => {
            let words = text::tame(&words, 200);
            Ok(needs_person(&format!("the client reports a problem with {}: {words}", milestone.id)))
        }
        (Some(ask @ ClientAsk::Milestone { id, .. }), Some(words)) if *id == milestone.id => {
            turn.answer(&words, ask.clone(), sign_off_reminder(turn.lang))
        }
        (Some(ask @ ClientAsk::Milestone { id, .. }), None) if *id == milestone.id && turn.rejection().is_none() => {
            Ok(turn.keep_waiting(ask.clone()))
        }
        _ => hand_over(turn, milestone, &scope),
    }
}

fn sign_off_reminder(lang: Lang) -> &'static str {
    match lang {
        Lang::En => {
            "To sign the milestone off, answer with the name of the person who signs; a person of the agency records it."
        }
        Lang::De => {
            "Zur Abnahme antworten Sie mit dem Namen der Person, die abnimmt; ein Mensch der Agentur hält sie fest."
        }
    }
}

// ---- the plan ----------------------------------------------------------------------------------------------------

fn make_plan(turn: &Turn, scope: &Scope) -> Result<Thought, CallFail> {
    let built: Vec<&Requirement> = scope.requirements.iter().filter(|r| r.priority != Priority::Wont).collect();
    let start = next_working_day(turn.today());
    let groups = balanced(&built);
    let total = effort(&built).max(1);
    let mut milestones = Vec::new();
    let (mut done, mut shared) = (0, 0);
    for (i, group) in groups.iter().enumerate() {
        done += effort(group);
        let last = i + 1 == groups.len();
        let upto = if last { 10_000 } else { u32::try_from(done * 10_000 / total).unwrap_or(10_000) };
        milestones.push(Milestone {
            id: format!("M-{}", i + 1),
            title: milestone_title(group, last, turn.lang),
            requirements: group.iter().map(|r| r.id.clone()).collect(),
            due: working_days_after(start, u32::try_from(done.div_ceil(4)).unwrap_or(u32::MAX)),
            acceptance: match turn.lang {
                Lang::En => "Every requirement listed meets its acceptance criterion.",
                Lang::De => "Jede aufgeführte Anforderung erfüllt ihr Abnahmekriterium.",
            }
            .into(),
            share_basis_points: upto - shared,
        });
        shared = upto;
    }
    let end = milestones.iter().map(|m| m.due).max().unwrap_or(start);
    let plan = Plan { start, milestones, check_ins: weekly(start, end) };
    let head = turn.head();
    let text = delivery::plan(&plan, scope, &head, turn.lang).map_err(unwritable)?;
    let mut files = vec![json("plan.json", &plan)?, file("plan.md", text)];
    for (i, day) in plan.check_ins.iter().enumerate() {
        let note = delivery::check_in(&plan, i + 1, *day, scope, &head, turn.lang).map_err(unwritable)?;
        files.push(file(format!("check-ins/check-in-{}.md", i + 1), note));
    }
    Ok(Thought {
        summary: format!("Plan: {} milestones from {} to {end}", plan.milestones.len(), plan.start),
        messages: turn.mail_with(MessageKind::Report, "plan", context! {}, &["plan.md"])?,
        result: StageResult::Plan(plan),
        files,
    })
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

fn milestone_title(group: &[&Requirement], last: bool, lang: Lang) -> String {
    let first = group.first().map_or("", |r| r.text.as_str());
    let first = text::tame(first, 70);
    let title = match (group.len(), lang) {
        (0 | 1, _) => first,
        (n, Lang::En) => format!("{first} and {} more", n - 1),
        (n, Lang::De) => format!("{first} und {} weitere", n - 1),
    };
    match (last, lang) {
        (false, _) => title,
        (true, Lang::En) => format!("{title}, hand-over"),
        (true, Lang::De) => format!("{title}, Übergabe"),
    }
}

fn next_working_day(day: Date) -> Date {
    working_days_after(day, 1)
}

fn working_days_after(day: Date, working_days: u32) -> Date {
    let mut day = day;
    let mut left = working_days;
    while left > 0 || is_weekend(day) {
        day = day.saturating_add(1.day());
        if !is_weekend(day) {
            left = left.saturating_sub(1);
        }
        if day == Date::MAX {
            break;
        }
    }
    day
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn weekly(start: Date, end: Date) -> Vec<Date> {
    let weeks = (1..=52).map(|week: i64| start.saturating_add((week * 7).days()));
    weeks.take_while(|day| *day <= end).collect()
}

// ---- milestones and closing --------------------------------------------------------------------------------------

fn hand_over(turn: &Turn, milestone: &Milestone, scope: &Scope) -> Result<Thought, CallFail> {
    let note = turn.rejection().unwrap_or_default();
    let text = delivery::milestone(milestone, &note, scope, &turn.head(), turn.lang).map_err(unwritable)?;
    let name = format!("milestone-{}.md", milestone.id);
    let document = Digest::of(text.as_bytes());
    let slots = context! { milestone => milestone.id.as_str(), title => milestone.title.as_str(), document => document.to_string() };
    Ok(Thought {
        summary: format!("{} is ready for sign-off: {}", milestone.id, milestone.title),
        messages: turn.mail_with(MessageKind::Milestone, "milestone", slots, &[&name])?,
        result: StageResult::MilestoneReady(MilestoneReady { id: milestone.id.clone(), document }),
        files: vec![file(name, text)],
    })
}

fn close(turn: &Turn, plan: &Plan, scope: &Scope) -> Result<Thought, CallFail> {
    let signature = |id: &str| turn.lead.accepted_milestones.get(id).cloned();
    let text = delivery::closing(plan, signature, scope, &turn.head(), turn.lang).map_err(unwritable)?;
    let reason = format!("all {} milestones are signed off", plan.milestones.len());
    Ok(Thought {
        summary: format!("Closed: {reason}"),
        messages: turn.mail_with(MessageKind::Closing, "closing", context! {}, &["closing.md"])?,
        result: StageResult::ProjectClosed(ProjectClosed { reason }),
        files: vec![file("closing.md", text)],
    })
}
