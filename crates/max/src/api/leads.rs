//! `/api/leads…`: the list, one lead, and what people do with it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use max_core::command::{Command, Request, Seen};
use max_core::decide::{allowed, due};
use max_core::id::Digest;
use max_core::lead::{ClientAsk, IncomingPayment, Lead, SigningEvidence, SigningMethod, Status, Through, Turn};
use max_core::policy::Policy;
use max_core::stages::first_responder::FirstReply;
use max_core::stages::onboarding;
use max_engine::error::Error;
use max_engine::ports::{LeadFilter, StoreError};
use serde::Deserialize;

use super::AppState;
use super::auth::{Operate, Read};
use super::input::{Input, Params};
use super::problem::Problem;
use super::respond::{At, client_state, etag};
use crate::wire::{
    ArtifactView, Because, CloseLead, LeadList, LeadView, MarkStep, Nothing, RecordDeposit, Sign, SignatureView,
    SignedFile,
};

/// Which leads to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    stage: Option<String>,
    status: Option<String>,
    q: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A page of leads, newest change first.
#[utoipa::path(
    get, path = "/api/leads", tag = "leads", operation_id = "list_leads",
    params(
        ("stage" = Option<String>, Query, description = "Only this stage, in any spelling"),
        ("status" = Option<String>, Query, description = "Only this status"),
        ("q" = Option<String>, Query, description = "In name, company, address or external_ref"),
        ("limit" = Option<u64>, Query, description = "1 to 500, 50 by default"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "The page", body = ref("#/components/schemas/LeadList"))),
)]
pub async fn list(State(app): AppState, _: Read, Params(query): Params<Query>) -> Result<Json<LeadList>, Problem> {
    let some = |text: Option<String>| text.filter(|t| !t.is_empty());
    let limit = query.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Problem::field("limit", "ask for 1 to 500 leads"));
    }
    let filter = LeadFilter {
        stage: some(query.stage).map(|text| app.stage("stage", &text)).transpose()?,
        status: some(query.status).map(|text| status(&text)).transpose()?,
        search: some(query.q),
        cursor: some(query.cursor),
        limit,
    };
    let page = app.state.director.read(move |store| store.list(&filter)).await.map_err(|error| match error {
        Error::Store(StoreError::Unavailable(why)) if why.contains("is no cursor") => Problem::field("cursor", why),
        error => error.into(),
    })?;
    Ok(Json(LeadList { leads: page.rows, next: page.next }))
}

fn status(text: &str) -> Result<Status, Problem> {
    let known = Status::ALL.into_iter().find(|status| status.name() == text);
    known
        .ok_or_else(|| Problem::field("status", "use one of in_progress, awaiting_human, completed, escalated, failed"))
}

/// Everything about a lead.
#[utoipa::path(
    get, path = "/api/leads/{id}", tag = "leads", operation_id = "show_lead",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The lead", body = ref("#/components/schemas/LeadView"))),
)]
pub async fn show(State(app): AppState, _: Read, At(id): At<String>) -> Result<Response, Problem> {
    let cached = app.lead(&id).await?;
    let tag = [(axum::http::header::ETAG, etag(cached.lead.version))];
    let mut view = view(&cached.lead);
    view.portal = app.state.portal.address(cached.lead.id);
    view.first_reply = FirstReply::of(&cached.lead, app.state.director.policy());
    view.due_at = due_at(&cached.lead, app.state.director.policy());
    Ok((tag, Json(view)).into_response())
}

/// A lead on one page.
pub fn view(lead: &Lead) -> LeadView {
    let state = client_state(lead);
    LeadView {
        external_ref: lead.contact.external_ref.clone(),
        version: lead.version,
        task: lead.open_task().cloned(),
        approval: lead.pending_approval().cloned(),
        escalation: lead.escalation.clone(),
        waits: state.data.get("waiting_for").cloned(),
        artifacts: lead.artifacts.iter().map(|a| ArtifactView::new(lead.id, a)).collect(),
        to_sign: to_sign(lead),
        signatures: signatures(lead),
        steps: onboarding::checklist(lead).map(|list| list.steps).unwrap_or_default(),
        lapsed_change_orders: lead.lapsed_changes.clone(),
        messages: lead.messages.len(),
        allowed: allowed(lead),
        portal: String::new(),
        first_reply: None,
        due_at: None,
        state,
    }
}

/// When the clock brings something about: what the timers wait for, or the next try of work that failed.
fn due_at(lead: &Lead, policy: &Policy) -> Option<Timestamp> {
    let again = lead.open_task().and_then(|task| task.not_before);
    again.or_else(|| due(lead, policy).map(|(at, _)| at))
}

/// What the client is asked to sign now.
fn to_sign(lead: &Lead) -> Option<SignedFile> {
    let Turn::AwaitingClient(wait) = &lead.turn else { return None };
    let what = match &wait.ask {
        ClientAsk::Milestone { id, .. } => format!("milestone {id}"),
        ClientAsk::ChangeOrder { number, .. } => format!("change order CO-{number}"),
        _ => "the contract".into(),
    };
    Some(signed_file(lead, what, wait.ask.document()?))
}

