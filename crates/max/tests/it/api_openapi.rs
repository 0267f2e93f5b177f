//! The document that the code gives: complete, valid, and every change of it visible in a review.

use std::collections::BTreeSet;

use crate::support::Max;
use serde_json::Value;

async fn document() -> Value {
    Max::start().await.get("/openapi.json").await.json()
}

#[tokio::test]
async fn the_interface_changes_only_where_a_review_sees_it() {
    let document = document().await;
    insta::assert_json_snapshot!("openapi", document);
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document().await;
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")), "{}", document["openapi"]);
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let parameters = document["components"]["parameters"].as_object().expect("parameters");
    let schemas = schemas.keys().map(|name| format!("#/components/schemas/{name}"));
    let known: BTreeSet<String> =
        schemas.chain(parameters.keys().map(|name| format!("#/components/parameters/{name}"))).collect();
    let unknown: Vec<_> = used.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let idle: Vec<_> = known.difference(&used).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(target) if key == "$ref" => drop(found.insert(target.to_owned())),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_has_its_own_name_its_parameters_and_its_problems() {
    let document = document().await;
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let variables: BTreeSet<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        for (method, operation) in item.as_object().expect("operations") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(operation["summary"].as_str().is_some(), "{method} {path} says what it does");
            let none = Vec::new();
            let declared: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .unwrap_or(&none)
                .iter()
                .filter(|p| p["in"] == "path")
                .filter_map(|p| p["name"].as_str())
                .collect();
            assert_eq!(variables, declared, "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
    assert!(names.len() >= 45, "{}", names.len());
}

#[tokio::test]
async fn the_page_of_the_document_needs_nothing_from_elsewhere() {
    let max = Max::start().await;
    let page = max.get("/docs").await;
    let text = page.text();
    assert!(text.contains("/api/ingest-lead") && text.contains("schema-ClientState"));
    assert!(!text.contains("http://") && !text.contains("https://") || !text.contains("src=\"http"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for problem in ["not-found", "conflict", "invalid", "unavailable"] {
        assert!(text.contains(&format!("id=\"{problem}\"")), "{problem}");
    }
}
