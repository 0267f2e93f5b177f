//! The words of an offer: each number of a value claim in the client's own words, and no figure anywhere that the offer
//! does not hold. That quotes were said is looked at for all stages together (`stages::sources`).

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::Value as Json;

use super::Finding;
use super::proposal::Proposal;
use crate::figures::{self, Value};
use crate::lead::Lead;
use crate::stages::Work;
use crate::stages::scoping::Scope;

/// PC-9: the formula, and where its numbers come from.
pub(super) fn value(p: &Proposal, findings: &mut Vec<Finding>) {
    let Some(claim) = &p.sections.value else { return };
    let product = claim.factors.iter().map(|f| i128::from(f.value)).product::<i128>();
    let place = "sections.value";
    if claim.factors.len() < 2 || product != i128::from(claim.yearly_minor) {
        findings.push(Finding::new("PC-9", "the value is not the product of its factors").at(place));
    }
    if claim.factors.iter().filter(|f| f.money).count() != 1 {
        findings.push(Finding::new("PC-9", "exactly one factor of a value is an amount of money").at(place));
    }
    if !claim.factors.iter().any(|f| f.said.is_some()) {
        findings.push(Finding::new("PC-9", "a value stands on numbers that the client gave").at(place));
    }
    for factor in &claim.factors {
        let Some(said) = &factor.said else {
            // Weeks, months, working days of a year: the calendar's numbers need no source.
            if ![12, 52, 220, 365].contains(&factor.value) || factor.money {
                let detail = format!("the number {} of `{}` has no source", factor.value, factor.label);
                findings.push(Finding::new("PC-9", detail).at(place));
            }
            continue;
        };
        let spoken = if factor.money {
            figures::find(&said.quote).iter().any(|f| matches!(&f.value, Value::Money(m) if m.low == factor.value))
        } else {
            numbers(&said.quote).any(|n| n == factor.value)
        };
        if !spoken {
            let detail = format!("the client's words do not hold the number {} of `{}`", factor.value, factor.label);
            findings.push(Finding::new("PC-9", detail).at(place));
        }
    }
}

/// The whole numbers of a text.
fn numbers(text: &str) -> impl Iterator<Item = i64> + '_ {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

/// PC-8: the figures of all free texts stand in the offer, in the approved scope or in the client's own words.
pub(super) fn figures(lead: &Lead, p: &Proposal, scope: &Scope, work: &Work, findings: &mut Vec<Finding>) {
    let mut known = Known::default();
    known.take(&serde_json::to_value(p).unwrap_or_default(), "");
    known.take(&serde_json::to_value(scope).unwrap_or_default(), "");
    known.read_all(&serde_json::to_value(scope).unwrap_or_default());
    let contact = &lead.contact;
    for text in [Some(&contact.message), contact.budget.as_ref(), contact.timeline.as_ref()].into_iter().flatten() {
        known.read(text);
    }
    let sections = &p.sections;
    let mut texts: Vec<(&str, &str)> = Vec::new();
    texts.extend(sections.excluded.iter().map(|t| ("sections.excluded", t.as_str())));
    texts.extend(sections.assumptions.iter().map(|t| ("sections.assumptions", t.as_str())));
    texts.extend(sections.changes.iter().map(|t| ("sections.changes", t.as_str())));
    texts.extend(sections.team.iter().map(|m| ("sections.team", m.role.as_str())));
    texts.push(("sections.next_step", &sections.next_step));
    texts.extend(p.levers.iter().map(|l| ("levers", l.in_return.as_str())));
    texts.extend(p.lines.iter().map(|l| ("lines", l.text.as_str())));
    texts.push(("in_return", &p.in_return));
    texts.extend(p.options.iter().flat_map(|o| &o.lines).map(|l| ("options", l.text.as_str())));
    texts.extend(p.options.iter().flat_map(|o| &o.levers).map(|l| ("options", l.in_return.as_str())));
    texts.extend(sections.value.iter().flat_map(|v| &v.factors).map(|f| ("sections.value", f.label.as_str())));
    known.check(&texts, work, findings);
}

/// The same for a contract and the mail it goes out with: the figures of the offer and of its slots.
pub(super) fn contract_figures(p: &Proposal, scope: &Scope, slots: &Json, work: &Work, findings: &mut Vec<Finding>) {
    let mut known = Known::default();
    known.take(&serde_json::to_value(p).unwrap_or_default(), "");
    known.take(&serde_json::to_value(scope).unwrap_or_default(), "");
    known.read_all(&serde_json::to_value(scope).unwrap_or_default());
    known.read_all(slots);
    known.check(&[], work, findings);
}

/// The figures that may be named.
#[derive(Default)]
struct Known {
    money: BTreeSet<i64>,
    percent: BTreeSet<i64>,
    dates: BTreeSet<Date>,
}

impl Known {
    /// The figures of structured data: amounts, shares and dates by the names of their fields.
    fn take(&mut self, json: &Json, name: &str) {
        match json {
            Json::Object(fields) => fields.iter().for_each(|(name, value)| self.take(value, name)),
            Json::Array(values) => values.iter().for_each(|value| self.take(value, name)),
            Json::Number(number) => {
                let Some(number) = number.as_i64() else { return };
                if name.ends_with("_minor") {
                    self.money.insert(number);
                } else if name.ends_with("basis_points") {
                    self.percent.insert(number);
                }
            }
            Json::String(text) => {
                if let Ok(date) = text.parse() {
                    self.dates.insert(date);
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// The figures of every text of the data.
    fn read_all(&mut self, json: &Json) {
        match json {
            Json::Object(fields) => fields.values().for_each(|value| self.read_all(value)),
            Json::Array(values) => values.iter().for_each(|value| self.read_all(value)),
            Json::String(text) => self.read(text),
            _ => {}
        }
    }

    fn read(&mut self, text: &str) {
        for figure in figures::find(text) {
            match figure.value {
                Value::Money(m) => self.money.extend([m.low, m.high]),
                Value::Percent(p) => self.percent.extend([p.low, p.high]),
                Value::Date(readings) => self.dates.extend(readings),
                Value::Day { .. } | Value::Month { .. } => {}
            }
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match value {
            Value::Money(m) => self.money.contains(&m.low) && self.money.contains(&m.high),
            Value::Percent(p) => self.percent.contains(&p.low) && self.percent.contains(&p.high),
            Value::Date(readings) => readings.iter().any(|date| self.dates.contains(date)),
            Value::Day { month, day } => self.dates.iter().any(|d| (d.month(), d.day()) == (*month, *day)),
            Value::Month { year, month } => self.dates.iter().any(|d| (d.year(), d.month()) == (*year, *month)),
        }
    }

    /// Reports every figure of the texts and of the mails that is not known.
    fn check(&self, texts: &[(&str, &str)], work: &Work, findings: &mut Vec<Finding>) {
        let mails = work.messages.iter().flat_map(|m| [("subject", m.subject.as_str()), ("message", m.body.as_str())]);
        for (place, text) in texts.iter().copied().chain(mails) {
            for figure in figures::find(text) {
                if !self.holds(&figure.value) {
                    let words = text.get(figure.span.clone()).unwrap_or_default();
                    findings.push(
                        Finding::new("PC-8", format!("`{words}` stands in no figure of the offer"))
                            .at(place.to_owned())
                            .mend("say it as the offer computes it, or leave it out"),
                    );
                }
            }
        }
    }
}
