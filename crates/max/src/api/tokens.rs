//! `/api/tokens` and `/api/login`: who may ask what. Secrets are shown once and kept nowhere.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::AppState;
use super::auth::{Admin, LINK_LIFE, Scope};
use super::input::Input;
use super::once::KeptInstead;
use super::problem::Problem;
use super::respond::At;
use crate::wire::{NewToken, Nothing, SignInLink, TokenList, TokenMade, TokenView};

/// All tokens, without their secrets.
#[utoipa::path(
    get, path = "/api/tokens", tag = "owner", operation_id = "list_tokens",
    responses((status = 200, description = "The tokens", body = ref("#/components/schemas/TokenList"))),
)]
pub async fn list(State(app): AppState, _: Admin) -> Result<Json<TokenList>, Problem> {
    let rows = app.state.director.read(|store| store.tokens()).await?;
    Ok(Json(TokenList { tokens: rows.into_iter().map(TokenView::from).collect() }))
}

/// Makes a token. It is shown this once.
#[utoipa::path(
    post, path = "/api/tokens", tag = "owner", operation_id = "make_token",
    request_body(content = ref("#/components/schemas/NewToken")),
    responses((status = 201, description = "The token", body = ref("#/components/schemas/TokenMade"))),
)]
pub async fn make(State(app): AppState, _: Admin, input: Input<NewToken>) -> Result<Response, Problem> {
    let name = input.value.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::field("name", "say in 1 to 100 characters what the token is for"));
    }
    let mut scopes = Vec::new();
    for text in &input.value.scopes {
        let scope = Scope::parse(text).ok_or_else(|| {
            Problem::field("scopes", format!("`{text}` is no scope; use ingest, read, operate, admin or eidolon:<id>"))
        })?;
        scopes.push(scope);
    }
    if scopes.is_empty() {
        return Err(Problem::field("scopes", "name at least one of ingest, read, operate, admin, eidolon:<id>"));
    }
    let (token, row) = app.state.auth.add(name, &scopes).await?;
    let made = TokenMade { token: Some(token), view: row.into() };
    let kept = KeptInstead::json(&TokenMade { token: None, ..made.clone() });
    Ok((StatusCode::CREATED, Extension(kept), Json(made)).into_response())
}

/// Ends a token at once.
#[utoipa::path(
    delete, path = "/api/tokens/{id}", tag = "owner", operation_id = "revoke_token",
    params(("id" = String, Path, description = "Its public id")),
    responses((status = 204, description = "It is over")),
)]
pub async fn revoke(State(app): AppState, _: Admin, At(id): At<String>) -> Result<StatusCode, Problem> {
    let there = app.state.auth.revoke(&id).await?;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found(format!("token `{id}`"))) }
}

/// Makes a link that signs one browser in, once.
#[utoipa::path(
    post, path = "/api/login", tag = "owner", operation_id = "sign_in_link",
    responses((status = 201, description = "The link's path", body = ref("#/components/schemas/SignInLink"))),
)]
pub async fn sign_in_link(State(app): AppState, _: Admin, _: Input<Nothing>) -> Result<Response, Problem> {
    let path = app.state.auth.sign_in_link()?;
    let link = SignInLink { path: Some(path), expires_in: LINK_LIFE.as_secs() };
    let kept = KeptInstead::json(&SignInLink { path: None, ..link.clone() });
    Ok((StatusCode::CREATED, Extension(kept), Json(link)).into_response())
}
