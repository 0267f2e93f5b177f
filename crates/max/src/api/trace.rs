//! `/api/leads/{id}/trace`: every requirement from the client's words to its acceptance.

use axum::Json;
use axum::extract::State;
use max_core::trace::{Trace, trace};

use super::AppState;
use super::auth::Read;
use super::problem::Problem;
use super::respond::At;

/// The way of every requirement that is paid for (rule TR-1).
#[utoipa::path(
    get, path = "/api/leads/{id}/trace", tag = "leads", operation_id = "trace_lead",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The trace", body = ref("#/components/schemas/Trace"))),
)]
pub async fn lead(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<Trace>, Problem> {
    Ok(Json(trace(&app.lead(&id).await?.lead)))
}
