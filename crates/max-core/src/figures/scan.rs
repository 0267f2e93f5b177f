//! A text as characters, and the few looks at it that figures need.

use std::ops::Range;

/// A text that is read character by character; every look beyond its ends is a no.
pub struct Scan {
    chars: Vec<(usize, char)>,
    bytes: usize,
}

impl Scan {
    pub fn new(text: &str) -> Self {
        Self { chars: text.char_indices().collect(), bytes: text.len() }
    }

    pub fn len(&self) -> usize {
        self.chars.len()
    }

    pub fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|(_, c)| *c)
    }

    pub fn before(&self, at: usize) -> Option<char> {
        at.checked_sub(1).and_then(|at| self.at(at))
    }

    /// The byte at which a character begins.
    pub fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.bytes, |(byte, _)| *byte)
    }

    pub fn digit(&self, at: usize) -> Option<u32> {
        self.at(at).and_then(|c| c.to_digit(10))
    }

    /// The end of the digits that begin at `at`.
    pub fn digits_end(&self, at: usize) -> usize {
        let run = (at..self.len()).take_while(|i| self.digit(*i).is_some()).count();
        at + run
    }

    /// The digits as a number; nothing for none or for more than anybody writes.
    pub fn number(&self, from: usize, to: usize) -> Option<i64> {
        if from >= to || to - from > 15 {
            return None;
        }
        (from..to).try_fold(0i64, |sum, at| Some(sum * 10 + i64::from(self.digit(at)?)))
    }

    /// After at most `most` spaces of any kind.
    pub fn skip_spaces(&self, at: usize, most: usize) -> usize {
        at + (at..self.len()).take(most).take_while(|i| self.at(*i).is_some_and(is_space)).count()
    }

    /// The letters that begin at `at`, in lower case, and their end. Nobody's word is longer than 24 letters here.
    pub fn word(&self, at: usize) -> (String, usize) {
        let letters: String =
            (at..self.len()).map_while(|i| self.at(i).filter(|c| c.is_alphabetic())).take(25).collect();
        let end = at + letters.chars().count();
        (lower(&letters), end)
    }

    /// The end of `words` (lower case) if they stand at `at` and a word ends with them.
    pub fn says(&self, at: usize, words: &str) -> Option<usize> {
        let mut end = at;
        for wanted in words.chars() {
            let here = self.at(end)?;
            let same = here == wanted || one(here) == wanted || (wanted == ' ' && is_space(here));
            if !same {
                return None;
            }
            end += 1;
        }
        let last = words.chars().next_back()?;
        let cut = last.is_alphabetic() && self.at(end).is_some_and(char::is_alphabetic);
        (!cut).then_some(end)
    }

    /// The beginning of `words` (lower case) if they end before `at` and a word begins with them.
    pub fn said_before(&self, at: usize, words: &str) -> Option<usize> {
        let from = at.checked_sub(words.chars().count())?;
        let same =
            words.chars().zip(from..at).all(|(wanted, i)| self.at(i).is_some_and(|c| c == wanted || one(c) == wanted));
        let first = words.chars().next()?;
        let cut = first.is_alphabetic() && self.before(from).is_some_and(char::is_alphanumeric);
        (same && !cut).then_some(from)
    }

    /// Where the search goes on when nothing begins at `at`: after the word or number that does.
    pub fn after_word(&self, at: usize) -> usize {
        let inside = |i: &usize| self.at(*i).is_some_and(char::is_alphanumeric);
        let run = (at..self.len()).take_while(inside).count();
        // A currency may stand before its number without a space: `EUR12`.
        match (at..at + run).find(|i| self.digit(*i).is_some()) {
            Some(digit) if digit > at => digit,
            _ => at + run.max(1),
        }
    }
}

pub fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' | '\t')
}

/// A character in lower case where that is one character.
fn one(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// The text in lower case, character by character.
pub fn lower(text: &str) -> String {
    text.chars().map(one).collect()
}

/// Where `word` stands in `text` on its own.
pub fn word_at(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        apart(before) && apart(after)
    })
}

/// At most so many characters before and after a span.
pub fn around<'a>(text: &'a str, span: &Range<usize>, before: usize, after: usize) -> (&'a str, &'a str) {
    let (head, tail) = (text.get(..span.start).unwrap_or(""), text.get(span.end..).unwrap_or(""));
    let from = head.char_indices().rev().take(before).last().map_or(head.len(), |(at, _)| at);
    let to = tail.char_indices().nth(after).map_or(tail.len(), |(at, _)| at);
    (head.get(from..).unwrap_or(""), tail.get(..to).unwrap_or(""))
}
