//! Settings described once: the same description reads `max.toml`, writes the commented one and checks both.
//!
//! A section names each of its keys in [`Section::keys`] with a sentence about it. A [`Keys`] visitor then either
//! reads the key from a file (`reader`) or writes it with its default (`writer`), so the file that `max init` writes
//! and the file that MAX understands cannot drift apart.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use max_engine::runs::MicroUsd;
use toml::de::DeValue;

/// A table of `max.toml`.
pub(super) trait Section {
    /// Names every key, in the order in which they are written.
    fn keys(&mut self, keys: &mut dyn Keys);

    /// What is wrong with the values taken together: the key and a sentence that says how to mend it.
    fn check(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Visits the keys of a section.
pub(super) trait Keys {
    /// One key.
    fn key(&mut self, name: &str, about: &str, value: &mut dyn Setting);
    /// A table below this one.
    fn table(&mut self, name: &str, about: &str, section: &mut dyn Section);
    /// A table whose names the owner chooses.
    fn named(&mut self, name: &str, about: &str, example: &str, table: &mut dyn Named);
}

/// A table whose names the owner chooses.
pub(super) trait Named {
    /// The names that there are.
    fn names(&self) -> Vec<String>;
    /// What stands under a name; made when it is new, refused with a reason when it cannot be a name.
    fn entry(&mut self, name: &str) -> Result<Item<'_>, String>;
}

/// What stands under a name.
pub(super) enum Item<'a> {
    /// A value.
    Setting(&'a mut dyn Setting),
    /// A table.
    Section(&'a mut dyn Section),
}

/// A value of `max.toml`.
pub(super) trait Setting {
    /// Takes the value, or says what it should have been, fitting "must be …".
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String>;
    /// The value as it stands in the file.
    fn write(&self) -> String;
}

macro_rules! whole_numbers {
    ($($kind:ty),+) => {$(
        impl Setting for $kind {
            fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
                let number = value.as_integer().and_then(|n| <$kind>::from_str_radix(n.as_str(), n.radix()).ok());
                *self = number.ok_or_else(|| format!("a whole number from {} to {}", <$kind>::MIN, <$kind>::MAX))?;
                Ok(())
            }
            fn write(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
whole_numbers!(u8, u16, u32, usize);

impl Setting for bool {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        *self = value.as_bool().ok_or("true or false")?;
        Ok(())
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        *self = text(value, "a text in quotes")?.to_owned();
        Ok(())
    }
    fn write(&self) -> String {
        quoted(self)
    }
}

impl Setting for Vec<u16> {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "a list of whole numbers, such as [2, 5, 10]";
        let items = value.as_array().ok_or(expected)?;
        *self = items
            .iter()
            .map(|item| {
                let mut number = 0u16;
                number.read(item.get_ref()).map(|()| number)
            })
            .collect::<Result<_, _>>()
            .map_err(|_| expected.to_owned())?;
        Ok(())
    }
    fn write(&self) -> String {
        format!("[{}]", self.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))
    }
}

impl Setting for Vec<String> {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "a list of texts, such as [\"one\", \"two\"]";
        let items = value.as_array().ok_or(expected)?;
        *self = items.iter().map(|item| text(item.get_ref(), expected).map(str::to_owned)).collect::<Result<_, _>>()?;
        Ok(())
    }
    fn write(&self) -> String {
        format!("[{}]", self.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
    }
}

impl Setting for SocketAddr {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "an address with a port, such as \"127.0.0.1:8420\"";
        *self = text(value, expected)?.parse().map_err(|_| expected.to_owned())?;
        Ok(())
    }
    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for SignedDuration {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "a time span, such as \"90s\", \"10m\", \"24h\" or \"2d\"";
        *self = duration(text(value, expected)?).ok_or_else(|| expected.to_owned())?;
        Ok(())
    }
    fn write(&self) -> String {
        quoted(&format!("{self:#}"))
    }
}

impl Setting for Time {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "a time of day, such as \"09:00\"";
        *self = text(value, expected)?.parse().map_err(|_| expected.to_owned())?;
        Ok(())
    }
    fn write(&self) -> String {
        quoted(&self.strftime("%H:%M").to_string())
    }
}

impl Setting for TimeZone {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "a time zone, such as \"Europe/Berlin\" or \"UTC\"";
        *self = TimeZone::get(text(value, expected)?).map_err(|_| expected.to_owned())?;
        Ok(())
    }
    fn write(&self) -> String {
        quoted(self.iana_name().unwrap_or("UTC"))
    }
}

/// A share that stands in the file in percent and in MAX in basis points.
pub(super) struct Percent<'a>(pub(super) &'a mut u32);

impl Setting for Percent<'_> {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let number = match value {
            DeValue::Integer(n) => n.as_str().parse::<f64>().ok(),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let percent = number.filter(|n| (0.0..=100.0).contains(n)).ok_or("a number from 0 to 100")?;
        let points = (0..=10_000u32).find(|points| (f64::from(*points) - percent * 100.0).abs() < 1e-6);
        *self.0 = points.ok_or("a number from 0 to 100 with at most two decimals")?;
        Ok(())
    }
    fn write(&self) -> String {
        match (*self.0 / 100, *self.0 % 100) {
            (whole, 0) => whole.to_string(),
            (whole, rest) => format!("{whole}.{rest:02}").trim_end_matches('0').to_owned(),
        }
    }
}

/// Money: US dollars with up to six decimals in the file, whole millionths in MAX.
pub(super) struct Dollars<'a>(pub(super) &'a mut MicroUsd);

impl Setting for Dollars<'_> {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let expected = "an amount in US dollars with at most six decimals, such as 5 or 0.25";
        let text = match value {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str(),
            DeValue::Float(n) => n.as_str(),
            _ => return Err(expected.to_owned()),
        };
        *self.0 = micro_usd(text).ok_or(expected)?;
        Ok(())
    }
    fn write(&self) -> String {
        let (whole, rest) = (self.0.0 / 1_000_000, self.0.0 % 1_000_000);
        match rest {
            0 => whole.to_string(),
            rest => format!("{whole}.{rest:06}").trim_end_matches('0').to_owned(),
        }
    }
}

/// Exactly what was written, digit by digit: money goes through no float.
fn micro_usd(text: &str) -> Option<MicroUsd> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 6 || !whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let rest: u64 = format!("{decimals:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(rest).map(MicroUsd)
}

/// A text that must be one of a few words.
pub(super) struct OneOf<'a> {
    pub(super) value: &'a mut String,
    pub(super) words: &'static [&'static str],
}

impl Setting for OneOf<'_> {
    fn read(&mut self, value: &DeValue<'_>) -> Result<(), String> {
        let word = value.as_str().and_then(|text| self.words.iter().find(|word| **word == text));
        *self.value = (*word.ok_or_else(|| format!("one of {}", self.words.join(", ")))?).to_owned();
        Ok(())
    }
    fn write(&self) -> String {
        quoted(self.value)
    }
}

impl Named for BTreeMap<String, TimeZone> {
    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
    fn entry(&mut self, name: &str) -> Result<Item<'_>, String> {
        Ok(Item::Setting(BTreeMap::entry(self, name.to_lowercase()).or_insert(TimeZone::UTC)))
    }
}

/// A time span as people write it; a day has 24 hours. Never negative.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let span: Span = text.trim().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!duration.is_negative()).then_some(duration)
}

fn text<'v>(value: &'v DeValue<'_>, expected: &str) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| expected.to_owned())
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
