//! How OpenAI Responses says it.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Ending, Said, event, pieces};

pub(super) fn whole(said: &Said) -> Value {
    let (status, incomplete) = match said.end {
        Ending::MaxTokens => ("incomplete", json!({"reason": "max_output_tokens"})),
        Ending::Whole | Ending::Refusal => ("completed", Value::Null),
    };
    let content = match said.end {
        Ending::Refusal => json!({"type": "refusal", "refusal": said.text}),
        _ => json!({"type": "output_text", "text": said.text, "annotations": []}),
    };
    json!({
        "id": "resp_1", "object": "response", "status": status, "incomplete_details": incomplete, "error": null,
        "model": said.model,
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": [content]},
        ],
        "usage": {
            "input_tokens": said.input, "input_tokens_details": {"cached_tokens": said.cached},
            "output_tokens": said.output, "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": said.input + said.output,
        },
    })
}

pub(super) fn events(said: &Said) -> Vec<Bytes> {
    let mut number = 0;
    let mut next = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(number);
        number += 1;
        event(Some(kind), &data)
    };
    let begun = json!({"response": {"id": "resp_1", "status": "in_progress", "model": said.model, "output": []}});
    let mut events = vec![next("response.created", begun.clone()), next("response.in_progress", begun)];
    let delta = match said.end {
        Ending::Refusal => "response.refusal.delta",
        _ => "response.output_text.delta",
    };
    for piece in pieces(&said.text) {
        events.push(next(delta, json!({"item_id": "msg_1", "output_index": 1, "content_index": 0, "delta": piece})));
    }
    let last = match said.end {
        Ending::MaxTokens => "response.incomplete",
        Ending::Whole | Ending::Refusal => "response.completed",
    };
    events.push(next(last, json!({"response": whole(said)})));
    events
}
