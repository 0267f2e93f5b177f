//! Scoping: ask what is not known, then write the scope from the client's own words.

use max_core::lead::{ClientAsk, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::scoping::{Priority, Question, Questions, Requirement, Scope};
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::intent;
use super::text::{self, Said, sentences};
use super::turn::{Turn, file, json, unwritable};
use super::wishes::{self, Wish};
use crate::agency::TopicQuestion;

/// One open topic is no reason to keep a client waiting; it becomes an open question of the scope.
const WORTH_ASKING: usize = 2;
const QUESTIONS_AT_MOST: usize = 6;

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    let asked =
        turn.lead.data.get(&Stage::Scoping).is_some_and(|d| d.contains_key("questions") || d.contains_key("scope"));
    let news = turn.news();
    if let Some(words) = &news {
        if intent::withdraws(words) {
            return turn.withdrawn(words);
        }
        if asked && intent::asks_for_a_human(words) {
            return turn.answer(words, ClientAsk::Answers, "");
        }
    }
    let waiting = matches!(turn.lead.last_wait.as_ref().map(|w| &w.ask), Some(ClientAsk::Answers));
    if asked && waiting && news.is_none() && turn.rejection().is_none() {
        return Ok(turn.keep_waiting(ClientAsk::Answers));
    }
    let open = unknown(turn);
    if !asked && open.len() >= WORTH_ASKING {
        return questions(turn, &open);
    }
    scope(turn)
}

/// The topics that the client has said nothing about yet.
pub fn unknown<'a>(turn: &'a Turn) -> Vec<&'a TopicQuestion> {
    let said = turn.all_said();
    let contact = &turn.lead.contact;
    let stated = |value: &Option<String>| value.as_deref().is_some_and(|v| !v.trim().is_empty());
    turn.agency
        .catalog
        .questions
        .iter()
        .filter(|q| {
            let known = match q.topic.as_str() {
                "budget" => stated(&contact.budget) || text::amount(&said).is_some(),
                "timeline" => stated(&contact.timeline),
                "decision" => stated(&contact.role),
                _ => false,
            };
            !known && !said.has(&q.known_by)
        })
        .collect()
}

fn questions(turn: &Turn, open: &[&TopicQuestion]) -> Result<Thought, CallFail> {
    let questions: Vec<Question> = open
        .iter()
        .take(QUESTIONS_AT_MOST)
        .enumerate()
        .map(|(i, q)| Question {
            id: format!("Q-{}", i + 1),
            topic: q.topic.clone(),
            text: q.text.get(turn.lang).to_owned(),
        })
        .collect();
    let asks: Vec<String> = questions.iter().map(|q| q.text.clone()).collect();
    Ok(Thought {
        messages: turn.mail(MessageKind::Questions, "questions", context! { asks })?,
        summary: format!("Asked {} questions: {}", questions.len(), topics(&questions)),
        result: StageResult::Questions(Questions { questions }),
        files: Vec::new(),
    })
}

fn topics(questions: &[Question]) -> String {
    questions.iter().map(|q| q.topic.as_str()).collect::<Vec<_>>().join(", ")
}

fn scope(turn: &Turn) -> Result<Thought, CallFail> {
    let said = turn.said();
    let requirements = requirements(turn, wishes::wishes(&said, &turn.agency.catalog));
    let goal = said
        .iter()
        .flat_map(|w| sentences(&w.text))
        .find(|s| wishes::is_wish(&Said::new(s.text)))
        .or_else(|| said.first().and_then(|w| sentences(&w.text).into_iter().next()))
        .map(|s| text::tame(s.text, 400))
        .filter(|g| !g.is_empty())
        .unwrap_or_else(|| turn.project());
    let scope = Scope {
        title: title(turn),
        goal,
        out_of_scope: out_of_scope(turn),
        assumptions: assumptions(turn),
        client_duties: turn.agency.catalog.duties.iter().map(|d| d.text.get(turn.lang).to_owned()).collect(),
        open_questions: open_questions(turn),
        requirements,
    };
    let rendered = max_documents::scope::render(&scope, &turn.head(), turn.lang).map_err(unwritable)?;
    let musts = scope.musts().count();
    Ok(Thought {
        summary: format!("Scope “{}”: {} requirements, {musts} of them Must", scope.title, scope.requirements.len()),
        files: vec![
            json("scope.json", &scope)?,
            file("scope.md", rendered.markdown),
            file("scope.html", rendered.html),
        ],
        result: StageResult::Scope(scope),
        messages: Vec::new(),
    })
}

fn title(turn: &Turn) -> String {
    let wanted = turn.wanted();
    let service = wanted.iter().find(|s| s.offered).map(|s| turn.agency.service_name(&s.id, turn.lang));
    match turn.lang {
        Lang::En => format!("{} for {}", service.unwrap_or("Project"), turn.client()),
        Lang::De => format!("{} für {}", service.unwrap_or("Projekt"), turn.client()),
    }
}

