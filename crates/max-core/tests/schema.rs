//! What others build on: the names and literals of ClientState, and closed schemas for what minds submit.

#[expect(dead_code, reason = "each test binary uses its own part")]
mod common;

use insta::assert_json_snapshot;
use max_core::lead::ClientState;
use max_core::stages::Work;
use schemars::schema_for;
use serde_json::{Value, json};

/// The eight fields of `state.json` and the words they may hold, as DESIGN 4 writes them.
#[test]
fn client_state_has_exactly_the_eight_fields_and_their_literals() {
    let schema = schema_for!(ClientState).to_value();
    let fields: Vec<&String> = schema["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(
        fields,
        ["lead_id", "current_stage", "status", "data", "next_action", "history", "created_at", "updated_at"]
    );
    assert_eq!(schema["required"].as_array().map(Vec::len), Some(8), "every field is always there");
    assert_eq!(
        literals(&schema["$defs"]["Stage"]),
        ["LeadGen", "FirstResponder", "Scoping", "Orchestra", "Closer", "Onboarding", "DeliveryPM"]
    );
    assert_eq!(
        literals(&schema["$defs"]["Status"]),
        ["in_progress", "awaiting_human", "completed", "escalated", "failed"]
    );
    let transition = schema["$defs"]["StageTransition"]["properties"].as_object().expect("properties");
    let fields: Vec<&String> = transition.keys().collect();
    assert_eq!(fields, ["from_stage", "to_stage", "at", "by", "signal_id", "summary", "data_path"]);
}

#[test]
fn client_state_keeps_its_schema() {
    let mut schema = schema_for!(ClientState).to_value();
    strip(&mut schema, "description");
    assert_json_snapshot!(schema);
}

/// Whatever a mind submits is typed to the last field: each kind of result is an object that takes nothing else.
#[test]
fn work_is_closed_in_every_part() {
    let schema = schema_for!(Work).to_value();
    assert_eq!(schema["additionalProperties"], json!(false));
    let mut open = Vec::new();
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        for part in variants(definition).filter(|part| part.get("properties").is_some()) {
            // A tagged variant takes its content by reference; the content closes it.
            let closed = part["additionalProperties"] == json!(false) || part.get("$ref").is_some();
            if !closed && !OPEN_BY_NATURE.contains(&name.as_str()) {
                open.push(name.clone());
            }
        }
    }
    assert_eq!(open, Vec::<String>::new(), "definitions that take unknown fields");
}

/// A question to the client is written by code, and only checked when a mind repeats it (rule PC-12).
const OPEN_BY_NATURE: [&str; 1] = ["ClientAsk"];

/// What honest minds submit all the way to the sign-off is valid by the schema that they are shown.
#[test]
fn honest_work_is_valid_by_its_schema() {
    let schema = schema_for!(Work).to_value();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for work in common::every_kind_of_work() {
        let value = serde_json::to_value(&work).expect("work as JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{value:#}");
    }
}

#[test]
fn work_with_an_unknown_field_is_refused() {
    let work = |more: Value| {
        let mut work =
            json!({"result": {"kind": "profile", "language": "en", "address": "", "wants": []}, "summary": "s"});
        for (key, value) in more.as_object().expect("an object") {
            work[key] = value.clone();
        }
        serde_json::from_value::<Work>(work)
    };
    assert!(work(json!({})).is_ok());
    assert!(work(json!({"price": 1})).is_err());
    assert!(
        work(json!({"result": {"kind": "profile", "language": "en", "address": "", "wants": [], "sum": 1}})).is_err()
    );
    assert!(work(json!({"result": {"kind": "invoice"}})).is_err());
}

fn variants(definition: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match definition.get("oneOf").and_then(Value::as_array) {
        Some(all) => Box::new(all.iter()),
        None => Box::new(std::iter::once(definition)),
    }
}

/// The words of an enumeration, written as `enum` or as one `const` each.
fn literals(definition: &Value) -> Vec<&str> {
    let each = definition["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
    definition["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).chain(each).collect()
}

fn strip(value: &mut Value, key: &str) {
    match value {
        Value::Object(object) => {
            if object.get(key).is_some_and(Value::is_string) {
                object.remove(key);
            }
            object.values_mut().for_each(|v| strip(v, key));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| strip(v, key)),
        _ => {}
    }
}
