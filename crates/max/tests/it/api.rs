//! The four endpoints of the brief, tokens and problem documents, through the router.

use crate::support::{Max, Wishes, ada};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use max_app::api::auth::{RateLimit, Scope};
use max_engine::ports::StoreError;
use serde_json::{Value, json};

// ---- ingestion ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_lead_comes_in_once_and_its_state_has_exactly_the_eight_fields() {
    let max = Max::start().await;
    let first = max.post("/api/ingest-lead", ada()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let state = first.json();
    let fields: Vec<&str> = state.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted = ["lead_id", "current_stage", "status", "data", "next_action", "history", "created_at", "updated_at"];
    assert_eq!(fields, wanted);
    let id = state["lead_id"].as_str().expect("an id");
    assert_eq!(first.header("location"), format!("/api/leads/{id}"));

    let again = max.post("/api/ingest-lead", ada()).await;
    assert_eq!(again.status, StatusCode::OK, "the same person with the same message is a repeat");
    assert_eq!(again.json()["lead_id"], id);
}

#[tokio::test]
async fn unknown_fields_are_kept_and_a_budget_may_be_a_number() {
    let max = Max::start().await;
    let mut lead = ada();
    lead["budget"] = json!(12500);
    lead["utm_campaign"] = json!("spring");
    lead["extra"] = json!({"form": 7});
    let state = max.post("/api/ingest-lead", lead).await.json();
    assert_eq!(state["data"]["lead"]["budget"], "12500");
    assert_eq!(state["data"]["lead"]["extra"], json!({"utm_campaign": "spring", "form": 7}));
}

#[tokio::test]
async fn a_form_post_comes_in_too() {
    let max = Max::start().await;
    let request = max
        .request("POST", "/api/ingest-lead")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(Body::from("name=J%C3%BCrgen&message=Guten+Tag&newsletter=yes"))
        .expect("a request");
    let answer = max.send(request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let lead = &answer.json()["data"]["lead"];
    assert_eq!((&lead["name"], &lead["extra"]["newsletter"]), (&json!("Jürgen"), &json!("yes")));
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let max = Max::start().await;
    for (field, value) in [
        ("email", json!(7)),
        ("email", json!("ada")),
        ("email", json!("a@b@c")),
        ("email", json!("ada lovelace@example.org")),
        ("email", json!("ada@example.org\u{7}")),
        ("name", json!(["Ada"])),
        ("message", json!({"text": "hello"})),
        ("phone", json!(4930123)),
        ("budget", json!(true)),
        ("external_ref", json!("../etc")),
        ("external_ref", json!("0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11")),
        ("extra", json!("more")),
    ] {
        let mut lead = ada();
        lead[field] = value.clone();
        let problem = max.post("/api/ingest-lead", lead).await.problem(422);
        assert_eq!(problem["field"], field, "{value}: {problem}");
    }
    let problem = max.post("/api/ingest-lead", json!({"message": "hello"})).await.problem(422);
    assert_eq!(problem["field"], "email", "a name or an address is needed: {problem}");
    let problem = max.post("/api/ingest-lead", json!({"name": "Ada"})).await.problem(422);
    assert_eq!(problem["field"], "message", "{problem}");
}

#[tokio::test]
async fn control_characters_in_a_name_are_removed_for_display() {
    let max = Max::start().await;
    let mut lead = ada();
    lead["name"] = json!("Ada\u{0}\u{1b}[31m Lovelace\u{85}");
    let state = max.post("/api/ingest-lead", lead).await.json();
    assert_eq!(state["data"]["lead"]["name"], "Ada[31m Lovelace");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_apart() {
    let max = Max::start().await;
    let post = |kind: &'static str, body: Body| {
        max.request("POST", "/api/ingest-lead").header("content-type", kind).body(body).expect("a request")
    };
    max.send(post("application/json", Body::from("{\"name\": "))).await.problem(400);
    max.send(post("application/json", Body::from(vec![b'{', 0xff, 0xfe]))).await.problem(400);
    max.send(post("application/json", Body::from("[1, 2]"))).await.problem(422);
    max.send(post("text/plain", Body::from("hello"))).await.problem(415);
    let large = format!("{{\"message\": \"{}\"}}", "x".repeat(1024 * 1024));
    max.send(post("application/json", Body::from(large.clone()))).await.problem(413);
    let pieces = futures::stream::iter(
        large.into_bytes().chunks(64 * 1024).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>(),
    );
    max.send(post("application/json", Body::from_stream(pieces))).await.problem(413);
}

#[tokio::test]
async fn an_idempotency_key_carries_out_a_request_once() {
    let max = Max::start().await;
    let post = |key: &str, path: &str, body: &Value| {
        let request = max.request("POST", path).header("content-type", "application/json");
        request.header("idempotency-key", key).body(Body::from(body.to_string())).expect("a request")
    };
    let first = max.send(post("k1", "/api/ingest-lead", &ada())).await;
    let again = max.send(post("k1", "/api/ingest-lead", &ada())).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.json()["lead_id"], again.json()["lead_id"]);
    let mut other = ada();
    other["message"] = json!("Something else");
    max.send(post("k1", "/api/ingest-lead", &other)).await.problem(409);
    max.send(post("k1", "/api/handoff/abc-123", &json!({}))).await.problem(409);

    let handed = max.send(post("k2", "/api/handoff/abc-123", &json!({}))).await.json();
    let same = max.send(post("k2", "/api/handoff/abc-123", &json!({}))).await.json();
    assert_eq!(handed["current_stage"], "FirstResponder");
    assert_eq!(handed, same, "the second copy changes nothing");
    max.send(post(&"k".repeat(256), "/api/handoff/abc-123", &json!({}))).await.problem(422);
}

