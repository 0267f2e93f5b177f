//! `summary.md`: what the next brief needs to know about a finished stage, in at most about 1,200 tokens.

use std::fmt::Write;

use max_core::lead::{Lead, Turn};
use max_core::stage::Stage;
use serde_json::Value;

/// At about 3.3 characters a token (German; English has more) this stays below 1,200 tokens.
const MOST_CHARS: usize = 3_600;

/// The longest line.
const LINE: usize = 240;

/// How often the lead has left this stage or ended in it.
pub(super) fn times_finished(lead: &Lead, stage: Stage) -> usize {
    let left = lead.history.iter().filter(|t| t.from_stage == Some(stage)).count();
    left + usize::from(lead.stage == stage && lead.outcome().is_some())
}

/// False for a stage that was only passed through: the history says that already.
pub(super) fn has_substance(lead: &Lead, stage: Stage) -> bool {
    lead.data.contains_key(&stage) || lead.artifacts.iter().any(|a| a.stage == stage && !a.superseded)
}

/// The summary of a stage, for people and for the next brief. What the client wrote stays quoted data: one line
/// each, no markup of its own.
pub(super) fn summary(lead: &Lead, stage: Stage) -> String {
    let decisions = section("Decisions", &decisions(lead, stage), MOST_CHARS / 3);
    let open = section("Open points", &open_points(lead, stage), MOST_CHARS / 4);
    let files = section("Files", &files(lead, stage), MOST_CHARS / 6);
    let rest =
        MOST_CHARS.saturating_sub(decisions.chars().count() + open.chars().count() + files.chars().count() + 120);
    let facts = section("Facts", &facts(lead, stage), rest);
    format!("# {stage}: {}\n\n{facts}{decisions}{open}{files}", plain(lead.contact.display_name(), 80))
}

fn facts(lead: &Lead, stage: Stage) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in lead.data.get(&stage).into_iter().flatten() {
        flatten(key, value, &mut lines);
    }
    lines
}

/// One line per value, named by its path; an item of a list is one line if it is flat.
fn flatten(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&format!("{path}.{key}"), value, lines);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate().map(|(index, item)| (index + 1, item)) {
                match flat(item) {
                    Some(line) => lines.push(format!("{path} {number}: {line}")),
                    None => flatten(&format!("{path} {number}"), item, lines),
                }
            }
        }
        single => lines.extend(scalar(single).map(|text| format!("{path}: {text}"))),
    }
}

/// An object of single values as one line.
fn flat(item: &Value) -> Option<String> {
    let fields = item.as_object()?;
    if fields.values().any(|v| v.is_object() || v.is_array()) {
        return None;
    }
    let parts: Vec<String> = fields.iter().filter_map(|(k, v)| Some(format!("{k} {}", scalar(v)?))).collect();
    Some(parts.join("; "))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn decisions(lead: &Lead, stage: Stage) -> Vec<String> {
    let mut lines: Vec<String> = lead
        .history
        .iter()
        .filter(|t| t.from_stage == Some(stage))
        .map(|t| format!("{}: to {} by {}: {}", t.at.strftime("%Y-%m-%d %H:%M"), t.to_stage, t.by, t.summary))
        .collect();
    if stage == Stage::Scoping
        && let Some(scope) = lead.approved_scope
    {
        lines.push(format!("the scope was approved (SHA-256 {scope})"));
    }
    if stage == Stage::Closer {
        lines.extend(
            lead.signature.iter().map(|s| format!("{} signed the contract (SHA-256 {})", s.signer, s.document)),
        );
        if lead.deposit_confirmed {
            lines.push("the deposit was confirmed".into());
        }
    }
    if stage == Stage::DeliveryPM {
        lines.extend(lead.accepted_milestones.iter().map(|(id, s)| format!("{} signed off milestone {id}", s.signer)));
    }
    if let (Turn::Ended(ending), true) = (&lead.turn, lead.stage == stage) {
        lines.push(format!("ended as {}: {}", ending.outcome.name(), ending.reason));
    }
    lines
}

fn open_points(lead: &Lead, stage: Stage) -> Vec<String> {
    let mut lines = Vec::new();
    for value in lead.data.get(&stage).into_iter().flat_map(|data| data.values()) {
        if let Some(Value::Array(open)) = value.get("open_questions") {
            lines.extend(open.iter().filter_map(|o| scalar(o.get("text").unwrap_or(o))));
        }
    }
    lines.extend(lead.escalation.iter().map(|e| format!("an escalation is open: {}", e.reason)));
    lines.extend(lead.unreachable.iter().cloned());
    lines
}

fn files(lead: &Lead, stage: Stage) -> Vec<String> {
    let of_stage = lead.artifacts.iter().filter(|a| a.stage == stage && !a.superseded);
    of_stage.map(|a| format!("{} (version {}, {} bytes)", a.name, a.version, a.bytes)).collect()
}

/// A heading and as many lines as fit; how many were left out is said.
fn section(title: &str, lines: &[String], most: usize) -> String {
    let mut text = format!("## {title}\n\n");
    if lines.is_empty() {
        text.push_str("None.\n\n");
        return text;
    }
    let mut used = 0;
    for (index, line) in lines.iter().enumerate() {
        let line = plain(line, LINE);
        used += line.chars().count() + 3;
        if used > most {
            let _ = writeln!(text, "- … and {} more", lines.len() - index);
            break;
        }
        let _ = writeln!(text, "- {line}");
    }
    text.push('\n');
    text
}

/// One line without control characters and without a beginning that Markdown or HTML would read as its own.
fn plain(text: &str, most: usize) -> String {
    let mut kept = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        for c in word.chars() {
            if matches!(c, '<' | '>' | '`' | '[' | ']' | '*' | '|' | '\\') {
                kept.push('\\');
            }
            kept.push(c);
        }
    }
    if kept.chars().count() > most {
        kept = kept.chars().take(most.saturating_sub(1)).collect();
        kept.push('…');
    }
    kept
}
