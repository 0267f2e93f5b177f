//! Anthropic Messages: `POST /v1/messages`.

use max_engine::runs::Usage;
use serde_json::{Value, json};

use super::trouble::{self, Trouble};
use super::{Answer, Ask, End, count, list, note_model, text};

/// The stable part ends at a cache breakpoint; what is new comes behind it.
pub(super) fn body(ask: &Ask<'_>) -> Value {
    let mut body = json!({
        "model": ask.model,
        "max_tokens": ask.max_output_tokens,
        "system": [{"type": "text", "text": ask.stable(), "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": ask.fresh()}]}],
        "stream": ask.stream,
    });
    if ask.structured {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": ask.prompt.schema}});
    }
    body
}

pub(super) fn event(event: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    match text(event, "/type").unwrap_or_default() {
        "message_start" => {
            note_model(answer, text(event, "/message/model"));
            note_usage(event.pointer("/message/usage"), answer);
        }
        "content_block_delta" if text(event, "/delta/type") == Some("text_delta") => {
            answer.text.push_str(text(event, "/delta/text").unwrap_or_default());
        }
        "message_delta" => {
            note_usage(event.get("usage"), answer);
            note_end(text(event, "/delta/stop_reason"), answer);
        }
        "error" => return Err(trouble::from_error(event)),
        _ => {}
    }
    Ok(())
}

pub(super) fn whole(body: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    note_model(answer, text(body, "/model"));
    note_usage(body.get("usage"), answer);
    for block in list(body, "/content").filter(|block| text(block, "/type") == Some("text")) {
        answer.text.push_str(text(block, "/text").unwrap_or_default());
    }
    note_end(text(body, "/stop_reason"), answer);
    Ok(())
}

fn note_end(reason: Option<&str>, answer: &mut Answer) {
    answer.end = match reason {
        None => return,
        Some("max_tokens") => Some(End::CutOff),
        Some("refusal") => Some(End::Refused),
        Some("model_context_window_exceeded") => Some(End::ContextFull),
        Some(_) => Some(End::Whole),
    };
}

/// `input_tokens` leaves out what the cache served or took in. A later count replaces an earlier one where it is there.
fn note_usage(usage: Option<&Value>, answer: &mut Answer) {
    let Some(usage) = usage else { return };
    if usage.get("input_tokens").is_some() {
        let (cached, cache_write) =
            (count(usage, "/cache_read_input_tokens"), count(usage, "/cache_creation_input_tokens"));
        let input = count(usage, "/input_tokens").saturating_add(cached).saturating_add(cache_write);
        answer.usage = Usage { input, cached, cache_write, output: answer.usage.output };
    }
    answer.usage.output = answer.usage.output.max(count(usage, "/output_tokens"));
}
