//! What a result says of the client was said by the client, in the message it names (rule X-8).
//!
//! Every part of a result that holds a `quote` beside a `source` is looked at, whatever the stage: a new result needs
//! no check of its own. The texts of later messages are not part of a lead's state; our own code looks them up
//! ([`Seen::said`](crate::command::Seen::said)).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, StageResult};
use crate::lead::{Direction, Lead};
use crate::prose;

/// The source of what the client said first, in the message or in a field of the form.
pub const LEAD: &str = "lead";

/// Each quote is found in the message that it names. What the signs between the words are does not matter.
pub fn check(lead: &Lead, result: &StageResult, said: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    let value = serde_json::to_value(result).unwrap_or_default();
    let mut cited = Vec::new();
    gather("", &value, &mut cited);
    let mut messages: BTreeMap<&str, Message> = BTreeMap::new();
    for cited in &cited {
        let message = messages.entry(cited.source).or_insert_with(|| Message::named(lead, cited.source, said));
        let found = match message {
            Message::None => Finding::new("X-8", format!("`{}` is no message of this client", head(cited.source)))
                .mend("name the message: its id, or `lead` for the first one"),
            Message::Unread => continue,
            Message::Read(text) => {
                if text.holds(cited.quote) {
                    continue;
                }
                Finding::new("X-8", format!("`{}` was not said in `{}`", head(cited.quote), cited.source))
                    .mend("quote the client's own words, unchanged")
            }
        };
        findings.push(found.at(cited.place.clone()));
    }
}

/// Everything that the client gave at the beginning.
pub fn opening(lead: &Lead) -> String {
    let c = &lead.contact;
    let fields = [&c.budget, &c.timeline, &c.role, &c.website, &c.company].into_iter().flatten();
    fields.fold(c.message.clone(), |text, field| text + "\n" + field)
}

/// Words of the client that a result repeats.
struct Cited<'a> {
    place: String,
    source: &'a str,
    quote: &'a str,
}

fn gather<'a>(place: &str, value: &'a Value, cited: &mut Vec<Cited<'a>>) {
    match value {
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            if let (Some(quote), Some(source)) = (text("quote"), text("source"))
                && !quote.trim().is_empty()
            {
                cited.push(Cited { place: place.to_owned(), source, quote });
            }
            for (key, value) in fields {
                let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                gather(&inner, value, cited);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                gather(&format!("{place}[{i}]"), item, cited);
            }
        }
        _ => {}
    }
}

/// What is known of a message that is named as a source.
enum Message {
    /// The client wrote no such message.
    None,
    /// The client wrote it; its text was not looked up.
    Unread,
    /// What it says.
    Read(Text),
}

impl Message {
    fn named(lead: &Lead, source: &str, said: &BTreeMap<String, String>) -> Self {
        if source == LEAD {
            return Message::Read(Text::of(&opening(lead)));
        }
        let known = lead.messages.iter().any(|m| m.direction == Direction::In && m.id.to_string() == source);
        match said.get(source).filter(|_| known) {
            Some(text) => Message::Read(Text::of(text)),
            None if known => Message::Unread,
            None => Message::None,
        }
    }
}

/// A text in which quotes are looked for, mostly in the order in which they stand there.
struct Text {
    /// Its words, with a space before and behind each.
    words: String,
    /// Everything that is to be seen, without spaces.
    signs: String,
    last: usize,
}

/// What is longer is no word of any language, and is quoted in pieces.
const LONG_WORD: usize = 80;

impl Text {
    fn of(text: &str) -> Self {
        Self { words: format!(" {} ", prose::words(text)), signs: signs(text), last: 0 }
    }

    fn holds(&mut self, quote: &str) -> bool {
        // A long quote may have been cut inside a word.
        let cut = quote.trim_end().ends_with('…');
        // Some messages are pictures alone.
        if prose::words(quote).is_empty() {
            return self.signs.contains(&signs(quote.trim_end_matches('…')));
        }
        let words = prose::words(quote);
        let long = |word: Option<&str>| word.is_some_and(|w| w.chars().count() > LONG_WORD);
        let (before, behind) = (long(words.split(' ').next()), cut || long(words.rsplit(' ').next()));
        let quote = format!("{}{words}{}", if before { "" } else { " " }, if behind { "" } else { " " });
        let behind = self.words.get(self.last..).and_then(|rest| rest.find(&quote)).map(|at| self.last + at);
        let at = behind.or_else(|| self.words.find(&quote));
        self.last = at.unwrap_or(self.last);
        at.is_some()
    }
}

fn signs(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !prose::is_invisible(*c)).collect()
}

/// As much of a text as a finding has room for.
fn head(text: &str) -> String {
    let head: String = text.chars().take(80).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}