/// The wishes as requirements: numbered, with effort and acceptance, at least one of them a Must.
fn requirements<'a>(turn: &Turn<'a>, mut wishes: Vec<Wish<'a>>) -> Vec<Requirement> {
    if wishes.iter().all(|w| w.priority == Priority::Wont) {
        wishes.insert(0, the_project_itself(turn));
    }
    if !wishes.iter().any(|w| w.priority == Priority::Must)
        && let Some(first) = wishes.iter_mut().find(|w| w.priority != Priority::Wont)
    {
        first.priority = Priority::Must;
    }
    let other = &turn.agency.catalog.other_feature;
    let mut seen: Vec<&str> = Vec::new();
    wishes
        .into_iter()
        .enumerate()
        .map(|(i, wish)| {
            let full = wish.feature.map_or(other.quarter_days, |f| f.quarter_days);
            let again = wish.feature.is_some_and(|f| seen.contains(&f.id.as_str()));
            seen.extend(wish.feature.map(|f| f.id.as_str()));
            let acceptance = wish.feature.map_or(&other.acceptance, |f| &f.acceptance).get(turn.lang).to_owned();
            Requirement {
                id: format!("R-{:03}", i + 1),
                text: wish.text,
                priority: wish.priority,
                acceptance: if wish.priority == Priority::Wont { left_out(turn.lang).to_owned() } else { acceptance },
                source: wish.source,
                quote: wish.quote,
                effort_quarter_days: match wish.priority {
                    Priority::Wont => 0,
                    // A second wish about the same thing adds to it and does not build it twice.
                    _ if again => (full / 4).max(2),
                    _ => full.max(1),
                },
                service: wish.feature.map(|f| f.service.clone()).unwrap_or_default(),
            }
        })
        .collect()
}

/// When no sentence says what is to be built: what was asked for as a whole.
fn the_project_itself<'a>(turn: &Turn<'a>) -> Wish<'a> {
    let said = turn.all_said();
    let quote = said.original.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    Wish {
        text: title(turn),
        source: "lead".into(),
        quote: text::head(quote, 600).trim().to_owned(),
        priority: Priority::Must,
        feature: wishes::feature(&said, &turn.agency.catalog),
    }
}

fn left_out(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "Not built in this project, as the client said.",
        Lang::De => "Wird in diesem Projekt nicht gebaut, wie vom Kunden gesagt.",
    }
}

fn out_of_scope(turn: &Turn) -> Vec<String> {
    let said = turn.all_said();
    let exclusions = turn.agency.catalog.exclusions.iter().filter(|e| !said.has(&e.unless));
    exclusions.map(|e| e.text.get(turn.lang).to_owned()).collect()
}

/// What the client said about the frame of the project, and what people of the agency asked to change.
fn assumptions(turn: &Turn) -> Vec<String> {
    let (quoted, changed) = match turn.lang {
        Lang::En => (("“", "”"), "Changed at the agency's request"),
        Lang::De => (("„", "“"), "Auf Wunsch der Agentur geändert"),
    };
    let said = turn.said();
    let contact = &turn.lead.contact;
    let mut assumptions: Vec<String> = Vec::new();
    for question in &turn.agency.catalog.questions {
        let stated = match question.topic.as_str() {
            "budget" => contact.budget.as_deref(),
            "timeline" => contact.timeline.as_deref(),
            _ => None,
        };
        let spoken =
            || said.iter().flat_map(|w| sentences(&w.text)).find(|s| Said::new(s.text).has(&question.known_by));
        let words = stated.filter(|s| !s.trim().is_empty()).or_else(|| spoken().map(|s| s.text));
        if let Some(words) = words.map(|w| text::tame(w, 240)).filter(|w| !w.is_empty()) {
            assumptions.push(format!("{}: {}{words}{}", question.label.get(turn.lang), quoted.0, quoted.1));
        }
    }
    let earlier = turn.scope().map(|s| s.assumptions).unwrap_or_default();
    assumptions.extend(earlier.into_iter().filter(|a| a.starts_with(changed)));
    if let Some(reason) = turn.rejection() {
        assumptions.push(format!("{changed}: {reason}"));
    }
    assumptions
}

/// What the client asked and what is still not known.
fn open_questions(turn: &Turn) -> Vec<String> {
    let said = turn.said();
    let asked = said
        .iter()
        .skip(1)
        .flat_map(|w| sentences(&w.text))
        .filter(|s| s.question && !wishes::is_wish(&Said::new(s.text)) && !intent::asks_for_a_human(s.text));
    let asked = asked.map(|s| format!("{}?", text::tame(s.text, 240))).filter(|q| q.len() > 4).take(8);
    let unknown = unknown(turn).into_iter().map(|q| q.text.get(turn.lang).to_owned());
    asked.chain(unknown).collect()
}
