//! `GET /api/status/{lead_id}`: the hottest question, so the answer is rendered once per version and only copied out.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use max_core::id::LeadId;
use serde::Deserialize;

use super::AppState;
use super::auth::Read;
use super::input::read_query;
use super::problem::Problem;
use super::respond::{At, etag, rendered_response, state_response};

/// The longest wait of a long poll, in seconds.
const LONGEST_WAIT: f64 = 60.0;

/// How to wait.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    wait: Option<f64>,
    version: Option<u64>,
}

/// A lead's `ClientState`. With `If-None-Match` (or `version`) and `wait` it answers when there is something newer.
#[utoipa::path(
    get, path = "/api/status/{lead_id}", tag = "leads", operation_id = "status",
    params(
        ("lead_id" = String, Path, description = "UUID or external_ref"),
        ("wait" = Option<f64>, Query, description = "Seconds to wait for something newer, at most 60"),
        ("version" = Option<u64>, Query, description = "The version known, instead of If-None-Match"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag known"),
    ),
    responses(
        (status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"), headers(("ETag"))),
        (status = 304, description = "Nothing newer"),
        (status = 404, description = "No such lead", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn status(
    State(app): AppState,
    _: Read,
    At(lead): At<String>,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    // Without a query or a condition there is nothing to read or to wait for.
    if request.uri().query().is_none()
        && !headers.contains_key(IF_NONE_MATCH)
        && let Ok(id) = lead.parse::<LeadId>()
    {
        return Ok(match app.state.director.cached(id) {
            Some(cached) => state_response(&cached, StatusCode::OK),
            None => rendered_response(app.state.director.state(id).await?),
        });
    }
    let wait: Wait = read_query(request.uri().query().unwrap_or_default())?;
    let seconds = wait.wait.unwrap_or(0.0);
    if !(0.0..=LONGEST_WAIT).contains(&seconds) {
        return Err(Problem::field("wait", "wait between 0 and 60 seconds"));
    }
    let mut cached = app.lead(&lead).await?;
    let known = wait.version.or_else(|| matches(headers, cached.lead.version).then_some(cached.lead.version));
    if let Some(version) = known.filter(|_| seconds > 0.0) {
        let within = Duration::from_secs_f64(seconds);
        let changed = app.state.director.changed_lead(cached.lead.id, version, within);
        cached = tokio::select! {
            changed = changed => changed?,
            () = app.state.closing.cancelled() => cached,
        };
    }
    if known.is_some_and(|version| cached.lead.version <= version) && headers.contains_key(IF_NONE_MATCH) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag(cached.lead.version))]).into_response());
    }
    Ok(state_response(&cached, StatusCode::OK))
}

/// True when the client's `If-None-Match` names this version (RFC 9110: weak comparison, lists, `*`).
fn matches(headers: &HeaderMap, version: u64) -> bool {
    let wanted = format!("\"{version}\"");
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).flat_map(|line| line.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == wanted
    })
}
