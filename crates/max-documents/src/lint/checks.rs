//! The checks of content, a function for each rule.

use jiff::civil::Date;
use max_core::id::Digest;
use max_core::rules::Weight;
use max_core::stages::{Finding, placeholder};
use serde_json::Value;

use super::read::{self, Kind};
use super::{File, Record};
use crate::Lang;

/// One check: it looks at a file among others and adds what it finds.
pub type Check = fn(&Record, &[File<'_>], &File<'_>, &mut Vec<Finding>);

/// All of them.
pub const ALL: [Check; 7] = [source, placeholders, record, ids, dates, marks, drawing];

/// a page or paper is made from the JSON beside it, and says from which.
pub fn source(record: &Record, files: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    let remedy = "render it again from its JSON";
    let Some((stem, _)) = file.name.rsplit_once('.') else { return };
    let beside = files.iter().find(|other| other.name == format!("{stem}.json"));
    // A contract is the other way round: its JSON names the digest of the page that is signed.
    let own = Digest::of(file.bytes).to_string();
    if beside.is_some_and(|json| String::from_utf8_lossy(json.bytes).contains(&own)) {
        return;
    }
    match (read::source_mark(file), beside) {
        (Some(Err(mark)), _) => {
            findings.push(found("X-1", file, format!("its source `{mark}` is no SHA-256"), remedy));
        }
        (Some(Ok(mark)), Some(json)) if mark != Digest::of(json.bytes) => {
            findings.push(found("X-1", file, format!("it was not made from this {}", json.name), remedy));
        }
        (Some(Ok(mark)), None) if !record.digests.is_empty() && !record.digests.contains(&mark) => {
            findings.push(found("X-1", file, "no file of this lead is its source".to_owned(), remedy));
        }
        (None, Some(_)) if is_document(file) => {
            findings.push(found("X-1", file, "it does not say from which JSON it was made".to_owned(), remedy));
        }
        _ => {}
    }
}

/// nothing was left to be filled in. What the client himself wrote is not ours to fill.
pub fn placeholders(record: &Record, _: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    let words = read::words(file);
    let empty = ["NaN", "undefined"].into_iter().find(|w| words.split(|c: char| !c.is_alphanumeric()).any(|x| x == *w));
    let Some(word) = placeholder(&words).or(empty) else { return };
    if !record.his_words.contains(&word.to_lowercase()) {
        findings.push(found("X-2", file, format!("it still holds the placeholder `{word}`"), "fill it in"));
    }
}

/// names, language and currency are those of the lead.
pub fn record(record: &Record, _: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    if Kind::of(file.name) == Kind::Json {
        return currency(record, file, findings);
    }
    if !is_document(file) {
        return;
    }
    let html = String::from_utf8_lossy(file.bytes);
    let mut differs = |what: &str, is: &str, should: &str| {
        let detail = format!("its {what} is `{is}`; the lead's is `{should}`");
        findings.push(found("X-3", file, detail, "render it again for this lead"));
    };
    if let (Some(lang), Some(should)) = (read::language(&html), record.language)
        && Lang::of_tag(&lang) != Some(should)
    {
        differs("language", &lang, should.tag());
    }
    if let Some(agency) = read::meta(&html, "author").filter(|_| !record.agency.is_empty())
        && !same_words(&agency, &record.agency)
    {
        differs("agency", &agency, &record.agency);
    }
    let words = one_line(&read::words(file));
    let named = record.client.iter().any(|name| words.contains(&begin(name)));
    if !record.client.is_empty() && !named {
        let detail = format!("it does not name the client, `{}`", begin(&record.client.join(", ")));
        findings.push(found("X-3", file, detail, "render it again for this lead"));
    }
}

fn currency(record: &Record, file: &File<'_>, findings: &mut Vec<Finding>) {
    let Ok(value) = serde_json::from_slice::<Value>(file.bytes) else { return };
    let mut wrong: Option<String> = None;
    read::texts(&value, &mut |key, text| {
        if key == "currency" && !text.is_empty() && text != record.currency {
            wrong.get_or_insert_with(|| text.to_owned());
        }
    });
    if let Some(wrong) = wrong.filter(|_| !record.currency.is_empty() && is_priced(file)) {
        let detail = format!("its currency is `{wrong}`; the agency's is `{}`", record.currency);
        findings.push(found("X-3", file, detail, "price it again from the rate card"));
    }
}

/// Only what the agency asks for is in its currency: a client's budget may be in another.
fn is_priced(file: &File<'_>) -> bool {
    ["proposal", "contract", "change"].iter().any(|name| file.name.contains(name))
}

/// every requirement and milestone that is named exists, and a contract stands on the scope that counts.
pub fn ids(record: &Record, _: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    let words = read::words(file);
    let mut unknown: Vec<&str> = Vec::new();
    for word in words.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let known = if is_numbered(word, "R-", 3) {
            record.requirements.is_empty() || record.requirements.contains(word)
        } else if is_numbered(word, "M-", 1) {
            record.milestones.is_empty() || record.milestones.contains(word)
        } else {
            true
        };
        let said = || record.his_words.contains(&word.to_lowercase());
        if !known && !unknown.contains(&word) && !said() {
            unknown.push(word);
        }
    }
    for id in unknown {
        let detail = format!("it names {id}, which this lead does not have");
        findings.push(found("X-4", file, detail, "name one that exists, or add it to scope or plan first"));
    }
    if let (Some(is), Some(should)) = (scope_of(file), record.scope_sha256)
        && is != should
    {
        let detail = "it stands on another version of the scope than the one that counts".to_owned();
        findings.push(found("X-4", file, detail, "make it again on the newest scope"));
    }
}

