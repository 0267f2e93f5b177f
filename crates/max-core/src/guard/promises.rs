//! Words that bind the agency, in the four languages. A text is looked through for all of them, whatever it is said to
//! be written in.

use std::ops::Range;

/// Each in lower case; a word counts where it stands for itself.
const PROMISES: &[&str] = &[
    // English
    "guarantee",
    "guarantees",
    "guaranteed",
    "we promise",
    "i promise",
    "free of charge",
    "for free",
    "at no cost",
    "at no extra cost",
    "at no charge",
    "money back",
    "money-back",
    "we are liable",
    "we accept liability",
    // German
    "garantiere",
    "garantieren",
    "garantiert",
    "wir versprechen",
    "ich verspreche",
    "kostenlos",
    "kostenlose",
    "kostenlosen",
    "kostenfrei",
    "unentgeltlich",
    "gratis",
    "geld zurück",
    "geld-zurück",
    "wir haften",
    // Dutch
    "garandeer",
    "garanderen",
    "garandeert",
    "gegarandeerd",
    "wij beloven",
    "we beloven",
    "ik beloof",
    "kosteloos",
    "zonder kosten",
    "zonder extra kosten",
    "geld terug",
    "wij zijn aansprakelijk",
    // French
    "nous garantissons",
    "je garantis",
    "garanti",
    "nous promettons",
    "je promets",
    "gratuit",
    "gratuite",
    "gratuitement",
    "sans frais",
    "offert",
    "remboursé",
];

/// The ones among them that give something away.
const FREE: &[&str] =
    &["free", "no c", "no extra", "kosten", "kostel", "unentgeltlich", "gratis", "gratuit", "sans frais"];

/// True for a promise that something costs nothing.
pub fn is_free(words: &str) -> bool {
    FREE.iter().any(|part| words.contains(part))
}

/// Each promise with its place and its words in lower case.
pub fn find(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for (start, _) in word_starts(text) {
        let longest = PROMISES.iter().filter_map(|words| Some((end_of(text, start, words)?, *words))).max();
        if let Some((end, words)) = longest
            && found.last().is_none_or(|(span, _)| span.end <= start)
        {
            found.push((start..end, words));
        }
    }
    found
}

/// Where words begin.
fn word_starts(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut before = None;
    text.char_indices().filter(move |(_, c)| {
        let starts = c.is_alphabetic() && !before.is_some_and(char::is_alphanumeric);
        before = Some(*c);
        starts
    })
}

/// Where `words` end in the text, if they stand at `start`: without regard to case, any white space between them.
fn end_of(text: &str, start: usize, words: &str) -> Option<usize> {
    let mut rest = text[start..].char_indices().peekable();
    for wanted in words.chars() {
        if wanted == ' ' {
            rest.next_if(|(_, c)| c.is_whitespace())?;
            while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            continue;
        }
        rest.next_if(|(_, c)| c.to_lowercase().eq(std::iter::once(wanted)))?;
    }
    match rest.next() {
        Some((_, c)) if c.is_alphanumeric() => None,
        Some((at, _)) => Some(start + at),
        None => Some(text.len()),
    }
}
