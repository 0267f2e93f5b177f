//! What the law asks of a lead: export, erasure, consent, and the list of addresses that nothing automatic goes to.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use max_core::command::Command;
use max_engine::ports::SuppressionReason;
use serde::Deserialize;

use super::AppState;
use super::auth::{Operate, Read};
use super::export_page;
use super::input::{Input, Params};
use super::problem::Problem;
use super::respond::At;
use crate::wire::{ErasurePreview, NewSuppression, RecordConsent, RequestErasure, SuppressionList, SuppressionView};

/// In which form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    format: Option<String>,
}

/// Everything that is held about a lead, for the person it is about: JSON, or one HTML page.
#[utoipa::path(
    get, path = "/api/leads/{id}/export", tag = "leads", operation_id = "export_lead",
    params(
        ("id" = String, Path, description = "UUID or external_ref"),
        ("format" = Option<String>, Query, description = "`json` (default) or `html`"),
    ),
    responses((status = 200, description = "Contact, consent, conversation, scores with reasons, notes, decisions, artifacts, audit trail")),
)]
pub async fn export(
    State(app): AppState,
    _: Read,
    At(id): At<String>,
    Params(form): Params<Form>,
) -> Result<Response, Problem> {
    let id = app.find(&id).await?;
    let all = app.state.director.export(id).await?;
    let (kind, ending, body) = match form.format.as_deref() {
        None | Some("json") => ("application/json", "json", serde_json::to_string_pretty(&all).unwrap_or_default()),
        Some("html") => ("text/html; charset=utf-8", "html", export_page::page(&all, &app.state.agency)),
        Some(_) => return Err(Problem::field("format", "use json or html")),
    };
    let name = format!("attachment; filename=\"lead-{id}.{ending}\"");
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, name),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

/// What the erasure of a lead would do; nothing happens.
#[utoipa::path(
    get, path = "/api/leads/{id}/erase", tag = "leads", operation_id = "preview_erasure",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "What goes, what stays, what is out of reach", body = ref("#/components/schemas/ErasurePreview"))),
)]
pub async fn preview(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<ErasurePreview>, Problem> {
    let id = app.find(&id).await?;
    Ok(Json(ErasurePreview::new(id, app.state.director.erasure_preview(id).await?)))
}

/// Asks for the erasure of a lead's data. From now on nothing automatic happens with it; a person has to approve before
/// anything is erased.
#[utoipa::path(
    post, path = "/api/leads/{id}/erase", tag = "leads", operation_id = "request_erasure",
    params(("id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/RequestErasure")),
    responses((status = 200, description = "The lead now, waiting for the approval", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn request(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<RequestErasure>,
) -> Result<Response, Problem> {
    let once = input.once();
    let RequestErasure { reason, asked_by } = input.value;
    let asked_by = if asked_by.trim().is_empty() { caller.name.clone() } else { asked_by };
    app.act(&id, &caller, once, Command::RequestErasure { reason, asked_by }).await
}

/// Records what the client agreed to, or took back.
#[utoipa::path(
    post, path = "/api/leads/{id}/consent", tag = "leads", operation_id = "record_consent",
    params(("id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/RecordConsent")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn consent(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<RecordConsent>,
) -> Result<Response, Problem> {
    let once = input.once();
    let RecordConsent { purpose, given, text_version, source } = input.value;
    let source = if source.trim().is_empty() { format!("recorded by {}", caller.name) } else { source };
    app.act(&id, &caller, once, Command::RecordConsent { purpose, given, text_version, source }).await
}

/// The suppression list, newest first. It names nobody: only keyed hashes.
#[utoipa::path(
    get, path = "/api/suppressions", tag = "people", operation_id = "list_suppressions",
    responses((status = 200, description = "The list", body = ref("#/components/schemas/SuppressionList"))),
)]
pub async fn list(State(app): AppState, _: Read) -> Result<Json<SuppressionList>, Problem> {
    let all = app.state.director.read(|store| store.suppressions()).await?;
    Ok(Json(SuppressionList { suppressions: all.into_iter().map(SuppressionView::from).collect() }))
}

/// Puts an address on the list. Again changes nothing.
#[utoipa::path(
    post, path = "/api/suppressions", tag = "people", operation_id = "suppress",
    request_body(content = ref("#/components/schemas/NewSuppression")),
    responses((status = 201, description = "It is on the list", body = ref("#/components/schemas/SuppressionView"))),
)]
pub async fn add(
    State(app): AppState,
    caller: Operate,
    input: Input<NewSuppression>,
) -> Result<(StatusCode, Json<SuppressionView>), Problem> {
    let NewSuppression { address, reason } = input.value;
    let word = reason.unwrap_or_else(|| SuppressionReason::Manual.name().into());
    let reason = SuppressionReason::ALL
        .into_iter()
        .find(|reason| reason.name() == word)
        .ok_or_else(|| Problem::field("reason", "use one of opt_out, bounced, erased, manual"))?;
    let one = app.state.director.suppress(&address, reason, &caller.name).await?;
    Ok((StatusCode::CREATED, Json(one.into())))
}

/// Takes an address off the list.
#[utoipa::path(
    delete, path = "/api/suppressions/{entry}", tag = "people", operation_id = "unsuppress",
    params(("entry" = String, Path, description = "The address, or the first digits of its hash (at least 8)")),
    responses((status = 204, description = "It is off the list")),
)]
pub async fn remove(State(app): AppState, _: Operate, At(entry): At<String>) -> Result<StatusCode, Problem> {
    if app.state.director.unsuppress(&entry).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("such entry on the suppression list; `max suppress list` shows it"))
    }
}
