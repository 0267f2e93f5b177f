//! `/api/leads/{id}/lint`: what checks find in a lead as it stands.

use axum::Json;
use axum::extract::State;

use super::AppState;
use super::auth::Read;
use super::problem::Problem;
use super::respond::At;
use crate::wire::FindingList;

/// What is found in the files of a lead, in its trace and in what waits for a decision.
#[utoipa::path(
    get, path = "/api/leads/{id}/lint", tag = "leads", operation_id = "lint_lead",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The findings, none for a clean lead", body = ref("#/components/schemas/FindingList"))),
)]
pub async fn lead(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<FindingList>, Problem> {
    let cached = app.lead(&id).await?;
    let findings = app.state.director.lint_lead(&cached.lead).await?;
    Ok(Json(FindingList { findings }))
}
