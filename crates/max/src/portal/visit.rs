//! What a visitor of a client's page asks for, and what he gets.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, USER_AGENT,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::Markup;
use max_core::command::{Command, Incoming, Request, Seen};
use max_core::decide::signing::SIGNED_CONTRACT;
use max_core::id::{Digest, LeadId};
use max_core::lead::{
    Actor, ArtifactRef, ClientAsk, Delivery, Direction, Lead, MessageKind, Outcome, SigningEvidence, SigningMethod,
    Turn,
};
use max_core::stage::Stage;
use max_core::stages::closer::ContractSigned;
use max_core::stages::onboarding::{self, Owner, Step};
use max_documents::Lang;
use max_engine::view::MessageView;

use super::page::{self, Notice};
use super::words::{CONSENT_VERSION, word};
use crate::api::App;
use crate::api::input::Raw;
use crate::api::problem::Problem;
use crate::api::respond::At;
use crate::api::{SANDBOX, media_type};

/// What a page may load: its own style and its own frames.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
const NAME_AT_MOST: usize = 200;
const MESSAGE_AT_MOST: usize = 20_000;
const PROOF_AT_MOST: usize = 2_000;

/// A lead as its client sees it.
pub(super) struct Visit {
    pub lead: Arc<Lead>,
    pub lang: Lang,
    /// What was really said: what came in, and what has left.
    pub messages: Vec<MessageView>,
    /// What has left, newest version only, by stage and name.
    pub documents: Vec<ArtifactRef>,
}

impl Visit {
    /// The visitor of an address; nothing for an address that is none.
    pub async fn of(app: &App, token: &str) -> Result<Option<Visit>, Problem> {
        let Some(id) = app.state.portal.key.lead_of(token) else { return Ok(None) };
        let Ok(cached) = app.state.director.lead(id).await else { return Ok(None) };
        let lead = Arc::clone(&cached.lead);
        if lead.outcome() == Some(Outcome::Erased) {
            return Ok(None);
        }
        let lang = lead.language.as_deref().and_then(Lang::of_tag).unwrap_or(Lang::En);
        let messages: Vec<MessageView> = app.state.director.messages(id).await?.into_iter().filter(was_said).collect();
        let documents = documents(&lead, &messages);
        Ok(Some(Visit { lead, lang, messages, documents }))
    }

    /// What the client is asked for now.
    pub fn ask(&self) -> Option<&ClientAsk> {
        match &self.lead.turn {
            Turn::AwaitingClient(wait) => Some(&wait.ask),
            _ => None,
        }
    }

    /// What the form for messages is bound to: the lead alone, so that nothing that happens meanwhile costs words.
    pub fn bound(&self) -> Digest {
        Digest::of(self.lead.id.0.as_bytes())
    }

    /// The client's own steps of the checklist, while there is anything to do.
    pub fn steps(&self) -> Vec<Step> {
        if matches!(self.lead.turn, Turn::Ended(_)) {
            return Vec::new();
        }
        let list = onboarding::checklist(&self.lead).unwrap_or_default();
        list.steps.into_iter().filter(|step| step.owner == Owner::Client).collect()
    }

    /// What is due after the signature, as it was asked for.
    pub fn deposit(&self) -> Option<ContractSigned> {
        let asked: ContractSigned = self.lead.stage_value(Stage::Closer, "contract_signed")?;
        (asked.deposit_minor > 0 && self.lead.stage <= Stage::Onboarding).then_some(asked)
    }

    /// The file that is signed, where it has left the house.
    pub fn document(&self, digest: Digest) -> Option<&ArtifactRef> {
        self.documents.iter().find(|d| d.sha256 == digest)
    }
}

fn was_said(view: &MessageView) -> bool {
    match view.message.direction {
        Direction::In => !matches!(view.message.kind, MessageKind::Bounce | MessageKind::OutOfOffice),
        Direction::Out => view.delivery == Delivery::Sent,
    }
}

/// What went out as an attachment, in the version that went out; the approved scope; the contract with its certificate.
fn documents(lead: &Lead, messages: &[MessageView]) -> Vec<ArtifactRef> {
    let mut documents: Vec<ArtifactRef> = Vec::new();
    let scope_stands = lead.approved_scope.is_some() && lead.stage > Stage::Scoping;
    let ours = lead.artifacts.iter().filter(|a| {
        !a.superseded
            && ((a.stage == Stage::Scoping && scope_stands && ["scope.pdf", "scope.html"].contains(&a.name.as_str()))
                || (a.stage == Stage::Closer && a.name == SIGNED_CONTRACT)
                || (a.stage == Stage::DeliveryPM && a.name.starts_with("certificates/")))
    });
    let sent = messages.iter().rev().filter(|m| m.message.direction == Direction::Out);
    for document in ours.chain(sent.flat_map(|m| &m.message.attachments)) {
        if !documents.iter().any(|d| d.stage == document.stage && d.name == document.name) {
            documents.push(document.clone());
        }
    }
    documents.sort_by(|a, b| (a.stage, &a.name).cmp(&(b.stage, &b.name)));
    documents
}

