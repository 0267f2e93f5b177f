//! A MAX in memory behind its router, for tests in the words of the domain. No sockets.
#![allow(dead_code, unused_imports, clippy::allow_attributes, reason = "each test file uses its own part")]

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use max_app::api::auth::{Auth, RateLimit, Scope};
use max_app::api::{ApiState, BODY_LIMIT, ManualClockControl, Rejected, Routed, router};
use max_app::backup::Backup;
use max_app::portal::{House, Portal};
use max_core::effect::Notice;
use max_core::id::{Digest, LeadId};
use max_core::lead::{Lead, Message};
use max_core::policy::Policy;
use max_core::signal::Signal;
use max_core::stage::{Aliases, Eidolon};
use max_engine::engine::{Engine, Options, Parts};
use max_engine::mind::{SEATS, Seat};
use max_engine::ports::{ArtifactStore, Channel, Clock, File, Folders, Notifier, SendError, StoreError};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub use max_testkit::MemoryStore;

/// What the clients' pages say of the agency.
pub fn house() -> House {
    House {
        name: "Example Agency".into(),
        mail: "hello@agency.example".into(),
        privacy: "https://agency.example/privacy".into(),
        disclosure: ["AI writes here.", "Hier schreibt KI.", "Hier schrijft AI.", "Une IA écrit ici."]
            .map(str::to_owned),
    }
}

/// A running MAX with its router.
pub struct Max {
    pub state: ApiState,
    pub store: Arc<MemoryStore>,
    pub admin: String,
    pub root: tempfile::TempDir,
    pub router: axum::Router,
    _engine: Engine,
}

/// How a test wants its MAX.
pub struct Wishes {
    pub manual_clock: bool,
    pub rate: RateLimit,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { manual_clock: false, rate: RateLimit { per_minute: 1_000_000, burst: 1_000_000 } }
    }
}

impl Max {
    pub async fn start() -> Self {
        Self::start_with(Wishes::default()).await
    }

    pub async fn start_with(wishes: Wishes) -> Self {
        let store = Arc::new(MemoryStore::default());
        let clock = Arc::new(TestClock::default());
        let parts = Parts {
            store: Arc::clone(&store) as _,
            artifacts: Arc::new(MemoryArtifacts::default()),
            linter: Arc::new(max_engine::ports::NoLinter),
            folders: Arc::new(NoFolders),
            channel: Arc::new(NoMail),
            notifier: Arc::new(Nobody),
            clock: Arc::clone(&clock) as _,
        };
        let options = Options { relay: false, ..Options::new("test") };
        let mut engine = Engine::start(parts, Arc::new(Policy::default()), options).expect("the engine starts");
        // Seats without voices: health shows them, and tasks wait to be claimed by the test.
        for eidolon in Eidolon::ALL {
            let seat = |name: &&str| Seat { name: (*name).into(), voice: Err("install it".into()) };
            engine.add_eidolon(eidolon, SEATS.iter().map(seat).collect(), 0);
        }
        let health = engine.health();
        let root = tempfile::tempdir().expect("a folder");
        let director = engine.director().clone();
        let (auth, new) = Auth::open(root.path(), director.clone()).await.expect("tokens");
        assert!(new, "a fresh root has a fresh token");
        let admin = auth.local_token().to_owned();
        let state = ApiState {
            director,
            health: Arc::new(move || health.clone()),
            auth,
            aliases: Arc::new(Aliases::default()),
            agency: "Example Agency".into(),
            personas: Arc::new([(Eidolon::Scoping, "Zoë".to_owned())].into()),
            mode: "playbook".into(),
            clock: wishes.manual_clock.then_some(clock as Arc<dyn ManualClockControl>),
            route_signal: Arc::new(route),
            portal: Arc::new(Portal::open(root.path(), "", house()).expect("a key")),
            backup: Backup { root: root.path().into(), agency: root.path().join("agency"), config: None },
            rate: wishes.rate,
            body_limit: BODY_LIMIT,
            version: "0.0.0-test",
            closing: CancellationToken::new(),
        };
        Self { router: router(state.clone()), state, store, admin, root, _engine: engine }
    }