/// The digest of the scope that a typed result names.
fn scope_of(file: &File<'_>) -> Option<Digest> {
    let value: Value = (Kind::of(file.name) == Kind::Json).then(|| serde_json::from_slice(file.bytes).ok())??;
    value.get("scope")?.as_str()?.parse().ok()
}

fn is_numbered(word: &str, prefix: &str, least: usize) -> bool {
    word.strip_prefix(prefix).is_some_and(|n| (least..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// every date is one, beginnings come before ends, and a document is not from another time than its project.
pub fn dates(record: &Record, _: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    let words = read::words(file);
    let isolated = words.split(|c: char| !c.is_ascii_digit() && c != '-');
    let mut wrong: Vec<&str> = isolated.filter(|w| looks_like_a_date(w) && w.parse::<Date>().is_err()).collect();
    wrong.dedup();
    for date in wrong {
        findings.push(found("X-6", file, format!("`{date}` is no day"), "give a day that exists"));
    }
    if let Ok(value) = serde_json::from_slice::<Value>(file.bytes) {
        order(&value, file, findings);
    }
    let written = read::meta(&String::from_utf8_lossy(file.bytes), "date").and_then(|d| d.parse::<Date>().ok());
    if let (Some(written), Some(since), Some(today), true) = (written, record.since, record.today, is_document(file)) {
        // The client's day may be another one than ours.
        let early = written < since.yesterday().unwrap_or(since);
        if early || written > today.tomorrow().unwrap_or(today) {
            let detail = format!("it is dated {written}, outside {since} to {today}");
            findings.push(found("X-6", file, detail, "render it again today"));
        }
    }
}

fn looks_like_a_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    parts.iter().map(|p| p.len()).eq([4, 2, 2]) && word.starts_with(['1', '2'])
}

/// Beginnings before ends, in every object that has both.
fn order(value: &Value, file: &File<'_>, findings: &mut Vec<Finding>) {
    match value {
        Value::Object(fields) => {
            for (from, to) in [("start", "end"), ("from", "to"), ("start", "due"), ("starts", "ends")] {
                let day = |key: &str| fields.get(key)?.as_str()?.parse::<Date>().ok();
                if let (Some(first), Some(last)) = (day(from), day(to))
                    && first > last
                {
                    let detail = format!("{from} {first} comes after {to} {last}");
                    findings.push(found("X-6", file, detail, "put the days in order"));
                }
            }
            fields.values().for_each(|field| order(field, file, findings));
        }
        Value::Array(items) => items.iter().for_each(|item| order(item, file, findings)),
        _ => {}
    }
}

/// a document says that AI drafted it, and who of the agency answers for it.
pub fn marks(_: &Record, _: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    if !is_document(file) {
        return;
    }
    let html = String::from_utf8_lossy(file.bytes);
    let marks = read::meta(&html, "keywords").unwrap_or_default();
    if !marks.contains("AI-drafted=yes") {
        let detail = "its head does not say that AI drafted it".to_owned();
        findings.push(found("X-7", file, detail, "render it with its marks"));
    }
    if !marks.split(", ").any(|mark| mark.strip_prefix("approver=").is_some_and(|who| !who.trim().is_empty())) {
        let detail = "it does not name the person who answers for it".to_owned();
        findings.push(found("X-7", file, detail, "name a contact in the agency's profile, and render it again"));
    }
}

/// MK-1 to MK-11: what only the mockup's finished file can tell.
pub fn drawing(record: &Record, files: &[File<'_>], file: &File<'_>, findings: &mut Vec<Finding>) {
    let Some(folder) = file.name.strip_suffix("mockup.html") else { return };
    let source = files.iter().find(|other| other.name == format!("{folder}mockup.json"));
    let mockup = source.and_then(|json| serde_json::from_slice(json.bytes).ok());
    if let (Some(mockup), Some(scope)) = (mockup, &record.scope) {
        findings.extend(super::mockup::check(&String::from_utf8_lossy(file.bytes), &mockup, scope));
    }
}

/// A page that our own writer made. A mockup is no such page: it has rules of its own.
fn is_document(file: &File<'_>) -> bool {
    let is_page = Kind::of(file.name) == Kind::Html && !file.name.ends_with("mockup.html");
    let made_by = |html: &str| read::meta(html, "generator").is_some_and(|by| by.starts_with("MAX"));
    is_page && made_by(&String::from_utf8_lossy(file.bytes))
}

fn found(rule: &str, file: &File<'_>, detail: String, remedy: &str) -> Finding {
    let finding = Finding::new(rule, detail).at(file.name).mend(remedy);
    // In files these rules block and do not refuse: a person can tell a mistake from what the client wants.
    Finding { weight: Weight::Blocks, ..finding }
}

/// The first words of a name, as a document that cuts long ones still shows them.
fn begin(name: &str) -> String {
    one_line(name).chars().take(40).collect::<String>().trim_end().to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same_words(one: &str, other: &str) -> bool {
    let (one, other) = (one_line(one), one_line(other));
    one == other || (!one.is_empty() && other.starts_with(one.trim_end_matches('…')))
}