/// The page.
pub async fn show(State(app): State<Arc<App>>, At(token): At<String>) -> Response {
    match Visit::of(&app, &token).await {
        Ok(Some(visit)) => page(&app, &visit, Notice::None),
        Ok(None) => nobody(),
        Err(problem) => problem.into_response(),
    }
}

/// A document of the page.
pub async fn file(State(app): State<Arc<App>>, At((token, path)): At<(String, String)>) -> Response {
    match served(&app, &token, &path).await {
        Ok(Some(response)) => response,
        Ok(None) => nobody(),
        Err(problem) => problem.into_response(),
    }
}

async fn served(app: &App, token: &str, path: &str) -> Result<Option<Response>, Problem> {
    let Some(visit) = Visit::of(app, token).await? else { return Ok(None) };
    let named = |d: &&ArtifactRef| {
        path.strip_prefix(d.stage.folder()).and_then(|rest| rest.strip_prefix('/')) == Some(d.name.as_str())
    };
    let Some(document) = visit.documents.iter().find(named) else { return Ok(None) };
    let bytes = app.state.director.artifact(visit.lead.id, document.sha256).await?;
    let (kind, inline) = media_type(&document.name);
    let name = document.name.rsplit('/').next().unwrap_or("file");
    let disposition = format!("{}; filename=\"{name}\"", if inline { "inline" } else { "attachment" });
    let disposition = HeaderValue::try_from(disposition).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok(Some(closed((headers, bytes).into_response())))
}

/// The client signs.
pub async fn sign(State(app): State<Arc<App>>, At(token): At<String>, origin: Origin, raw: Raw) -> Response {
    let visit = match Visit::of(&app, &token).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return nobody(),
        Err(problem) => return problem.into_response(),
    };
    match signed(&app, &visit, origin, &raw).await {
        Ok(()) => again(&app, visit.lead.id, "signed"),
        Err(notice) => page(&app, &visit, notice),
    }
}

async fn signed(app: &App, visit: &Visit, origin: Origin, raw: &Raw) -> Result<(), Notice> {
    let form = raw.form().map_err(|_| Notice::Stale)?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
    let document: Digest = field("document").parse().map_err(|_| Notice::Stale)?;
    // The form was made for exactly this document, and it is still the one that is asked for.
    let asked = visit.ask().and_then(ClientAsk::document) == Some(document);
    if !asked || !app.state.portal.key.fits(visit.lead.id, "sign", document, field("slip")) {
        return Err(Notice::Stale);
    }
    let signer: String = field("name").chars().filter(|c| !c.is_control()).take(NAME_AT_MOST).collect();
    if signer.chars().filter(|c| c.is_alphabetic()).count() < 2 {
        return Err(Notice::NoName);
    }
    if field("consent") != "yes" {
        return Err(Notice::NoConsent);
    }
    let evidence = SigningEvidence {
        method: SigningMethod::Portal,
        consent: word(visit.lang, "consent").to_owned(),
        consent_version: format!("{CONSENT_VERSION}-{}", visit.lang.tag()),
        ip: origin.ip,
        user_agent: origin.browser,
        ..SigningEvidence::default()
    };
    let seen = Seen { signing: Some(Box::new(evidence)), ..Seen::default() };
    let request = Request::new(Actor::Client, Command::Sign { document, signer }).having_seen(seen);
    app.state.director.act(visit.lead.id, request, None).await.map(drop).map_err(|_| Notice::Stale)
}

/// The client has done a step of the checklist.
pub async fn step(State(app): State<Arc<App>>, At(token): At<String>, raw: Raw) -> Response {
    let visit = match Visit::of(&app, &token).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return nobody(),
        Err(problem) => return problem.into_response(),
    };
    match marked(&app, &visit, &raw).await {
        Ok(()) => again(&app, visit.lead.id, "marked"),
        Err(notice) => page(&app, &visit, notice),
    }
}