#[tokio::test]
async fn a_reference_of_somebody_else_is_refused() {
    let max = Max::start().await;
    max.ada().await;
    let mut other = ada();
    other["email"] = json!("grace@example.org");
    let problem = max.post("/api/ingest-lead", other).await.problem(409);
    assert_eq!(problem["field"], "external_ref");
}

// ---- handoff -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_handoff_goes_to_the_next_stage_and_a_refusal_says_what_is_allowed() {
    let max = Max::start().await;
    let id = max.ada().await;
    let state = max.post(&format!("/api/handoff/{id}"), json!({})).await.json();
    assert_eq!(state["current_stage"], "FirstResponder");
    assert_eq!(state["history"][1]["by"], "person:local admin (api)");

    let problem = max.post("/api/handoff/abc-123", json!({"to": "Closer"})).await.problem(409);
    let allowed = problem["allowed"].as_array().expect("a list");
    assert!(allowed.iter().any(|a| a == "hand off to Scoping"), "{problem}");

    let state = max.post("/api/handoff/abc-123", json!({"to": "ScopingAgent", "summary": "ready"})).await.json();
    assert_eq!(state["current_stage"], "Scoping");
    let repeat = json!({"to": "Clara", "previous_stage": "first_responder"});
    assert_eq!(max.post("/api/handoff/abc-123", repeat).await.status, StatusCode::OK, "being there is a repeat");
}

#[tokio::test]
async fn a_wrong_handoff_names_the_field_or_the_lead() {
    let max = Max::start().await;
    max.ada().await;
    for (body, field) in [
        (json!({"to": "Sales"}), "to"),
        (json!({"to": 3}), "to"),
        (json!({"reson": "typo"}), "reson"),
        (json!({"previous_stage": "x"}), "previous_stage"),
        (json!({"signal_id": "with spaces"}), "signal_id"),
    ] {
        let problem = max.post("/api/handoff/abc-123", body.clone()).await.problem(422);
        assert_eq!(problem["field"], field, "{body}: {problem}");
    }
    max.post("/api/handoff/nobody", json!({})).await.problem(404);
    max.post("/api/handoff/0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11", json!({})).await.problem(404);
    max.post("/api/handoff/not%20a%20name", json!({})).await.problem(404);
    max.post("/api/handoff/%ff", json!({})).await.problem(404);
}

#[tokio::test]
async fn a_handoff_without_a_body_is_a_handoff_to_the_next_stage() {
    let max = Max::start().await;
    max.ada().await;
    let request = max.request("POST", "/api/handoff/abc-123").body(Body::empty()).expect("a request");
    assert_eq!(max.send(request).await.json()["current_stage"], "FirstResponder");
}

