//! Reading text from outside: looking for words, cutting sentences, making words safe to repeat.

use max_core::figures::{self, Value};
use max_core::stages::placeholder;

/// A text beside its lower-case form, with the same byte positions in both.
pub struct Said {
    /// As it was written.
    pub original: String,
    lower: String,
}

impl Said {
    pub fn new(original: impl Into<String>) -> Self {
        let original = original.into();
        #[cfg(test)]
        work::note(original.len());
        let lower = original.chars().map(lower_in_place).collect();
        Self { original, lower }
    }

    /// In lower case, at the same byte positions.
    pub fn lower(&self) -> &str {
        &self.lower
    }

    /// The words that begin with `keyword`, to the end of the last one, as they were written.
    pub fn find(&self, keyword: &str) -> Option<&str> {
        let at = self.position(keyword)?;
        let end = at + keyword.len();
        let rest = self.original.get(end..)?;
        let more = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()).min(40);
        // A keyword that ends in a sign or a space is complete as it is.
        let whole = keyword.chars().next_back().is_some_and(char::is_alphanumeric);
        let end = if whole { floor(&self.original, end + more) } else { end };
        self.original.get(at..end).map(str::trim)
    }

    /// Where a word begins with `keyword` (lower case).
    pub fn position(&self, keyword: &str) -> Option<usize> {
        self.lower.match_indices(keyword).map(|(at, _)| at).find(|at| {
            let before = self.lower.get(..*at).and_then(|s| s.chars().next_back());
            !before.is_some_and(char::is_alphanumeric) || !keyword.starts_with(char::is_alphanumeric)
        })
    }

    /// True when a word begins with one of these.
    pub fn has(&self, keywords: &[impl AsRef<str>]) -> bool {
        keywords.iter().any(|k| self.position(k.as_ref()).is_some())
    }

    /// True when one of these (lower case) occurs as whole words.
    pub fn says(&self, phrases: &[impl AsRef<str>]) -> bool {
        phrases.iter().map(AsRef::as_ref).any(|phrase| {
            self.lower.match_indices(phrase).any(|(at, _)| {
                let before = self.lower.get(..at).and_then(|s| s.chars().next_back());
                let after = self.lower.get(at + phrase.len()..).and_then(|s| s.chars().next());
                let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
                apart(before) && apart(after)
            })
        })
    }

    /// The first of these that occurs, as it was written.
    pub fn first_of<'a>(&'a self, keywords: &[impl AsRef<str>]) -> Option<&'a str> {
        keywords.iter().find_map(|k| self.find(k.as_ref()))
    }
}

/// How much was read, counted in tests: what reads a long enquiry must read each word of it a fixed number of times.
#[cfg(test)]
pub mod work {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    /// Notes that so many bytes are looked at.
    pub fn note(bytes: usize) {
        BYTES.set(BYTES.get() + bytes);
    }

    /// How many bytes something looks at.
    pub fn of<T>(something: impl FnOnce() -> T) -> usize {
        let before = BYTES.get();
        something();
        BYTES.get() - before
    }
}

/// Lower case where that keeps the length, so that positions agree.
fn lower_in_place(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) if l.len_utf8() == c.len_utf8() => l,
        _ => c,
    }
}

/// The nearest character boundary at or before `at`.
pub fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// The beginning of a text, at most `most` bytes, cut at a character.
pub fn head(text: &str, most: usize) -> &str {
    &text[..floor(text, most)]
}

/// A sentence of a client's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// Without its bullet and its full stop.
    pub text: &'a str,
    /// True for an item of a list.
    pub bullet: bool,
    /// True when it ends with a question mark.
    pub question: bool,
    /// True when it announces a list.
    pub colon: bool,
}

/// The sentences of a message, without what it quotes of an earlier one.
pub fn sentences(message: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    for line in message.lines().map(str::trim) {
        if line.starts_with('>') {
            continue;
        }
        let (bullet, line) = strip_bullet(line);
        let mut rest = line;
        while !rest.is_empty() {
            let end = sentence_end(rest);
            let (sentence, after) = rest.split_at(end);
            let sentence = sentence.trim();
            let bare = sentence.trim_end_matches(['.', '!', '?', ';', ':', '？', '。']).trim();
            if bare.chars().any(char::is_alphanumeric) {
                found.push(Sentence {
                    text: bare,
                    bullet,
                    question: sentence.ends_with(['?', '？']),
                    colon: sentence.ends_with(':'),
                });
            }
            rest = after.trim_start();
        }
    }
    found
}

