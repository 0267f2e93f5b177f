//! `Idempotency-Key`: any POST counts once, whatever it is about.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Max, Wishes, ada};

impl Max {
    /// POST of JSON as the local admin, under a key.
    async fn post_under(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = self.request("POST", path).header("content-type", "application/json");
        self.send(request.header("idempotency-key", key).body(Body::from(body.to_string())).expect("a request")).await
    }
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == "true"
}

#[tokio::test]
async fn every_documented_post_looks_at_its_key() {
    let max = Max::start().await;
    let document = max.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let posts: Vec<&String> = paths.iter().filter(|(_, item)| !item["post"].is_null()).map(|(path, _)| path).collect();
    assert!(posts.len() > 25, "{posts:?}");
    for path in posts {
        let answer = max.post_under(&"k".repeat(256), &path.replace(['{', '}'], ""), &json!({})).await;
        assert_eq!(answer.problem(422)["field"], "Idempotency-Key", "{path}");
        let parameters = &paths[path.as_str()]["post"]["parameters"];
        assert!(parameters.to_string().contains("IdempotencyKey"), "{path} does not say that it takes a key");
    }
}

#[tokio::test]
async fn a_second_copy_gets_the_same_answer_and_does_nothing() {
    let max = Max::start_with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let id = max.ada().await;
    let to = max.root.path().join("copy");
    let wave = json!({"name": "weekly", "eidolon": "maestro", "cron": "0 8 * * 1", "message": "look back"});
    let heartbeat = json!({"type": "HEARTBEAT", "from": "script", "to": "Director"});
    let message = json!({"body": "We are open from Tuesday to Saturday."});
    for (path, body) in [
        ("/api/sapwaves".to_owned(), wave),
        ("/api/clock".to_owned(), json!({"advance": "2h"})),
        ("/api/backup".to_owned(), json!({"to": to})),
        ("/api/rebuild".to_owned(), json!({})),
        ("/api/signals".to_owned(), heartbeat),
        ("/api/suppressions".to_owned(), json!({"address": "bo@example.org"})),
        (format!("/api/leads/{id}/messages"), message),
        (format!("/api/leads/{id}/consent"), json!({"purpose": "marketing", "given": true, "text_version": "1"})),
        (format!("/api/leads/{id}/take-over"), json!({})),
        (format!("/api/handoff/{id}"), json!({})),
    ] {
        let first = max.post_under(&path, &path, &body).await;
        assert!(first.status.is_success(), "{path}: {}", first.text());
        let again = max.post_under(&path, &path, &body).await;
        assert_eq!((first.status, first.text()), (again.status, again.text()), "{path}");
        assert!(!replayed(&first) && replayed(&again), "{path}");
        let mut other = body.clone();
        other["extra"] = json!(1);
        let conflict = max.post_under(&path, &path, &other).await.problem(409);
        assert!(conflict["detail"].as_str().is_some_and(|detail| detail.contains("another body")), "{conflict}");
    }
    assert_eq!(max.get("/api/clock").await.json()["now"], "2026-11-23T11:00:00Z", "two hours, not four");
    let messages = max.get(&format!("/api/leads/{id}/messages")).await.json();
    assert_eq!(messages["messages"].as_array().map(Vec::len), Some(2), "what came in, and one message");
}

