//! JSON Schemas in the intersection of what the services take for structured output: closed objects, every field
//! required, `null` by a list of types. Bounds are said in words and enforced in Rust, because not every service takes
//! them.

use serde_json::{Map, Value, json};

/// A closed object with all these fields, in this order.
pub fn object(fields: impl IntoIterator<Item = (impl Into<String>, Value)>) -> Value {
    let properties: Map<String, Value> = fields.into_iter().map(|(name, schema)| (name.into(), schema)).collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

pub fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

pub fn text_or_null(about: &str) -> Value {
    json!({"type": ["string", "null"], "description": about})
}

pub fn number(about: &str) -> Value {
    json!({"type": "integer", "description": about})
}

pub fn truth(about: &str) -> Value {
    json!({"type": "boolean", "description": about})
}

/// Yes or no to each of these words. Not a list of words: small models do not find its end.
pub fn each_of(words: impl IntoIterator<Item = impl Into<String>>) -> Value {
    object(words.into_iter().map(|word| (word, json!({"type": "boolean"}))))
}
