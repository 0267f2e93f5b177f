//! Scoping: ask what is not known, then write the scope from the client's own words.
//!
//! `plan` decides what is asked and maps the answers, `requirements` turns wishes into requirements, `frame` writes the
//! sections around them.

mod frame;
mod plan;
mod requirements;

use std::collections::BTreeSet;

use max_core::lead::{ClientAsk, MessageKind, TaskReason};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::scoping::{Bid, Priority, Questions, Scope};
use max_documents::doc::Meta;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::intent;
use super::rejection::{self, Of, Wanted};
use super::text::{self, Said, sentences};
use super::turn::{Turn, Words};
use super::wishes::{self, Wishes};
use frame::Frame;
use plan::Asked;
pub use plan::unknown;

/// A longer enquiry, or one with more wishes, is a person's to judge before any work goes into it.
const LONG: usize = 30_000;
const MANY: usize = 60;

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    let asked_before =
        turn.lead.data.get(&Stage::Scoping).is_some_and(|d| d.contains_key("questions") || d.contains_key("scope"));
    let news = turn.news();
    if let Some(words) = &news {
        if intent::withdraws(words) {
            return turn.withdrawn(words);
        }
        if asked_before && intent::asks_for_a_human(words) {
            return turn.answer(words, ClientAsk::Answers, "");
        }
    }
    let waiting = matches!(turn.lead.last_wait.as_ref().map(|w| &w.ask), Some(ClientAsk::Answers));
    if asked_before && waiting && news.is_none() && turn.rejection().is_none() {
        return Ok(turn.keep_waiting(ClientAsk::Answers));
    }
    let scoped_before = turn.scope();
    let changes = match turn.rejection().filter(|_| scoped_before.is_some()) {
        Some(reason) => match rejection::read(&reason, Of::Scope) {
            Ok(wanted) => wanted,
            Err(part) => return Ok(rejection::not_understood(&part, Of::Scope)),
        },
        None => Vec::new(),
    };
    let said = turn.said();
    let wished = wishes::wishes(&said, &turn.agency.catalog);
    if !asked_before && let Some(thought) = bid(turn, &said, &wished)? {
        return Ok(thought);
    }
    let wanted = wished.all.iter().filter(|w| w.priority != Priority::Wont).filter_map(|w| w.feature);
    let features: BTreeSet<&str> = wanted.map(|f| f.id.as_str()).collect();
    let asked = Asked::of(turn);
    let answers = asked.answers(turn, &said);
    let answered = |a: &&max_core::stages::scoping::Answered| !a.quote.is_empty() && !plan::not_known(&a.quote);
    let answered: BTreeSet<String> = answers.iter().filter(answered).map(|a| a.topic.clone()).collect();
    let open = plan::open(turn, &features, &answered);
    let scoped = turn.scope().is_some();
    match asked.next(turn, &open).filter(|_| !scoped && turn.rejection().is_none()) {
        Some(next) => questions(turn, next),
        None => scope(turn, wished, &Frame::new(turn, &said, answers, open), &changes),
    }
}

/// Bid or no bid, where that is for a person to say; nothing where it is not, or where the answer was yes.
fn bid(turn: &Turn, said: &[Words], wished: &Wishes) -> Result<Option<Thought>, CallFail> {
    let characters: usize = said.iter().map(|w| w.text.chars().count()).sum();
    let mut reasons = Vec::new();
    if characters > LONG {
        reasons.push(format!("{characters} characters to read"));
    }
    if wished.all.len() > MANY {
        reasons.push(format!("{} wishes", wished.all.len()));
    }
    if reasons.is_empty() {
        return Ok(None);
    }
    let asked = turn.lead.data.get(&Stage::Scoping).is_some_and(|d| d.contains_key("bid"));
    let declined = match (&turn.brief.task.reason, asked) {
        (TaskReason::Continued | TaskReason::Retried, true) => return Ok(None),
        (TaskReason::Rejected { reason }, true) => Some(reason.clone()),
        _ => None,
    };
    let other = turn.agency.catalog.other_feature.quarter_days;
    let wanted = wished.all.iter().filter(|w| w.priority != Priority::Wont);
    let mut seen = BTreeSet::new();
    // As in the scope: what was wished before adds a quarter of it.
    let effort = wanted.map(|w| match w.feature {
        Some(f) if seen.insert(f.id.as_str()) => f.quarter_days,
        Some(f) => (f.quarter_days / 4).max(2),
        None => other,
    });
    let effort_quarter_days = effort.fold(0u32, u32::saturating_add);
    let messages = match declined {
        Some(_) => turn.mail(MessageKind::Decline, "no-bid", context! {})?,
        None => Vec::new(),
    };
    let summary = match &declined {
        Some(reason) => format!("No bid, as a person decided: {}", text::tame(reason, 200)),
        None => format!("A large enquiry: {}. A person decides whether to bid", reasons.join(", ")),
    };
    Ok(Some(Thought {
        messages,
        summary,
        files: Vec::new(),
        result: StageResult::Bid(Bid {
            reasons,
            characters: characters as u64,
            wishes: u32::try_from(wished.all.len()).unwrap_or(u32::MAX),
            effort_quarter_days,
            declined,
        }),
    }))
}