/// What the client signed, the contract first.
fn signatures(lead: &Lead) -> Vec<SignatureView> {
    let contract = lead.signature.iter().map(|s| ("the contract".to_owned(), s));
    let milestones = lead.accepted_milestones.iter().map(|(id, s)| (format!("milestone {id}"), s));
    let changes = lead.signed_changes.iter().map(|(number, s)| (format!("change order CO-{number}"), s));
    let all = contract.chain(milestones).chain(changes);
    all.map(|(what, signature)| SignatureView {
        signed: signed_file(lead, what, signature.document),
        signature: signature.clone(),
    })
    .collect()
}

fn signed_file(lead: &Lead, what: String, document: Digest) -> SignedFile {
    let artifact = lead.artifacts.iter().find(|a| a.sha256 == document).map(|a| ArtifactView::new(lead.id, a));
    let (file, url) = artifact.map(|a| (a.path, a.url)).unzip();
    SignedFile { what, document, file, url }
}

/// Records that the deposit arrived: the yes to the question that waits for it, or before it is asked. A second copy
/// changes nothing.
#[utoipa::path(
    post, path = "/api/leads/{id}/deposit", tag = "leads", operation_id = "record_deposit",
    params(("id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/RecordDeposit")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn deposit(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<RecordDeposit>,
) -> Result<Response, Problem> {
    let once = input.once();
    let RecordDeposit { amount_minor, reference, received_on } = input.value;
    let payment = IncomingPayment { amount_minor, reference: reference.trim().to_owned(), received_on };
    let seen = Seen { through: Some(Through::Api), ..Seen::default() };
    let request = Request::new(caller.actor(), Command::RecordPayment { payment }).having_seen(seen);
    let acted = app.state.director.act(app.find(&id).await?, request, once).await?;
    Ok(app.state_of(&acted.lead, StatusCode::OK))
}

/// Marks a step of the onboarding checklist as done, or takes the mark back.
#[utoipa::path(
    post, path = "/api/leads/{id}/steps/{step}", tag = "leads", operation_id = "mark_step",
    params(
        ("id" = String, Path, description = "UUID or external_ref"),
        ("step" = String, Path, description = "The step's id, such as O-4"),
    ),
    request_body(content = ref("#/components/schemas/MarkStep")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn step(
    State(app): AppState,
    caller: Operate,
    At((id, step)): At<(String, String)>,
    input: Input<MarkStep>,
) -> Result<Response, Problem> {
    let once = input.once();
    let MarkStep { done, proof } = input.value;
    app.act(&id, &caller, once, Command::MarkStep { step, done, proof }).await
}

/// Records the client's signature.
#[utoipa::path(
    post, path = "/api/leads/{id}/sign", tag = "leads", operation_id = "sign",
    params(("id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/Sign")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn sign(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<Sign>,
) -> Result<Response, Problem> {
    let once = input.once();
    let Sign { document, signer, consent, consent_version, ip, user_agent } = input.value;
    // Who says what was agreed to has asked the client; who does not, records what happened elsewhere.
    let method = if consent.trim().is_empty() { SigningMethod::Recorded } else { SigningMethod::Api };
    let evidence = SigningEvidence { method, consent, consent_version, ip, user_agent, ..SigningEvidence::default() };
    let seen = Seen { signing: Some(Box::new(evidence)), ..Seen::default() };
    let request = Request::new(caller.actor(), Command::Sign { document, signer }).having_seen(seen);
    let acted = app.state.director.act(app.find(&id).await?, request, once).await?;
    Ok(app.state_of(&acted.lead, StatusCode::OK))
}

/// An endpoint that carries out one command on the lead its path names, told how by its body.
macro_rules! command {
    ($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $body:ident, $schema:literal, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = $path, tag = "leads", operation_id = $id,
            params(("id" = String, Path, description = "UUID or external_ref")),
            request_body(content = ref($schema)),
            responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
        )]
        pub async fn $name(
            State(app): AppState,
            caller: Operate,
            At(id): At<String>,
            input: Input<$body>,
        ) -> Result<Response, Problem> {
            let once = input.once();
            let command: fn($body) -> Command = $command;
            app.act(&id, &caller, once, command(input.value)).await
        }
    };
}

command! {
    /// A person takes over: nothing automatic happens with this lead any more.
    take_over, "/api/leads/{id}/take-over", "take_over", Nothing, "#/components/schemas/Nothing",
    |_| Command::TakeOver
}

command! {
    /// A person hands the lead back.
    hand_back, "/api/leads/{id}/hand-back", "hand_back", Nothing, "#/components/schemas/Nothing",
    |_| Command::HandBack
}

command! {
    /// Tries again what failed, was escalated, or lacked something.
    retry, "/api/leads/{id}/retry", "retry", Nothing, "#/components/schemas/Nothing",
    |_| Command::Retry
}

command! {
    /// Calls for help.
    escalate, "/api/leads/{id}/escalate", "escalate", Because, "#/components/schemas/Because",
    |Because { reason }| Command::Escalate { reason }
}

command! {
    /// Ends a lead.
    close, "/api/leads/{id}/close", "close_lead", CloseLead, "#/components/schemas/CloseLead",
    |CloseLead { outcome, reason, merged_into }| Command::Close { outcome, reason, merged_into }
}

command! {
    /// Takes up an ended lead again.
    reopen, "/api/leads/{id}/reopen", "reopen", Because, "#/components/schemas/Because",
    |Because { reason }| Command::Reopen { reason }
}
