//! `/api/escalations`: leads that need help, and what people decide about them.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use max_core::command::Command;
use max_core::decide::allowed;
use max_core::id::EscalationId;

use super::auth::{Operate, Read};
use super::input::Input;
use super::problem::Problem;
use super::respond::At;
use super::{App, AppState};
use crate::wire::{DecideEscalation, EscalationList, EscalationView, Rescue};

/// How many open escalations are listed.
const MOST: usize = 500;

/// What needs help, oldest first.
#[utoipa::path(
    get, path = "/api/escalations", tag = "people", operation_id = "list_escalations",
    responses((status = 200, description = "The open escalations", body = ref("#/components/schemas/EscalationList"))),
)]
pub async fn list(State(app): AppState, _: Read) -> Result<Json<EscalationList>, Problem> {
    Ok(Json(EscalationList { escalations: open(&app).await? }))
}

/// The open escalations, oldest first.
pub async fn open(app: &App) -> Result<Vec<EscalationView>, Problem> {
    let rows = app.state.director.read(|store| store.open_escalations(MOST)).await?;
    let mut escalations = Vec::with_capacity(rows.len());
    for row in rows {
        let cached = app.state.director.lead(row.lead).await?;
        // Settled since the list was read.
        let Some(escalation) = cached.lead.escalation.as_ref().filter(|open| open.id == row.id) else { continue };
        escalations.push(EscalationView {
            escalation: escalation.clone(),
            lead_id: cached.lead.id,
            lead_name: cached.lead.contact.display_name().to_owned(),
            allowed: allowed(&cached.lead),
        });
    }
    Ok(escalations)
}

/// Tries again, hands the lead to a stage, or ends it.
#[utoipa::path(
    post, path = "/api/escalations/{id}", tag = "people", operation_id = "decide_escalation",
    params(("id" = String, Path, description = "The escalation's id")),
    request_body(content = ref("#/components/schemas/DecideEscalation")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn decide(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<DecideEscalation>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("open escalation `{}`", id.chars().take(80).collect::<String>()));
    let id: EscalationId = id.parse().map_err(|_| missing())?;
    let lead = app.state.director.read(move |store| store.lead_of_escalation(id)).await?.ok_or_else(missing)?;
    let once = input.once();
    let DecideEscalation { decision, to, outcome, reason } = input.value;
    let command = match decision {
        Rescue::Retry => Command::Retry,
        Rescue::Close => Command::Close {
            outcome: outcome.ok_or_else(|| Problem::field("outcome", "closing needs an outcome such as `lost`"))?,
            reason: reason.ok_or_else(|| Problem::field("reason", "closing needs a reason"))?,
            merged_into: None,
        },
        Rescue::HandOff => Command::HandOff {
            to: to.map(|text| app.stage("to", &text)).transpose()?,
            expected: None,
            summary: String::new(),
            reason,
        },
    };
    app.act(&lead.to_string(), &caller, once, command).await
}
