//! `/api/leads/{id}/runs`: what voices did on a lead, and what it cost.

use axum::Json;
use axum::extract::State;

use super::AppState;
use super::auth::Read;
use super::problem::Problem;
use super::respond::At;
use crate::wire::RunList;

/// The runs of voices on a lead, oldest first, with tokens, cost and outcome. Turns that the playbook worked from the
/// start cost nothing and stand in the events alone.
#[utoipa::path(
    get, path = "/api/leads/{id}/runs", tag = "leads", operation_id = "lead_runs",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The runs", body = ref("#/components/schemas/RunList"))),
)]
pub async fn of_lead(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<RunList>, Problem> {
    let lead = app.lead(&id).await?.lead.id;
    let runs = app.state.director.read(move |store| store.runs(lead)).await?;
    Ok(Json(RunList::from(runs)))
}
