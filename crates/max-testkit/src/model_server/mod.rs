//! A scripted model server on this machine: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions and Gemini,
//! whole and as streams, with the faults that services really have. It keeps every request, byte for byte.
//!
//! The script is a function from the request (and its number) to a [`Reply`]; the server says it in the format that
//! was asked for, so one script serves all of them.

mod anthropic;
mod chat;
mod gemini;
mod responses;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures::stream::{self, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// A format that the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `POST /v1/messages`
    Anthropic,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/chat/completions`
    Chat,
    /// `POST /v1beta/models/MODEL:generateContent` and `:streamGenerateContent`
    Gemini,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// 0 for the first that asked a model something.
    pub number: usize,
    /// Its path and query.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte.
    pub body: Vec<u8>,
    /// The format of its path.
    pub dialect: Dialect,
}

impl Received {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// What was asked, without the instructions that come first.
    pub fn asked(&self) -> String {
        let body = self.json();
        match self.dialect {
            Dialect::Anthropic => texts(&body["messages"], "/content", "/text"),
            Dialect::Responses => texts(&body["input"], "/content", "/text"),
            Dialect::Chat => body["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|m| m["role"] != "system")
                .filter_map(|m| m["content"].as_str())
                .collect(),
            Dialect::Gemini => texts(&body["contents"], "/parts", "/text"),
        }
    }

    /// The instructions that come first.
    pub fn instructions(&self) -> String {
        let body = self.json();
        match self.dialect {
            Dialect::Anthropic => {
                body["system"].as_array().into_iter().flatten().filter_map(|s| s["text"].as_str()).collect()
            }
            Dialect::Responses => body["instructions"].as_str().unwrap_or_default().to_owned(),
            Dialect::Chat => body["messages"][0]["content"].as_str().unwrap_or_default().to_owned(),
            Dialect::Gemini => body["systemInstruction"]["parts"][0]["text"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The schema that the answer has to keep to, where one was given.
    pub fn schema(&self) -> Option<Value> {
        let at = match self.dialect {
            Dialect::Anthropic => "/output_config/format/schema",
            Dialect::Responses => "/text/format/schema",
            Dialect::Chat => "/response_format/json_schema/schema",
            Dialect::Gemini => "/generationConfig/responseJsonSchema",
        };
        self.json().pointer(at).cloned()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn streams(&self) -> bool {
        self.target.contains(":streamGenerateContent") || self.json()["stream"] == true
    }
}

fn texts(list: &Value, parts: &str, text: &str) -> String {
    let parts = list.as_array().into_iter().flatten().filter_map(|one| one.pointer(parts)?.as_array());
    parts.flatten().filter_map(|part| part.pointer(text)?.as_str()).collect()
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Says this.
    Says(Said),
    /// Something goes wrong.
    Fault(Fault),
}

impl Reply {
    /// Says a text.
    pub fn says(text: impl Into<String>) -> Self {
        Self::Says(Said { text: text.into(), ..Said::default() })
    }
}

/// An answer of a model.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its text.
    pub text: String,
    /// The model that says it.
    pub model: String,
    /// All tokens that went in.
    pub input: u64,
    /// Of these, those that the cache served.
    pub cached: u64,
    /// Tokens that came out.
    pub output: u64,
    /// How it ends.
    pub end: Ending,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            text: String::new(),
            model: "scripted-1".into(),
            input: 1_200,
            cached: 1_000,
            output: 80,
            end: Ending::Whole,
        }
    }
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything is said.
    Whole,
    /// At the most tokens that were asked for.
    MaxTokens,
    /// The model would not.
    Refusal,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 401; the error repeats the key, as services do.
    Unauthorized,
    /// 429, with this `Retry-After`.
    RateLimited(Option<String>),
    /// 429 that no waiting helps against.
    QuotaOut,
    /// 500.
    ServerError,
    /// 400: the prompt is too long.
    ContextTooLong,
    /// 307 to this address.
    Redirect(String),
    /// The answer's first byte comes after this time.
    Slow(Duration),
    /// The connection ends in the middle of this text.
    Cut(String),
    /// After half of this text the stream says that the service is overloaded.
    Overloaded(String),
    /// 200 and something that is not the format.
    Garbage,
    /// Text without end.
    Endless,
}

type Script = dyn Fn(&Received) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    log: Mutex<Vec<Received>>,
}

/// A running server. It ends when it is dropped.
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ModelServer {
    /// A server on a free port that answers as `script` says.
    ///
    /// # Panics
    /// When it cannot listen on the loopback address.
    pub async fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { script: Box::new(script), log: Mutex::default() });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(serve).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves until it is dropped");
        });
        Self { address, shared, task }
    }

    /// A server that gives these replies one after the other, the last one again and again.
    ///
    /// # Panics
    /// Without a reply, and when it cannot listen.
    pub async fn in_order(replies: Vec<Reply>) -> Self {
        assert!(!replies.is_empty(), "a script says something");
        Self::start(move |received| replies[received.number.min(replies.len() - 1)].clone()).await
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked of a model so far.
    pub fn log(&self) -> Vec<Received> {
        self.shared.log.lock().clone()
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let target = head.uri.to_string();
    if target == "/v1/models" {
        return document(StatusCode::OK, &json!({"object": "list", "data": [{"id": "scripted-1", "object": "model"}]}));
    }
    let dialect = match head.uri.path() {
        "/v1/messages" => Dialect::Anthropic,
        "/v1/responses" => Dialect::Responses,
        "/v1/chat/completions" => Dialect::Chat,
        path if path.starts_with("/v1beta/models/") => Dialect::Gemini,
        path => return document(StatusCode::NOT_FOUND, &json!({"error": {"message": format!("no {path} here")}})),
    };
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("the whole request").to_vec();
    let received = {
        let mut log = shared.log.lock();
        let received = Received { number: log.len(), target, headers: head.headers, body, dialect };
        log.push(received.clone());
        received
    };
    match (shared.script)(&received) {
        Reply::Says(said) => say(&received, &said),
        Reply::Fault(fault) => fail(&received, fault).await,
    }
}

fn say(received: &Received, said: &Said) -> Response<Body> {
    if !received.streams() {
        return document(StatusCode::OK, &whole(received.dialect, said));
    }
    let pieces: Vec<Result<Bytes, Infallible>> = events(received.dialect, said).into_iter().map(Ok).collect();
    streamed(Body::from_stream(stream::iter(pieces)))
}

async fn fail(received: &Received, fault: Fault) -> Response<Body> {
    let error = |status: StatusCode, kind: &str, message: &str| {
        document(status, &error_body(received.dialect, status, kind, message))
    };
    match fault {
        Fault::Unauthorized => {
            let names = ["x-api-key", "authorization", "x-goog-api-key"];
            let key = names.iter().find_map(|name| received.header(name)).unwrap_or("none");
            error(StatusCode::UNAUTHORIZED, "authentication_error", &format!("incorrect API key provided: {key}"))
        }
        Fault::RateLimited(after) => {
            let mut response = error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "slow down");
            if let Some(after) = after {
                response.headers_mut().insert(header::RETRY_AFTER, after.parse().expect("a header value"));
            }
            response
        }
        Fault::QuotaOut => {
            error(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", "you exceeded your current quota")
        }
        Fault::ServerError => error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", &received.asked()),
        Fault::ContextTooLong => error(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "prompt is too long: 300000 tokens > 200000 maximum",
        ),
        Fault::Redirect(to) => {
            let mut response = error(StatusCode::TEMPORARY_REDIRECT, "moved", "elsewhere");
            response.headers_mut().insert(header::LOCATION, to.parse().expect("a header value"));
            response
        }
        Fault::Slow(after) => {
            tokio::time::sleep(after).await;
            say(received, &Said { text: "late".into(), ..Said::default() })
        }
        Fault::Cut(text) => cut(received, &Said { text, ..Said::default() }),
        Fault::Overloaded(text) => overloaded(received, &Said { text, ..Said::default() }),
        Fault::Garbage => document(StatusCode::OK, &json!(["no", "answer"])),
        Fault::Endless => endless(received),
    }
}

/// Half of what would be said, then the connection ends.
fn cut(received: &Received, said: &Said) -> Response<Body> {
    let broken = || io::Error::other("cut by the script");
    if received.streams() {
        let events = events(received.dialect, said);
        let half = events.len() / 2;
        let pieces: Vec<io::Result<Bytes>> = events.into_iter().take(half).map(Ok).chain([Err(broken())]).collect();
        return streamed(Body::from_stream(stream::iter(pieces)));
    }
    let whole = whole(received.dialect, said).to_string();
    let half = Bytes::from(whole.as_bytes()[..whole.len() / 2].to_vec());
    let mut response = Response::new(Body::from_stream(stream::iter([Ok(half), Err(broken())])));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn overloaded(received: &Received, said: &Said) -> Response<Body> {
    let body = error_body(received.dialect, StatusCode::SERVICE_UNAVAILABLE, "overloaded_error", "overloaded");
    if !received.streams() {
        return document(StatusCode::SERVICE_UNAVAILABLE, &body);
    }
    let events = events(received.dialect, said);
    let half = events.len() / 2;
    let last = event(Some("error"), &body);
    let pieces: Vec<Result<Bytes, Infallible>> = events.into_iter().take(half).chain([last]).map(Ok).collect();
    streamed(Body::from_stream(stream::iter(pieces)))
}

/// The beginning of an answer, then its text again and again.
fn endless(received: &Received) -> Response<Body> {
    let said = Said { text: "again and again ".repeat(64), ..Said::default() };
    let (first, more) = match received.streams() {
        true => {
            let mut events = events(received.dialect, &said);
            let at = events.iter().position(|e| e.windows(5).any(|w| w == b"again")).unwrap_or_default();
            let more = events.remove(at);
            events.truncate(at);
            (Bytes::from(events.concat()), more)
        }
        false => (Bytes::from_static(b"{"), Bytes::from_static(&[b' '; 4096])),
    };
    let pieces = stream::once(async move { first }).chain(stream::repeat(more)).map(Ok::<_, Infallible>);
    let mut response = streamed(Body::from_stream(pieces));
    if !received.streams() {
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    }
    response
}

fn whole(dialect: Dialect, said: &Said) -> Value {
    match dialect {
        Dialect::Anthropic => anthropic::whole(said),
        Dialect::Responses => responses::whole(said),
        Dialect::Chat => chat::whole(said),
        Dialect::Gemini => gemini::whole(said),
    }
}

fn events(dialect: Dialect, said: &Said) -> Vec<Bytes> {
    match dialect {
        Dialect::Anthropic => anthropic::events(said),
        Dialect::Responses => responses::events(said),
        Dialect::Chat => chat::events(said),
        Dialect::Gemini => gemini::events(said),
    }
}

fn error_body(dialect: Dialect, status: StatusCode, kind: &str, message: &str) -> Value {
    match dialect {
        Dialect::Anthropic => {
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
        }
        Dialect::Responses => json!({"type": "error", "error": {"type": kind, "code": kind, "message": message}}),
        Dialect::Chat => json!({"error": {"type": kind, "code": kind, "message": message, "param": null}}),
        Dialect::Gemini => {
            json!({"error": {"code": status.as_u16(), "status": kind.to_uppercase(), "message": message}})
        }
    }
}

/// The text in pieces that end anywhere.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(7).map(|piece| piece.iter().collect()).collect()
}

fn event(name: Option<&str>, data: &Value) -> Bytes {
    let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
    Bytes::from(format!("{name}data: {data}\n\n"))
}

fn document(status: StatusCode, body: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(body.to_string())).expect("a response")
}

fn streamed(body: Body) -> Response<Body> {
    let response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.body(body).expect("a response")
}
