//! Gemini: `POST /v1beta/models/MODEL:generateContent`, and `:streamGenerateContent?alt=sse`.

use max_engine::runs::Usage;
use serde_json::{Value, json};

use super::trouble::{self, Trouble};
use super::{Answer, Ask, End, count, list, note_model, text};

pub(super) fn path(model: &str, stream: bool) -> String {
    let model = model.strip_prefix("models/").unwrap_or(model);
    match stream {
        true => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        false => format!("/v1beta/models/{model}:generateContent"),
    }
}

pub(super) fn body(ask: &Ask<'_>) -> Value {
    let mut config = json!({"maxOutputTokens": ask.max_output_tokens});
    if ask.structured {
        config["responseMimeType"] = json!("application/json");
        config["responseJsonSchema"] = ask.prompt.schema.clone();
    }
    json!({
        "systemInstruction": {"parts": [{"text": ask.stable()}]},
        "contents": [{"role": "user", "parts": [{"text": ask.fresh()}]}],
        "generationConfig": config,
    })
}

/// A piece of a stream has the shape of a whole answer; counts are those so far.
pub(super) fn event(event: &Value, answer: &mut Answer) -> Result<(), Trouble> {
    if event.get("error").is_some() {
        return Err(trouble::from_error(event));
    }
    note_model(answer, text(event, "/modelVersion"));
    if let Some(usage) = event.get("usageMetadata") {
        answer.usage = Usage {
            input: count(usage, "/promptTokenCount"),
            cached: count(usage, "/cachedContentTokenCount"),
            cache_write: 0,
            output: count(usage, "/candidatesTokenCount").saturating_add(count(usage, "/thoughtsTokenCount")),
        };
    }
    if text(event, "/promptFeedback/blockReason").is_some() {
        answer.end = Some(End::Refused);
    }
    let Some(candidate) = list(event, "/candidates").next() else { return Ok(()) };
    let thought = |part: &&Value| part.get("thought").and_then(Value::as_bool) == Some(true);
    for part in list(candidate, "/content/parts").filter(|part| !thought(part)) {
        answer.text.push_str(text(part, "/text").unwrap_or_default());
    }
    answer.end = match text(candidate, "/finishReason") {
        None => answer.end,
        Some("STOP") => Some(End::Whole),
        Some("MAX_TOKENS") => Some(End::CutOff),
        // Every other word says that the answer was stopped: SAFETY, RECITATION, PROHIBITED_CONTENT, SPII ….
        Some(_) => Some(End::Refused),
    };
    Ok(())
}
