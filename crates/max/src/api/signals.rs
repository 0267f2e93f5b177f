//! `/api/signals`: what the drop box does with files, for those who speak HTTP.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use max_core::effect::{Effect, deliver};
use max_core::id::{Digest, SignalId};
use max_core::signal::Signal;

use super::AppState;
use super::auth::{Operate, Read};
use super::input::Raw;
use super::problem::Problem;
use super::respond::At;
use crate::wire::{SignalList, SignalRouted};

/// How many signals of an inbox are listed.
const MOST: usize = 500;

/// Routes a signal. The same id (or the same content without one) again changes nothing.
#[utoipa::path(
    post, path = "/api/signals", tag = "signals", operation_id = "send_signal",
    request_body(content = ref("#/components/schemas/Signal")),
    responses(
        (status = 202, description = "Routed", body = ref("#/components/schemas/SignalRouted")),
        (status = 409, description = "Not now; the same signal may work later", body = ref("#/components/schemas/ProblemDocument")),
        (status = 422, description = "Rejected, with the reason", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn send(State(app): AppState, _: Operate, raw: Raw) -> Result<(StatusCode, Json<SignalRouted>), Problem> {
    let mut signal: Signal = raw.json()?;
    let id = signal.id.take().unwrap_or_else(|| derived(&raw));
    signal.id = Some(id.clone());
    match (app.state.route_signal)(signal).await {
        Ok(routed) => {
            Ok((StatusCode::ACCEPTED, Json(SignalRouted { id, routed: routed.sentence, lead_id: routed.lead })))
        }
        Err(rejected) if rejected.retry => Err(Problem::conflict(rejected.reason)),
        Err(rejected) => Err(Problem::invalid(rejected.reason)),
    }
}

/// A signal without an id is known by its idempotency key, else by its content.
fn derived(raw: &Raw) -> SignalId {
    let named = raw.once().map(|once| Digest::of(once.key.as_bytes()));
    let digest = named.unwrap_or_else(|| Digest::of(&raw.bytes)).to_string();
    SignalId::try_from(format!("http-{}", &digest[..40])).unwrap_or_else(|_| SignalId::from(uuid::Uuid::nil()))
}

/// What lies in an Eidolon's inbox: open tasks that nobody has claimed, as signals.
#[utoipa::path(
    get, path = "/api/signals/{eidolon}", tag = "signals", operation_id = "read_inbox",
    params(("eidolon" = String, Path, description = "An Eidolon in any spelling")),
    responses((status = 200, description = "The inbox", body = ref("#/components/schemas/SignalList"))),
)]
pub async fn inbox(State(app): AppState, _: Read, At(eidolon): At<String>) -> Result<Json<SignalList>, Problem> {
    let eidolon = app.state.aliases.eidolon(&eidolon).map_err(|e| Problem::not_found(format!("such inbox: {e}")))?;
    let rows = app.state.director.read(move |store| store.open_tasks(Some(eidolon), MOST)).await?;
    let mut signals = Vec::new();
    for row in rows.into_iter().filter(|row| row.task.holder.is_none()) {
        let cached = app.state.director.lead(row.lead).await?;
        if let Some(Effect::Deliver { signal, .. }) = deliver(&cached.lead, row.task.id) {
            signals.push(*signal);
        }
    }
    Ok(Json(SignalList { signals }))
}
