//! Orchestra: a clickable mockup with a screen for each group of requirements.

use max_core::lead::MessageKind;
use max_core::stages::StageResult;
use max_core::stages::orchestra::{Mockup, Omitted, Screen};
use max_core::stages::scoping::{Priority, Scope};
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::text::Said;
use super::turn::{Turn, file, json, needs_person, unwritable};
use super::{intent, wishes};

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if let Some(words) = turn.news().filter(|w| intent::withdraws(w)) {
        return turn.withdrawn(&words);
    }
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to show; bring the lead back to Scoping"));
    };
    let (mockup, kinds) = draw(turn, &scope);
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let changes: Vec<String> = turn.rejection().into_iter().collect();
    let (html, features) = max_documents::mockup::render(&mockup, &kinds, &changes, &scope, &turn.head(), turn.lang)
        .map_err(unwritable)?;
    let attachments = ["mockup.html", "features.md"];
    Ok(Thought {
        summary: format!(
            "Mockup with {} screens, {} requirements without one",
            mockup.screens.len(),
            mockup.omitted.len()
        ),
        messages: turn.mail_with(MessageKind::Mockup, "mockup", context! {}, &attachments)?,
        files: vec![json("mockup.json", &mockup)?, file("mockup.html", html), file("features.md", features)],
        result: StageResult::Mockup(mockup),
    })
}

/// Groups what will be built by the face it has; what has none is named with the reason.
fn draw(turn: &Turn, scope: &Scope) -> (Mockup, Vec<String>) {
    let catalog = &turn.agency.catalog;
    let mut screens: Vec<Screen> = Vec::new();
    let mut kinds: Vec<String> = Vec::new();
    let mut omitted = Vec::new();
    for requirement in scope.requirements.iter().filter(|r| r.priority != Priority::Wont) {
        let feature = wishes::feature(&Said::new(requirement.text.as_str()), catalog)
            .or_else(|| wishes::feature(&Said::new(requirement.quote.as_str()), catalog));
        let kind = feature.map_or("page", |f| f.screen.as_str());
        let title = feature.map_or(&catalog.other_feature.title, |f| &f.title).get(turn.lang);
        if kind == "none" {
            let reason = match turn.lang {
                Lang::En => "Works in the background and has no screen of its own.",
                Lang::De => "Arbeitet im Hintergrund und hat keine eigene Ansicht.",
            };
            omitted.push(Omitted { requirement: requirement.id.clone(), reason: reason.into() });
            continue;
        }
        match screens.iter_mut().find(|s| s.title == title) {
            Some(screen) => screen.requirements.push(requirement.id.clone()),
            None => {
                screens.push(Screen {
                    id: format!("s-{}", screens.len() + 1),
                    title: title.to_owned(),
                    requirements: vec![requirement.id.clone()],
                });
                kinds.push(kind.to_owned());
            }
        }
    }
    (Mockup { screens, omitted }, kinds)
}
