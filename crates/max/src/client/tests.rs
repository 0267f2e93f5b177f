//! A small server that says what MAX says, and how the client takes it.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::*;
use crate::exit::{Exit, Failure};

/// A server on a free port of this machine.
async fn server(router: Router) -> Client {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    Client::new(&format!("http://{address}"), Some("secret".into())).expect("a client")
}

fn problem(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

#[tokio::test]
async fn problems_become_exit_codes_with_advice() {
    let router = Router::new()
        .route(
            "/409",
            get(|| async {
                problem(409, json!({"title": "refused", "detail": "lead abc is completed", "allowed": ["reopen"]}))
            }),
        )
        .route(
            "/422",
            get(|| async {
                problem(
                    422,
                    json!({"title": "invalid", "detail": "must be a text", "field": "email",
                "findings": [{"rule": "X-1", "detail": "no text"}]}),
                )
            }),
        )
        .route("/401", get(|| async { problem(401, json!({"title": "no token", "detail": "a token is needed"})) }))
        .route("/500", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "not even JSON") }))
        .route("/garbled", get(|| async { "this is no JSON" }));
    let client = server(router).await;
    let failure = async |path: &str| Failure::from(client.get(path).await.expect_err(path));

    let refused = failure("/409").await;
    assert_eq!(refused.exit, Exit::Refused);
    assert_eq!(refused.message, "lead abc is completed\n  allowed now: reopen");
    let invalid = failure("/422").await;
    assert_eq!(invalid.exit, Exit::Invalid);
    assert_eq!(invalid.message, "email: must be a text\n  X-1: no text");
    let unknown = failure("/401").await;
    assert_eq!(unknown.exit, Exit::NotAllowed);
    assert!(unknown.hint.expect("a remedy").contains("MAX_TOKEN"));
    assert_eq!(failure("/nowhere").await.exit, Exit::NotFound);
    let broken = failure("/500").await;
    assert_eq!((broken.exit, broken.message.as_str()), (Exit::Failed, "Internal Server Error (HTTP 500)"));
    assert!(failure("/garbled").await.message.contains("cannot be read"));
}

#[tokio::test]
async fn token_key_and_version_travel_in_headers() {
    let router = Router::new().route(
        "/api/echo",
        post(|headers: HeaderMap, Json(body): Json<Value>| async move {
            let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
            let seen = json!({"auth": text("authorization"), "key": text("idempotency-key"), "body": body});
            ([(header::ETAG, "\"12\"")], Json(seen))
        }),
    );
    let client = server(router).await;
    let answer = client.post_once("/api/echo", &json!({"a": 1}), "row-1").await.expect("an answer");
    assert_eq!(answer.version, Some(12));
    assert_eq!(answer.body, json!({"auth": "Bearer secret", "key": "row-1", "body": {"a": 1}}));
    assert!(!format!("{client:?}").contains("secret"));
}

#[tokio::test]
async fn nobody_there_is_told_from_a_refusal() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let client = Client::new(&format!("http://{address}"), None).expect("a client");
    let failure = Failure::from(client.get("/healthz").await.expect_err("nobody listens"));
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.hint.expect("a remedy").contains("max up"));
}

#[test]
fn the_server_is_found_by_name_or_in_the_root() {
    let run = tempfile::tempdir().expect("a folder");
    let none = Client::find(None, None, run.path()).expect_err("nothing runs here");
    assert_eq!(none.exit(), Exit::Unreachable);
    std::fs::write(run.path().join("max.json"), r#"{"pid": 1, "address": "127.0.0.1:9", "version": "0.1.0"}"#)
        .expect("written");
    std::fs::write(run.path().join("token"), "abc\n").expect("written");
    let client = Client::find(None, None, run.path()).expect("found");
    assert_eq!((client.base(), client.token.as_deref()), ("http://127.0.0.1:9", Some("abc")));
    let other = Client::find(Some("10.0.0.1:80"), Some("mine".into()), run.path()).expect("named");
    assert_eq!((other.base(), other.token.as_deref()), ("http://10.0.0.1:80", Some("mine")));
    assert!(Client::find(Some("https://max.example"), None, run.path()).is_err());
}

#[test]
fn a_path_segment_holds_nothing_that_could_leave_it() {
    assert_eq!(segment("abc-1.2_~"), "abc-1.2_~");
    assert_eq!(segment("../a b?#"), "..%2Fa%20b%3F%23");
    assert_eq!(query(&[("q", Some("a&b".into())), ("stage", None)]), "?q=a%26b");
}
