//! OpenAI Chat Completions: `POST /v1/chat/completions`, which many other servers speak too.

use max_engine::runs::Usage;
use serde_json::{Value, json};

use super::trouble::{self, Trouble};
use super::{Answer, Ask, End, count, list, note_model, text};

pub(super) fn body(ask: &Ask<'_>) -> Value {
    let mut body = json!({
        "model": ask.model,
        "messages": [
            {"role": "system", "content": ask.stable()},
            {"role": "user", "content": ask.fresh()},
        ],
        "max_completion_tokens": ask.max_output_tokens,
        "stream": ask.stream,
    });
    if ask.stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    if ask.structured {
        let schema = json!({"name": ask.prompt.name, "schema": ask.prompt.schema, "strict": true});
        body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
    }
    body
}

pub(super) fn event(event: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    read(event, "/delta", answer)
}

pub(super) fn whole(body: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    read(body, "/message", answer)
}

fn read(body: &Value, part: &str, answer: &mut Answer) -> Result<(), Trouble> {
    if body.get("error").is_some_and(|error| !error.is_null()) {
        return Err(trouble::from_error(body));
    }
    note_model(answer, text(body, "/model"));
    if let Some(usage) = body.get("usage").filter(|usage| usage.is_object()) {
        answer.usage = Usage {
            input: count(usage, "/prompt_tokens"),
            cached: count(usage, "/prompt_tokens_details/cached_tokens"),
            cache_write: count(usage, "/prompt_tokens_details/cache_write_tokens"),
            output: count(usage, "/completion_tokens"),
        };
    }
    let Some(choice) = list(body, "/choices").next() else { return Ok(()) };
    answer.text.push_str(text(choice, &format!("{part}/content")).unwrap_or_default());
    if text(choice, &format!("{part}/refusal")).is_some_and(|refusal| !refusal.is_empty()) {
        answer.end = Some(End::Refused);
    }
    answer.end = match text(choice, "/finish_reason") {
        _ if answer.end == Some(End::Refused) => Some(End::Refused),
        None => answer.end,
        Some("length") => Some(End::CutOff),
        Some("content_filter") => Some(End::Refused),
        Some(_) => Some(End::Whole),
    };
    Ok(())
}
