//! FirstResponder: the first useful reply, then the client's profile.

use max_core::lead::MessageKind;
use max_core::prose::{self, Address};
use max_core::stages::StageResult;
use max_core::stages::first_responder::{Fact, Profile, Reply};
use max_core::stages::placeholder;
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::text::{self, Said, sentences};
use super::turn::{Turn, json};
use super::{intent, lead_gen, scoping, wishes};

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
    let human = intent::asks_for_a_human(&turn.lead.contact.message);
    let topic = turn.wanted().into_iter().find(|s| s.offered);
    let topic = topic.as_ref().map_or("", |s| turn.agency.service_name(&s.id, turn.lang));
    let slots = context! { quote => quote.as_str(), asks => asks.clone(), foreign_language, topic, human };
    let messages = turn.mail(MessageKind::Reply, "first-reply", slots)?;
    Ok(Thought {
        summary: format!("Wrote the first reply, taking up “{quote}”"),
        result: StageResult::Reply(answer(turn, vec![quote], asks)),
        messages,
        files: Vec::new(),
    })
}

/// A reply in the client's language, or in English where that is none of ours.
fn answer(turn: &Turn, quotes: Vec<String>, asks: Vec<String>) -> Reply {
    let written_in = turn.foreign_language().map(|_| turn.lang.tag().to_owned());
    Reply { language: turn.tag.clone(), quotes, asks, written_in }
}

/// Somebody asked whether a person writes: the truth, and the conversation goes on.
fn truthful(turn: &Turn, words: &str) -> Result<Thought, CallFail> {
    let messages = turn.mail(MessageKind::Reply, "human", context! {})?;
    let name = turn.agency.profile.name.clone();
    Ok(Thought {
        summary: format!("Said truthfully that an AI writes; the client asked: {}", text::tame(words, 120)),
        result: StageResult::Reply(answer(turn, vec![name], Vec::new())),
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
    let address = if turn.informal() { Address::Informal } else { Address::Formal };
    // Who wrote in a language that is not read here and was answered in English may have gone on in English.
    let now = turn.news().map(|news| lead_gen::language_of(&news, Some(turn.tag.clone())));
    let result = Profile {
        language: now.unwrap_or_else(|| turn.tag.clone()),
        address: address.name().into(),
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

/// A concrete phrase of the client: the service or feature with the words around it, else the first words that name
/// something.
fn quote(turn: &Turn) -> String {
    let message = &*prose::unwrapped(text::head(&turn.lead.contact.message, 20_000));
    let catalog = &turn.agency.catalog;
    let keywords: Vec<String> = turn
        .services()
        .into_iter()
        .flat_map(|s| s.keywords)
        .chain(catalog.features.iter().flat_map(|f| f.keywords.clone()))
        .collect();
    let all = sentences(message);
    let phrases = all.iter().filter(|s| !wishes::is_refusal(s.text)).filter_map(|s| around(s.text, &keywords));
    let whole = || all.iter().map(|s| s.text.to_owned()).filter(|t| t.split_whitespace().count() > 2);
    let single = || message.split_whitespace().take(2_000).map(str::to_owned);
    phrases
        .chain(whole())
        .chain(single())
        .map(|phrase| text::tame(&phrase.replace(['?', '？', '"', '“', '”', '„', '«', '»'], " "), 90).trim().to_owned())
        // What is quoted stands in the message, names something, and is no promise that we would repeat.
        .find(|q| prose::is_concrete(q) && prose::quotes(message, q) && placeholder(q).is_none())
        .unwrap_or_else(|| turn.lang.pick(["your enquiry", "Ihre Anfrage", "uw aanvraag", "votre demande"]).into())
}

/// Words that a phrase does not end with, and before which a long one is cut.
const LOOSE_ENDS: &[&str] = &[
    "a", "an", "the", "and", "or", "but", "for", "our", "my", "with", "of", "to", "in", "on", "at", "by", "from", "is",
    "are", "can", "und", "oder", "aber", "für", "unser", "unsere", "unseren", "mein", "meine", "mit", "von", "der",
    "die", "das", "dass", "ein", "eine", "einen", "zu", "auf", "im", "ist", "sind", "de", "het", "een", "en", "voor",
    "met", "van", "op", "onze", "ons", "mijn", "le", "la", "les", "un", "une", "des", "du", "et", "ou", "pour", "avec",
    "notre", "nos", "mon", "ma", "sur",
];

/// Words that begin the next thing somebody says.
const NEXT: &[&str] = &[
    "that", "which", "where", "who", "whose", "when", "because", "so", "if", "wo", "dass", "weil", "wenn", "damit",
    "sodass", "waar", "waarop", "waarmee", "omdat", "zodat", "dat", "où", "qui", "que", "dont", "car", "parce",
];

/// A clause of so many words is quoted whole; a longer one up to the last joint among them.
const PHRASE: usize = 10;

/// The words around the first of the keywords: up to two before it and the rest of its clause, cut where it has a joint.
fn around(sentence: &str, keywords: &[String]) -> Option<String> {
    let sentence = Said::new(sentence);
    let (_, wanted) = wishes::object(&sentence);
    let said = Said::new(wanted);
    let at = keywords.iter().filter_map(|k| said.position(k)).min()?;
    let before = wanted.get(..at)?.rsplit([',', ';', ':', '(']).next()?;
    let after = wanted.get(at..)?;
    let clause = after.split([',', ';', ':', '(', ')']).next().unwrap_or(after);
    let mut words: Vec<&str> = before.split_whitespace().rev().take(2).collect();
    words.reverse();
    let named = words.len();
    let begins_anew = |word: &&str| NEXT.contains(&word.to_lowercase().as_str());
    words.extend(clause.split_whitespace().take_while(|w| !begins_anew(w)).take(PHRASE + 1));
    let loose = |word: &str| LOOSE_ENDS.contains(&word.to_lowercase().as_str());
    if words.len() > PHRASE {
        let joint = (named + 1..PHRASE).rev().find(|at| words.get(*at).is_some_and(|w| loose(w)));
        words.truncate(joint.unwrap_or(PHRASE));
    }
    while words.last().is_some_and(|w| loose(w)) {
        words.pop();
    }
    Some(words.join(" "))
}

fn anything_else(lang: Lang) -> &'static str {
    lang.pick([
        "Is there anything else we should know before we write down what would be built?",
        "Gibt es noch etwas, das wir wissen sollten, bevor wir aufschreiben, was gebaut würde?",
        "Is er nog iets dat wij moeten weten voordat wij opschrijven wat er gebouwd zou worden?",
        "Y a-t-il autre chose à savoir avant que nous décrivions ce qui serait réalisé ?",
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_ends_where_its_clause_has_a_joint() {
        let keywords = ["website", "online shop", "webseite", "onlineshop", "site"].map(str::to_owned);
        for (sentence, phrase) in [
            (
                "I need a website for my yoga studio where members can log in and book courses",
                "a website for my yoga studio",
            ),
            ("We want an online shop for bikes and spare parts", "an online shop for bikes and spare parts"),
            ("We need a website with a map and opening hours", "a website with a map and opening hours"),
            ("Wir brauchen einen Onlineshop, der auch Gutscheine kann", "einen Onlineshop"),
            (
                "Wir brauchen eine neue Webseite für unsere Tischlerei in Ulm, die wir im Frühling vergrößern",
                "eine neue Webseite für unsere Tischlerei in Ulm",
            ),
        ] {
            assert_eq!(around(sentence, &keywords).as_deref(), Some(phrase), "{sentence}");
        }
    }
}
