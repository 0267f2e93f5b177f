//! Orchestra: a clickable mockup with a screen for each group of requirements.

use max_core::id::Digest;
use max_core::lead::MessageKind;
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::orchestra::{Change, Face, Mockup, Omitted, Screen};
use max_core::stages::scoping::{Priority, Scope};
use max_documents::mockup::Story;
use max_engine::ports::{CallFail, File, Thought};
use minijinja::context;

use super::text::{self, Said};
use super::turn::{Turn, file, json, needs_person, unwritable};
use super::{intent, terms, wishes};
use crate::browser::Shot;

pub fn think(turn: &Turn, stills: &[File]) -> Result<Thought, CallFail> {
    if let Some(words) = turn.news().filter(|w| intent::withdraws(w)) {
        return turn.withdrawn(&words);
    }
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to show; bring the lead back to Scoping"));
    };
    let story = story(turn);
    let mockup = draw(turn, &scope, &story);
    let html = max_documents::mockup::render(&mockup, &scope, &story, &turn.head(), turn.lang).map_err(unwritable)?;
    let names: Vec<String> = stills.iter().map(|s| s.name.clone()).collect();
    let features = max_documents::mockup::features(&mockup, &scope, &names, &turn.head(), turn.lang);
    let attachments = ["mockup.html", "features.pdf"];
    let source = json("mockup.json", &mockup)?;
    let overview = turn.forms("features", Digest::of(&source.bytes), features)?;
    let mut files = vec![source, file("mockup.html", html)];
    files.extend(overview);
    files.extend(stills.iter().cloned());
    Ok(Thought {
        summary: format!(
            "Mockup with {} screens, {} requirements without one",
            mockup.screens.len(),
            mockup.omitted.len()
        ),
        messages: turn.mail_with(MessageKind::Mockup, "mockup", context! {}, &attachments)?,
        files,
        result: StageResult::Mockup(mockup),
    })
}

/// The pictures that go with a mockup: the first page on a computer, what a visitor does on a tablet and a phone.
pub fn shots(mockup: &Mockup) -> Vec<Shot> {
    let doing = mockup.screens.iter().filter(|s| s.face != Face::Page).chain(&mockup.screens);
    let mut ids: Vec<&str> = doing.map(|s| s.id.as_str()).collect();
    ids.dedup();
    let tablet = ids.first().copied().unwrap_or("home");
    let phone = ids.get(1).copied().unwrap_or(tablet);
    [("home", 1280, 860), (tablet, 768, 1024), (phone, 360, 780)]
        .map(|(screen, width, height)| Shot { screen: screen.to_owned(), width, height })
        .into()
}

/// Who the client is, in his own words.
fn story(turn: &Turn) -> Story {
    let said = turn.all_said().original;
    Story { line: terms::trade(&said), colours: terms::colours(&said, &turn.lead.contact.extra), said }
}

/// Groups what will be built by the face it has; what has none is named with the reason.
fn draw(turn: &Turn, scope: &Scope, story: &Story) -> Mockup {
    let catalog = &turn.agency.catalog;
    let mut mockup = Mockup {
        client: turn.client(),
        revision: turn.lead.artifact(Stage::Orchestra, "mockup.html").map_or(1, |a| a.version + 1),
        accent: max_documents::mockup::accent(&turn.client(), &story.colours),
        terms: own_terms(turn, scope),
        changes: changes(turn),
        ..Mockup::default()
    };
    for requirement in scope.requirements.iter().filter(|r| r.priority != Priority::Wont) {
        let feature = wishes::feature(&Said::new(requirement.text.as_str()), catalog)
            .or_else(|| wishes::feature(&Said::new(requirement.quote.as_str()), catalog));
        let kind = feature.map_or("page", |f| f.screen.as_str());
        let title = feature.map_or(&catalog.other_feature.title, |f| &f.title).get(turn.lang);
        if kind == "none" {
            let reason = turn.lang.pick([
                "Works in the background and has no screen of its own.",
                "Arbeitet im Hintergrund und hat keine eigene Ansicht.",
                "Werkt op de achtergrond en heeft geen eigen scherm.",
                "Fonctionne en arrière-plan et n'a pas d'écran propre.",
            ]);
            mockup.omitted.push(Omitted { requirement: requirement.id.clone(), reason: reason.into() });
            continue;
        }
        match mockup.screens.iter_mut().find(|s| s.title == title) {
            Some(screen) => screen.requirements.push(requirement.id.clone()),
            None => mockup.screens.push(Screen {
                id: format!("s-{}", mockup.screens.len() + 1),
                title: title.to_owned(),
                face: Face::named(kind),
                requirements: vec![requirement.id.clone()],
            }),
        }
    }
    mockup
}

/// What the client calls the things he offers: from what he wrote first and from what the scope quotes of him.
fn own_terms(turn: &Turn, scope: &Scope) -> Vec<String> {
    let opening = text::head(&turn.lead.contact.message, 20_000);
    let quotes = scope.requirements.iter().map(|r| r.quote.as_str());
    let said: Vec<&str> = std::iter::once(opening).chain(quotes).collect();
    terms::offered(&said, &turn.agency.catalog)
}

/// What is different, each with what asked for it: a rejection, else the client's words, else a person's move.
fn changes(turn: &Turn) -> Vec<Change> {
    if turn.lead.artifact(Stage::Orchestra, "mockup.html").is_none() {
        return Vec::new();
    }
    let rejected = turn.lead.decided.keys().next_back().zip(turn.rejection());
    if let Some((approval, reason)) = rejected {
        return vec![Change { feedback: approval.to_string(), text: reason }];
    }
    let told = turn.lead.messages.iter().rev().find(|m| m.direction == max_core::lead::Direction::In);
    if let (Some(message), Some(words)) = (told, turn.news()) {
        return vec![Change { feedback: message.id.to_string(), text: text::tame(&words, 300) }];
    }
    let moves = turn.lead.history.len();
    let why = turn.lead.history.last().map(|m| text::tame(&m.summary, 300)).filter(|s| !s.is_empty());
    vec![Change { feedback: format!("move-{moves}"), text: why.unwrap_or_else(|| "drawn again".into()) }]
}
