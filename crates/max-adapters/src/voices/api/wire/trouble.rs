//! What went wrong, from what a service says about it.
//!
//! Of an error body only the service's own words for the kind of error are kept; its sentences may repeat the key or
//! the lead's words, so they are looked at and dropped.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use max_engine::ports::CallFail;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{list, text};

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Trouble {
    /// What it comes to.
    pub failure: Failure,
    /// Whether trying again soon can help.
    pub again: bool,
    /// Whether nothing was paid for it.
    pub free: bool,
}

/// The class of a failure before the moment is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Failure {
    /// Asked too often; it may be asked again after this.
    RateLimited(Duration),
    /// Anything else.
    Other(CallFail),
}

impl Trouble {
    /// A failure that is final for this voice.
    pub fn last(failure: CallFail) -> Self {
        Self { failure: Failure::Other(failure), again: false, free: false }
    }

    /// The failure, as it is told.
    pub fn told(self, now: Timestamp) -> CallFail {
        match self.failure {
            Failure::Other(failure) => failure,
            Failure::RateLimited(after) => {
                let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
                CallFail::RateLimited { until: now.checked_add(after).unwrap_or(Timestamp::MAX) }
            }
        }
    }
}

/// How long a service is left alone that says "too often" and not for how long.
const SOME_TIME: Duration = Duration::from_secs(30);
/// No service is left alone longer than this for one answer of its.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// An answer that is not 200.
pub(in super::super) fn from_status(status: StatusCode, headers: &HeaderMap, body: &Value, now: Timestamp) -> Trouble {
    let known = Known::of(body);
    let told = |known: &Known| match known.word.as_str() {
        "" => format!("HTTP {}", status.as_u16()),
        word => format!("HTTP {} ({word})", status.as_u16()),
    };
    let other = |failure| (Failure::Other(failure), false);
    let (failure, again) = match status.as_u16() {
        _ if known.says(QUOTA) => other(CallFail::QuotaOut(told(&known))),
        400 if known.says(KEY) => other(CallFail::AuthExpired(told(&known))),
        400 | 413 | 422 if known.says(CONTEXT) => other(CallFail::ContextTooLong),
        413 => other(CallFail::ContextTooLong),
        401 | 403 => other(CallFail::AuthExpired(told(&known))),
        402 => other(CallFail::QuotaOut(told(&known))),
        429 => (Failure::RateLimited(retry_after(headers, body, now).unwrap_or(SOME_TIME)), true),
        408 | 409 | 425 | 500..=599 => (Failure::Other(CallFail::Crash(told(&known))), true),
        300..=399 => other(CallFail::Unable(format!("{}: redirects are not followed; mend base_url", told(&known)))),
        404 => other(CallFail::Unable(format!("{}: is `model` right, and base_url?", told(&known)))),
        _ => other(CallFail::Unable(format!("the service refused the request: {}", told(&known)))),
    };
    Trouble { failure, again, free: true }
}

/// An error inside an answer that began well.
pub(super) fn from_error(event: &Value) -> Trouble {
    let known = Known::of(event);
    let word = if known.word.is_empty() { "an error".to_owned() } else { known.word.clone() };
    let other = |failure| (Failure::Other(failure), false);
    let (failure, again) = if known.says(QUOTA) {
        other(CallFail::QuotaOut(word))
    } else if known.says(KEY) {
        other(CallFail::AuthExpired(word))
    } else if known.says(CONTEXT) {
        other(CallFail::ContextTooLong)
    } else if known.says(RATE) {
        (Failure::RateLimited(SOME_TIME), false)
    } else {
        other(CallFail::Crash(format!("its answer ended with {word}")))
    };
    Trouble { failure, again, free: false }
}

/// Words by which services say it; in lower case, looked for in the kind of error and in its sentence.
const QUOTA: &[&str] =
    &["insufficient_quota", "billing_error", "credit balance is too low", "exceeded your current quota", "perday"];
const KEY: &[&str] = &["authentication_error", "invalid_api_key", "api_key_invalid", "api key not valid"];
const RATE: &[&str] = &["rate_limit", "resource_exhausted"];
const CONTEXT: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size_error",
    "request_too_large",
    "prompt is too long",
    "maximum context length",
    "exceeds the maximum number of tokens",
    "exceeds the available context size",
];

/// What an error body says.
struct Known {
    /// The service's own word for the kind of error, where it is one plain word.
    word: String,
    all: String,
}

impl Known {
    fn of(body: &Value) -> Self {
        // Gemini's streams put the error into a list.
        let body = body.as_array().and_then(|list| list.first()).unwrap_or(body);
        let words = ["/error/code", "/error/status", "/error/type", "/code"].map(|at| text(body, at));
        let word = words.into_iter().flatten().find(|word| plain(word)).unwrap_or_default();
        let sentence = text(body, "/error/message").or_else(|| text(body, "/message")).unwrap_or_default();
        let mut all: String = words.into_iter().flatten().chain([sentence]).collect::<Vec<_>>().join(" ");
        for detail in list(body, "/error/details") {
            for violation in list(detail, "/violations") {
                all.push_str(text(violation, "/quotaId").unwrap_or_default());
            }
            all.push_str(text(detail, "/reason").unwrap_or_default());
        }
        Self { word: word.to_owned(), all: all.to_lowercase() }
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.all.contains(word))
    }
}

