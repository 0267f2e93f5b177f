//! The delivery plan, check-in notes, milestones for sign-off, the closing letter.

use jiff::civil::Date;
use max_core::lead::Signature;
use max_core::stages::delivery_pm::{Milestone, Plan};
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::scope::Line;
use crate::{Lang, Letterhead};

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    start: String,
    end: String,
    milestones: Vec<MilestoneView<'a>>,
    check_ins: Vec<String>,
}

#[derive(Serialize)]
struct MilestoneView<'a> {
    id: &'a str,
    title: &'a str,
    due: String,
    acceptance: &'a str,
    share: String,
    requirements: Vec<Line<'a>>,
    signed_by: String,
    signed_on: String,
    document: String,
}

/// `plan.md`.
pub fn plan(plan: &Plan, scope: &Scope, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
    engine::one("plan.md", &view(plan, scope, lang), head, lang)
}

/// `check-in-N.md`: the agenda of a check-in, with what should stand by then.
pub fn check_in(
    plan: &Plan,
    number: usize,
    day: Date,
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> Result<String, RenderError> {
    #[derive(Serialize)]
    struct CheckIn<'a> {
        title: &'a str,
        number: usize,
        day: String,
        done: Vec<MilestoneView<'a>>,
        ahead: Vec<MilestoneView<'a>>,
    }
    let of = |m| milestone_view(m, scope, None, lang);
    let (done, ahead): (Vec<&Milestone>, Vec<&Milestone>) = plan.milestones.iter().partition(|m| m.due <= day);
    let view = CheckIn {
        title: &scope.title,
        number,
        day: lang.date(day),
        done: done.into_iter().map(of).collect(),
        ahead: ahead.into_iter().map(of).collect(),
    };
    engine::one("check-in.md", &view, head, lang)
}

/// `milestone-M-1.md`: what is handed over for sign-off. `note` is what a person asked to be said.
pub fn milestone(
    milestone: &Milestone,
    note: &str,
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> Result<String, RenderError> {
    #[derive(Serialize)]
    struct SignOff<'a> {
        project: &'a str,
        note: &'a str,
        milestone: MilestoneView<'a>,
    }
    let view = SignOff { project: &scope.title, note, milestone: milestone_view(milestone, scope, None, lang) };
    engine::one("milestone.md", &view, head, lang)
}

/// `closing.md`: every milestone with its signature, and what happens after.
pub fn closing(
    plan: &Plan,
    signature: impl Fn(&str) -> Option<Signature>,
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> Result<String, RenderError> {
    let mut view = view(plan, scope, lang);
    view.milestones = plan.milestones.iter().map(|m| milestone_view(m, scope, signature(&m.id), lang)).collect();
    engine::one("closing.md", &view, head, lang)
}

fn view<'a>(plan: &'a Plan, scope: &'a Scope, lang: Lang) -> View<'a> {
    let end = plan.milestones.iter().map(|m| m.due).max().unwrap_or(plan.start);
    View {
        title: &scope.title,
        start: lang.date(plan.start),
        end: lang.date(end),
        milestones: plan.milestones.iter().map(|m| milestone_view(m, scope, None, lang)).collect(),
        check_ins: plan.check_ins.iter().map(|d| lang.date(*d)).collect(),
    }
}

fn milestone_view<'a>(
    milestone: &'a Milestone,
    scope: &'a Scope,
    signature: Option<Signature>,
    lang: Lang,
) -> MilestoneView<'a> {
    let day = |s: &Signature| lang.date(s.at.to_zoned(jiff::tz::TimeZone::UTC).date());
    MilestoneView {
        id: &milestone.id,
        title: &milestone.title,
        due: lang.date(milestone.due),
        acceptance: &milestone.acceptance,
        share: lang.percent(milestone.share_basis_points),
        requirements: milestone
            .requirements
            .iter()
            .filter_map(|id| scope.requirement(id))
            .map(|r| Line::of(r, lang))
            .collect(),
        signed_on: signature.as_ref().map_or_else(String::new, day),
        document: signature.as_ref().map_or_else(String::new, |s| s.document.to_string()),
        signed_by: signature.map_or_else(String::new, |s| s.signer),
    }
}
