//! A signal as a YAML document, and back.
//!
//! What is read comes from anywhere: size, depth, number of nodes and expansion of aliases are limited, and every
//! refusal is one sentence that says what is wrong and how to mend it. What is written is always readable again.

use std::fmt;

use max_core::id::SignalId;
use max_core::signal::{Signal, SignalType};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::text::one_line;

/// The largest signal in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The longest summary, in characters, that is taken from the text of a Markdown file without one.
const SUMMARY_CHARS: usize = 2_000;

/// What every broken limit is told as.
const TOO_MUCH: &str =
    "the YAML is nested too deep, too large or expands too much; keep a signal flat and without anchors";

/// Fields that hold text: `lead_id: 0042` and `summary: 42` keep their spelling instead of becoming numbers.
const TEXT_FIELDS: [&str; 33] = [
    "type",
    "from",
    "to",
    "lead_id",
    "previous_stage",
    "next_stage",
    "summary",
    "data_path",
    "id",
    "at",
    "name",
    "email",
    "phone",
    "company",
    "role",
    "website",
    "message",
    "source",
    "locale",
    "budget",
    "timeline",
    "external_ref",
    "subject",
    "body",
    "text",
    "reason",
    "address",
    "approval_id",
    "payload_sha256",
    "signature",
    "task_id",
    "message_id",
    "in_reply_to",
];

/// How a signal stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// One YAML document.
    Yaml,
    /// Markdown with YAML front matter; its text becomes the field `body`.
    Markdown,
}

/// Why a file is no signal: one sentence, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RejectReason(pub String);

impl RejectReason {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The size limit, for a file of `bytes`.
    pub fn too_large(bytes: u64) -> Self {
        Self(format!(
            "the file holds {bytes} bytes, but a signal is at most 1 MiB ({MAX_BYTES} bytes); put large content into the lead's \
             folder and name it in `data_path`"
        ))
    }
}

/// Reads a signal.
pub fn parse(bytes: &[u8], kind: FileKind) -> Result<Signal, RejectReason> {
    if bytes.len() > MAX_BYTES {
        return Err(RejectReason::too_large(bytes.len() as u64));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        RejectReason(format!("the file is not UTF-8 (byte {}); save it again as UTF-8", error.valid_up_to()))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (document, body) = match kind {
        FileKind::Yaml => (text, None),
        FileKind::Markdown => front_matter(text)?,
    };
    if document.trim().is_empty() {
        return Err(RejectReason::new("the file is empty; a signal needs at least `type: …`"));
    }
    let fields: Fields = serde_saphyr::from_str_with_options(document, options()).map_err(yaml_reason)?;
    let mut signal = signal_of(fields.0)?;
    if let Some(body) = body {
        add_body(&mut signal, body)?;
    }
    Ok(signal)
}

/// Writes a signal, fields in the order of their description, so that [`parse`] reads the same again.
pub fn to_yaml(signal: &Signal) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: true };
    let text = serde_saphyr::to_string_with_options(signal, options);
    // JSON is YAML too: less pleasant to read, but always there.
    text.or_else(|_| serde_json::to_string_pretty(signal)).unwrap_or_default()
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: 20_000,
            max_events: 60_000,
            max_aliases: 200,
            max_anchors: 100,
            max_recorded_anchor_events: 20_000,
            max_recorded_anchor_bytes: MAX_BYTES,
            // The parser stops at a second document with a better sentence than this limit has.
            max_documents: 2,
            max_merge_keys: 100,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
    }
}

/// Splits `---`, front matter, `---`, text.
fn front_matter(text: &str) -> Result<(&str, Option<&str>), RejectReason> {
    let after_line = |text: &str, at: usize| text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
    let begins = text.lines().next().is_some_and(|line| line.trim_end() == "---");
    if !begins {
        return Err(RejectReason::new(
            "the Markdown file has no front matter; begin it with a line `---`, the signal's fields and another `---`",
        ));
    }
    let start = after_line(text, 0);
    let mut at = start;
    while at < text.len() {
        let next = after_line(text, at);
        if matches!(text[at..next].trim_end(), "---" | "...") {
            return Ok((&text[start..at], Some(text[next..].trim())));
        }
        at = next;
    }
    Err(RejectReason::new("the front matter has no end; close it with a line `---`"))
}