async fn marked(app: &App, visit: &Visit, raw: &Raw) -> Result<(), Notice> {
    let form = raw.form().map_err(|_| Notice::Stale)?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
    let steps = visit.steps();
    let step = steps.iter().find(|step| step.id == field("step")).ok_or(Notice::Stale)?;
    if !app.state.portal.key.fits(visit.lead.id, "step", shown(step), field("slip")) {
        return Err(Notice::Stale);
    }
    let proof: String = field("proof").chars().filter(|c| !c.is_control() || *c == '\n').take(PROOF_AT_MOST).collect();
    if proof.is_empty() {
        return Err(Notice::NoProof);
    }
    let command = Command::MarkStep { step: step.id.clone(), done: true, proof };
    let request = Request::new(Actor::Client, command);
    app.state.director.act(visit.lead.id, request, None).await.map(drop).map_err(|_| Notice::Stale)
}

/// What a form for a step is bound to.
pub(super) fn shown(step: &Step) -> Digest {
    Digest::of_json(&(&step.id, &step.title))
}

/// The client writes.
pub async fn write(State(app): State<Arc<App>>, At(token): At<String>, raw: Raw) -> Response {
    let visit = match Visit::of(&app, &token).await {
        Ok(Some(visit)) => visit,
        Ok(None) => return nobody(),
        Err(problem) => return problem.into_response(),
    };
    match written(&app, &visit, &raw).await {
        Ok(()) => again(&app, visit.lead.id, "written"),
        Err(notice) => page(&app, &visit, notice),
    }
}

async fn written(app: &App, visit: &Visit, raw: &Raw) -> Result<(), Notice> {
    let form = raw.form().map_err(|_| Notice::Stale)?;
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
    if !app.state.portal.key.fits(visit.lead.id, "write", visit.bound(), field("slip")) {
        return Err(Notice::Stale);
    }
    let body: String = field("message").chars().take(MESSAGE_AT_MOST).collect();
    if body.is_empty() {
        return Err(Notice::NoMessage);
    }
    let incoming = Incoming {
        kind: MessageKind::Reply,
        subject: String::new(),
        body,
        address: visit.lead.contact.email.clone(),
        rfc_id: None,
        in_reply_to: None,
        verified: true,
    };
    let request = Request::new(Actor::Client, Command::Receive(Box::new(incoming)));
    app.state.director.act(visit.lead.id, request, None).await.map(drop).map_err(|_| Notice::Stale)
}

/// Where a request came from.
pub struct Origin {
    ip: String,
    browser: String,
}

impl FromRequestParts<Arc<App>> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Self::Rejection> {
        let text = |name: HeaderName| {
            let value = parts.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
            value.map(|v| v.chars().filter(|c| !c.is_control()).take(400).collect::<String>()).filter(|v| !v.is_empty())
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let told = text(HeaderName::from_static("x-forwarded-for"));
        // What a proxy says is told apart from what was seen: anybody may send that header.
        let ip = match (peer, told) {
            (Some(peer), Some(told)) => format!("{told} (as told by {peer})"),
            (Some(peer), None) => peer.to_string(),
            (None, Some(told)) => format!("{told} (as told)"),
            (None, None) => "unknown".into(),
        };
        Ok(Self { ip, browser: text(USER_AGENT).unwrap_or_else(|| "unknown".into()) })
    }
}

fn page(app: &App, visit: &Visit, notice: Notice) -> Response {
    let markup: Markup = page::page(&app.state.portal, visit, notice);
    let status = if notice == Notice::None { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    confined(status, markup)
}

/// A page that loads nothing but its own.
pub(super) fn confined(status: StatusCode, markup: Markup) -> Response {
    closed((status, [(CONTENT_SECURITY_POLICY, POLICY)], markup).into_response())
}

/// A page of its own beside the lead's.
pub(super) fn plain_page(markup: Markup) -> Response {
    closed((StatusCode::OK, [(CONTENT_SECURITY_POLICY, POLICY)], markup).into_response())
}

/// To the page again, so that a reload does nothing twice.
fn again(app: &App, lead: LeadId, place: &str) -> Response {
    closed((StatusCode::SEE_OTHER, [(LOCATION, format!("{}#{place}", app.state.portal.path(lead)))]).into_response())
}

/// The one answer to every address that is none.
pub(super) fn nobody() -> Response {
    closed((StatusCode::NOT_FOUND, [(CONTENT_SECURITY_POLICY, POLICY)], page::nobody()).into_response())
}

/// Nothing of a client's page stays with others: no referrer, no index, no cache.
pub(super) fn closed(mut response: Response) -> Response {
    let headers = [
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow, noarchive"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The one style sheet of the clients' pages.
pub async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, include_str!("portal.css")).into_response()
}
