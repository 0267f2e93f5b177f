//! The languages that documents are written in, and how each writes money, dates and days.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A language that documents and mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    En,
    /// German.
    De,
    /// Dutch.
    Nl,
    /// French.
    Fr,
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 4] = [Lang::En, Lang::De, Lang::Nl, Lang::Fr];

    /// The text in this language, of texts in the order of [`Lang::ALL`].
    pub fn pick<T>(self, [en, de, nl, fr]: [T; 4]) -> T {
        match self {
            Lang::En => en,
            Lang::De => de,
            Lang::Nl => nl,
            Lang::Fr => fr,
        }
    }

    /// The language of a BCP 47 tag, if it is one of these.
    pub fn of_tag(tag: &str) -> Option<Lang> {
        match tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Some(Lang::En),
            "de" => Some(Lang::De),
            "nl" => Some(Lang::Nl),
            "fr" => Some(Lang::Fr),
            _ => None,
        }
    }

    /// The language's BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::De => "de",
            Lang::Nl => "nl",
            Lang::Fr => "fr",
        }
    }

    /// An amount of minor units: `€1,234.50` or `1.234,50 €`.
    pub fn money(self, minor: i64, currency: &str) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        let cents = minor.unsigned_abs() % 100;
        let symbol = match currency {
            "EUR" => "€",
            "USD" => "$",
            "GBP" => "£",
            other => other,
        };
        match self {
            // A code is a word and keeps its distance, a sign does not.
            Lang::En if symbol == currency => {
                format!("{sign}{symbol} {}.{cents:02}", grouped(minor.unsigned_abs() / 100, ','))
            }
            Lang::En => format!("{sign}{symbol}{}.{cents:02}", grouped(minor.unsigned_abs() / 100, ',')),
            Lang::De => format!("{sign}{},{cents:02} {symbol}", grouped(minor.unsigned_abs() / 100, '.')),
            Lang::Nl => format!("{symbol} {sign}{},{cents:02}", grouped(minor.unsigned_abs() / 100, '.')),
            // A narrow no-break space between thousands, a no-break space before the sign.
            Lang::Fr => {
                format!("{sign}{},{cents:02}\u{a0}{symbol}", grouped(minor.unsigned_abs() / 100, '\u{202f}'))
            }
        }
    }

    /// `22 November 2026` or `22. November 2026`.
    pub fn date(self, date: Date) -> String {
        const EN: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        const DE: [&str; 12] = [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ];
        const NL: [&str; 12] = [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ];
        const FR: [&str; 12] = [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ];
        let month = usize::try_from(date.month() - 1).unwrap_or(0);
        match self {
            Lang::En => format!("{} {} {}", date.day(), EN[month], date.year()),
            Lang::De => format!("{}. {} {}", date.day(), DE[month], date.year()),
            Lang::Nl => format!("{} {} {}", date.day(), NL[month], date.year()),
            Lang::Fr => {
                let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
                format!("{day} {} {}", FR[month], date.year())
            }
        }
    }

    /// Quarters of a day in words: `1.25 days`, `1,25 Tage`.
    pub fn days(self, quarters: u32) -> String {
        let whole = quarters / 4;
        let rest = ["", "25", "5", "75"][usize::try_from(quarters % 4).unwrap_or(0)];
        let point = if self == Lang::En { '.' } else { ',' };
        let number = if rest.is_empty() { whole.to_string() } else { format!("{whole}{point}{rest}") };
        match (self, quarters) {
            (Lang::En, 4) => format!("{number} day"),
            (Lang::En, _) => format!("{number} days"),
            (Lang::De, 4) => format!("{number} Tag"),
            (Lang::De, _) => format!("{number} Tage"),
            (Lang::Nl, 4) => format!("{number} dag"),
            (Lang::Nl, _) => format!("{number} dagen"),
            (Lang::Fr, 0..8) => format!("{number} jour"),
            (Lang::Fr, _) => format!("{number} jours"),
        }
    }

    /// Basis points as percent: `19%`, `7.5%`, `7,5 %`.
    pub fn percent(self, basis_points: u32) -> String {
        let (whole, cents) = (basis_points / 100, basis_points % 100);
        let fraction = format!("{cents:02}");
        let fraction = fraction.trim_end_matches('0');
        match (self, fraction) {
            (Lang::En, "") => format!("{whole}%"),
            (Lang::En, f) => format!("{whole}.{f}%"),
            (Lang::De, "") => format!("{whole} %"),
            (Lang::De, f) => format!("{whole},{f} %"),
            (Lang::Nl, "") => format!("{whole}%"),
            (Lang::Nl, f) => format!("{whole},{f}%"),
            (Lang::Fr, "") => format!("{whole}\u{a0}%"),
            (Lang::Fr, f) => format!("{whole},{f}\u{a0}%"),
        }
    }
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_the_reader_expects() {
        assert_eq!(Lang::En.money(123_450, "EUR"), "€1,234.50");
        assert_eq!(Lang::De.money(123_450, "EUR"), "1.234,50 €");
        assert_eq!(Lang::En.money(100_000_005, "CHF"), "CHF 1,000,000.05");
        assert_eq!(Lang::De.money(-5, "EUR"), "-0,05 €");
        assert_eq!(Lang::En.money(0, "USD"), "$0.00");
        assert_eq!(Lang::Nl.money(123_450, "EUR"), "€ 1.234,50");
        assert_eq!(Lang::Fr.money(123_450, "EUR"), "1\u{202f}234,50\u{a0}€");
    }

    #[test]
    fn days_percent_and_dates_follow_the_language() {
        assert_eq!((Lang::En.days(4), Lang::De.days(5)), ("1 day".into(), "1,25 Tage".into()));
        assert_eq!(Lang::En.days(2), "0.5 days");
        assert_eq!((Lang::En.percent(1900), Lang::De.percent(750)), ("19%".into(), "7,5 %".into()));
        let day = jiff::civil::date(2026, 3, 1);
        assert_eq!((Lang::En.date(day), Lang::De.date(day)), ("1 March 2026".into(), "1. März 2026".into()));
    }
}
