//! Errors as RFC 9457 problem documents: the one place that turns a failure into a status.
//!
//! `detail` names what happened, to which lead or field, and the remedy. A 500 says nothing about the inside; the
//! cause goes to the log.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use max_core::error::{Refusal, RefusalKind};
use max_core::stages::Finding;
use max_engine::error::Error;
use max_engine::ports::StoreError;

use crate::wire::ProblemDocument;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A request that did not come to anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The kind, as a word in `/docs#…`.
    pub kind: &'static str,
    /// What happened and the remedy.
    pub detail: String,
    /// The field that is wrong.
    pub field: Option<String>,
    /// What would be allowed.
    pub allowed: Vec<String>,
    /// What checks found.
    pub findings: Vec<Finding>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            field: None,
            allowed: Vec::new(),
            findings: Vec::new(),
            retry_after: None,
        }
    }

    /// What was sent cannot be read at all.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// One field is wrong.
    pub fn field(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        let field = field.into();
        let detail = format!("{field}: {reason}");
        Self { field: Some(field), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    /// The request is understood and wrong.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// Nobody is signed in.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// Somebody is, and may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// What was named does not exist.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what}"))
    }

    /// The state forbids it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// The body is too large.
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes; send less, or put files into the lead's folder");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// The body is of another kind than the endpoint reads.
    pub fn media_type(wanted: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            format!("send the body with `Content-Type: {wanted}`"),
        )
    }

    /// Too many requests with one token.
    pub fn too_many(retry_after: u64) -> Self {
        let detail = format!("too many requests with this token; try again in {retry_after} s");
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail) }
    }

    /// It may work later.
    pub fn unavailable(detail: impl Into<String>, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail) }
    }

    /// A fault of ours. The cause is for the log only.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "MAX made a mistake; nothing was half-done, the log of the server says more",
        )
    }

    /// No such path.
    pub fn no_route(path: &str) -> Self {
        Self::not_found(format!("`{}` here; /docs lists what there is", shortened(path)))
    }

    /// The path exists, the method does not.
    pub fn no_method(method: &str, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            format!("{method} does nothing at `{}`; the Allow header and /docs say what does", shortened(path)),
        )
    }

    /// Adds what would be allowed.
    #[must_use]
    pub fn with_allowed(mut self, allowed: Vec<String>) -> Self {
        self.allowed = allowed;
        self
    }

    /// The kind in words.
    pub fn title(&self) -> &'static str {
        match self.kind {
            "bad-request" => "The request cannot be read",
            "invalid" => "Something in the request is wrong",
            "unauthorized" => "Sign in first",
            "forbidden" => "This token may not do that",
            "not-found" => "There is no such thing",
            "method" => "Not with this method",
            "conflict" => "The state forbids it",
            "too-large" => "The body is too large",
            "media-type" => "The body is of another kind",
            "too-many-requests" => "Slow down",
            "unavailable" => "Not now",
            _ => "MAX made a mistake",
        }
    }

    /// As it is sent.
    pub fn document(&self) -> ProblemDocument {
        ProblemDocument {
            kind: format!("/docs#{}", self.kind),
            title: self.title().into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            field: self.field.clone(),
            allowed: self.allowed.clone(),
            findings: self.findings.clone(),
        }
    }
}

fn shortened(path: &str) -> String {
    path.chars().take(120).collect()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.document())).into_response();
        let headers = response.headers_mut();
        headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"max\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound(what) => Self::not_found(what),
            Error::Refused(refusal) => refusal.into(),
            Error::Invalid { field, reason } => Self::field(field, reason),
            Error::KeyReused => Self::conflict(detail),
            Error::ExternalRefTaken(_) => Self { field: Some("external_ref".into()), ..Self::conflict(detail) },
            Error::Store(error) => error.into(),
            Error::Stopping => Self::unavailable(detail, 2),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let problem = match refusal.kind {
            RefusalKind::State | RefusalKind::Fenced => Self::conflict(detail),
            RefusalKind::Invalid | RefusalKind::Checks => Self::invalid(detail),
            RefusalKind::NotFound => Self::new(StatusCode::NOT_FOUND, "not-found", detail),
        };
        Self { allowed: refusal.allowed, findings: refusal.findings, ..problem }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store could not answer a request");
        match error {
            StoreError::Full(_) => Self::unavailable(error.to_string(), 10),
            StoreError::ReadOnly(_) => Self::unavailable(error.to_string(), 30),
            // What went wrong inside may name paths; a client is told only that it may pass.
            StoreError::Unavailable(_) => Self::unavailable("the store did not answer; nothing was changed", 1),
            StoreError::Damaged(_) => Self::internal(),
        }
    }
}
