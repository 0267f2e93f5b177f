//! `/api/approvals`: what waits for a person, exactly what will happen, and the decision.

use axum::Json;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use max_core::command::{Command, Request, Seen};
use max_core::id::ApprovalId;
use max_core::lead::Through;

use super::auth::{Operate, Read};
use super::input::Input;
use super::problem::Problem;
use super::respond::At;
use super::{App, AppState};
use crate::client::COMMAND_LINE;
use crate::wire::{ApprovalList, ApprovalView, DecideApproval, PendingApproval, Verdict, WaiveFinding};

/// How many pending approvals are listed.
const MOST: usize = 500;

/// What waits for a decision, oldest first.
#[utoipa::path(
    get, path = "/api/approvals", tag = "people", operation_id = "list_approvals",
    responses((status = 200, description = "The pending approvals", body = ref("#/components/schemas/ApprovalList"))),
)]
pub async fn list(State(app): AppState, _: Read) -> Result<Json<ApprovalList>, Problem> {
    Ok(Json(ApprovalList { approvals: pending(&app).await? }))
}

/// The pending approvals, oldest first.
pub async fn pending(app: &App) -> Result<Vec<PendingApproval>, Problem> {
    let rows = app.state.director.read(|store| store.pending_approvals(MOST)).await?;
    let mut approvals = Vec::with_capacity(rows.len());
    for row in rows {
        let cached = app.state.director.lead(row.lead).await?;
        // Decided since the list was read.
        let Some(approval) = cached.lead.pending_approval().filter(|a| a.id == row.id) else { continue };
        approvals.push(PendingApproval {
            approval: approval.clone(),
            lead_id: cached.lead.id,
            lead_name: cached.lead.contact.display_name().to_owned(),
        });
    }
    Ok(approvals)
}

/// One approval, also one that is decided.
#[utoipa::path(
    get, path = "/api/approvals/{id}", tag = "people", operation_id = "show_approval",
    params(("id" = String, Path, description = "The approval's id")),
    responses((status = 200, description = "The approval", body = ref("#/components/schemas/ApprovalView"))),
)]
pub async fn show(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<ApprovalView>, Problem> {
    let id = parse(&id)?;
    let lead = app.state.director.lead_of_approval(id).await?;
    let views = app.state.director.approvals_of(lead).await?;
    let view = views.into_iter().find(|view| view.approval.id == id);
    let view = view.ok_or_else(|| Problem::not_found(format!("approval {id}")))?;
    Ok(Json(ApprovalView { approvers: app.state.auth.approvers(), ..ApprovalView::new(lead, view) }))
}

/// Approves or rejects exactly what was shown: the digest must be the approval's.
#[utoipa::path(
    post, path = "/api/approvals/{id}", tag = "people", operation_id = "decide_approval",
    params(("id" = String, Path, description = "The approval's id")),
    request_body(content = ref("#/components/schemas/DecideApproval")),
    responses(
        (status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState")),
        (status = 409, description = "Decided otherwise, void, not what was shown, or blocked: `findings`", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn decide(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    headers: HeaderMap,
    input: Input<DecideApproval>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let once = input.once();
    let lead = app.state.director.lead_of_approval(id).await?;
    let request = Request::new(caller.actor(), command(id, input.value)?).having_seen(by_way_of(way(&headers)));
    let acted = app.state.director.act(lead, request, once).await?;
    Ok(app.state_of(&acted.lead, StatusCode::OK))
}

/// Lets an approval pass in spite of one finding. The reason is recorded; the waiver ends with the approval.
#[utoipa::path(
    post, path = "/api/approvals/{id}/waive", tag = "people", operation_id = "waive_finding",
    params(("id" = String, Path, description = "The approval's id")),
    request_body(content = ref("#/components/schemas/WaiveFinding")),
    responses(
        (status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState")),
        (status = 404, description = "The approval is not pending, or has no such finding", body = ref("#/components/schemas/ProblemDocument")),
        (status = 409, description = "A finding that nobody can waive", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn waive(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<WaiveFinding>,
) -> Result<Response, Problem> {
    let id = parse(&id)?;
    let once = input.once();
    let lead = app.state.director.lead_of_approval(id).await?;
    app.act(&lead.to_string(), &caller, once, waiver(id, input.value)?).await
}

/// The waiver as a command.
pub fn waiver(approval: ApprovalId, waiver: WaiveFinding) -> Result<Command, Problem> {
    let WaiveFinding { rule, place, reason } = waiver;
    if reason.trim().is_empty() {
        return Err(Problem::field("reason", "a waiver needs a reason: say why this may go out all the same"));
    }
    Ok(Command::WaiveFinding { approval, rule, place, reason })
}

/// What is recorded about the way a decision came.
pub fn by_way_of(through: Through) -> Seen {
    Seen { through: Some(through), ..Seen::default() }
}

/// The way, as the program that asks says: it is written down, and nothing depends on it.
fn way(headers: &HeaderMap) -> Through {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if agent.starts_with(COMMAND_LINE) { Through::Cli } else { Through::Api }
}

/// The decision as a command.
pub fn command(approval: ApprovalId, decision: DecideApproval) -> Result<Command, Problem> {
    let DecideApproval { decision, payload_sha256, reason } = decision;
    let reason = reason.filter(|r| !r.trim().is_empty());
    let approve = decision == Verdict::Approve;
    if !approve && reason.is_none() {
        return Err(Problem::field("reason", "a rejection needs a reason: say what should be different"));
    }
    Ok(Command::Decide { approval, payload_sha256, approve, reason })
}

/// The approval that a path names.
pub fn parse(text: &str) -> Result<ApprovalId, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("approval `{}`", text.chars().take(80).collect::<String>())))
}
