//! `/api/tasks`: claim, renew, submit, fail: the loop of an Eidolon on another machine.
//!
//! The task's id with its attempt is the fencing token; whoever lost the task is told so with a 409.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use max_core::id::{LeadId, TaskId};
use max_core::lead::Lead;
use max_core::stage::Eidolon;
use max_engine::director::Assignment;
use max_engine::error::Error;
use max_engine::ports::{Brief, File, Thought};
use serde::Deserialize;

use super::auth::{Anyone, Principal, Read, Scope};
use super::input::{Input, Params};
use super::once::{AboutLead, Before};
use super::problem::Problem;
use super::respond::{At, client_state, file_bytes};
use super::{App, AppState};
use crate::wire::{ArtifactView, BriefView, ClaimTask, Claimed, FailTask, RenewTask, SubmitTask, TaskList, TaskRow};

/// How many open tasks are listed.
const MOST: usize = 1_000;

/// Whose tasks to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    eidolon: Option<String>,
}

/// Open tasks, oldest first.
#[utoipa::path(
    get, path = "/api/tasks", tag = "tasks", operation_id = "list_tasks",
    params(("eidolon" = Option<String>, Query, description = "Only this Eidolon's")),
    responses((status = 200, description = "The tasks", body = ref("#/components/schemas/TaskList"))),
)]
pub async fn list(State(app): AppState, _: Read, Params(query): Params<Query>) -> Result<Json<TaskList>, Problem> {
    let eidolon = query.eidolon.map(|text| app.eidolon("eidolon", &text)).transpose()?;
    let rows = app.state.director.read(move |store| store.open_tasks(eidolon, MOST)).await?;
    Ok(Json(TaskList { tasks: rows.into_iter().map(|r| TaskRow { lead_id: r.lead, task: r.task }).collect() }))
}

/// Claims the next task of an Eidolon.
#[utoipa::path(
    post, path = "/api/tasks/claim", tag = "tasks", operation_id = "claim_task",
    request_body(content = ref("#/components/schemas/ClaimTask")),
    responses(
        (status = 200, description = "It is yours until its lease ends", body = ref("#/components/schemas/Claimed")),
        (status = 204, description = "There is nothing to do"),
    ),
)]
pub async fn claim(State(app): AppState, caller: Anyone, input: Input<ClaimTask>) -> Result<Response, Problem> {
    let eidolon = app.eidolon("eidolon", &input.value.eidolon)?;
    caller.needs(Scope::Eidolon(eidolon))?;
    let holder = input.value.holder.trim();
    if holder.is_empty() || holder.len() > 200 {
        return Err(Problem::field("holder", "say who works on it, for example `<instance>/<worker>`"));
    }
    let director = &app.state.director;
    let assignment = match input.before() {
        Some(before) => claimed_before(&app, before, eidolon, holder).await?,
        None => match director.try_next_task(eidolon, holder, input.once()).await? {
            Some(assignment) => assignment,
            None => return Ok(StatusCode::NO_CONTENT.into_response()),
        },
    };
    let brief = director.brief(&assignment).await?;
    let claimed = Claimed {
        task_id: assignment.task,
        attempt: assignment.attempt,
        lead: client_state(&assignment.lead),
        brief: brief_view(brief),
    };
    Ok((Extension(AboutLead), Json(claimed)).into_response())
}

/// The task that an earlier copy of the request claimed, as long as it is still that holder's.
async fn claimed_before(app: &App, before: Before, eidolon: Eidolon, holder: &str) -> Result<Assignment, Problem> {
    let lead = Arc::clone(&app.state.director.lead(before.lead).await?.lead);
    let mine = lead.open_task().filter(|task| task.eidolon == eidolon && task.holder.as_deref() == Some(holder));
    match mine.map(|task| (task.id, task.attempt)) {
        Some((task, attempt)) => Ok(Assignment { lead, task, attempt }),
        None => Err(Problem::conflict("what was claimed under this key is over; claim the next task with a new key")),
    }
}

fn brief_view(brief: Brief) -> BriefView {
    let Brief { lead, task, messages, now, findings, .. } = brief;
    let artifacts = lead.artifacts.iter().map(|a| ArtifactView::new(lead.id, a)).collect();
    BriefView { task, messages, artifacts, now, findings }
}