/// A name for a kind of error, not a sentence and nothing that could be a key.
fn plain(word: &str) -> bool {
    word.len() <= 40 && !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

/// For how long the service wants to be left alone.
fn retry_after(headers: &HeaderMap, body: &Value, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let millis = header("retry-after-ms").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
    let seconds = || header("retry-after")?.parse().ok().map(Duration::from_secs);
    let date = || {
        let at = jiff::fmt::rfc2822::parse(header("retry-after")?).ok()?.timestamp();
        Duration::try_from(at.duration_since(now)).ok()
    };
    let body = body.as_array().and_then(|list| list.first()).unwrap_or(body);
    let delay = || {
        let delay = list(body, "/error/details").find_map(|detail| text(detail, "/retryDelay"))?;
        Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
    };
    millis.or_else(seconds).or_else(date).or_else(delay).map(|after| after.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use max_engine::runs::FailClass;
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a moment")
    }

    fn class(status: u16, body: Value) -> FailClass {
        let status = StatusCode::from_u16(status).expect("a status");
        from_status(status, &HeaderMap::new(), &body, now()).told(now()).class()
    }

    #[test]
    fn what_services_say_is_sorted() {
        let error = |kind: &str, message: &str| json!({"error": {"type": kind, "message": message}});
        for (status, body, expected) in [
            (401, error("authentication_error", "invalid x-api-key"), FailClass::AuthExpired),
            (403, error("permission_error", ""), FailClass::AuthExpired),
            (
                400,
                json!({"error": {"status": "INVALID_ARGUMENT", "message": "API key not valid."}}),
                FailClass::AuthExpired,
            ),
            (429, error("rate_limit_error", ""), FailClass::RateLimited),
            (429, json!({"error": {"code": "insufficient_quota"}}), FailClass::QuotaOut),
            (400, error("invalid_request_error", "Your credit balance is too low"), FailClass::QuotaOut),
            (402, error("billing_error", ""), FailClass::QuotaOut),
            (
                429,
                json!({"error": {"status": "RESOURCE_EXHAUSTED", "details": [
                    {"violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}]}}),
                FailClass::QuotaOut,
            ),
            (400, json!({"error": {"code": "context_length_exceeded"}}), FailClass::ContextTooLong),
            (400, error("invalid_request_error", "prompt is too long: 9 tokens"), FailClass::ContextTooLong),
            (400, json!({"error": {"code": 400, "type": "exceed_context_size_error"}}), FailClass::ContextTooLong),
            (413, Value::Null, FailClass::ContextTooLong),
            (400, error("invalid_request_error", "unknown field"), FailClass::Unable),
            (404, error("not_found_error", ""), FailClass::Unable),
            (302, Value::Null, FailClass::Unable),
            (500, Value::Null, FailClass::Crash),
            (529, error("overloaded_error", ""), FailClass::Crash),
        ] {
            assert_eq!(class(status, body.clone()), expected, "{status} {body}");
        }
    }

    #[test]
    fn what_a_service_repeats_is_not_repeated() {
        let body = json!({"error": {"type": "invalid_request_error", "code": "sk-secret-1",
            "message": "Incorrect API key provided: sk-secret-1; the prompt was: Ada"}});
        let told = from_status(StatusCode::UNAUTHORIZED, &HeaderMap::new(), &body, now()).told(now()).to_string();
        assert_eq!(told, "its key or login is not accepted: HTTP 401 (invalid_request_error)");
    }

    #[test]
    fn a_service_is_left_alone_for_as_long_as_it_says() {
        let limited = |name: &'static str, value: &'static str, body: Value| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            from_status(StatusCode::TOO_MANY_REQUESTS, &headers, &body, now()).failure
        };
        let delay = json!({"error": {"details": [{"retryDelay": "37.5s"}]}});
        for (name, value, body, millis) in [
            ("retry-after", "12", Value::Null, 12_000),
            ("retry-after-ms", "1500", Value::Null, 1_500),
            ("retry-after", "Sun, 22 Nov 2026 10:02:00 GMT", Value::Null, 120_000),
            ("retry-after", "soon", Value::Null, 30_000),
            ("x-other", "1", delay.clone(), 37_500),
            ("x-other", "1", json!([delay]), 37_500),
            ("retry-after", "99999999", Value::Null, 86_400_000),
        ] {
            assert_eq!(limited(name, value, body), Failure::RateLimited(Duration::from_millis(millis)), "{value}");
        }
    }
}
