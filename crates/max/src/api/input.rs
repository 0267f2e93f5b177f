//! How a request is read: JSON strictly and with good messages, queries the same.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use max_engine::ports::OnceKey;
use serde::de::DeserializeOwned;

use super::App;
use super::once::{Before, Once};
use super::problem::Problem;

/// A JSON body, with the request's idempotency key. An empty body is `{}`.
pub struct Input<T> {
    /// What was sent.
    pub value: T,
    raw: Raw,
}

impl<T> Input<T> {
    /// The key under which this request is carried out at most once, if the client gave one.
    pub fn once(&self) -> Option<OnceKey> {
        self.raw.once()
    }

    /// What an earlier copy of this request did.
    pub fn before(&self) -> Option<Before> {
        self.raw.once.as_ref()?.before
    }
}

impl<T: DeserializeOwned> FromRequest<std::sync::Arc<App>> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &std::sync::Arc<App>) -> Result<Self, Problem> {
        let raw = Raw::read(request, app.state.body_limit).await?;
        let value = raw.json()?;
        Ok(Self { value, raw })
    }
}

/// A body as it came, for endpoints that read more than one kind.
pub struct Raw {
    /// The body.
    pub bytes: Bytes,
    kind: Kind,
    once: Option<Once>,
}

/// What the body says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing at all.
    Empty,
    /// JSON.
    Json,
    /// A form post.
    Form,
    /// Something else.
    Other,
}

impl FromRequest<std::sync::Arc<App>> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &std::sync::Arc<App>) -> Result<Self, Problem> {
        Self::read(request, app.state.body_limit).await
    }
}

impl Raw {
    async fn read(request: Request, limit: usize) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let Parts { headers, mut extensions, .. } = parts;
        let bytes = read_body(&headers, body, limit).await?;
        let kind = kind_of(&headers, &bytes);
        Ok(Self { bytes, kind, once: extensions.remove() })
    }

    /// What the body says it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The body as a typed value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match self.kind {
            Kind::Empty => read_json(b"{}"),
            Kind::Json => read_json(&self.bytes),
            Kind::Form | Kind::Other => Err(Problem::media_type("application/json")),
        }
    }

    /// The body as the fields of a form.
    pub fn form(&self) -> Result<Vec<(String, String)>, Problem> {
        serde_urlencoded::from_bytes(&self.bytes)
            .map_err(|e| Problem::bad_request(format!("the form cannot be read: {e}")))
    }

    /// The key under which this request is carried out at most once.
    pub fn once(&self) -> Option<OnceKey> {
        self.once.as_ref().map(|once| once.key.clone())
    }
}

/// Reads a body up to a limit, in bytes.
pub async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Problem::too_large(limit));
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        if text.contains("length limit") {
            Problem::too_large(limit)
        } else {
            Problem::bad_request("the body ended early; send the request again")
        }
    })
}

fn kind_of(headers: &HeaderMap, bytes: &Bytes) -> Kind {
    if bytes.is_empty() {
        return Kind::Empty;
    }
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        other if other.starts_with("application/") && other.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

/// Reads JSON: broken syntax is a 400, a wrong type a 422 that names the field.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // The quick way first; only what is wrong is read again to find out where.
    match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) if error.is_data() => {}
        Err(error) => return Err(broken(error)),
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let located: Result<T, _> = serde_path_to_error::deserialize(&mut reader);
    match located {
        Ok(value) => Ok(value),
        Err(located) => {
            let path = located.path().to_string();
            Err(wrong_field(&path, &located.inner().to_string()))
        }
    }
}

fn broken(error: serde_json::Error) -> Problem {
    Problem::bad_request(format!("the body is not JSON: {error}"))
}

/// A problem about the field that a serde message names, or else the path it happened at.
fn wrong_field(path: &str, message: &str) -> Problem {
    let reason = message.split(" at line ").next().unwrap_or(message);
    let named = ["missing field `", "unknown field `"]
        .into_iter()
        .find_map(|start| reason.strip_prefix(start)?.split('`').next());
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let field = match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => return Problem::invalid(reason),
        // For an unknown field the path ends in it; for a missing one it ends in what it is missing from.
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        (path, Some(name)) if reason.starts_with("missing") => format!("{path}.{name}"),
        (_, Some(name)) if !parent.is_empty() => format!("{parent}.{name}"),
        (_, Some(name)) => name.to_owned(),
        (path, None) => path.to_owned(),
    };
    Problem::field(field, reason)
}

/// The query of an address as a typed value.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<std::sync::Arc<App>> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &std::sync::Arc<App>) -> Result<Self, Problem> {
        read_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads a query; what is wrong is a 422 that names the parameter.
pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|e| wrong_field(&e.path().to_string(), &e.inner().to_string()))
}
