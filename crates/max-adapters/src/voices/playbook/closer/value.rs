//! What a solution is worth in a year, from the client's own numbers: how often something happens, times what it
//! costs each time. Where the client gave no such numbers, nothing is claimed.

use max_core::figures::{self, Value};
use max_core::stages::closer::{Factor, Sourced, ValueClaim};
use max_documents::Lang;

use super::super::text::{sentences, tame};
use super::super::turn::{Turn, Words};

/// The value claim, if two numbers of the client make one.
pub fn claim(turn: &Turn) -> Option<ValueClaim> {
    turn.said().iter().find_map(|words| in_message(words, turn.lang))
}

fn in_message(words: &Words, lang: Lang) -> Option<ValueClaim> {
    let all = sentences(&words.text);
    all.iter().enumerate().find_map(|(at, sentence)| {
        let often = often(sentence.text)?;
        // The cost stands in the same sentence or in the next one.
        let (cost, quote) = all.iter().skip(at).take(2).find_map(|s| each(s.text).map(|minor| (minor, s.text)))?;
        let said = |quote: &str| Some(Sourced { quote: quote.to_owned(), source: words.source.clone() });
        // A quote that cannot be repeated as it is cannot be shown.
        let plain = |text: &str| tame(text, 400) == text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !plain(sentence.text) || !plain(quote) {
            return None;
        }
        let factors = vec![
            Factor { label: often.unit, value: often.number, money: false, said: said(sentence.text) },
            Factor { label: often.period.label(lang).into(), value: often.period.a_year(), money: false, said: None },
            Factor {
                label: lang.pick(["each", "je Mal", "per keer", "chacune"]).into(),
                value: cost,
                money: true,
                said: said(quote),
            },
        ];
        let yearly_minor = factors.iter().try_fold(1i64, |product, f| product.checked_mul(f.value))?;
        (yearly_minor > 0).then_some(ValueClaim { factors, yearly_minor })
    })
}

struct Often {
    number: i64,
    unit: String,
    period: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    const WORDS: [(Period, &'static [&'static str]); 3] = [
        (
            Period::Week,
            &[
                "a week",
                "per week",
                "every week",
                "each week",
                "pro woche",
                "in der woche",
                "die woche",
                "per semaine",
                "par semaine",
            ],
        ),
        (Period::Month, &["a month", "per month", "every month", "pro monat", "im monat", "per maand", "par mois"]),
        (Period::Day, &["a day", "per day", "every day", "pro tag", "am tag", "per dag", "par jour"]),
    ];

    /// How many of it a year has; of days, those on which people work.
    fn a_year(self) -> i64 {
        match self {
            Period::Day => 220,
            Period::Week => 52,
            Period::Month => 12,
        }
    }

    fn label(self, lang: Lang) -> &'static str {
        match self {
            Period::Day => lang.pick(["working days", "Arbeitstage", "werkdagen", "jours ouvrés"]),
            Period::Week => lang.pick(["weeks", "Wochen", "weken", "semaines"]),
            Period::Month => lang.pick(["months", "Monate", "maanden", "mois"]),
        }
    }
}

/// `6 hours a week`: a number, what it counts, and the period.
fn often(sentence: &str) -> Option<Often> {
    let lower = sentence.to_lowercase();
    if lower.len() != sentence.len() {
        return None;
    }
    let (at, period) = Period::WORDS
        .into_iter()
        .find_map(|(period, words)| words.iter().find_map(|w| lower.find(w)).map(|at| (at, period)))?;
    // The two or three words before the period: `6 hours`, `6 new guests`.
    let before: Vec<&str> = sentence.get(..at)?.split_whitespace().collect();
    let (place, number) = before.iter().enumerate().rev().take(4).find_map(|(i, word)| {
        let digits = !word.is_empty() && word.len() <= 5 && word.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| word.parse::<i64>().ok()).flatten().map(|n| (i, n))
    })?;
    let unit = before.get(place + 1..)?.join(" ");
    let worded = !unit.is_empty() && unit.chars().all(|c| c.is_alphabetic() || c == ' ' || c == '-');
    (worded && number > 0).then_some(Often { number, unit, period })
}

/// `40 EUR each`: one amount of money, said to be for one time.
fn each(sentence: &str) -> Option<i64> {
    const EACH: &[&str] =
        &["each", "per ", "an hour", "every", "jede", "je ", "pro ", "elk", "chaque", "chacun", "par "];
    let lower = sentence.to_lowercase();
    let amounts: Vec<i64> = figures::find(sentence)
        .into_iter()
        .filter_map(|f| match f.value {
            Value::Money(m) if m.low == m.high && m.currency.is_some() => Some(m.low),
            _ => None,
        })
        .collect();
    match amounts.as_slice() {
        [one] if *one > 0 && EACH.iter().any(|w| lower.contains(w)) => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<i64> {
        in_message(&Words { source: "lead".into(), text: text.into() }, Lang::En).map(|claim| claim.yearly_minor)
    }

    #[test]
    fn two_numbers_of_the_client_make_a_value() {
        assert_eq!(of("We lose 6 hours a week on the phone. Each hour costs us 40 EUR."), Some(6 * 52 * 4_000));
        assert_eq!(of("Wir verlieren 3 Buchungen pro Woche, jede bringt 80 EUR."), Some(3 * 52 * 8_000));
    }

    #[test]
    fn without_both_numbers_nothing_is_claimed() {
        assert_eq!(of("We lose many hours a week. Our budget is 9,000 EUR."), None);
        assert_eq!(of("We get 20 bookings a week."), None);
        assert_eq!(of("A week costs us 40 EUR."), None);
    }
}
