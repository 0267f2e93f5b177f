//! The stream of events: resumed without a gap and without a double.

use std::time::Duration;

use crate::support::{Max, ada};
use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A reader of server-sent events.
struct Reader {
    stream: BodyDataStream,
    text: String,
}

/// One event: its name, its id if it has one, its data.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    name: String,
    id: Option<String>,
    data: Value,
}

impl Reader {
    async fn open(max: &Max, path: &str, last: Option<&str>) -> Self {
        let mut request = max.request("GET", path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = max.router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { stream: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let told = parse(block);
                self.text = rest.to_owned();
                return Some(told);
            }
            // A generous limit: it only ends a test that would hang.
            let bytes = tokio::time::timeout(Duration::from_secs(20), self.stream.next()).await.expect("an event")?;
            self.text.push_str(std::str::from_utf8(&bytes.expect("bytes")).expect("UTF-8"));
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(self.next().await.expect("more events"));
        }
        all
    }
}

fn parse(block: &str) -> Told {
    let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned));
    let data = serde_json::from_str(&field("data").expect("data")).expect("JSON");
    Told { name: field("event").expect("a name"), id: field("id"), data }
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|t| t.name.as_str()).collect()
}

#[tokio::test]
async fn a_listener_hears_what_happens_from_now_on() {
    let max = Max::start().await;
    max.ada().await;
    let mut reader = Reader::open(&max, "/api/events", None).await;
    max.post("/api/handoff/abc-123", json!({})).await;
    let told = reader.take(3).await;
    assert_eq!(names(&told), ["TaskSuperseded", "StageEntered", "TaskOpened"]);
    assert_eq!(told[2].data["current_stage"], "FirstResponder");
    assert_eq!(told[2].data["status"], "in_progress");
    assert!(told[2].data["next_action"].as_str().is_some_and(|a| !a.is_empty()));
    let ids: Vec<Option<&str>> = told.iter().map(|t| t.id.as_deref()).collect();
    assert_eq!(ids, [None, None, Some("2")], "only a whole entry may be skipped on return");
}

#[tokio::test]
async fn whoever_comes_back_misses_nothing_and_hears_nothing_twice() {
    let max = Max::start().await;
    // More than one page of the log, so that reading and listening meet.
    for number in 0..200 {
        let mut lead = ada();
        lead["email"] = json!(format!("ada{number}@example.org"));
        lead["external_ref"] = json!(format!("ref-{number}"));
        max.post("/api/ingest-lead", lead).await;
        max.post(&format!("/api/handoff/ref-{number}"), json!({})).await;
    }
    let resumed = Reader::open(&max, "/api/events?after=0", Some("10"));
    let (mut reader, ()) = tokio::join!(resumed, async {
        for number in 0..20 {
            max.post(&format!("/api/handoff/ref-{number}"), json!({})).await;
        }
    });
    let mut positions = Vec::new();
    while positions.last() != Some(&420) {
        let told = reader.next().await.expect("more events");
        if told.id.is_some() {
            positions.push(told.data["position"].as_i64().expect("a position"));
        }
    }
    assert_eq!(positions, (11..=420).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_listener_too_slow_for_the_live_channel_is_sent_back_to_the_log() {
    let max = Max::start().await;
    max.ada().await;
    let mut reader = Reader::open(&max, "/api/events", None).await;
    // More than the channel holds, while nobody reads.
    let many = 9_000;
    let acts = futures::stream::iter(0..many / 2).map(|_| async {
        max.post("/api/leads/abc-123/take-over", json!({})).await;
        max.post("/api/leads/abc-123/hand-back", json!({})).await;
    });
    acts.for_each(|act| act).await;
    let mut positions = Vec::new();
    while positions.last() != Some(&(many + 1)) {
        let told = reader.next().await.expect("more events");
        if told.id.is_some() {
            positions.push(told.data["position"].as_i64().expect("a position"));
        }
    }
    assert_eq!(positions, (2..=many + 1).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_shutdown_ends_the_stream_and_a_wrong_id_is_refused() {
    let max = Max::start().await;
    let mut reader = Reader::open(&max, "/api/events", None).await;
    max.state.closing.cancel();
    assert_eq!(reader.next().await, None);
    let request = max.request("GET", "/api/events").header("last-event-id", "x").body(Body::empty());
    assert_eq!(max.send(request.expect("a request")).await.problem(422)["field"], "Last-Event-ID");
}
