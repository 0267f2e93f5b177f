//! The question plan: what is asked next, and which words of the client answer what was asked.
//!
//! A topic is known when the form or any message says something about it; a known topic is never asked. What was asked
//! once is not asked again, whatever came back.

use std::collections::BTreeSet;

use jiff::civil::Date;
use max_core::figures::{self, Value};
use max_core::lead::{Direction, MessageKind};
use max_core::stage::Stage;
use max_core::stages::scoping::{Answered, QUESTIONS_AT_MOST, Question, Questions, ROUNDS_AT_MOST};

use crate::agency::TopicQuestion;
use crate::voices::playbook::text::{Said, sentences};
use crate::voices::playbook::turn::{Turn, Words};
use crate::voices::playbook::wishes::Finder;

/// Light topics alone start no first round: one or two open points are no reason to keep a client waiting.
const HEAVY: u8 = 2;
const WORTH_A_FIRST_ROUND: usize = 2;
const WORTH_ANOTHER_ROUND: u8 = 4;

/// The topics of the catalogue, to be found in one pass over a text.
pub struct Topics<'a> {
    all: &'a [TopicQuestion],
    finder: Finder,
    /// A day from here on is the day by which the work is wanted.
    from: Date,
}

impl<'a> Topics<'a> {
    pub fn new(turn: &Turn<'a>) -> Self {
        let all = &turn.agency.catalog.questions;
        let words = all.iter().enumerate().flat_map(|(i, q)| q.known_by.iter().map(move |k| (k.as_str(), i)));
        Self { all, finder: Finder::new(words), from: turn.today() }
    }

    /// The topics that a text says something about.
    pub fn of<'t>(&'t self, said: &Said) -> BTreeSet<&'a str> {
        let named = self.finder.hits(said.lower()).filter_map(|h| self.all.get(h.index));
        let dated = self.all.iter().filter(|q| q.topic == "timeline" && self.names_a_day(&said.original));
        named.chain(dated).map(|q| q.topic.as_str()).collect()
    }

    /// `It has to be live by 01.03.2027` needs no other word to speak of time.
    fn names_a_day(&self, text: &str) -> bool {
        // A date has this many digits at least; most sentences have none.
        let digits = text.bytes().filter(u8::is_ascii_digit).take(4).count();
        let coming = |days: &[Date]| matches!(days, [day] if *day >= self.from);
        digits == 4 && figures::find(text).iter().any(|f| matches!(&f.value, Value::Date(days) if coming(days)))
    }

    /// The sentences that say something about each topic, in order; a question is no answer.
    pub fn sentences<'w>(&self, said: &'w [Words]) -> Vec<(&'a str, &'w str, &'w str)> {
        let mut found = Vec::new();
        for words in said {
            for sentence in sentences(&words.text).into_iter().filter(|s| !s.question && s.text.len() <= 1_000) {
                for topic in self.of(&Said::new(sentence.text)) {
                    found.push((topic, words.source.as_str(), sentence.text));
                }
            }
        }
        found
    }
}

/// The topics that every project has and that the client has said nothing about yet.
pub fn unknown<'a>(turn: &Turn<'a>) -> Vec<&'a TopicQuestion> {
    open(turn, &BTreeSet::new(), &BTreeSet::new())
}

/// The same with the topics of the features that are wanted, and without those that were answered by number.
pub fn open<'a>(turn: &Turn<'a>, features: &BTreeSet<&str>, answered: &BTreeSet<String>) -> Vec<&'a TopicQuestion> {
    let said = turn.all_said();
    let contact = &turn.lead.contact;
    let stated = |value: &Option<String>| value.as_deref().is_some_and(|v| !v.trim().is_empty());
    let questions = &turn.agency.catalog.questions;
    let known = Topics::new(turn).of(&said);
    let form = |topic: &str| match topic {
        "budget" => stated(&contact.budget) || crate::voices::playbook::text::amount(&said).is_some(),
        "timeline" => stated(&contact.timeline),
        "decision" => stated(&contact.role),
        _ => false,
    };
    questions
        .iter()
        .filter(|q| q.feature.is_empty() || features.contains(q.feature.as_str()))
        .filter(|q| !known.contains(q.topic.as_str()) && !answered.contains(&q.topic) && !form(&q.topic))
        .collect()
}

/// What was asked so far.
pub struct Asked {
    pub round: u8,
    pub all: Vec<Question>,
}

impl Asked {
    pub fn of(turn: &Turn) -> Self {
        let last: Option<Questions> = turn.lead.stage_value(Stage::Scoping, "questions");
        let Some(last) = last else { return Self { round: 0, all: Vec::new() } };
        let all = last.earlier.into_iter().chain(last.questions).collect();
        Self { round: last.round.max(1), all }
    }