/// Where the first sentence of a line ends: after a stop that a space follows and no abbreviation or number precedes.
fn sentence_end(line: &str) -> usize {
    let mut before = ' ';
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, n)| *n);
        let stop = match c {
            '!' | '?' | ';' => next.is_none_or(char::is_whitespace),
            '.' => {
                next.is_none_or(char::is_whitespace) && !before.is_ascii_digit() && before != '.' && {
                    // `z. B.` and `e. g.` have one letter before the stop.
                    let word = line[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
                    word.chars().count() > 1
                }
            }
            '？' | '。' => true,
            _ => false,
        };
        if stop {
            return at + c.len_utf8();
        }
        before = c;
    }
    line.len()
}

fn strip_bullet(line: &str) -> (bool, &str) {
    if let Some(rest) = line.strip_prefix(['-', '*', '•', '–', '·']) {
        return (true, rest.trim_start());
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line[digits..].strip_prefix(['.', ')']) {
        Some(rest) if (1..=2).contains(&digits) && rest.starts_with(' ') => (true, rest.trim_start()),
        _ => (false, line),
    }
}

/// Words from outside on one line, without control and direction characters and without anything that looks like
/// one of our own placeholders; at most `most` characters, cut at a word.
pub fn tame(text: &str, most: usize) -> String {
    let spaced: String = text
        .chars()
        .take(most.saturating_mul(4))
        .filter_map(|c| match c {
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => None,
            '{' | '[' => Some('('),
            '}' | ']' => Some(')'),
            c if c.is_control() => Some(' '),
            c => Some(c),
        })
        .collect();
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if placeholder(&line).is_some() {
        let kept: Vec<&str> = line.split(' ').filter(|word| !sounds_like_a_placeholder(word)).collect();
        line = kept.join(" ");
    }
    if placeholder(&line).is_some() {
        return String::new();
    }
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    let at = cut.rfind(' ').filter(|at| *at > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", cut[..at].trim_end_matches([',', ' ']))
}

fn sounds_like_a_placeholder(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["lorem", "ipsum", "undefined"].iter().any(|w| lower.contains(w)) || placeholder(word).is_some()
}

/// The first letter as a capital.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The first amount of money in a text, in whole units (the upper end of a range), with the words that name it.
pub fn amount(said: &Said) -> Option<(u64, &str)> {
    figures::find(&said.original).into_iter().find_map(|figure| match figure.value {
        Value::Money(money) => Some((u64::try_from(money.high / 100).ok()?, said.original.get(figure.span)?)),
        _ => None,
    })
}

/// Phrases in a block of text: separated by `|` or by the end of a line, one language after the other.
pub fn list(phrases: &'static str) -> Vec<&'static str> {
    phrases.split(['|', '\n']).map(str::trim).filter(|p| !p.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_found_where_a_word_begins_whatever_the_case() {
        let said = Said::new("İstanbul: Our WEBSITES are old; application");
        assert_eq!(said.find("website"), Some("WEBSITES"));
        assert_eq!(said.find("app"), Some("application"));
        assert_eq!(said.find("site"), None);
    }

    #[test]
    fn sentences_end_at_stops_and_keep_abbreviations_and_dates() {
        let found = sentences("Hello! We open on 3. May, z. B. in Ulm. Can you help?\n> quoted\n- first\n2) second:");
        let texts: Vec<&str> = found.iter().map(|s| s.text).collect();
        assert_eq!(texts, ["Hello", "We open on 3. May, z. B. in Ulm", "Can you help", "first", "second"]);
        assert!(found[2].question && found[3].bullet && found[4].colon);
    }

    #[test]
    fn tame_words_hold_no_placeholder_and_no_tricks() {
        assert_eq!(tame("a\r\nb\u{202e}c {{ x }} TODO", 80), "a bc (( x ))");
        assert_eq!(tame("lorem ipsum", 80), "");
        assert_eq!(tame("one two three four", 12), "one two…");
        assert_eq!(placeholder(&tame("[client] {{TBD}} undefined XXX", 200)), None);
    }

    #[test]
    fn amounts_are_read_in_both_ways_of_writing() {
        let of = |text: &str| amount(&Said::new(text)).map(|(units, _)| units);
        assert_eq!(of("about € 12.000 or so"), Some(12_000));
        assert_eq!(of("8,500.00 EUR"), Some(8_500));
        assert_eq!(of("budget: 10k"), Some(10_000));
        assert_eq!(of("we have 12 rooms"), None);
    }
}