/// Goes on holding a claimed task.
#[utoipa::path(
    post, path = "/api/tasks/{task_id}/renew", tag = "tasks", operation_id = "renew_task",
    params(("task_id" = String, Path, description = "The task's id")),
    request_body(content = ref("#/components/schemas/RenewTask")),
    responses(
        (status = 204, description = "The lease runs anew"),
        (status = 409, description = "The attempt is over", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn renew(
    State(app): AppState,
    caller: Anyone,
    At(task): At<String>,
    input: Input<RenewTask>,
) -> Result<StatusCode, Problem> {
    let (task, _) = assigned(&app, &caller, &task, input.value.attempt, None).await?;
    match app.state.director.renew(task, input.value.attempt).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(Error::NotFound(_)) => Err(over(task)),
        Err(error) => Err(error.into()),
    }
}

/// Delivers the result. Files are durable before it counts; code checks the result.
#[utoipa::path(
    post, path = "/api/tasks/{task_id}/submit", tag = "tasks", operation_id = "submit_task",
    params(("task_id" = String, Path, description = "The task's id")),
    request_body(content = ref("#/components/schemas/SubmitTask")),
    responses(
        (status = 200, description = "It counts", body = ref("#/components/schemas/ClientState")),
        (status = 409, description = "The attempt is over", body = ref("#/components/schemas/ProblemDocument")),
        (status = 422, description = "The checks found something: `findings`", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn submit(
    State(app): AppState,
    caller: Anyone,
    At(task): At<String>,
    input: Input<SubmitTask>,
) -> Result<Response, Problem> {
    let once = input.once();
    let SubmitTask { attempt, result, messages, files, summary, lead_id } = input.value;
    let (_, assignment) = assigned(&app, &caller, &task, attempt, lead_id).await?;
    let mut stored = Vec::with_capacity(files.len());
    for (index, file) in files.into_iter().enumerate() {
        let bytes = file_bytes(&format!("files[{index}]"), file.text.as_deref(), file.base64.as_deref())?;
        stored.push(File { name: file.name, bytes });
    }
    let thought = Thought { result, messages, files: stored, summary };
    let acted = app.state.director.submit(&assignment, thought, &caller.name, &[], once).await?;
    Ok(app.state_of(&acted.lead, StatusCode::OK))
}

/// Reports that the attempt failed; it is tried again later unless `retryable` is false.
#[utoipa::path(
    post, path = "/api/tasks/{task_id}/fail", tag = "tasks", operation_id = "fail_task",
    params(("task_id" = String, Path, description = "The task's id")),
    request_body(content = ref("#/components/schemas/FailTask")),
    responses((status = 200, description = "The lead now", body = ref("#/components/schemas/ClientState"))),
)]
pub async fn fail(
    State(app): AppState,
    caller: Anyone,
    At(task): At<String>,
    input: Input<FailTask>,
) -> Result<Response, Problem> {
    let once = input.once();
    let FailTask { attempt, error, retryable } = input.value;
    let (_, assignment) = assigned(&app, &caller, &task, attempt, None).await?;
    let acted = app.state.director.fail(&assignment, &error, retryable, once).await?;
    Ok(app.state_of(&acted.lead, StatusCode::OK))
}

/// The task that a path names, as the caller may work on it.
async fn assigned(
    app: &App,
    caller: &Principal,
    task: &str,
    attempt: u32,
    lead: Option<LeadId>,
) -> Result<(TaskId, Assignment), Problem> {
    let shown: String = task.chars().take(80).collect();
    let task: TaskId = task.parse().map_err(|_| Problem::not_found(format!("task `{shown}`")))?;
    let known = app.state.director.read(move |store| store.lead_of_task(task)).await?;
    let Some(lead) = known.or(lead) else {
        // A stranger learns nothing about which tasks there were.
        works_somewhere(caller)?;
        return Err(over(task));
    };
    let cached = app.state.director.lead(lead).await?;
    match eidolon_of(&cached.lead, task) {
        Some(eidolon) => caller.needs(Scope::Eidolon(eidolon))?,
        None => works_somewhere(caller)?,
    }
    Ok((task, Assignment { lead: Arc::clone(&cached.lead), task, attempt }))
}

fn eidolon_of(lead: &Lead, task: TaskId) -> Option<Eidolon> {
    lead.open_task().filter(|open| open.id == task).map(|open| open.eidolon)
}

fn works_somewhere(caller: &Principal) -> Result<(), Problem> {
    let eidolon = |scope: &Scope| matches!(scope, Scope::Eidolon(_) | Scope::Admin);
    if caller.scopes.iter().any(eidolon) { Ok(()) } else { Err(caller_lacks(caller)) }
}

fn caller_lacks(caller: &Principal) -> Problem {
    Problem::forbidden(format!(
        "the token `{}` lacks a scope `eidolon:<id>`; make one with `max token new`",
        caller.name
    ))
}

fn over(task: TaskId) -> Problem {
    Problem::conflict(format!("task {task} is not open any more, or the attempt is over; claim the next one"))
}