fn questions(turn: &Turn, questions: Questions) -> Result<Thought, CallFail> {
    let asks: Vec<String> = questions.questions.iter().map(|q| q.text.clone()).collect();
    let topics: Vec<String> = questions.questions.iter().map(|q| q.topic.clone()).collect();
    Ok(Thought {
        messages: turn.mail(MessageKind::Questions, "questions", context! { asks })?,
        summary: format!("Asked {} questions (round {}): {}", topics.len(), questions.round, topics.join(", ")),
        result: StageResult::Questions(questions),
        files: Vec::new(),
    })
}

fn scope<'a>(
    turn: &Turn<'a>,
    wished: Wishes<'a>,
    frame: &Frame<'_, 'a>,
    wanted: &[Wanted],
) -> Result<Thought, CallFail> {
    let (mut built, wishes) = requirements::from_wishes(turn, frame.said, wished);
    if let Err(why) = requirements::weigh_again(turn, &mut built, wanted) {
        return Ok(rejection::not_understood(&why, Of::Scope));
    }
    let deliverables = frame.deliverables(&built);
    let mut scope = Scope {
        title: title(turn),
        goal: goal(turn, frame.said),
        measures: frame.measures(),
        users: frame.users(),
        in_scope: deliverables.iter().map(|d| d.name.clone()).collect(),
        deliverables,
        out_of_scope: out_of_scope(turn),
        assumptions: frame.assumptions(&built, wanted),
        dependencies: frame.dependencies(&built),
        client_duties: turn.agency.catalog.duties.iter().map(|d| d.text.get(turn.lang).to_owned()).collect(),
        qualities: frame.qualities(),
        budget: frame.budget(),
        timeline: frame.timeline(),
        risks: frame.risks(&built),
        acceptance: frame.acceptance(),
        change_rule: frame.change_rule(),
        open_questions: frame.open_questions(&built),
        glossary: frame.glossary(),
        wishes,
        answers: frame.answers.clone(),
        requirements: built.into_iter().map(|b| b.requirement).collect(),
    };
    let flag = frame.flag(&scope);
    if let Some(budget) = &mut scope.budget {
        budget.flag = flag;
    }
    let doc = max_documents::scope::doc(&scope, &turn.head(), turn.lang, Meta::default());
    let files = turn.document("scope", &scope, doc)?;
    let musts = scope.musts().count();
    Ok(Thought {
        summary: format!("Scope “{}”: {} requirements, {musts} of them Must", scope.title, scope.requirements.len()),
        files,
        result: StageResult::Scope(scope),
        messages: Vec::new(),
    })
}

fn title(turn: &Turn) -> String {
    let wanted = turn.wanted();
    let service = wanted.iter().find(|s| s.offered).map(|s| turn.agency.service_name(&s.id, turn.lang));
    let (project, joined) =
        turn.lang.pick([("Project", "for"), ("Projekt", "für"), ("Project", "voor"), ("Projet", "pour")]);
    format!("{} {joined} {}", service.unwrap_or(project), turn.client())
}

/// The first sentence that wishes, else the first one.
fn goal(turn: &Turn, said: &[Words]) -> String {
    said.iter()
        .flat_map(|w| sentences(&w.text))
        .find(|s| wishes::is_wish(&Said::new(s.text)))
        .or_else(|| said.first().and_then(|w| sentences(&w.text).into_iter().next()))
        .map(|s| text::tame(s.text, 400))
        .filter(|g| !g.is_empty())
        .unwrap_or_else(|| turn.project())
}

fn out_of_scope(turn: &Turn) -> Vec<String> {
    let said = turn.all_said();
    let exclusions = turn.agency.catalog.exclusions.iter().filter(|e| !said.has(&e.unless));
    exclusions.map(|e| e.text.get(turn.lang).to_owned()).collect()
}