    /// What to ask now, if it is worth a round.
    pub fn next(&self, turn: &Turn, open: &[&TopicQuestion]) -> Option<Questions> {
        let mut fresh: Vec<&TopicQuestion> =
            open.iter().copied().filter(|q| !self.all.iter().any(|asked| asked.topic == q.topic)).collect();
        let worth = if self.round == 0 {
            fresh.iter().filter(|q| q.weight >= HEAVY).count() >= WORTH_A_FIRST_ROUND
        } else {
            let weight: u8 = fresh.iter().fold(0, |sum, q| sum.saturating_add(q.weight));
            weight >= WORTH_ANOTHER_ROUND && !turn.news().is_none_or(|news| says_no_more(&news))
        };
        if !worth || self.round >= ROUNDS_AT_MOST {
            return None;
        }
        fresh.sort_by_key(|q| std::cmp::Reverse(q.weight));
        let number = self.all.len();
        let questions = fresh.into_iter().take(QUESTIONS_AT_MOST).enumerate().map(|(i, q)| Question {
            id: format!("Q-{}", number + i + 1),
            topic: q.topic.clone(),
            text: q.text.get(turn.lang).to_owned(),
            round: self.round + 1,
        });
        Some(Questions { questions: questions.collect(), round: self.round + 1, earlier: self.all.clone() })
    }

    /// Each question that was asked, with the words that answer it: by its number where the client numbered the
    /// answers, else by what the words are about.
    pub fn answers(&self, turn: &Turn, said: &[Words]) -> Vec<Answered> {
        let topics = Topics::new(turn);
        let about = topics.sentences(said);
        let numbered = self.numbered(turn);
        self.all
            .iter()
            .map(|q| {
                let by_number = numbered.iter().find(|(id, _, _)| *id == q.id);
                let by_number = by_number.map(|(_, source, quote)| (source.clone(), quote.clone()));
                // The last word counts.
                let by_topic = || about.iter().rev().find(|(topic, _, _)| *topic == q.topic);
                let found = by_number.or_else(|| by_topic().map(|(_, s, t)| ((*s).to_owned(), (*t).to_owned())));
                let (source, quote) = found.unwrap_or_default();
                Answered { id: q.id.clone(), topic: q.topic.clone(), text: q.text.clone(), source, quote }
            })
            .collect()
    }

    /// `2. In March` after a round of questions answers the second one of that round: id, message, words.
    fn numbered(&self, turn: &Turn) -> Vec<(String, String, String)> {
        let mut round = 0;
        let mut found = Vec::new();
        for message in &turn.brief.messages {
            if message.direction == Direction::Out {
                round += u8::from(message.kind == MessageKind::Questions);
                continue;
            }
            let questions: Vec<&Question> = self.all.iter().filter(|q| q.round.max(1) == round).collect();
            for line in message.body.lines().map(str::trim).filter(|l| !l.starts_with('>')) {
                let Some((number, words)) = number(line) else { continue };
                let question = number.checked_sub(1).and_then(|at| questions.get(at));
                if let Some(question) = question.filter(|_| words.chars().any(char::is_alphanumeric)) {
                    found.push((question.id.clone(), message.id.to_string(), words.to_owned()));
                }
            }
        }
        found
    }
}

/// `2. In March`, `2) In March`, `Q-2: In March`.
fn number(line: &str) -> Option<(usize, &str)> {
    let line = line.strip_prefix("Q-").or_else(|| line.strip_prefix("q-")).unwrap_or(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(['.', ')', ':'])?;
    let number = line.get(..digits)?.parse().ok().filter(|n| (1..=QUESTIONS_AT_MOST).contains(n))?;
    rest.starts_with([' ', '\t']).then(|| (number, rest.trim()))
}

/// `Not known yet` is an answer, and leaves the question open.
pub fn not_known(words: &str) -> bool {
    const NOT_KNOWN: &[&str] = &[
        "not known",
        "don't know",
        "do not know",
        "not sure",
        "no idea",
        "not decided",
        "noch nicht",
        "weiß nicht",
        "wissen wir nicht",
        "unklar",
        "offen",
        "nog niet",
        "weet ik niet",
        "weten we niet",
        "geen idee",
        "pas encore",
        "sais pas",
        "savons pas",
        "aucune idée",
    ];
    Said::new(words).has(NOT_KNOWN)
}

/// The client has nothing to add: no further round.
fn says_no_more(words: &str) -> bool {
    const NO_MORE: &[&str] = &[
        "that is all",
        "that's all",
        "all we know",
        "all i know",
        "no more questions",
        "see above",
        "nothing to add",
        "das ist alles",
        "mehr wissen wir",
        "mehr weiß ich",
        "siehe oben",
        "dat is alles",
        "meer weten we",
        "zie boven",
        "c'est tout",
        "rien d'autre",
        "rien à ajouter",
        "voir ci-dessus",
    ];
    Said::new(words).has(NO_MORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_line_answers_the_question_of_its_number() {
        assert_eq!(number("2. In March"), Some((2, "In March")));
        assert_eq!(number("Q-3: 12.500 EUR"), Some((3, "12.500 EUR")));
        assert_eq!(number("2.500 EUR"), None);
        assert_eq!(number("31. March"), None);
    }
}
