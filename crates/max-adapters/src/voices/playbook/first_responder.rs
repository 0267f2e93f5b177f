//! FirstResponder: the first useful reply, then the client's profile.

use max_core::lead::MessageKind;
use max_core::stages::StageResult;
use max_core::stages::first_responder::{Fact, Profile, Reply};
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::text::{self, Said, sentences};
use super::turn::{Turn, json};
use super::{intent, scoping, wishes};

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if !turn.has_written() {
        return reply(turn);
    }
    match turn.news() {
        Some(words) if intent::withdraws(&words) => turn.withdrawn(&words),
        Some(words) if intent::asks_for_a_human(&words) => truthful(turn, &words),
        _ => profile(turn),
    }
}

/// The first reply: takes up the client's words and asks at most two things.
fn reply(turn: &Turn) -> Result<Thought, CallFail> {
    let quote = quote(turn);
    let asks: Vec<String> =
        scoping::unknown(turn).into_iter().take(2).map(|q| q.text.get(turn.lang).to_owned()).collect();
    let asks = if asks.is_empty() { vec![anything_else(turn.lang).to_owned()] } else { asks };
    let foreign_language = turn.foreign_language().unwrap_or_default();
    let topic = turn.wanted().into_iter().find(|s| s.offered);
    let topic = topic.as_ref().map_or("", |s| turn.agency.service_name(&s.id, turn.lang));
    let slots = context! { quote => quote.as_str(), asks => asks.clone(), foreign_language, topic };
    let messages = turn.mail(MessageKind::Reply, "first-reply", slots)?;
    Ok(Thought {
        summary: format!("Wrote the first reply, taking up “{quote}”"),
        result: StageResult::Reply(Reply { language: turn.lang.tag().into(), quotes: vec![quote], asks }),
        messages,
        files: Vec::new(),
    })
}

/// Somebody asked whether a person writes: the truth, and the conversation goes on.
fn truthful(turn: &Turn, words: &str) -> Result<Thought, CallFail> {
    let messages = turn.mail(MessageKind::Reply, "human", context! {})?;
    let name = turn.agency.profile.name.clone();
    Ok(Thought {
        summary: format!("Said truthfully that an AI writes; the client asked: {}", text::tame(words, 120)),
        result: StageResult::Reply(Reply { language: turn.lang.tag().into(), quotes: vec![name], asks: Vec::new() }),
        messages,
        files: Vec::new(),
    })
}

fn profile(turn: &Turn) -> Result<Thought, CallFail> {
    let said = turn.said();
    let wants: Vec<String> = said
        .iter()
        .flat_map(|w| sentences(&w.text).into_iter().map(|s| s.text.to_owned()).collect::<Vec<_>>())
        .filter(|s| wishes::is_wish(&Said::new(s.as_str())))
        .map(|s| text::tame(&s, 300))
        .take(20)
        .collect();
    let informal =
        turn.lang == Lang::De && turn.all_said().has(&["könnt ihr", "habt ihr", "euch", "bei dir", "kannst du"]);
    let result = Profile {
        language: turn.lang.tag().into(),
        address: if informal { "informal" } else { "formal" }.into(),
        wants,
        facts: facts(turn),
    };
    Ok(Thought {
        summary: format!(
            "Knows the client: {} wishes, {} facts; ready for scoping",
            result.wants.len(),
            result.facts.len()
        ),
        files: vec![json("profile.json", &result)?],
        result: StageResult::Profile(result),
        messages: Vec::new(),
    })
}

/// What was said about the topics every project needs.
fn facts(turn: &Turn) -> Vec<Fact> {
    let said = turn.said();
    let questions = &turn.agency.catalog.questions;
    let stated = [("budget", &turn.lead.contact.budget), ("timeline", &turn.lead.contact.timeline)];
    let fields = stated.into_iter().filter_map(|(topic, value)| {
        let quote = text::tame(value.as_deref()?, 200);
        (!quote.is_empty()).then(|| Fact { topic: topic.into(), quote })
    });
    let spoken = questions.iter().filter_map(|q| {
        let found = said.iter().flat_map(|w| sentences(&w.text)).find(|s| Said::new(s.text).has(&q.known_by))?;
        Some(Fact { topic: q.topic.clone(), quote: text::tame(found.text, 300) })
    });
    fields.chain(spoken).collect()
}

/// A concrete phrase of the client: the service or feature with the words around it, else the first words.
fn quote(turn: &Turn) -> String {
    let message = text::head(&turn.lead.contact.message, 20_000);
    let catalog = &turn.agency.catalog;
    let keywords: Vec<String> = turn
        .services()
        .into_iter()
        .flat_map(|s| s.keywords)
        .chain(catalog.features.iter().flat_map(|f| f.keywords.clone()))
        .collect();
    let all = sentences(message);
    let phrase = all.iter().filter(|s| !wishes::is_refusal(s.text)).find_map(|s| around(s.text, &keywords));
    let first = all.iter().map(|s| s.text).find(|t| t.split_whitespace().count() > 2).or(all.first().map(|s| s.text));
    let quote = phrase.or(first.map(str::to_owned)).unwrap_or_default();
    let quote = text::tame(&quote.replace(['?', '？', '"', '“', '”', '„'], ""), 90);
    match (quote.trim().is_empty(), turn.lang) {
        (false, _) => quote.trim().to_owned(),
        (true, Lang::En) => "your enquiry".into(),
        (true, Lang::De) => "Ihre Anfrage".into(),
    }
}

/// Words that a phrase does not end with.
const LOOSE_ENDS: &[&str] = &[
    "a", "an", "the", "and", "or", "for", "our", "my", "with", "of", "to", "in", "on", "that", "is", "are", "und",
    "oder", "für", "unser", "unsere", "unseren", "mein", "meine", "mit", "von", "der", "die", "das", "ein", "eine",
    "einen", "zu", "auf", "im", "ist", "sind",
];

/// The words around the first of the keywords: up to two before and five after it, inside one clause.
fn around(sentence: &str, keywords: &[String]) -> Option<String> {
    let (_, wanted) = wishes::object(sentence);
    let said = Said::new(wanted);
    let at = keywords.iter().filter_map(|k| said.position(k)).min()?;
    let before = wanted.get(..at)?.rsplit([',', ';', ':', '(']).next()?;
    let after = wanted.get(at..)?;
    let clause = after.split([',', ';', ':', '(', ')']).next().unwrap_or(after);
    let mut words: Vec<&str> = before.split_whitespace().rev().take(2).collect();
    words.reverse();
    words.extend(clause.split_whitespace().take(6));
    while words.last().is_some_and(|w| LOOSE_ENDS.contains(&w.to_lowercase().as_str())) {
        words.pop();
    }
    Some(words.join(" "))
}

fn anything_else(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "Is there anything else we should know before we write down what would be built?",
        Lang::De => "Gibt es noch etwas, das wir wissen sollten, bevor wir aufschreiben, was gebaut würde?",
    }
}
