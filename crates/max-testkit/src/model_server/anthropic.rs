//! How Anthropic Messages says it.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Ending, Said, event, pieces};

fn stop_reason(said: &Said) -> &'static str {
    match said.end {
        Ending::Whole => "end_turn",
        Ending::MaxTokens => "max_tokens",
        Ending::Refusal => "refusal",
    }
}

/// What the cache served does not count as input here.
fn usage(said: &Said, output: u64) -> Value {
    json!({
        "input_tokens": said.input - said.cached,
        "cache_read_input_tokens": said.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
    })
}

pub(super) fn whole(said: &Said) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": said.model,
        "content": [{"type": "text", "text": said.text}],
        "stop_reason": stop_reason(said), "stop_sequence": null, "usage": usage(said, said.output),
    })
}

pub(super) fn events(said: &Said) -> Vec<Bytes> {
    let start = json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": said.model, "content": [],
        "stop_reason": null, "usage": usage(said, 1)}});
    let open = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let mut events = vec![
        event(Some("message_start"), &start),
        event(Some("content_block_start"), &open),
        event(Some("ping"), &json!({"type": "ping"})),
    ];
    for piece in pieces(&said.text) {
        let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}});
        events.push(event(Some("content_block_delta"), &delta));
    }
    let delta = json!({"type": "message_delta", "delta": {"stop_reason": stop_reason(said), "stop_sequence": null},
        "usage": {"output_tokens": said.output}});
    events.push(event(Some("content_block_stop"), &json!({"type": "content_block_stop", "index": 0})));
    events.push(event(Some("message_delta"), &delta));
    events.push(event(Some("message_stop"), &json!({"type": "message_stop"})));
    events
}