    /// A token with these scopes.
    pub async fn token(&self, scopes: &[Scope]) -> String {
        self.state.auth.add("a test", scopes).await.expect("a token").0
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, body: body.to_vec() }
    }

    /// GET as the local admin.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).expect("a request")).await
    }

    /// POST of JSON as the local admin.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request("POST", path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// DELETE as the local admin.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path).body(Body::empty()).expect("a request")).await
    }

    /// A request of the local admin.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        self.request_with(&self.admin, method, path)
    }

    /// A request with a token.
    pub fn request_with(&self, token: &str, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"))
    }

    /// Takes in Ada, who wants a booking page; her lead's id.
    pub async fn ada(&self) -> String {
        let answer = self.post("/api/ingest-lead", ada()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["lead_id"].as_str().expect("an id").to_owned()
    }

    /// Claims the next task of an Eidolon: its id and attempt.
    pub async fn claim(&self, eidolon: &str) -> (String, u64) {
        let claim = json!({"eidolon": eidolon, "holder": "elsewhere/1"});
        let answer = self.post("/api/tasks/claim", claim).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let claimed = answer.json();
        (claimed["task_id"].as_str().expect("a task").to_owned(), claimed["attempt"].as_u64().expect("an attempt"))
    }
}

/// Ada's enquiry.
pub fn ada() -> Value {
    json!({
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "message": "We need a booking page for our studio.",
        "external_ref": "abc-123",
    })
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("ASCII"))
    }

    /// The problem document, checked for its form.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {problem}");
        }
        problem
    }
}

/// What stands for the use case `route_signal`: heartbeats are fine, approvals must wait, the rest is wrong.
fn route(signal: Signal) -> BoxFuture<'static, Result<Routed, Rejected>> {
    use max_core::signal::SignalType;
    async move {
        match signal.kind {
            SignalType::Heartbeat => Ok(Routed { sentence: format!("{} is alive", signal.from), lead: None }),
            SignalType::Approval => Err(Rejected { reason: "not yet".into(), retry: true }),
            other => Err(Rejected { reason: format!("{other} is not for you"), retry: false }),
        }
    }
    .boxed()
}

/// A clock that moves by hand and never wakes anybody; these tests run no timers.
pub struct TestClock(Mutex<Timestamp>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Mutex::new("2026-11-23T09:00:00Z".parse().expect("a moment")))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        futures::future::pending().boxed()
    }
}

impl ManualClockControl for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
    fn advance(&self, by: SignedDuration) {
        *self.0.lock() += by;
    }
    fn set(&self, at: Timestamp) -> Result<(), String> {
        if at < *self.0.lock() {
            return Err("time does not run backwards".into());
        }
        *self.0.lock() = at;
        Ok(())
    }
}

#[derive(Default)]
struct MemoryArtifacts(Mutex<HashMap<(LeadId, Digest), Vec<u8>>>);

impl ArtifactStore for MemoryArtifacts {
    fn put(&self, lead: LeadId, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        self.0.lock().insert((lead, digest), bytes.to_vec());
        Ok(digest)
    }
    fn get(&self, lead: LeadId, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.0.lock().get(&(lead, digest)).cloned().ok_or_else(|| StoreError::Unavailable("no such bytes".into()))
    }
}

struct NoFolders;

impl Folders for NoFolders {
    fn write_lead(&self, _: &Lead, _: &dyn ArtifactStore) -> Result<(), StoreError> {
        Ok(())
    }
    fn write_delivery(&self, _: Eidolon, _: &Signal) -> Result<(), StoreError> {
        Ok(())
    }
    fn retire_delivery(&self, _: Eidolon, _: &Signal) -> Result<(), StoreError> {
        Ok(())
    }
    fn reconcile_deliveries(&self, _: &std::collections::HashSet<max_core::id::TaskId>) -> Result<(), StoreError> {
        Ok(())
    }
    fn announce(&self, _: &Signal) -> Result<(), StoreError> {
        Ok(())
    }
    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

struct NoMail;

impl Channel for NoMail {
    fn send<'a>(&'a self, _: LeadId, _: &'a Message, _: &'a [File]) -> BoxFuture<'a, Result<(), SendError>> {
        async { Ok(()) }.boxed()
    }
}

struct Nobody;

impl Notifier for Nobody {
    fn notify<'a>(&'a self, _: &'a Lead, _: &'a Notice) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}
