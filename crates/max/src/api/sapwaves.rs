//! `/api/sapwaves`: standing wake-ups of Eidolons.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use max_engine::ports::{SapWave, SapWaveTime};
use max_engine::timers::{cron_after, next_run};

use super::AppState;
use super::auth::{Admin, Read};
use super::input::Input;
use super::problem::Problem;
use super::respond::At;
use crate::wire::{NewSapWave, SapWaveList, SapWaveView};

/// All standing wake-ups.
#[utoipa::path(
    get, path = "/api/sapwaves", tag = "signals", operation_id = "list_sapwaves",
    responses((status = 200, description = "The wake-ups", body = ref("#/components/schemas/SapWaveList"))),
)]
pub async fn list(State(app): AppState, _: Read) -> Result<Json<SapWaveList>, Problem> {
    let waves = app.state.director.read(|store| store.sapwaves()).await?;
    let mut sapwaves: Vec<SapWaveView> = waves.into_iter().map(SapWaveView::from).collect();
    sapwaves.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(SapWaveList { sapwaves }))
}

/// Adds a wake-up or replaces the one with its name.
#[utoipa::path(
    post, path = "/api/sapwaves", tag = "signals", operation_id = "put_sapwave",
    request_body(content = ref("#/components/schemas/NewSapWave")),
    responses((status = 201, description = "It stands", body = ref("#/components/schemas/SapWaveView"))),
)]
pub async fn put(
    State(app): AppState,
    _: Admin,
    input: Input<NewSapWave>,
) -> Result<(StatusCode, Json<SapWaveView>), Problem> {
    let NewSapWave { name, eidolon, cron, at, message } = input.value;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Problem::field("name", "use 1 to 64 of A-Z a-z 0-9 . _ -"));
    }
    let eidolon = app.eidolon("eidolon", &eidolon)?;
    let now = app.state.director.now();
    let when = match (cron, at) {
        (Some(cron), None) => {
            cron_after(&cron, now).map_err(|e| Problem::field("cron", format!("five fields in UTC, please: {e}")))?;
            SapWaveTime::Cron(cron)
        }
        (None, Some(at)) if at > now => SapWaveTime::Once(at),
        (None, Some(_)) => return Err(Problem::field("at", "this moment is past")),
        _ => return Err(Problem::field("cron", "give either `cron` or `at`")),
    };
    let mut wave = SapWave { name, eidolon, when, message, last_run: None, next_run: None };
    wave.next_run = next_run(&wave, now);
    app.state.director.put_sapwave(wave.clone()).await?;
    Ok((StatusCode::CREATED, Json(wave.into())))
}

/// Removes a wake-up.
#[utoipa::path(
    delete, path = "/api/sapwaves/{name}", tag = "signals", operation_id = "remove_sapwave",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn remove(State(app): AppState, _: Admin, At(name): At<String>) -> Result<StatusCode, Problem> {
    let wanted = name.clone();
    let there = app.state.director.read(move |store| store.remove_sapwave(&wanted)).await?;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found(format!("SapWave `{name}`"))) }
}