fn add_body(signal: &mut Signal, body: &str) -> Result<(), RejectReason> {
    if body.is_empty() {
        return Ok(());
    }
    if signal.extra.contains_key("body") {
        return Err(RejectReason::new("the text is there twice; drop the field `body` or the text below the fields"));
    }
    signal.extra.insert("body".into(), body.into());
    if signal.summary.is_none() {
        let mut summary: String = body.chars().take(SUMMARY_CHARS).collect();
        if summary.len() < body.len() {
            summary.push('…');
        }
        signal.summary = Some(summary);
    }
    Ok(())
}

fn signal_of(mut fields: Map<String, Value>) -> Result<Signal, RejectReason> {
    let mut text = |name: &str| match fields.shift_remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let Some(kind) = text("type") else {
        return Err(RejectReason::new("the field `type` is missing; add for example `type: PIPELINE_TRANSITION`"));
    };
    let spelled = kind.trim().to_uppercase().replace(['-', ' '], "_");
    let kind: SignalType = spelled.parse().map_err(|error| RejectReason(format!("{error}")))?;
    let id = text("id").map(SignalId::try_from).transpose().map_err(|error| RejectReason(format!("`id`: {error}")))?;
    let at = text("at").map(|text| moment(&text)).transpose()?;
    let signal = Signal {
        kind,
        from: text("from").unwrap_or_default(),
        to: text("to").unwrap_or_default(),
        lead_id: text("lead_id"),
        previous_stage: text("previous_stage"),
        next_stage: text("next_stage"),
        summary: text("summary"),
        data_path: text("data_path"),
        id,
        at,
        extra: fields,
    };
    if kind == SignalType::PipelineTransition && signal.lead_id.is_none() {
        return Err(RejectReason::new(
            "the field `lead_id` is missing; a PIPELINE_TRANSITION names the lead by its UUID or its external_ref",
        ));
    }
    Ok(signal)
}

fn moment(text: &str) -> Result<jiff::Timestamp, RejectReason> {
    text.parse()
        .map_err(|_| RejectReason(format!("`at` is `{}`; write it like 2026-11-22T10:11:12Z", one_line(text, 60))))
}

fn yaml_reason(error: serde_saphyr::Error) -> RejectReason {
    use serde_saphyr::Error;
    let place = error
        .location()
        .filter(|at| at.line() > 0)
        .map(|at| format!(" (line {}, column {})", at.line(), at.column()))
        .unwrap_or_default();
    let bare = error.without_snippet();
    let sentence = match bare {
        Error::MultipleDocuments { .. } => {
            format!("the file holds several documents{place}; put each signal into a file of its own")
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!(" `{}`", one_line(key, 60))).unwrap_or_default();
            format!("the field{key} is there twice{place}; keep one")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => TOO_MUCH.to_owned(),
        // Our own words, see `must_be`.
        Error::Message { msg, .. } if msg.starts_with('`') && !msg.contains("budget breached") => one_line(msg, 300),
        other => {
            let words = other.to_string();
            let first = words.lines().next().unwrap_or_default();
            if first.contains("budget breached") {
                return RejectReason::new(TOO_MUCH);
            }
            format!(
                "the YAML cannot be read: {}; check the indentation, and quote texts that hold `: ` or `#`",
                one_line(first, 200)
            )
        }
    };
    RejectReason(sentence)
}

/// The fields of a document, texts as they were spelled.
struct Fields(Map<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor).map(Self)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields such as `type: …`, one in a line")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = if TEXT_FIELDS.contains(&key.as_str()) {
                let text: Option<String> = map.next_value().map_err(|error| must_be(&key, "be a text", &error))?;
                text.map(Value::String)
            } else if key == "lead" {
                map.next_value::<LeadFields>()?.0
            } else {
                Some(map.next_value()?)
            };
            // A text field without a value is as good as absent.
            if let Some(value) = value {
                fields.insert(key, value);
            }
        }
        Ok(fields)
    }
}

/// The lead of a `LEAD` signal when it stands below `lead:`; its texts keep their spelling too.
struct LeadFields(Option<Value>);

impl<'de> Deserialize<'de> for LeadFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Option::<Fields>::deserialize(deserializer)
            .map_err(|error| must_be("lead", "hold fields such as `name: …`", &error))?;
        Ok(Self(fields.map(|fields| Value::Object(fields.0))))
    }
}

/// Names the field; the cause stays in the sentence, because it may as well be broken YAML.
fn must_be<E: serde::de::Error>(field: &str, what: &str, cause: &E) -> E {
    let cause = cause.to_string();
    let cause = cause.lines().next().unwrap_or_default();
    E::custom(format!("`{field}` must {what} ({})", one_line(cause, 160)))
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
