//! Signing in by a one-time link, and who looks at a page.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::header::{LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::layout;
use crate::api::App;
use crate::api::auth::{COOKIE_NAME, Principal, SESSION_LIFE, Scope, Session};
use crate::api::problem::Problem;
use crate::api::respond::At;

/// Somebody who may read pages.
pub struct Visitor {
    /// Who.
    pub principal: Arc<Principal>,
    /// The browser's session; nothing for a script with a token, which cannot use the forms.
    pub session: Option<Session>,
}

impl Visitor {
    /// What the forms of the page must carry.
    pub fn csrf(&self) -> Option<&str> {
        let session = self.session.as_ref()?;
        self.principal.may(Scope::Operate).then_some(session.csrf.as_str())
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let session = app.state.auth.session(&parts.headers);
        let principal = match &session {
            Some(session) => Ok(Arc::clone(&session.principal)),
            None => app.state.auth.check(parts, app.state.rate),
        };
        let allowed = principal.and_then(|p| p.needs(Scope::Read).map(|()| p));
        allowed.map(|principal| Self { principal, session }).map_err(|problem| failed(app, &problem))
    }
}

/// A problem as a page.
pub fn failed(app: &App, problem: &Problem) -> Response {
    let body = html! {
        h1 { (problem.title()) }
        p { (problem.detail) }
        @if problem.status == StatusCode::UNAUTHORIZED {
            p { "Get a one-time link with " code { "max login" } " on the machine that runs MAX, and open it here." }
        }
        @if !problem.allowed.is_empty() {
            p { "Allowed now:" }
            ul { @for one in &problem.allowed { li { (one) } } }
        }
        p { a href="/" { "To the status page" } }
    };
    (problem.status, layout::page(app, problem.title(), &body)).into_response()
}

/// Turns a one-time link into a session cookie.
pub async fn sign_in(State(app): State<Arc<App>>, method: Method, At(secret): At<String>) -> Response {
    // A mail program that looks whether the link is alive must not use it up.
    if method == Method::HEAD {
        return StatusCode::NO_CONTENT.into_response();
    }
    match app.state.auth.sign_in(&secret) {
        Ok(Some(cookie)) => {
            let life = SESSION_LIFE.as_secs();
            let cookie = format!("{COOKIE_NAME}={cookie}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict");
            let headers = [(SET_COOKIE, cookie.as_str()), (LOCATION, "/"), (REFERRER_POLICY, "no-referrer")];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Ok(None) => failed(&app, &Problem::unauthorized("this sign-in link was used already, or it is too old")),
        Err(error) => failed(&app, &error.into()),
    }
}
