//! OpenAI Responses: `POST /v1/responses`.

use max_engine::runs::Usage;
use serde_json::{Value, json};

use super::trouble::{self, Trouble};
use super::{Answer, Ask, End, count, list, note_model, text};

/// The same instructions for every lead of a stage are cached by their prefix; the cache key brings them to the same
/// machine. Nothing is kept on the service's side.
pub(super) fn body(ask: &Ask<'_>) -> Value {
    let mut body = json!({
        "model": ask.model,
        "instructions": ask.stable(),
        "input": [{"role": "user", "content": [{"type": "input_text", "text": ask.fresh()}]}],
        "max_output_tokens": ask.max_output_tokens,
        "store": false,
        "prompt_cache_key": format!("max-{}", ask.prompt.name),
        "stream": ask.stream,
    });
    if ask.structured {
        let format =
            json!({"type": "json_schema", "name": ask.prompt.name, "schema": ask.prompt.schema, "strict": true});
        body["text"] = json!({"format": format});
    }
    body
}

pub(super) fn event(event: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    match text(event, "/type").unwrap_or_default() {
        "response.output_text.delta" => answer.text.push_str(text(event, "/delta").unwrap_or_default()),
        "response.refusal.delta" | "response.refusal.done" => answer.end = Some(End::Refused),
        "response.completed" | "response.incomplete" => {
            if let Some(response) = event.get("response") {
                finish(response, answer);
            }
        }
        "response.failed" => return Err(trouble::from_error(event.get("response").unwrap_or(event))),
        "error" => return Err(trouble::from_error(event)),
        _ => {}
    }
    Ok(())
}

pub(super) fn whole(body: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    if text(body, "/status") == Some("failed") {
        return Err(trouble::from_error(body));
    }
    finish(body, answer);
    Ok(())
}

/// The finished response holds the whole text; what came in pieces is the same.
fn finish(response: &Value, answer: &mut Answer) {
    note_model(answer, text(response, "/model"));
    let parts: Vec<&Value> = list(response, "/output").flat_map(|item| list(item, "/content")).collect();
    let whole: String =
        parts.iter().filter(|p| text(p, "/type") == Some("output_text")).filter_map(|p| text(p, "/text")).collect();
    if !whole.is_empty() {
        answer.text = whole;
    }
    answer.usage = Usage {
        input: count(response, "/usage/input_tokens"),
        cached: count(response, "/usage/input_tokens_details/cached_tokens"),
        cache_write: count(response, "/usage/input_tokens_details/cache_write_tokens"),
        output: count(response, "/usage/output_tokens"),
    };
    let refused = answer.end == Some(End::Refused) || parts.iter().any(|p| text(p, "/type") == Some("refusal"));
    answer.end = match (text(response, "/status"), text(response, "/incomplete_details/reason")) {
        _ if refused => Some(End::Refused),
        (_, Some("max_output_tokens")) => Some(End::CutOff),
        (_, Some("content_filter")) => Some(End::Refused),
        (Some("completed"), _) => Some(End::Whole),
        _ => answer.end,
    };
}
