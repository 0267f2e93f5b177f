//! `/api/clock`: what time it is for MAX, and moving a manual clock.

use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::Value;

use super::AppState;
use super::auth::{Admin, Read};
use super::input::Input;
use super::problem::Problem;
use crate::wire::{ClockView, MoveClock};

/// What time it is for MAX.
#[utoipa::path(
    get, path = "/api/clock", tag = "owner", operation_id = "show_clock",
    responses((status = 200, description = "The moment", body = ref("#/components/schemas/ClockView"))),
)]
pub async fn show(State(app): AppState, _: Read) -> Json<ClockView> {
    Json(ClockView { now: app.state.director.now(), manual: app.state.clock.is_some() })
}

/// Moves a manual clock on; timers whose time has come run.
#[utoipa::path(
    post, path = "/api/clock", tag = "owner", operation_id = "move_clock",
    request_body(content = ref("#/components/schemas/MoveClock")),
    responses(
        (status = 200, description = "The moment now", body = ref("#/components/schemas/ClockView")),
        (status = 409, description = "The clock is the system's", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn move_on(State(app): AppState, _: Admin, input: Input<MoveClock>) -> Result<Json<ClockView>, Problem> {
    let Some(clock) = &app.state.clock else {
        return Err(Problem::conflict("the clock is the system's; start MAX with `--clock manual` to move it"));
    };
    match (input.value.advance, input.value.at) {
        (Some(by), None) => clock.advance(duration(&by)?),
        (None, Some(at)) => clock.set(at).map_err(|reason| Problem::field("at", reason))?,
        _ => return Err(Problem::field("advance", "give either `advance` or `at`")),
    }
    Ok(Json(ClockView { now: clock.now(), manual: true }))
}

/// Seconds as a number, or text such as `2d4h` or `P2D`. A day is 24 hours.
fn duration(value: &Value) -> Result<SignedDuration, Problem> {
    let wrong = || Problem::field("advance", "give seconds, or text such as `2d4h`, `90m` or `P2D`, of up to 10 years");
    let by = match value {
        Value::Number(number) => {
            let seconds = number.as_f64().ok_or_else(wrong)?;
            SignedDuration::try_from_secs_f64(seconds).map_err(|_| wrong())?
        }
        Value::String(text) => {
            let span: Span = text.trim().parse().map_err(|_| wrong())?;
            span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?
        }
        _ => return Err(wrong()),
    };
    let longest = SignedDuration::from_hours(10 * 366 * 24);
    if by.is_negative() || by > longest { Err(wrong()) } else { Ok(by) }
}
