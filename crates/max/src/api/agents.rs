//! `GET /api/agents/health`: how the Eidolons and their voices are. Always 200; how bad it is stands in the body.

use axum::Json;
use axum::extract::State;

use super::auth::Read;
use super::{App, AppState};
use crate::wire::{AgentsHealth, EidolonHealth, HealthStatus, VoiceState};

/// Every Eidolon with its load and its voices: state with evidence, last error, tokens and cost.
#[utoipa::path(
    get, path = "/api/agents/health", tag = "agents", operation_id = "agents_health",
    responses((status = 200, description = "How they are", body = ref("#/components/schemas/AgentsHealth"))),
)]
pub async fn health(State(app): AppState, _: Read) -> Json<AgentsHealth> {
    Json(of(&app))
}

/// How the Eidolons of this process are.
pub fn of(app: &App) -> AgentsHealth {
    let mut eidolons: Vec<EidolonHealth> = (app.state.health)();
    for one in &mut eidolons {
        one.persona = app.state.persona(one.eidolon).to_owned();
    }
    let status = if eidolons.iter().any(is_degraded) { HealthStatus::Degraded } else { HealthStatus::Ok };
    AgentsHealth { status, mode: app.state.mode.clone(), eidolons }
}

/// A voice fails, or nobody is there to think.
fn is_degraded(eidolon: &EidolonHealth) -> bool {
    let nobody = eidolon.voices.iter().all(|voice| voice.state == VoiceState::Absent);
    nobody || eidolon.voices.iter().any(|voice| voice.state == VoiceState::Failing)
}
