//! `POST /api/handoff/{lead_id}`: a person's move of a lead to a stage.

use axum::extract::State;
use axum::response::Response;
use max_core::command::Command;

use super::AppState;
use super::auth::Operate;
use super::input::Input;
use super::problem::Problem;
use super::respond::At;
use crate::wire::Handoff;

/// Hands a lead to a stage: the next one, or any with a reason. It approves and sends nothing.
#[utoipa::path(
    post, path = "/api/handoff/{lead_id}", tag = "leads", operation_id = "hand_off",
    params(("lead_id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/Handoff")),
    responses(
        (status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState")),
        (status = 404, description = "No such lead", body = ref("#/components/schemas/ProblemDocument")),
        (status = 409, description = "Not from here; `allowed` says what is", body = ref("#/components/schemas/ProblemDocument")),
        (status = 422, description = "A field is wrong", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn hand_off(
    State(app): AppState,
    caller: Operate,
    At(lead): At<String>,
    input: Input<Handoff>,
) -> Result<Response, Problem> {
    let once = input.once();
    let Handoff { to, summary, reason, signal_id, previous_stage } = input.value;
    let to = to.map(|text| app.stage("to", &text)).transpose()?;
    let expected = previous_stage.map(|text| app.stage("previous_stage", &text)).transpose()?;
    let command = Command::HandOff { to, expected, summary: summary.unwrap_or_default(), reason };
    app.act_by_signal(&lead, &caller, once, command, signal_id).await
}
