//! The scope as the client reads it.

use max_core::stages::scoping::{Priority, Requirement, Scope};
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::{Lang, Letterhead, Rendered};

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    scope: &'a Scope,
    built: Vec<Line<'a>>,
    wont: Vec<Line<'a>>,
    effort: String,
}

/// A requirement with its words for people.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    pub id: &'a str,
    pub text: &'a str,
    pub acceptance: &'a str,
    pub quote: &'a str,
    pub priority: &'static str,
    pub class: &'static str,
    pub effort: String,
}

impl<'a> Line<'a> {
    pub(crate) fn of(requirement: &'a Requirement, lang: Lang) -> Self {
        let (priority, class) = priority(requirement.priority, lang);
        Self {
            id: &requirement.id,
            text: &requirement.text,
            acceptance: &requirement.acceptance,
            quote: &requirement.quote,
            priority,
            class,
            effort: lang.days(requirement.effort_quarter_days),
        }
    }
}

/// The scope in both forms.
pub fn render(scope: &Scope, head: &Letterhead, lang: Lang) -> Result<Rendered, RenderError> {
    let mut sorted: Vec<&Requirement> = scope.requirements.iter().collect();
    sorted.sort_by_key(|r| r.priority);
    let (built, wont): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|r| r.priority != Priority::Wont);
    let quarters = built.iter().fold(0u32, |sum, r| sum.saturating_add(r.effort_quarter_days));
    let view = View {
        title: &scope.title,
        scope,
        built: built.into_iter().map(|r| Line::of(r, lang)).collect(),
        wont: wont.into_iter().map(|r| Line::of(r, lang)).collect(),
        effort: lang.days(quarters),
    };
    engine::both("scope", &view, head, lang)
}

fn priority(priority: Priority, lang: Lang) -> (&'static str, &'static str) {
    match (priority, lang) {
        (Priority::Must, Lang::En) => ("Must", "must"),
        (Priority::Should, Lang::En) => ("Should", "should"),
        (Priority::Could, Lang::En) => ("Could", "could"),
        (Priority::Wont, Lang::En) => ("Won't", "wont"),
        (Priority::Must, Lang::De) => ("Muss", "must"),
        (Priority::Should, Lang::De) => ("Soll", "should"),
        (Priority::Could, Lang::De) => ("Kann", "could"),
        (Priority::Wont, Lang::De) => ("Nicht", "wont"),
    }
}
