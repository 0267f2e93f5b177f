//! The HTTP client behind every command: finds the server and its token, and turns problem documents into failures.
//!
//! Answers are JSON values, so that `--json` prints what the server said and nothing is lost on the way; commands read
//! the parts they show as the types of [`crate::wire`].

mod events;
mod find;
mod problem;

use std::time::Duration;

use max_core::lead::ClientState;
use reqwest::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use find::{Found, running_server, token_file};
pub use problem::{ClientError, Problem};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an ordinary answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long an answer may take that is known to take long.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// A server to talk to.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl std::fmt::Debug for Client {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.base)
    }
}

/// An answer with the headers that matter.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The lead's version, where the answer carries one (ETag).
    pub version: Option<u64>,
    /// The body; null when there is none.
    pub body: Value,
}

impl Answer {
    /// The body as a type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        read(&self.body)
    }
}

/// How the command line names itself to the server.
pub const COMMAND_LINE: &str = "max-cli/";

/// A value of an answer as a type.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, ClientError> {
    T::deserialize(value).map_err(|error| ClientError::Unreadable(error.to_string()))
}

/// Says which cryptography TLS uses. No HTTP client is made before: it would not know.
pub fn choose_cryptography() {
    // Fails only when one was chosen already, which then counts.
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl Client {
    /// A client of the server at `base` (`http://host:port`).
    ///
    /// # Errors
    /// When `base` is no `http://` address.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") {
            return Err(ClientError::BadAddress(base));
        }
        choose_cryptography();
        let http = reqwest::Client::builder()
            .user_agent(concat!("max-cli/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ClientError::Unreadable(error.to_string()))?;
        Ok(Self { http, base, token })
    }

    /// Where it talks to.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks.
    pub async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(Method::GET, path, None, &[], ANSWER).await
    }

    /// Asks for something that may take long.
    pub async fn get_long(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(Method::GET, path, None, &[], PATIENCE).await
    }

    /// Sends something.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, Some(body), &[], ANSWER).await
    }

    /// Sends something that counts once, however often it is sent under this key.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, Some(body), &[("idempotency-key", key)], ANSWER).await
    }

    /// Sends something that may take long (a backup, a rebuild).
    pub async fn post_long(&self, path: &str, body: &Value) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, Some(body), &[], PATIENCE).await
    }

    /// Removes something.
    pub async fn delete(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(Method::DELETE, path, None, &[], ANSWER).await
    }

    /// The bytes behind a path.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let response = self.request(Method::GET, path, None, &[], ANSWER).await?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
        if status.is_success() { Ok(bytes.to_vec()) } else { Err(ClientError::from_body(status, &bytes)) }
    }

    /// The lead's state with its version; waits up to `wait` for one newer than `after`, if given.
    pub async fn status(
        &self,
        lead: &str,
        after: Option<u64>,
        wait: Duration,
    ) -> Result<(ClientState, Option<u64>), ClientError> {
        let mut path = format!("/api/status/{}", segment(lead));
        if let Some(after) = after {
            path.push_str(&format!("?version={after}&wait={}", wait.as_secs().clamp(1, 60)));
        }
        let answer = self.send(Method::GET, &path, None, &[], ANSWER + wait).await?;
        Ok((answer.read()?, answer.version))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
        within: Duration,
    ) -> Result<Answer, ClientError> {
        let response = self.request(method, path, body, headers, within).await?;
        let status = response.status();
        let version = response.headers().get(header::ETAG).and_then(version_of);
        let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
        if !status.is_success() {
            return Err(ClientError::from_body(status, &bytes));
        }
        if bytes.is_empty() {
            return Ok(Answer { status, version, body: Value::Null });
        }
        let body = serde_json::from_slice(&bytes).map_err(|error| ClientError::Unreadable(error.to_string()))?;
        Ok(Answer { status, version, body })
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
        within: Duration,
    ) -> Result<reqwest::Response, ClientError> {
        let mut request = self.prepare(method, path).timeout(within);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.map_err(|error| self.lost(&error))
    }

    /// Opens an answer that goes on for as long as the server has something to say.
    async fn follow(&self, method: Method, path: &str) -> Result<reqwest::Response, ClientError> {
        let response = self.prepare(method, path).send().await.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.map_err(|error| self.lost(&error))?;
        Err(ClientError::from_body(status, &bytes))
    }

    fn prepare(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn lost(&self, error: &reqwest::Error) -> ClientError {
        let mut why: &dyn std::error::Error = error;
        while let Some(source) = why.source() {
            why = source;
        }
        let why = if error.is_timeout() { "it did not answer in time".into() } else { why.to_string() };
        ClientError::Unreachable { server: self.base.clone(), why }
    }
}

/// `"7"` and `W/"7"` are version 7.
fn version_of(value: &header::HeaderValue) -> Option<u64> {
    value.to_str().ok()?.trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// A text as one segment of a path: everything but plain characters is escaped.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A query string from the parts that are given, with its question mark.
pub fn query(parts: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> = parts
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", segment(value))))
        .collect();
    if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
}

#[cfg(test)]
mod tests;
