//! Whose data a text holds: mail addresses, telephone numbers, ids.

use std::ops::Range;

use super::{Known, found};
use crate::stages::Finding;

/// Providers whose domain many people share: a colleague's address does not follow from it.
const PROVIDERS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "me.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "t-online.de",
    "proton.me",
    "protonmail.com",
    "ziggo.nl",
    "kpnmail.nl",
    "orange.fr",
    "free.fr",
    "laposte.net",
];

/// True for a domain that many people share.
pub fn is_provider(domain: &str) -> bool {
    PROVIDERS.contains(&domain)
}

/// Every mail address of a text, in lower case: what has to be looked up before it leaves.
pub fn addresses(text: &str) -> Vec<String> {
    let mut all: Vec<String> = emails(text).map(|(_, email)| email).collect();
    all.sort();
    all.dedup();
    all
}

/// Finds what is not this client's and not the agency's.
pub fn check(part: &str, known: &Known, strangers: &[String], findings: &mut Vec<Finding>) {
    let remedy = "leave it out: it is not this client's";
    for (span, email) in emails(part) {
        let other = strangers.contains(&email);
        if other || !known.has_email(&email) {
            let whose = if other { "belongs to another client" } else { "is neither this client's nor the agency's" };
            findings.push(found("OG-7", &part[span], format!("the address `{email}` {whose}"), remedy));
        }
    }
    for (span, digits) in phones(part) {
        if strangers.contains(&digits) || !known.has_phone(&digits) {
            let number = &part[span];
            let detail = format!("the number `{number}` is neither this client's nor the agency's");
            findings.push(found("OG-7", number, detail, remedy));
        }
    }
    for id in ids(part).filter(|id| !known.has_id(&id.to_lowercase())) {
        findings.push(found("OG-7", id, format!("the id `{id}` belongs to something else"), remedy));
    }
}

/// Mail addresses with their place, in lower case.
pub fn emails(text: &str) -> impl Iterator<Item = (Range<usize>, String)> + '_ {
    text.match_indices('@').filter_map(|(at, _)| {
        let local = text[..at].char_indices().rev().take_while(|(_, c)| c.is_alphanumeric() || "._%+-".contains(*c));
        let from = local.last()?.0;
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && !".-".contains(c)).unwrap_or(rest.len());
        let domain = rest[..end].trim_end_matches(['.', '-']);
        let span = from..at + 1 + domain.len();
        domain.contains('.').then(|| (span.clone(), text[span].to_lowercase()))
    })
}

/// Telephone numbers written with their country (`+49 …`, `0049 …`), with their place and their digits.
pub fn phones(text: &str) -> impl Iterator<Item = (Range<usize>, String)> + '_ {
    let starts = text.char_indices().filter(move |(at, c)| {
        let alone = text[..*at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '-');
        alone && (*c == '+' || text[*at..].starts_with("00"))
    });
    starts.filter_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.char_indices().find(|(i, c)| *i > 0 && !c.is_ascii_digit() && !" -/().\u{a0}".contains(*c));
        let number = rest[..end.map_or(rest.len(), |(i, _)| i)].trim_end_matches(|c: char| !c.is_ascii_digit());
        let digits = digits(number);
        (8..=15).contains(&digits.len()).then(|| (at..at + number.len(), digits))
    })
}

/// The digits of a number.
pub fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// UUIDs of a text, outside links.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace().filter(|word| !word.contains("://"));
    words.flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')).filter(|word| is_uuid(word))
}

fn is_uuid(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}
