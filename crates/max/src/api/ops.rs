//! `/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/docs`: for operators and their tools.

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::auth::Read;
use super::problem::Problem;
use super::{AppState, openapi};
use crate::telemetry;

/// A word.
#[derive(Serialize)]
struct Word {
    status: &'static str,
}

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "operations", operation_id = "healthz", security(()),
    responses((status = 200, description = "It answers")),
)]
pub async fn healthz() -> Response {
    axum::Json(Word { status: "ok" }).into_response()
}

/// The store answers too.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "Ready to work"),
        (status = 503, description = "Not ready", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn readyz(State(app): AppState) -> Result<Response, Problem> {
    if app.state.closing.is_cancelled() {
        return Err(Problem::unavailable("MAX is shutting down", 5));
    }
    match app.state.director.read(|store| store.last_position()).await {
        Ok(_) => Ok(axum::Json(Word { status: "ready" }).into_response()),
        Err(error) => {
            tracing::warn!(%error, "not ready: the store does not answer");
            Err(Problem::unavailable("the store does not answer", 5))
        }
    }
}

/// Figures in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", operation_id = "metrics",
    responses((status = 200, description = "The figures", content_type = "text/plain")),
)]
pub async fn metrics(State(app): AppState, _: Read) -> Result<Response, Problem> {
    let text = app.metrics.render(&app.state.director).await?;
    Ok(([(CONTENT_TYPE, telemetry::TEXT_FORMAT)], text).into_response())
}

/// This interface as an OpenAPI 3.1 document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations", operation_id = "openapi", security(()),
    responses((status = 200, description = "The document", content_type = "application/json")),
)]
pub async fn openapi_json(State(app): AppState) -> Response {
    let document = app.document.get().cloned().unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], document).into_response()
}

/// The same for people.
#[utoipa::path(
    get, path = "/docs", tag = "operations", operation_id = "docs", security(()),
    responses((status = 200, description = "A page", content_type = "text/html")),
)]
pub async fn docs(State(app): AppState) -> Response {
    let document = app.document.get().map(String::as_str).unwrap_or_default();
    let policy = [(CONTENT_SECURITY_POLICY, crate::dashboard::POLICY)];
    (policy, openapi::page(document)).into_response()
}