// ---- status ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn status_is_found_by_id_and_by_reference_and_answers_304_to_its_own_etag() {
    let max = Max::start().await;
    let id = max.ada().await;
    let by_id = max.get(&format!("/api/status/{id}")).await;
    let by_reference = max.get("/api/status/abc-123").await;
    assert_eq!(by_id.json(), by_reference.json());
    assert_eq!(by_id.header("etag"), "\"1\"");
    assert_eq!(by_id.header("content-type"), "application/json");
    for (tag, status) in [("\"1\"", 304), ("W/\"1\"", 304), ("\"0\", \"1\"", 304), ("*", 304), ("\"2\"", 200)] {
        let request = max.request("GET", &format!("/api/status/{id}")).header("if-none-match", tag);
        let answer = max.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status.as_u16(), status, "{tag}");
        assert_eq!(answer.body.is_empty(), status == 304);
    }
    max.get("/api/status/nobody").await.problem(404);
    assert_eq!(max.get("/api/status/abc-123?wait=61").await.problem(422)["field"], "wait");
    assert_eq!(max.get("/api/status/abc-123?wait=soon").await.problem(422)["field"], "wait");
    assert_eq!(max.get("/api/status/abc-123?weight=1").await.problem(422)["field"], "weight");
}

#[tokio::test]
async fn a_long_poll_answers_when_the_lead_has_changed() {
    let max = Max::start().await;
    let id = max.ada().await;
    let path = format!("/api/status/{id}?wait=60&version=1");
    let waiting = max.get(&path);
    let acting = max.post("/api/handoff/abc-123", json!({}));
    let (seen, _) = tokio::join!(waiting, acting);
    assert_eq!(seen.json()["current_stage"], "FirstResponder");
    assert_eq!(seen.header("etag"), "\"2\"");
    // Somebody who is behind is answered at once.
    assert_eq!(max.get(&path).await.header("etag"), "\"2\"");
}

#[tokio::test]
async fn a_shutdown_ends_a_long_poll() {
    let max = Max::start().await;
    let id = max.ada().await;
    let path = format!("/api/status/{id}?wait=60&version=1");
    let (seen, ()) = tokio::join!(max.get(&path), async { max.state.closing.cancel() });
    assert_eq!(seen.header("etag"), "\"1\"");
}

// ---- health ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn health_shows_nine_eidolons_with_four_seats_and_what_would_fill_them() {
    let max = Max::start().await;
    let health = max.get("/api/agents/health").await.json();
    assert_eq!((&health["mode"], &health["status"]), (&json!("playbook"), &json!("degraded")));
    let eidolons = health["eidolons"].as_array().expect("a list");
    assert_eq!(eidolons.len(), 9);
    assert_eq!((&eidolons[1]["persona"], &eidolons[2]["persona"]), (&json!("Mike"), &json!("Zoë")));
    let voices = eidolons[2]["voices"].as_array().expect("a list");
    assert_eq!(voices.len(), 4);
    assert_eq!((&voices[0]["state"], &voices[0]["evidence"]), (&json!("absent"), &json!("install it")));
}

