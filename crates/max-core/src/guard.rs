//! The outgoing guard: what a text may not say, because nobody has agreed to it or because it is not the reader's.
//!
//! A figure may leave when it stands in a typed result of this lead, in whatever way the language writes it. What the
//! client himself has said may be repeated inside quotation marks. Everything else is found here, and holds the message.
//!
//! `known` lists what may be said, `promises` the words that bind the agency, `secrets` what never leaves.

mod known;
mod people;
mod promises;
mod secrets;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::command::{OutgoingText, Seen};
use crate::figures::{self, Value};
use crate::lead::{Draft, Lead};
use crate::policy::Policy;
use crate::rules::{Rule, Weight};
use crate::stages::{Finding, placeholder};

pub use people::addresses;

use known::Known;

/// What is checked in everything that goes out.
pub const RULES: &[Rule] = &[
    Rule {
        id: "OG-1",
        says: "An amount of money in a message stands in a typed result of this lead, or in the client's own quoted words.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_1_an_amount_that_nobody_agreed_to_is_held_in_every_locale",
    },
    Rule {
        id: "OG-2",
        says: "A percentage in a message stands in a typed result of this lead, or in the client's own quoted words.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_2_a_percentage_that_nobody_agreed_to_is_held",
    },
    Rule {
        id: "OG-3",
        says: "A date in a message stands in a typed result or in the history of this lead.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_3_a_date_that_nobody_agreed_to_is_held",
    },
    Rule {
        id: "OG-4",
        says: "A message guarantees nothing and gives nothing away but the item that is agreed to be free, named beside it.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_4_a_promise_is_held_in_every_language",
    },
    Rule {
        id: "OG-5",
        says: "No placeholder leaves the house.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_5_a_placeholder_is_held",
    },
    Rule {
        id: "OG-6",
        says: "No key, token or password leaves the house.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_6_a_secret_is_held_and_not_repeated",
    },
    Rule {
        id: "OG-7",
        says: "No address, number or id of anybody but this client and the agency stands in a message.",
        weight: Weight::Blocks,
        check: "guard::check",
        test: "og_7_other_peoples_data_is_held",
    },
];

/// What a text may not say to this client, given what was looked up about it.
pub fn check(lead: &Lead, policy: &Policy, text: &OutgoingText, seen: &Seen) -> Vec<Finding> {
    let known = Known::of(lead, policy, &seen.client_words());
    let mut findings = Vec::new();
    for part in [text.subject.as_str(), text.body.as_str()] {
        let quoted = quotations(part);
        check_figures(part, &quoted, &known, &mut findings);
        for (span, words) in promises::find(part) {
            let repeated = is_quoted(&span, &quoted) && known.client_said(words);
            if !repeated && !known.agreed_to(words, sentence_around(part, &span)) {
                let detail = format!("`{}` promises more than anybody has agreed to", &part[span.clone()]);
                findings.push(found("OG-4", &part[span], detail, "say what the contract says, or leave it out"));
            }
        }
        if let Some(word) = placeholder(part) {
            let detail = format!("the text still holds the placeholder `{word}`");
            findings.push(found("OG-5", word, detail, "fill it in"));
        }
        for kind in secrets::find(part) {
            // The secret itself must not travel on in a finding.
            let detail = format!("the text holds what looks like {}", kind.words());
            findings.push(found("OG-6", kind.words(), detail, "send an invitation instead, and change the secret"));
        }
        people::check(part, &known, &seen.strangers, &mut findings);
    }
    let mut once: Vec<Finding> = Vec::with_capacity(findings.len());
    findings.into_iter().for_each(|f| {
        if !once.contains(&f) {
            once.push(f)
        }
    });
    once
}

/// The sentence that a place stands in.
fn sentence_around<'t>(text: &'t str, span: &Range<usize>) -> &'t str {
    let ends = |(at, c): (usize, char)| {
        let next = text[at + c.len_utf8()..].chars().next();
        (c == '\n' && next.is_none_or(|c| c == '\n'))
            || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace))
    };
    let from = text[..span.start].char_indices().rev().find(|at| ends(*at)).map_or(0, |(at, c)| at + c.len_utf8());
    let rest = text[span.end..].char_indices().map(|(at, c)| (at + span.end, c));
    let to = rest.into_iter().find(|at| ends(*at)).map_or(text.len(), |(at, _)| at);
    text.get(from..to).unwrap_or_default()
}

/// What the drafts of a turn may not say.
pub fn check_drafts(lead: &Lead, policy: &Policy, drafts: &[Draft], seen: &Seen) -> Vec<Finding> {
    let text = |draft: &Draft| OutgoingText { subject: draft.subject.clone(), body: draft.body.clone() };
    drafts.iter().flat_map(|draft| check(lead, policy, &text(draft), seen)).collect()
}

fn check_figures(part: &str, quoted: &[Range<usize>], known: &Known, findings: &mut Vec<Finding>) {
    for figure in figures::find(part) {
        let words = part.get(figure.span.clone()).unwrap_or_default().trim();
        if is_quoted(&figure.span, quoted) && known.client_named(&figure.value) {
            continue;
        }
        let (rule, what, agreed) = match &figure.value {
            Value::Money(money) => ("OG-1", "amount", known.has_money(money)),
            Value::Percent(percent) => ("OG-2", "percentage", known.has_percent(percent)),
            Value::Date(_) | Value::Day { .. } | Value::Month { .. } => ("OG-3", "date", known.has_date(&figure.value)),
        };
        if !agreed {
            let detail = format!("the {what} `{words}` stands in no result of this lead");
            let remedy = "leave it out, or put it into the offer, contract or plan first";
            findings.push(found(rule, words, detail, remedy));
        }
    }
}

/// A finding whose place is the words themselves, so that the same words are found again when the message leaves.
fn found(rule: &str, words: &str, detail: String, remedy: &str) -> Finding {
    let place: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    Finding::new(rule, detail).at(format!("message: {place}")).mend(remedy)
}

/// The longest quotation; a mark without its partner quotes nothing.
const LONGEST_QUOTE: usize = 2_000;

/// Where the text repeats somebody's words: inside quotation marks of any of the four languages, or in lines that begin
/// with `>` as mail programs write them.
fn quotations(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, mark) in text.char_indices() {
        match open {
            Some((from, opened)) if closes(opened, mark) => {
                ranges.push(from..at);
                open = None;
            }
            Some((from, _)) if at - from > LONGEST_QUOTE => open = None,
            None if matches!(mark, '"' | '“' | '”' | '„' | '«' | '»' | '‘' | '‚') => {
                open = Some((at, mark))
            }
            _ => {}
        }
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('>') {
            ranges.push(at..at + line.len());
        }
        at += line.len();
    }
    ranges
}

fn closes(opened: char, mark: char) -> bool {
    match opened {
        '"' => mark == '"',
        '„' => matches!(mark, '“' | '”' | '"'),
        '“' | '”' => mark == '”',
        '«' => mark == '»',
        '»' => mark == '«',
        '‘' | '‚' => matches!(mark, '’' | '‘'),
        _ => false,
    }
}

fn is_quoted(span: &Range<usize>, quoted: &[Range<usize>]) -> bool {
    quoted.iter().any(|range| range.start <= span.start && span.end <= range.end)
}
