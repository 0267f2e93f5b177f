//! Any POST under `/api` counts once under its `Idempotency-Key`.
//!
//! What a key did is kept with what it takes to answer the second copy. For a request about a lead that is the lead: the
//! key is written in one commit with what it changed, and the second copy is told how the lead is now. For any other it
//! is the answer itself, kept before it is given; where the answer holds a secret, the kept one says that it was shown.
//! The same key with another body is a conflict. A request that was refused leaves its key free, so that it can be
//! mended and sent again. Two copies at once wait for each other.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use max_core::id::{Digest, LeadId};
use max_engine::error::Error;
use max_engine::ports::{Done, Idempotency, KeptAnswer, OnceKey};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::OwnedMutexGuard;

use super::App;
use super::input::read_body;
use super::problem::Problem;

/// The header that names a key.
pub const HEADER: &str = "idempotency-key";
/// Marks an answer to a second copy.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Whose second copy is more than the state of its lead: they are asked again, and find what the first did.
const ANSWER_THEMSELVES: [&str; 3] = ["/api/leads/{id}/messages", "/api/tasks/claim", "/api/import"];

/// The key of a request, as its handler finds it among the extensions.
#[derive(Clone)]
pub struct Once {
    /// The key.
    pub key: OnceKey,
    /// What was done under it before.
    pub before: Option<Before>,
}

/// What an earlier copy of a request did.
#[derive(Clone, Copy)]
pub struct Before {
    /// The lead it was about.
    pub lead: LeadId,
    /// When.
    pub at: jiff::Timestamp,
}

/// An extension of an answer about a lead: the log has its key, with what it did to the lead.
#[derive(Clone, Copy)]
pub struct AboutLead;

/// An extension of an answer with a secret: what is kept in its place.
#[derive(Clone)]
pub struct KeptInstead(String);

impl KeptInstead {
    /// This, as JSON.
    pub fn json(shown: &impl Serialize) -> Self {
        Self(serde_json::to_string(shown).unwrap_or_default())
    }
}

/// Requests with a key that are being carried out, by key: the next one waits for its turn.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

/// The layer around the documented interface.
pub async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, Problem> {
    let key = match request.headers().get(HEADER) {
        Some(key) if request.method() == Method::POST => readable(key)?,
        _ => return Ok(next.run(request).await),
    };
    let (mut parts, body) = request.into_parts();
    let caller = app.state.auth.check(&parts, app.state.rate)?;
    let bytes = read_body(&parts.headers, body, app.state.body_limit).await?;
    let key = OnceKey { key: format!("api:{}:{key}", caller.id), body: digest(&parts, &bytes) };
    parts.extensions.insert(caller);
    // To its end, also when the client hangs up: its second copy must find out what the first came to.
    let carried_out = tokio::spawn(async move {
        let _turn = app.turns.take(&app, &key.key).await;
        carry_out(&app, key, parts, bytes, next).await
    });
    carried_out.await.unwrap_or_else(|_| Err(Problem::internal()))
}

async fn carry_out(app: &App, key: OnceKey, mut parts: Parts, bytes: Bytes, next: Next) -> Result<Response, Problem> {
    let director = &app.state.director;
    let wanted = key.key.clone();
    let before = match director.read(move |store| store.idempotency(&wanted)).await? {
        None => None,
        Some(known) if known.once.body != key.body => return Err(Error::KeyReused.into()),
        Some(Idempotency { done: Done::Answered(answer), .. }) => return Ok(replayed(again(answer))),
        Some(Idempotency { done: Done::Lead(lead), at, .. }) => {
            if !answers_itself(&parts) {
                let cached = director.lead(lead).await?;
                return Ok(replayed(app.state_of(&cached.lead, StatusCode::OK)));
            }
            Some(Before { lead, at })
        }
    };
    let second = before.is_some();
    parts.extensions.insert(Once { key: key.clone(), before });
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if second && response.status().is_success() {
        return Ok(replayed(response));
    }
    // A lead's key is in the log with what it did.
    if !response.status().is_success() || response.extensions().get::<AboutLead>().is_some() {
        return Ok(response);
    }
    keep(app, key, response).await
}

/// Keeps an answer before it is given.
async fn keep(app: &App, once: OnceKey, response: Response) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let body = match parts.extensions.get::<KeptInstead>() {
        Some(KeptInstead(shown)) => shown.clone(),
        None => String::from_utf8(bytes.to_vec()).map_err(|_| Problem::internal())?,
    };
    let done = Done::Answered(KeptAnswer { status: parts.status.as_u16(), body });
    let used = Idempotency { once, done, at: app.state.director.now() };
    if let Err(error) = app.state.director.read(move |store| store.keep_keys(&[used])).await {
        // It is done; saying that it was not would be worse than forgetting the key.
        tracing::warn!(%error, "an idempotency key could not be kept; a second copy of its request would count again");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn readable(key: &HeaderValue) -> Result<String, Problem> {
    let fits = (1..=255).contains(&key.len()) && key.as_bytes().iter().all(|b| (0x20..0x7f).contains(b));
    match key.to_str() {
        Ok(text) if fits => Ok(text.to_owned()),
        _ => Err(Problem::field("Idempotency-Key", "use 1 to 255 printable ASCII characters")),
    }
}

/// The same key at another address is another request, so the address is part of what is compared.
fn digest(parts: &Parts, bytes: &Bytes) -> Digest {
    let mut asked = format!("{} {}\n", parts.method, parts.uri.path()).into_bytes();
    asked.extend_from_slice(bytes);
    Digest::of(&asked)
}

fn answers_itself(parts: &Parts) -> bool {
    parts.extensions.get::<MatchedPath>().is_some_and(|path| ANSWER_THEMSELVES.contains(&path.as_str()))
}

fn again(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    if answer.body.is_empty() {
        return status.into_response();
    }
    (status, HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]), answer.body)
        .into_response()
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

impl Turns {
    async fn take(&self, app: &Arc<App>, key: &str) -> Turn {
        let line = Arc::clone(self.0.lock().entry(key.to_owned()).or_default());
        let mut turn = Turn { app: Arc::clone(app), key: key.to_owned(), held: None };
        turn.held = Some(line.lock_owned().await);
        turn
    }
}

/// A key that nobody else works on.
struct Turn {
    app: Arc<App>,
    key: String,
    held: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.app.turns.0.lock();
        self.held = None;
        // Whoever waits holds the line, too.
        if lines.get(&self.key).is_some_and(|line| Arc::strong_count(line) == 1) {
            lines.remove(&self.key);
        }
    }
}