#[tokio::test]
async fn a_message_under_a_key_keeps_its_id_when_others_have_come() {
    let max = Max::start().await;
    let id = max.ada().await;
    let path = format!("/api/leads/{id}/messages");
    let first = max.post_under("m1", &path, &json!({"body": "One."})).await.json();
    // The clock of these tests stands still, and two messages of one moment are told apart by their words.
    let second = max.post_under("m2", &path, &json!({"body": "Two."})).await.json();
    assert_ne!(first["message_id"], second["message_id"]);
    let again = max.post_under("m1", &path, &json!({"body": "One."})).await.json();
    assert_eq!(again["message_id"], first["message_id"]);
    assert_eq!(again["state"], second["state"], "the lead is told as it is now");
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_nowhere() {
    let max = Max::start().await;
    let body = json!({"name": "the shop", "scopes": ["ingest"]});
    let first = max.post_under("t1", "/api/tokens", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let secret = first.json()["token"].as_str().expect("a token").to_owned();
    let again = max.post_under("t1", "/api/tokens", &body).await;
    assert_eq!(again.status, StatusCode::CREATED);
    let mut shown = first.json();
    shown.as_object_mut().expect("an object").remove("token");
    assert_eq!(again.json(), shown, "all but the secret");
    let tokens = max.get("/api/tokens").await.json();
    assert_eq!(tokens["tokens"].as_array().map(Vec::len), Some(1), "one token was made");
    let kept = max.state.director.read(|store| store.idempotency("api:local:t1")).await.expect("a read");
    let kept = format!("{:?}", kept.expect("the key is kept"));
    assert!(kept.contains("the shop") && !kept.contains(&secret), "{kept}");

    let link = max.post_under("l1", "/api/login", &json!({})).await.json();
    assert!(link["path"].as_str().is_some_and(|path| path.starts_with("/login/")), "{link}");
    let again = max.post_under("l1", "/api/login", &json!({})).await.json();
    assert_eq!(again, json!({"expires_in": link["expires_in"]}));
}

#[tokio::test]
async fn a_request_that_changed_nothing_uses_its_key_too() {
    let max = Max::start().await;
    let id = max.ada().await;
    let over = format!("/api/leads/{id}/take-over");
    max.post_under("a", &over, &json!({})).await;
    let nothing = max.post_under("b", &over, &json!({})).await;
    assert_eq!(nothing.status, StatusCode::OK, "taken over already: {}", nothing.text());
    max.post(&format!("/api/leads/{id}/hand-back"), json!({})).await;
    let before = max.get(&format!("/api/status/{id}")).await;
    let late = max.post_under("b", &over, &json!({})).await;
    assert!(replayed(&late));
    assert_eq!(
        late.header("etag"),
        before.header("etag"),
        "a late second copy does not take over what was handed back"
    );
    // The same for an ingestion that was a repeat.
    let repeat = max.post_under("c", "/api/ingest-lead", &ada()).await;
    assert_eq!(repeat.status, StatusCode::OK);
    let mut other = ada();
    other["message"] = json!("Something else");
    max.post_under("c", "/api/ingest-lead", &other).await.problem(409);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let max = Max::start().await;
    let wrong = json!({"name": "", "scopes": ["ingest"]});
    max.post_under("k", "/api/tokens", &wrong).await.problem(422);
    let mended = json!({"name": "the shop", "scopes": ["ingest"]});
    assert_eq!(max.post_under("k", "/api/tokens", &mended).await.status, StatusCode::CREATED);
    let stranger = max.request_with("max_nobody_secret", "POST", "/api/tokens").header("idempotency-key", "k");
    max.send(stranger.body(Body::empty()).expect("a request")).await.problem(401);
}

#[tokio::test]
async fn a_key_belongs_to_its_token() {
    use max_app::api::auth::Scope;
    let max = Max::start().await;
    let id = max.ada().await;
    let body = json!({"reason": "a question of law"});
    for token in [max.token(&[Scope::Operate]).await, max.token(&[Scope::Operate]).await] {
        let request = max.request_with(&token, "POST", &format!("/api/leads/{id}/escalate"));
        let request = request.header("content-type", "application/json").header("idempotency-key", "same");
        let answer = max.send(request.body(Body::from(body.to_string())).expect("a request")).await;
        assert!(!replayed(&answer), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_at_once_are_one() {
    let max = Max::start().await;
    let body = json!({"name": "the shop", "scopes": ["ingest"]});
    let copies = (0..8).map(|_| max.post_under("t", "/api/tokens", &body));
    let answers = futures::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
    assert_eq!(max.get("/api/tokens").await.json()["tokens"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_claim_under_a_key_is_one_task_until_it_is_over() {
    let max = Max::start().await;
    max.ada().await;
    let mut bob = ada();
    (bob["name"], bob["email"], bob["external_ref"]) = (json!("Bob"), json!("bob@example.org"), json!("bob-1"));
    max.post("/api/ingest-lead", bob).await;
    let body = json!({"eidolon": "leadgen", "holder": "elsewhere/1"});
    let first = max.post_under("c1", "/api/tasks/claim", &body).await.json();
    let again = max.post_under("c1", "/api/tasks/claim", &body).await.json();
    assert_eq!((&first["task_id"], &first["attempt"]), (&again["task_id"], &again["attempt"]));
    let second = max.post_under("c2", "/api/tasks/claim", &body).await.json();
    assert_ne!(second["task_id"], first["task_id"], "the other lead's");
    assert_eq!(max.post_under("c3", "/api/tasks/claim", &body).await.status, StatusCode::NO_CONTENT);
    let task = first["task_id"].as_str().expect("an id");
    let fail = json!({"attempt": first["attempt"], "error": "the voice died"});
    let path = format!("/api/tasks/{task}/fail");
    let failed = max.post_under("f1", &path, &fail).await;
    assert_eq!(failed.status, StatusCode::OK, "{}", failed.text());
    assert!(replayed(&max.post_under("f1", &path, &fail).await));
    let renew = format!("/api/tasks/{}/renew", second["task_id"].as_str().expect("an id"));
    for _ in 0..2 {
        let renewed = max.post_under("r1", &renew, &json!({"attempt": second["attempt"]})).await;
        assert_eq!(renewed.status, StatusCode::NO_CONTENT);
    }
    max.post_under("c1", "/api/tasks/claim", &body).await.problem(409);
}

#[tokio::test]
async fn an_escalation_is_settled_once() {
    let max = Max::start().await;
    let id = max.ada().await;
    max.post(&format!("/api/leads/{id}/escalate"), json!({"reason": "angry"})).await;
    let list = max.get("/api/escalations").await.json();
    let path = format!("/api/escalations/{}", list["escalations"][0]["id"].as_str().expect("an id"));
    let body = json!({"decision": "retry"});
    let first = max.post_under("e1", &path, &body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let again = max.post_under("e1", &path, &body).await;
    assert_eq!(
        (again.status, again.json()),
        (first.status, first.json()),
        "it is not open any more, and answered all the same"
    );
}
