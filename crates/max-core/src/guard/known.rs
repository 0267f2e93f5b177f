//! What may be said to a client: the figures of his lead's results, and his own words.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value as Json;

use super::{people, promises};
use crate::figures::{self, Money, Percent, Value};
use crate::lead::Lead;
use crate::policy::Policy;
use crate::prose;
use crate::stage::Stage;
use crate::stages::closer::{LeverKind, Proposal};
use crate::stages::delivery_pm::{Class, sorted_requests};
use crate::stages::scoping::Scope;

/// Keys under which results keep the client's words. What stands beside one of them is his figure, not ours.
const HIS_WORDS: [&str; 7] = ["quote", "quotes", "evidence", "wants", "goal", "facts", "asks"];

/// What may be said.
#[derive(Debug, Default)]
pub struct Known {
    amounts: BTreeSet<i64>,
    currencies: BTreeSet<String>,
    basis_points: BTreeSet<i64>,
    dates: BTreeSet<Date>,
    /// Text of results that the agency answers for.
    ours: String,
    /// The client's words, in lower case.
    his: String,
    his_figures: Vec<Value>,
    /// The lead's own ids and those of what it holds.
    ids: BTreeSet<String>,
    emails: BTreeSet<String>,
    /// The domain of the client's address, where it is his and not a mail provider's.
    domain: Option<String>,
    phones: BTreeSet<String>,
    /// What is agreed to cost nothing: a defect that is mended, an item given with the offer.
    free: Vec<FreeThing>,
    /// Whether it is known how the agency is reached; without that, its own address looks like a stranger's.
    names_agency: bool,
}

impl Known {
    /// What may be said to the client of this lead.
    pub fn of(lead: &Lead, policy: &Policy, client_words: &str) -> Self {
        let mut known = Self { his: format!("{client_words}\n"), ..Self::default() };
        known.names_agency = !policy.own_words.is_empty();
        known.read_contact(lead);
        for values in lead.data.values() {
            values.values().for_each(|value| known.walk("", value, false));
        }
        known.free = free_things(lead);
        known.read_policy(policy);
        known.read_history(lead);
        known.his_figures = figures::find(&known.his).into_iter().map(|f| f.value).collect();
        known.his = known.his.to_lowercase();
        let own: Vec<&str> = policy.own_words.iter().chain(policy.disclosures.values()).map(String::as_str).collect();
        let own = own.join("\n");
        let words = format!("{}\n{}\n{}", known.his, known.ours, own);
        known.emails.extend(people::emails(&words).map(|(_, email)| email));
        known.phones.extend(people::phones(&words).map(|(_, digits)| digits));
        known
    }

    fn read_contact(&mut self, lead: &Lead) {
        let contact = &lead.contact;
        let words = [Some(contact.message.as_str()), contact.budget.as_deref(), contact.timeline.as_deref()];
        let more = [contact.phone.as_deref(), contact.website.as_deref(), contact.role.as_deref()];
        let extra = contact.extra.values().filter_map(Json::as_str);
        for text in words.into_iter().chain(more).flatten().chain(extra) {
            self.his.push_str(text);
            self.his.push('\n');
        }
        let email = contact.email.trim().to_lowercase();
        self.domain = email.split_once('@').map(|(_, domain)| domain.to_owned()).filter(|d| !people::is_provider(d));
        self.emails.insert(email);
        self.phones.extend(contact.phone.iter().map(|phone| people::digits(phone)));
    }

    fn read_policy(&mut self, policy: &Policy) {
        self.currencies.insert(policy.rate_card.currency.clone());
        self.basis_points.insert(i64::from(policy.rate_card.vat_basis_points));
        self.basis_points.insert(i64::from(policy.deposit_basis_points));
    }

    fn read_history(&mut self, lead: &Lead) {
        let day = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        self.dates.extend(lead.messages.iter().map(|m| day(m.at)));
        self.dates.extend(lead.history.iter().map(|step| day(step.at)));
        self.dates.extend([day(lead.created_at), day(lead.updated_at)]);
        self.dates.extend(lead.signature.iter().chain(lead.accepted_milestones.values()).map(|s| day(s.at)));
        self.ids.insert(lead.id.to_string());
        self.ids.extend(lead.messages.iter().map(|m| m.id.to_string()));
        self.ids.extend(lead.decided.keys().map(ToString::to_string));
        self.ids.extend(lead.pending_approval().map(|a| a.id.to_string()));
    }

    /// Reads a result: what it says in numbers and dates is agreed or about to be decided, unless the client said it.
    fn walk(&mut self, key: &str, value: &Json, his: bool) {
        match value {
            Json::Object(fields) => {
                let his = his || fields.contains_key("quote") || fields.contains_key("evidence");
                fields.iter().for_each(|(key, value)| self.walk(key, value, his || HIS_WORDS.contains(&key.as_str())));
            }
            Json::Array(items) => items.iter().for_each(|item| self.walk(key, item, his)),
            Json::Number(number) if !his => self.number(key, number.as_i64().unwrap_or_default()),
            Json::String(text) if his => {
                self.his.push_str(text);
                self.his.push('\n');
            }
            Json::String(text) => self.text(key, text),
            _ => {}
        }
    }

