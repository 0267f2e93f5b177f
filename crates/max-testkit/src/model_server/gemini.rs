//! How Gemini says it.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{Ending, Said, event, pieces};

fn finish_reason(said: &Said) -> &'static str {
    match said.end {
        Ending::Whole => "STOP",
        Ending::MaxTokens => "MAX_TOKENS",
        Ending::Refusal => "PROHIBITED_CONTENT",
    }
}

fn piece(said: &Said, text: &str, finish: Option<&str>) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": [{"text": text}]}});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({
        "candidates": [candidate], "modelVersion": said.model, "responseId": "r1",
        "usageMetadata": {
            "promptTokenCount": said.input, "cachedContentTokenCount": said.cached,
            "candidatesTokenCount": said.output - said.output / 4, "thoughtsTokenCount": said.output / 4,
            "totalTokenCount": said.input + said.output,
        },
    })
}

pub(super) fn whole(said: &Said) -> Value {
    piece(said, &said.text, Some(finish_reason(said)))
}

pub(super) fn events(said: &Said) -> Vec<Bytes> {
    let mut events: Vec<Bytes> = pieces(&said.text).iter().map(|text| event(None, &piece(said, text, None))).collect();
    events.push(event(None, &piece(said, "", Some(finish_reason(said)))));
    events
}
