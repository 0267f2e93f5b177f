//! The page behind the link that went to the address on file: whoever asked for his data confirms that it was he.
//!
//! Mail programs open links to look at them, so opening one does nothing: a form confirms. A link that is wrong, used up
//! or too old gets the same answer as an address that never was one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use max_core::command::{Command, Request};
use max_core::id::{Digest, LeadId};
use max_core::lead::{Actor, IdentityCheck, Lead, Wish};
use max_documents::Lang;

use super::page;
use super::visit::{closed, confined, nobody};
use crate::api::App;
use crate::api::export_page;
use crate::api::input::Raw;
use crate::api::respond::At;

/// How long the copy may be fetched again after the link was used: a download can fail.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// A link that counts.
struct Link {
    lead: Arc<Lead>,
    check: IdentityCheck,
    token: String,
    path: String,
}

impl Link {
    async fn of(app: &App, lead: &str, token: &str) -> Option<Self> {
        let path = format!("/p/confirm/{lead}/{token}");
        let id = LeadId(lead.parse().ok()?);
        let cached = app.state.director.lead(id).await.ok()?;
        let lead = Arc::clone(&cached.lead);
        let digest = Digest::of(token.as_bytes());
        let check = lead.privacy.identity.clone().filter(|check| check.token == digest)?;
        let now = app.state.director.now();
        let counts = match (check.confirmed_at, check.wish) {
            (None, _) => now <= check.expires_at,
            (Some(at), Wish::Export) => now <= at + AGAIN,
            (Some(_), Wish::Erasure) => true,
        };
        counts.then(|| Self { lead, check, token: token.to_owned(), path })
    }

    /// What the form carries.
    fn slip(&self, app: &App) -> String {
        app.state.portal.key.slip(self.lead.id, "confirm", self.check.token)
    }

    fn page(&self, app: &App) -> Response {
        let lang = self.lead.language.as_deref().and_then(Lang::of_tag).unwrap_or(Lang::En);
        let confirmed = self.check.confirmed_at.is_some();
        let slip = self.slip(app);
        confined(StatusCode::OK, page::confirm(&app.state.portal, lang, self.check.wish, confirmed, &self.path, &slip))
    }
}

/// The page: what was asked for, and a button.
pub async fn ask(State(app): State<Arc<App>>, At((lead, token)): At<(String, String)>) -> Response {
    match Link::of(&app, &lead, &token).await {
        Some(link) => link.page(&app),
        None => nobody(),
    }
}

/// It was he: the request counts, and a copy is handed over.
pub async fn confirm(State(app): State<Arc<App>>, At((lead, token)): At<(String, String)>, raw: Raw) -> Response {
    let Some(link) = Link::of(&app, &lead, &token).await else { return nobody() };
    let form = raw.form().unwrap_or_default();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
    if !app.state.portal.key.fits(link.lead.id, "confirm", link.check.token, field("slip")) {
        return nobody();
    }
    let command = Command::ConfirmIdentity { token: link.token.clone() };
    if app.state.director.act(link.lead.id, Request::new(Actor::Client, command), None).await.is_err() {
        return nobody();
    }
    match link.check.wish {
        Wish::Erasure => closed((StatusCode::SEE_OTHER, [(LOCATION, link.path)]).into_response()),
        Wish::Export => copy(&app, link.lead.id, field("format")).await,
    }
}

/// Everything that is held about the person, as a file.
async fn copy(app: &App, lead: LeadId, format: &str) -> Response {
    let Ok(all) = app.state.director.export(lead).await else { return nobody() };
    let (kind, ending, body) = match format {
        "json" => ("application/json", "json", serde_json::to_string_pretty(&all).unwrap_or_default()),
        _ => ("text/html; charset=utf-8", "html", export_page::page(&all, &app.state.agency)),
    };
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"my-data.{ending}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(kind)), (CONTENT_DISPOSITION, disposition)];
    closed((headers, body).into_response())
}