// ---- tokens ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn each_scope_opens_its_doors_and_no_others() {
    let max = Max::start().await;
    max.ada().await;
    let doors = [
        ("POST", "/api/ingest-lead", 1),
        ("GET", "/api/status/abc-123", 2),
        ("GET", "/api/leads", 2),
        ("GET", "/api/approvals", 2),
        ("GET", "/metrics", 2),
        ("POST", "/api/handoff/abc-123", 3),
        ("POST", "/api/leads/abc-123/take-over", 3),
        ("POST", "/api/signals", 3),
        ("GET", "/api/tokens", 4),
        ("POST", "/api/rebuild", 4),
        ("POST", "/api/clock", 4),
    ];
    let scopes = [Scope::Ingest, Scope::Read, Scope::Operate, Scope::Admin];
    for (power, scope) in (1..).zip(scopes) {
        let token = max.token(&[scope]).await;
        for (method, path, needed) in doors {
            let request = max.request_with(&token, method, path).body(Body::empty()).expect("a request");
            let answer = max.send(request).await;
            if power < needed {
                let problem = answer.problem(403);
                let name = scopes[needed - 1].to_string();
                assert!(problem["detail"].as_str().is_some_and(|d| d.contains(&name)), "{problem}");
            } else {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{scope} {method} {path}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn without_a_known_token_only_the_open_doors_open() {
    let max = Max::start().await;
    let bare = |path: &str| Request::builder().uri(path).body(Body::empty()).expect("a request");
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        assert_eq!(max.send(bare(path)).await.status, StatusCode::OK, "{path}");
    }
    let answer = max.send(bare("/api/leads")).await;
    answer.problem(401);
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    let forged = format!("{}x", max.admin);
    for token in ["", "nonsense", "max_local_", "max_local_guess", "max_0_0", &forged] {
        let request = max.request_with(token, "GET", "/api/leads").body(Body::empty()).expect("a request");
        max.send(request).await.problem(401);
    }
}

#[tokio::test]
async fn a_token_is_shown_once_stored_hashed_and_can_be_revoked() {
    let max = Max::start().await;
    let made = max.post("/api/tokens", json!({"name": "the form", "scopes": ["ingest"]})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    let token = made["token"].as_str().expect("a token").to_owned();
    let secret = token.rsplit_once('_').map_or("", |(_, secret)| secret).to_owned();
    let list = max.get("/api/tokens").await;
    assert!(!list.text().contains(&secret));
    assert_eq!(list.json()["tokens"][0]["name"], "the form");

    let ingest = || {
        let request = max.request_with(&token, "POST", "/api/ingest-lead").header("content-type", "application/json");
        request.body(Body::from(ada().to_string())).expect("a request")
    };
    assert_eq!(max.send(ingest()).await.status, StatusCode::CREATED);
    let id = made["id"].as_str().expect("an id");
    assert_eq!(max.delete(&format!("/api/tokens/{id}")).await.status, StatusCode::NO_CONTENT);
    max.send(ingest()).await.problem(401);
    max.delete(&format!("/api/tokens/{id}")).await.problem(404);

    let wrong = max.post("/api/tokens", json!({"name": "x", "scopes": ["root"]})).await.problem(422);
    assert_eq!(wrong["field"], "scopes");
    assert_eq!(max.post("/api/tokens", json!({"name": "x", "scopes": []})).await.problem(422)["field"], "scopes");
}

#[tokio::test]
async fn the_local_token_lies_in_a_file_for_its_owner_only_and_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let max = Max::start().await;
    let path = max.root.path().join("run/token");
    assert_eq!(std::fs::read_to_string(&path).expect("a token").trim(), max.admin);
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let again = max_app::api::auth::Auth::open(max.root.path(), max.state.director.clone()).await;
    let (auth, new) = again.expect("the tokens open");
    assert!(!new);
    assert_eq!(auth.local_token(), max.admin);
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_when_to_come_back_and_the_local_one_never_is() {
    let max = Max::start_with(Wishes { rate: RateLimit { per_minute: 6, burst: 3 }, ..Wishes::default() }).await;
    let token = max.token(&[Scope::Read]).await;
    let ask = || max.request_with(&token, "GET", "/api/leads").body(Body::empty()).expect("a request");
    for _ in 0..3 {
        assert_eq!(max.send(ask()).await.status, StatusCode::OK);
    }
    let refused = max.send(ask()).await;
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    for _ in 0..20 {
        assert_eq!(max.get("/api/leads").await.status, StatusCode::OK);
    }
}

// ---- problems ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let max = Max::start().await;
    max.get("/api/nothing").await.problem(404);
    let wrong = max.get("/api/ingest-lead").await;
    wrong.problem(405);
    assert_eq!(wrong.header("allow"), "POST");
}

#[tokio::test]
async fn a_store_that_cannot_write_is_a_503_that_says_why_and_when_to_try_again() {
    let max = Max::start().await;
    max.ada().await;
    for error in
        [StoreError::Full("/data".into()), StoreError::ReadOnly("/data".into()), StoreError::Unavailable("x".into())]
    {
        max.store.break_with(error);
        let mut lead = ada();
        lead["message"] = json!("Are you there?");
        let answer = max.post("/api/ingest-lead", lead).await;
        answer.problem(503);
        assert!(answer.header("retry-after").parse::<u64>().is_ok());
        max.get("/readyz").await.problem(503);
    }
    max.store.mend();
    assert_eq!(max.get("/readyz").await.status, StatusCode::OK);
    assert_eq!(max.get("/api/status/abc-123").await.header("etag"), "\"1\"", "nothing was changed");
}
