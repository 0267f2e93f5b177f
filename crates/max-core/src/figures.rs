//! Figures in free text: amounts of money, percentages and dates, in every way that en, de, nl and fr write them.
//!
//! [`find`] lists them with their place and their value; [`budget`] reads what somebody wants to spend. Both take any
//! text and never fail. What cannot be told apart is not guessed: `03/01/2027` is two days, an amount without a
//! currency has none.
//!
//! `scan` walks over the text, `amounts` reads money and percentages, `dates` reads days and months.

mod amounts;
mod dates;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use scan::Scan;

/// A figure and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// What it says.
    pub value: Value,
}

/// What a figure says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An amount of money, or a range of them.
    Money(Money),
    /// A percentage, or a range of them.
    Percent(Percent),
    /// A day: one reading, or both where day and month cannot be told apart.
    Date(Vec<Date>),
    /// A day without its year.
    Day {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// A month of a year.
    Month {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: i8,
    },
}

/// An amount of money; `low` and `high` are the same unless it is a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// The lower end, in minor units.
    pub low: i64,
    /// The upper end, in minor units.
    pub high: i64,
    /// Its currency (ISO 4217), where the text names one.
    pub currency: Option<&'static str>,
}

/// A percentage; `low` and `high` are the same unless it is a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    /// The lower end, in basis points.
    pub low: i64,
    /// The upper end, in basis points.
    pub high: i64,
}

/// What somebody wants to spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The lower end, in minor units; 0 for "up to".
    pub low: i64,
    /// The upper end, in minor units.
    pub high: i64,
    /// Its currency (ISO 4217), where the text names one.
    pub currency: Option<String>,
    /// True for a net amount, false for a gross one, nothing where the text does not say.
    pub net: Option<bool>,
}

/// Every figure of the text, in order.
pub fn find(text: &str) -> Vec<Figure> {
    let scan = Scan::new(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < scan.len() {
        let read = dates::read(&scan, at).or_else(|| amounts::read(&scan, at));
        match read {
            Some((from, to, value)) => {
                // In "5 € 6" the sign belongs to the 5; a figure never begins inside the one before it.
                let from = scan.byte(from).max(last_end(&found));
                found.push(Figure { span: from..scan.byte(to), value });
                at = to.max(at + 1);
            }
            None => at = scan.after_word(at),
        }
    }
    found
}

fn last_end(found: &[Figure]) -> usize {
    found.last().map_or(0, |figure| figure.span.end)
}

/// What the text says about money to spend: the amount nearest after a word such as "budget", else the first one.
/// A text that is nothing but a number is one too, for that is how people fill in forms.
pub fn budget(text: &str) -> Option<Budget> {
    budget_at(text).map(|(_, budget)| budget)
}

/// The same with the place of its words.
pub fn budget_at(text: &str) -> Option<(Range<usize>, Budget)> {
    let lower = scan::lower(text);
    let cue = ["budget", "spend", "ausgeben", "besteden", "uitgeven", "dépenser"].iter().find_map(|w| lower.find(w));
    let amounts: Vec<(Range<usize>, Money)> = find(text)
        .into_iter()
        .filter_map(|figure| match figure.value {
            Value::Money(money) => Some((figure.span, money)),
            _ => None,
        })
        .collect();
    let near = cue.and_then(|cue| {
        // Within a sentence or so; further away the word and the amount have nothing to do with each other.
        let distance = |span: &Range<usize>| span.start.abs_diff(cue);
        amounts.iter().filter(|(span, _)| distance(span) <= 160).min_by_key(|(span, _)| distance(span))
    });
    let (span, money) = match near.or(amounts.first()) {
        Some(amount) => amount.clone(),
        None => amounts::bare_budget(text).or_else(|| after_budget(text))?,
    };
    let currency = money.currency.map(str::to_owned);
    let low = if at_most(text, span.start) { 0 } else { money.low };
    let budget = Budget { low, high: money.high, currency, net: net(text, &span) };
    Some((span, budget))
}

/// A number without a currency right after the word "budget", in a longer text.
fn after_budget(text: &str) -> Option<(Range<usize>, Money)> {
    let lower = scan::lower(text);
    lower.match_indices("budget").find_map(|(at, _)| {
        // Lower case may be longer or shorter; a cue that does not stand at the same place is left alone.
        let rest = text.get(at..).filter(|rest| rest.get(..6).is_some_and(|w| w.eq_ignore_ascii_case("budget")))?;
        let ends = ["\n", ";", "!", "?", ", ", ". "];
        let end = ends.iter().filter_map(|e| rest.find(e)).min().unwrap_or(rest.len());
        let (span, money) = amounts::bare_budget(rest.get(..end)?)?;
        Some((span.start + at..span.end + at, money))
    })
}

/// Whether the amount is said to be net or gross.
fn net(text: &str, span: &Range<usize>) -> Option<bool> {
    const NET: &[&str] = &[
        "ex vat",
        "excl vat",
        "excl. vat",
        "excluding vat",
        "plus vat",
        "+ vat",
        "before vat",
        "net",
        "netto",
        "zzgl",
        "exkl",
        "ohne mwst",
        "ohne ust",
        "plus mwst",
        "zuzüglich",
        "excl btw",
        "excl. btw",
        "ex btw",
        "ex. btw",
        "exclusief",
        "zonder btw",
        "ht",
        "h.t",
        "hors taxe",
        "hors tva",
        "htva",
    ];
    const GROSS: &[&str] = &[
        "incl vat",
        "incl. vat",
        "including vat",
        "inc vat",
        "inc. vat",
        "gross",
        "brutto",
        "bruto",
        "inkl",
        "inklusive",
        "mit mwst",
        "incl btw",
        "incl. btw",
        "inclusief",
        "met btw",
        "ttc",
        "t.t.c",
        "toutes taxes",
        "tva comprise",
        "tvac",
    ];
    let (before, after) = scan::around(text, span, 12, 28);
    let after = scan::lower(after);
    let before = scan::lower(before);
    let says = |text: &str, words: &[&str]| words.iter().filter_map(|w| scan::word_at(text, w)).min();
    match (says(&after, NET), says(&after, GROSS)) {
        (Some(net), Some(gross)) => Some(net < gross),
        (Some(_), None) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) if says(&before, NET).is_some() => Some(true),
        (None, None) => says(&before, GROSS).map(|_| false),
    }
}

/// True for "up to 20k": only the upper end is said.
fn at_most(text: &str, start: usize) -> bool {
    const UP_TO: &[&str] = &[
        "up to",
        "at most",
        "max",
        "max.",
        "maximum",
        "no more than",
        "not more than",
        "under",
        "below",
        "bis",
        "bis zu",
        "höchstens",
        "maximal",
        "unter",
        "tot",
        "hoogstens",
        "maximaal",
        "onder",
        "jusqu'à",
        "jusqu’à",
        "moins de",
        "au plus",
        "au maximum",
        "maximum de",
    ];
    let (before, _) = scan::around(text, &(start..start), 16, 0);
    let before = scan::lower(before);
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || c == ':');
    UP_TO.iter().any(|w| {
        before.strip_suffix(w).is_some_and(|rest| rest.chars().next_back().is_none_or(|c| !c.is_alphanumeric()))
    })
}
