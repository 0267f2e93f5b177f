//! The four endpoints of DESIGN 8, driven by curl: an HTTP client that is not ours.

use std::process::Command;

use crate::process::Server;
use serde_json::{Value, json};

struct Answer {
    status: u16,
    headers: String,
    body: Value,
}

fn curl(server: &Server, arguments: &[&str], path: &str) -> Answer {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "30"])
        .args(["-H", &format!("Authorization: Bearer {}", server.token)])
        .args(arguments)
        .arg(server.url(path))
        .output()
        .expect("curl: run ./test, which installs it");
    assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&text);
    let (headers, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = headers[9..12].parse().expect("a status");
    Answer { status, headers: headers.to_lowercase(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
}

fn post(server: &Server, path: &str, body: &Value, more: &[&str]) -> Answer {
    let body = body.to_string();
    let mut arguments = vec!["-X", "POST", "-H", "Content-Type: application/json", "--data-binary", &body];
    arguments.extend(more);
    curl(server, &arguments, path)
}

#[test]
fn ingest_status_handoff_and_health_do_what_design_8_says() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Server::start(root.path(), &[], &[]);
    let lead = json!({
        "name": "Ada Example", "email": "ada@studio.example", "company": "Studio Example",
        "message": "We need a new website with an online booking page for our pottery studio. Our budget is 12000 EUR.",
        "external_ref": "abc-123", "budget": 12000, "favourite_colour": "green",
    });
    let created = post(&server, "/api/ingest-lead", &lead, &["-H", "Idempotency-Key: k1"]);
    assert_eq!(created.status, 201, "{}", created.body);
    let fields: Vec<&str> = created.body.as_object().expect("an object").keys().map(String::as_str).collect();
    let named = ["lead_id", "current_stage", "status", "data", "next_action", "history", "created_at", "updated_at"];
    assert_eq!(fields, named);
    assert_eq!(created.body["data"]["lead"]["extra"]["favourite_colour"], "green");
    let id = created.body["lead_id"].as_str().expect("an id").to_owned();

    let again = post(&server, "/api/ingest-lead", &lead, &["-H", "Idempotency-Key: k1"]);
    assert_eq!((again.status, &again.body["lead_id"]), (200, &json!(id)));
    let other =
        post(&server, "/api/ingest-lead", &json!({"name": "Bob", "message": "Hello"}), &["-H", "Idempotency-Key: k1"]);
    assert_eq!(other.status, 409, "the same key with another body: {}", other.body);
    let taken = json!({"name": "Bob", "email": "bob@b.example", "message": "A website", "external_ref": "abc-123"});
    assert_eq!(post(&server, "/api/ingest-lead", &taken, &[]).status, 409, "a reference of another person");
    let wrong = post(&server, "/api/ingest-lead", &json!({"name": 7, "message": "x"}), &[]);
    assert_eq!((wrong.status, &wrong.body["field"]), (422, &json!("name")), "{}", wrong.body);
    assert!(wrong.headers.contains("application/problem+json"), "{}", wrong.headers);
    assert_eq!(post(&server, "/api/ingest-lead", &json!({"message": "x"}), &[]).status, 422);
    let large = json!({"name": "L", "message": "x".repeat(1_100_000)}).to_string();
    let file = root.path().join("large.json");
    std::fs::write(&file, large).expect("a file");
    let data = format!("@{}", file.display());
    let refused = curl(
        &server,
        &["-X", "POST", "-H", "Content-Type: application/json", "--data-binary", &data],
        "/api/ingest-lead",
    );
    assert_eq!(refused.status, 413);

    let status = curl(&server, &[], "/api/status/abc-123");
    assert_eq!((status.status, &status.body["lead_id"]), (200, &json!(id)));
    assert!(status.headers.contains("etag: "), "{}", status.headers);
    assert_eq!(curl(&server, &[], "/api/status/nobody").status, 404);

    let rested = wait_for(&server, &id, |state| state["status"] == "awaiting_human");
    assert_eq!(rested["current_stage"], "FirstResponder", "{rested:#}");
    let moved = post(&server, &format!("/api/handoff/{id}"), &json!({"summary": "ready", "signal_id": "s-1"}), &[]);
    assert_eq!((moved.status, &moved.body["current_stage"]), (200, &json!("Scoping")), "{}", moved.body);
    let repeated = post(&server, &format!("/api/handoff/{id}"), &json!({"summary": "ready", "signal_id": "s-1"}), &[]);
    assert_eq!((repeated.status, &repeated.body["current_stage"]), (200, &json!("Scoping")));
    let past = post(&server, "/api/handoff/abc-123", &json!({"to": "Onboarding"}), &[]);
    assert_eq!(past.status, 409, "past a stage without a reason");
    assert!(past.body["allowed"].as_array().is_some_and(|a| !a.is_empty()), "{}", past.body);
    assert_eq!(post(&server, "/api/handoff/abc-123", &json!({"to": "Nowhere"}), &[]).status, 422);

    let health = curl(&server, &[], "/api/agents/health");
    assert_eq!(health.status, 200);
    let eidolons = health.body["eidolons"].as_array().expect("eidolons");
    assert_eq!(eidolons.len(), 9);
    for eidolon in eidolons {
        let voices = eidolon["voices"].as_array().expect("voices");
        let seats = voices.iter().filter(|v| ["claude", "gemini", "codex", "copilot"].iter().any(|s| v["voice"] == *s));
        assert_eq!(seats.count(), 4, "{eidolon:#}");
    }

    let stranger = Command::new("curl")
        .args(["--silent", "-o", "/dev/null", "-w", "%{http_code}", &server.url("/api/status/abc-123")])
        .output()
        .expect("curl");
    assert_eq!(String::from_utf8_lossy(&stranger.stdout), "401");
    assert_eq!(server.stop(), Some(0));
}

/// Long-polls the status until it is as wanted.
fn wait_for(server: &Server, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut state = curl(server, &[], &format!("/api/status/{id}"));
    for _ in 0..60 {
        if wanted(&state.body) {
            return state.body;
        }
        let etag = state.headers.lines().find_map(|l| l.strip_prefix("etag: ")).expect("an ETag").trim().to_owned();
        let next = curl(server, &["-H", &format!("If-None-Match: {etag}")], &format!("/api/status/{id}?wait=1"));
        if next.status == 200 {
            state = next;
        }
    }
    panic!("the lead never came to it: {:#}", state.body);
}