    fn number(&mut self, key: &str, number: i64) {
        if key.ends_with("_minor") || key == "minor" {
            self.amounts.insert(number);
        } else if key.ends_with("basis_points") {
            self.basis_points.insert(number);
        } else if key.ends_with("percent") {
            self.basis_points.insert(number.saturating_mul(100));
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        if let Ok(date) = text.parse::<Date>() {
            self.dates.insert(date);
        } else if key == "currency" {
            self.currencies.insert(text.to_owned());
        } else {
            self.ours.push_str(text);
            self.ours.push('\n');
        }
    }

    /// Whether both ends of an amount stand in a result, in its currency.
    pub fn has_money(&self, money: &Money) -> bool {
        let currency = money.currency.is_none_or(|c| self.currencies.contains(c));
        currency && [money.low, money.high].iter().all(|minor| self.amounts.contains(minor))
    }

    /// Whether both ends of a percentage stand in a result.
    pub fn has_percent(&self, percent: &Percent) -> bool {
        [percent.low, percent.high].iter().all(|points| self.basis_points.contains(points))
    }

    /// Whether a day can be one of a result.
    pub fn has_date(&self, value: &Value) -> bool {
        match value {
            Value::Date(readings) => readings.iter().any(|date| self.dates.contains(date)),
            Value::Day { month, day } => self.dates.iter().any(|d| d.month() == *month && d.day() == *day),
            Value::Month { year, month } => self.dates.iter().any(|d| d.year() == *year && d.month() == *month),
            Value::Money(_) | Value::Percent(_) => false,
        }
    }

    /// Whether the client has named this figure.
    pub fn client_named(&self, value: &Value) -> bool {
        self.his_figures.iter().any(|his| same(his, value))
    }

    /// Whether the client has used these words (in lower case).
    pub fn client_said(&self, words: &str) -> bool {
        self.his.contains(words)
    }

    /// Whether a promise is kept by a result: a defect is mended at no charge, a free item is free. What is free is
    /// named in the same sentence; a free newsletter makes no free hosting.
    pub fn agreed_to(&self, promise: &str, sentence: &str) -> bool {
        promises::is_free(promise) && self.free.iter().any(|thing| thing.is_named_in(sentence))
    }

    /// Whether an address is the client's, the agency's, or one that the client wrote himself.
    pub fn has_email(&self, email: &str) -> bool {
        let domain = email.split_once('@').map(|(_, domain)| domain);
        !self.names_agency || self.emails.contains(email) || (domain.is_some() && domain == self.domain.as_deref())
    }

    /// The same for a telephone number, by its last digits: `+49 30 …` and `030 …` are one number.
    pub fn has_phone(&self, digits: &str) -> bool {
        let tail = |number: &str| number.chars().rev().take(8).collect::<String>();
        !self.names_agency || self.phones.iter().any(|known| tail(known) == tail(digits))
    }

    /// Whether an id is the lead's, or stands in what it holds.
    pub fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id) || self.ours.contains(id) || self.his.contains(id)
    }
}

/// Something that is agreed to cost nothing.
#[derive(Debug)]
struct FreeThing {
    /// The ids it has in scope, offer and requests.
    ids: Vec<String>,
    /// The words that name it, in lower case.
    words: BTreeSet<String>,
}

impl FreeThing {
    fn new(ids: Vec<String>, texts: &[&str]) -> Self {
        let words = texts.iter().flat_map(|text| prose::words(text).split(' ').map(str::to_owned).collect::<Vec<_>>());
        Self { ids, words: words.filter(|word| prose::is_concrete(word)).collect() }
    }

    /// By its id, or by two of its words (by the only one, where it has no more).
    fn is_named_in(&self, sentence: &str) -> bool {
        let said = prose::words(sentence);
        let said: BTreeSet<&str> = said.split(' ').collect();
        let named = self.words.iter().filter(|word| said.contains(word.as_str())).count();
        let by_id = |id: &String| !id.is_empty() && sentence.contains(id.as_str());
        self.ids.iter().any(by_id) || (named > 0 && named >= self.words.len().min(2))
    }
}

fn free_things(lead: &Lead) -> Vec<FreeThing> {
    let scope: Option<Scope> = lead.stage_value(Stage::Scoping, "scope");
    let requirement = |id: &str| scope.as_ref().and_then(|scope| scope.requirement(id));
    let offer: Option<Proposal> = lead.stage_value(Stage::Closer, "proposal");
    let levers = offer.iter().flat_map(|offer| &offer.levers).filter(|lever| lever.kind == LeverKind::FreeItem);
    let given = levers.map(|lever| {
        let text = requirement(&lever.requirement).map_or("", |r| r.text.as_str());
        FreeThing::new(vec![lever.requirement.clone()], &[text])
    });
    let requests = sorted_requests(lead);
    let defects = requests.iter().filter(|request| request.class == Class::Defect).map(|request| {
        let concerns = request.requirement.clone().unwrap_or_default();
        let text = requirement(&concerns).map_or("", |r| r.text.as_str());
        FreeThing::new(vec![request.id.clone(), concerns.clone()], &[text, &request.quote])
    });
    given.chain(defects).collect()
}

/// The same figure, whichever way it was written.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Money(a), Value::Money(b)) => {
            let currency = a.currency.is_none() || b.currency.is_none() || a.currency == b.currency;
            currency && (a.low, a.high) == (b.low, b.high)
        }
        (Value::Date(a), Value::Date(b)) => a.iter().any(|date| b.contains(date)),
        (a, b) => a == b,
    }
}
