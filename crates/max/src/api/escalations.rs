//! `/api/escalations`: leads that need help, and what people decide about them.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use max_core::command::Command;
use max_core::decide::allowed;
use max_core::id::EscalationId;
use max_core::lead::Status;
use max_engine::ports::{LeadFilter, LeadRow};

use super::auth::{Operate, Read};
use super::input::Input;
use super::problem::Problem;
use super::respond::At;
use super::{App, AppState};
use crate::wire::{DecideEscalation, EscalationList, EscalationView, Rescue};

/// How many leads are read at a time.
const PAGE: usize = 500;

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
    let mut escalations = Vec::new();
    for status in [Status::Escalated, Status::Failed] {
        for row in leads_with(app, status).await? {
            let cached = app.state.director.lead(row.lead_id).await?;
            let Some(escalation) = &cached.lead.escalation else { continue };
            escalations.push(EscalationView {
                escalation: escalation.clone(),
                lead_id: cached.lead.id,
                lead_name: cached.lead.contact.display_name().to_owned(),
                allowed: allowed(&cached.lead),
            });
        }
    }
    escalations.sort_by_key(|view| view.escalation.at);
    Ok(escalations)
}

/// All leads of a status. The store has an index over it, so this costs what the list itself does.
async fn leads_with(app: &App, status: Status) -> Result<Vec<LeadRow>, Problem> {
    let mut filter = LeadFilter { status: Some(status), limit: PAGE, ..LeadFilter::default() };
    let mut rows = Vec::new();
    loop {
        let wanted = filter.clone();
        let page = app.state.director.read(move |store| store.list(&wanted)).await?;
        rows.extend(page.rows);
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => return Ok(rows),
        }
    }
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
    let found = open(&app).await?.into_iter().find(|view| view.escalation.id == id);
    let lead = found.ok_or_else(missing)?.lead_id;
    let once = input.once(&caller);
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
