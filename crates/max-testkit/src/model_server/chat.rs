//! How OpenAI Chat Completions says it.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Ending, Said, event, pieces};

fn finish_reason(said: &Said) -> &'static str {
    match said.end {
        Ending::Whole | Ending::Refusal => "stop",
        Ending::MaxTokens => "length",
    }
}

fn usage(said: &Said) -> Value {
    json!({
        "prompt_tokens": said.input, "prompt_tokens_details": {"cached_tokens": said.cached},
        "completion_tokens": said.output, "total_tokens": said.input + said.output,
    })
}

/// The field that carries the text.
fn field(said: &Said) -> &'static str {
    match said.end {
        Ending::Refusal => "refusal",
        _ => "content",
    }
}

pub(super) fn whole(said: &Said) -> Value {
    let mut message = json!({"role": "assistant", "content": null, "refusal": null});
    message[field(said)] = json!(said.text);
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": said.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(said)}],
        "usage": usage(said),
    })
}

pub(super) fn events(said: &Said) -> Vec<Bytes> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": said.model,
            "choices": choices, "usage": usage});
        event(None, &chunk)
    };
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    let mut events = vec![chunk(choice(json!({"role": "assistant", "content": ""}), Value::Null), Value::Null)];
    for piece in pieces(&said.text) {
        events.push(chunk(choice(json!({field(said): piece}), Value::Null), Value::Null));
    }
    events.push(chunk(choice(json!({}), json!(finish_reason(said))), Value::Null));
    events.push(chunk(json!([]), usage(said)));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}
