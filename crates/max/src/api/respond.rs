//! What the handlers have in common: finding the lead, carrying out a command, answering with its state.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use max_core::command::{Command, Request};
use max_core::id::{LeadId, LeadRef, SignalId};
use max_core::lead::{ClientState, Lead};
use max_core::stage::{Eidolon, Stage};
use max_engine::cache::Cached;
use max_engine::ports::{OnceKey, RenderedState};
use serde::de::DeserializeOwned;

use super::App;
use super::auth::Principal;
use super::once::AboutLead;
use super::problem::Problem;

/// The variable parts of a path.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found(format!("`{}`", parts.uri.path()))),
        }
    }
}

impl App {
    /// The lead that a path names by its UUID or its reference.
    pub async fn find(&self, reference: &str) -> Result<LeadId, Problem> {
        let Ok(reference) = reference.parse::<LeadRef>() else {
            let shown: String = reference.chars().take(80).collect();
            return Err(Problem::not_found(format!("lead `{shown}`; name it by its UUID or its external_ref")));
        };
        Ok(self.state.director.resolve(&reference).await?)
    }

    /// The lead that a path names.
    pub async fn lead(&self, reference: &str) -> Result<Arc<Cached>, Problem> {
        // A UUID needs no look-up of its own: reading the lead says whether it is there.
        let id = match reference.parse::<LeadId>() {
            Ok(id) => id,
            Err(_) => self.find(reference).await?,
        };
        Ok(self.state.director.lead(id).await?)
    }

    /// Carries out a command on the lead that a path names, and answers with its state.
    pub async fn act(
        &self,
        reference: &str,
        caller: &Principal,
        once: Option<OnceKey>,
        command: Command,
    ) -> Result<Response, Problem> {
        self.act_by_signal(reference, caller, once, command, None).await
    }

    /// The same for a command that names its signal.
    pub async fn act_by_signal(
        &self,
        reference: &str,
        caller: &Principal,
        once: Option<OnceKey>,
        command: Command,
        signal_id: Option<SignalId>,
    ) -> Result<Response, Problem> {
        let id = self.find(reference).await?;
        let request = Request::new(caller.actor(), command).by_signal(signal_id);
        let acted = self.state.director.act(id, request, once).await?;
        Ok(self.state_of(&acted.lead, StatusCode::OK))
    }

    /// A lead's `ClientState` as an answer.
    pub fn state_of(&self, lead: &Arc<Lead>, status: StatusCode) -> Response {
        let cached = self.state.director.cached(lead.id).filter(|cached| cached.lead.version == lead.version);
        let cached = cached.unwrap_or_else(|| Cached::new(Arc::clone(lead)));
        let mut response = state_response(&cached, status);
        response.extensions_mut().insert(AboutLead);
        response
    }

    /// The stage that a field names, in any spelling.
    pub fn stage(&self, field: &str, text: &str) -> Result<Stage, Problem> {
        self.state.aliases.stage(text).map_err(|e| Problem::field(field, e))
    }

    /// The Eidolon that a field names, in any spelling.
    pub fn eidolon(&self, field: &str, text: &str) -> Result<Eidolon, Problem> {
        self.state.aliases.eidolon(text).map_err(|e| Problem::field(field, e))
    }
}

/// A rendered state as an answer: the bytes made once, shared by everyone who asks.
pub fn state_response(cached: &Cached, status: StatusCode) -> Response {
    json_response(Bytes::from_owner(cached.json()), cached.lead.version, status)
}

/// The same for a state that was read from the store.
pub fn rendered_response(state: RenderedState) -> Response {
    json_response(state.json.into(), state.version, StatusCode::OK)
}

fn json_response(json: Bytes, version: u64, status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ETAG, etag(version));
    response
}

/// The ETag of a version.
pub fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The state of a lead as a value.
pub fn client_state(lead: &Lead) -> ClientState {
    ClientState::from(lead)
}

/// The bytes of a file that came as text or as base64.
pub fn file_bytes(field: &str, text: Option<&str>, base64: Option<&str>) -> Result<Vec<u8>, Problem> {
    use base64::Engine as _;
    match (text, base64) {
        (Some(text), None) => Ok(text.as_bytes().to_vec()),
        (None, Some(encoded)) => base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .map_err(|e| Problem::field(format!("{field}.base64"), format!("this is no standard base64: {e}"))),
        _ => Err(Problem::field(field, "give either `text` or `base64`")),
    }
}
