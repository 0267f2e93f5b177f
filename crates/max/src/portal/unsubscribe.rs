//! `/p/{token}/unsubscribe`: no more mail, in one click (RFC 8058).
//!
//! Mail programs and their scanners fetch every address they find, so looking at this one only shows a button. Programs
//! that offer one click send a POST, without cookies and without having seen the page: it needs nothing else.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use max_core::command::{Command, Incoming, Request};
use max_core::lead::{Actor, MessageKind};

use super::visit::{Visit, nobody, plain_page};
use super::{page, words::word};
use crate::api::App;
use crate::api::respond::At;

/// The question, with its button.
pub async fn ask(State(app): State<Arc<App>>, At(token): At<String>) -> Response {
    match Visit::of(&app, &token).await {
        Ok(Some(visit)) => plain_page(page::unsubscribe(&app.state.portal, &visit, false)),
        Ok(None) => nobody(),
        Err(problem) => problem.into_response(),
    }
}

/// The click. A second one changes nothing.
pub async fn leave(State(app): State<Arc<App>>, At(token): At<String>) -> Response {
    let visit = match Visit::of(&app, &token).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return nobody(),
        Err(problem) => return problem.into_response(),
    };
    if visit.lead.unreachable.is_none() {
        let incoming = Incoming {
            kind: MessageKind::OptOut,
            subject: String::new(),
            body: word(visit.lang, "unsubscribe").to_owned(),
            address: visit.lead.contact.email.clone(),
            rfc_id: None,
            in_reply_to: None,
            verified: true,
        };
        let request = Request::new(Actor::Client, Command::Receive(Box::new(incoming)));
        if let Err(error) = app.state.director.act(visit.lead.id, request, None).await {
            return crate::api::problem::Problem::from(error).into_response();
        }
    }
    plain_page(page::unsubscribe(&app.state.portal, &visit, true))
}
