//! Reading files for the linter: the words of a document, the marks in its head, the values of a JSON file.

use std::collections::BTreeSet;

use max_core::id::Digest;
use serde_json::Value;

use super::{File, Record};

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Markdown or plain text.
    Text,
    /// A page.
    Html,
    /// A typed result.
    Json,
    /// Paper.
    Pdf,
    /// Something that is not looked into.
    Other,
}

impl Kind {
    /// The kind of a file.
    pub fn of(name: &str) -> Self {
        match name.rsplit('.').next() {
            Some("md" | "txt") => Kind::Text,
            Some("html" | "htm") => Kind::Html,
            Some("json") => Kind::Json,
            Some("pdf") => Kind::Pdf,
            _ => Kind::Other,
        }
    }
}

/// Keys under which typed results keep the client's words: what he writes is not ours to check.
pub const HIS_WORDS: [&str; 6] = ["quote", "quotes", "evidence", "wants", "message", "source"];

/// The words of a file as its reader sees them: no style, no script, no markup; of JSON the texts, without the client's.
pub fn words(file: &File<'_>) -> String {
    let text = String::from_utf8_lossy(file.bytes);
    match Kind::of(file.name) {
        Kind::Text => text.into_owned(),
        Kind::Html => visible(&text),
        Kind::Json => {
            let mut words = String::new();
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                texts(&value, &mut |_, text| {
                    words.push_str(text);
                    words.push('\n');
                });
            }
            words
        }
        Kind::Pdf | Kind::Other => String::new(),
    }
}

/// Every text of a JSON value with its key, except the client's words.
pub fn texts(value: &Value, tell: &mut impl FnMut(&str, &str)) {
    walk("", value, tell);
}

fn walk(key: &str, value: &Value, tell: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(k, _)| !HIS_WORDS.contains(&k.as_str())).for_each(|(k, v)| walk(k, v, tell));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(key, item, tell)),
        Value::String(text) => tell(key, text),
        _ => {}
    }
}

/// The client's words that typed results have kept.
pub fn client_words(value: &Value, words: &mut String) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if HIS_WORDS.contains(&key.as_str()) => {
                        words.push('\n');
                        words.push_str(text);
                    }
                    other => client_words(other, words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| client_words(item, words)),
        _ => {}
    }
}

/// The text of a page without style, script and tags; the five entities that our writer makes are undone.
fn visible(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let silent = ["style", "script"]
            .into_iter()
            .find(|tag| rest.get(1..=tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag)));
        let end = match silent {
            Some(tag) => {
                rest.find(&format!("</{tag}")).map(|at| at + 1).and_then(|at| Some(at + rest[at..].find('>')?))
            }
            None => rest.find('>'),
        };
        // A tag that never ends hides the rest from a browser as well.
        let Some(end) = end else { return unescaped(&out) };
        out.push(' ');
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    unescaped(&out)
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

/// The content of a `<meta name=…>` in a page.
pub fn meta(html: &str, name: &str) -> Option<String> {
    let head = html.get(..html.find("</head>")?)?;
    let tag = head.split("<meta ").find(|tag| tag.starts_with(&format!("name=\"{name}\"")))?;
    let content = tag.split("content=\"").nth(1)?;
    Some(unescaped(content.split('"').next()?))
}

/// The value of an attribute of the `<html>` element.
pub fn language(html: &str) -> Option<String> {
    let tag = html.split("<html").nth(1)?.split('>').next()?;
    Some(tag.split("lang=\"").nth(1)?.split('"').next()?.to_owned())
}

/// The digest of the source that a document names in its marks: of a page in `keywords`, of paper in its metadata.
pub fn source_mark(file: &File<'_>) -> Option<Result<Digest, String>> {
    let text = match Kind::of(file.name) {
        Kind::Html => meta(&String::from_utf8_lossy(file.bytes), "keywords")?,
        Kind::Pdf => String::from_utf8_lossy(file.bytes).into_owned(),
        _ => return None,
    };
    let value = text.split("source-sha256=").nth(1)?;
    let hex: String = value.chars().take_while(char::is_ascii_hexdigit).collect();
    Some(hex.parse().map_err(|_| hex))
}

/// Takes the ids that a typed result brings along into the record.
pub fn ids_of(file: &File<'_>, record: &mut Record) {
    let ids = |value: &Value, key: &str| -> Vec<String> {
        let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.get("id")?.as_str().map(str::to_owned)).collect()
    };
    let (name, value) = match (file.name.rsplit('/').next(), serde_json::from_slice::<Value>(file.bytes)) {
        (Some(name), Ok(value)) if Kind::of(file.name) == Kind::Json => (name, value),
        _ => return,
    };
    match name {
        "scope.json" => {
            record.requirements = ids(&value, "requirements").into_iter().collect();
            record.scope_sha256 = Some(Digest::of(file.bytes));
            record.scope = serde_json::from_value(value).ok();
        }
        // A change order brings requirements and a milestone of its own.
        order if order.starts_with("CO-") => {
            record.requirements.extend(ids(&value, "added"));
            let shifts = value.get("shifts").and_then(Value::as_array).into_iter().flatten();
            let moved = shifts.filter_map(|shift| shift.get("milestone")?.as_str().map(str::to_owned));
            record.milestones.extend(moved);
        }
        "plan.json" => record.milestones = ids(&value, "milestones").into_iter().collect(),
        _ => {}
    }
}

/// The requirements that change orders among a lead's results add to the scope.
pub fn added(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| added(item, ids)),
        Value::Object(fields) => {
            let news = fields.get("added").and_then(Value::as_array).into_iter().flatten();
            ids.extend(news.filter_map(|item| item.get("id")?.as_str().map(str::to_owned)));
            fields.values().for_each(|field| added(field, ids));
        }
        _ => {}
    }
}
