//! What the owner does: imports, backups, writing the readable copies again.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use max_core::command::Import;
use max_core::id::Digest;
use max_core::lead::{Actor, ArtifactRef};
use max_core::stage::Stage;
use max_core::stages::is_artifact_name;
use max_engine::ledger::IngestedAs;
use max_engine::ports::LeadFilter;

use super::auth::{Admin, Read};
use super::ingest::read_lead;
use super::input::Input;
use super::problem::Problem;
use super::respond::file_bytes;
use super::{App, AppState};
use crate::backup::BackupError;
use crate::wire::{BackupDone, BackupTo, ImportFile, ImportLead, Nothing, Rebuilt, Settled};

/// How long `settle` waits.
const SETTLE: Duration = Duration::from_secs(30);

/// Takes in a project already under way, at any stage, with what earlier stages left.
#[utoipa::path(
    post, path = "/api/import", tag = "owner", operation_id = "import_lead",
    request_body(content = ref("#/components/schemas/ImportLead")),
    responses(
        (status = 201, description = "A new lead", body = ref("#/components/schemas/ClientState")),
        (status = 200, description = "It was known already", body = ref("#/components/schemas/ClientState")),
    ),
)]
pub async fn import(State(app): AppState, caller: Admin, input: Input<ImportLead>) -> Result<Response, Problem> {
    let once = input.once();
    let ImportLead { lead, stage, data, approved_scope, signed, artifacts } = input.value;
    let lead =
        read_lead(lead).map_err(|problem| Problem { field: problem.field.map(|f| format!("lead.{f}")), ..problem })?;
    let stage = app.stage("stage", &stage)?;
    let mut by_stage = std::collections::BTreeMap::new();
    for (name, values) in data {
        by_stage.insert(app.stage("data", &name)?, values);
    }
    let (artifacts, files) = imported_files(&app, artifacts)?;
    let import = Import { lead, stage, data: by_stage, artifacts, approved_scope, signed };
    let by = Actor::Import(format!("{} (api)", caller.name));
    let imported = app.state.director.import(import, by, once).await?;
    // The files need the lead's id, which only the commit gives. They are durable before the answer; whoever asks
    // again after a crash in between puts them again, which costs nothing.
    for bytes in files {
        let digest = Digest::of(&bytes);
        if imported.lead.artifacts.iter().any(|artifact| artifact.sha256 == digest) {
            app.state.director.put_artifact(imported.lead.id, bytes).await?;
        }
    }
    let status = if imported.how == IngestedAs::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok(app.state_of(&imported.lead, status))
}

fn imported_files(app: &App, files: Vec<ImportFile>) -> Result<(Vec<ArtifactRef>, Vec<Vec<u8>>), Problem> {
    let mut references: Vec<ArtifactRef> = Vec::with_capacity(files.len());
    let mut contents = Vec::with_capacity(files.len());
    for (index, file) in files.into_iter().enumerate() {
        let field = format!("artifacts[{index}]");
        let stage: Stage = app.stage(&format!("{field}.stage"), &file.stage)?;
        if !is_artifact_name(&file.name) {
            return Err(Problem::field(
                format!("{field}.name"),
                "use plain segments of A-Z a-z 0-9 . _ - with / between",
            ));
        }
        if references.iter().any(|known| known.stage == stage && known.name == file.name) {
            return Err(Problem::field(format!("{field}.name"), "this file is there twice"));
        }
        let bytes = file_bytes(&field, file.text.as_deref(), file.base64.as_deref())?;
        references.push(ArtifactRef {
            stage,
            name: file.name,
            version: 1,
            sha256: Digest::of(&bytes),
            bytes: bytes.len() as u64,
            superseded: false,
        });
        contents.push(bytes);
    }
    Ok((references, contents))
}

/// Writes a copy of the root while it is in use: a folder that is a root itself.
#[utoipa::path(
    post, path = "/api/backup", tag = "owner", operation_id = "backup",
    request_body(content = ref("#/components/schemas/BackupTo")),
    responses((status = 200, description = "It is written", body = ref("#/components/schemas/BackupDone"))),
)]
pub async fn backup(State(app): AppState, _: Admin, input: Input<BackupTo>) -> Result<Json<BackupDone>, Problem> {
    let to = std::path::PathBuf::from(&input.value.to);
    if input.value.to.is_empty() || input.value.to.contains('\0') {
        return Err(Problem::field("to", "name a folder to make"));
    }
    if to.exists() {
        return Err(Problem::field("to", "this exists already; a backup overwrites nothing"));
    }
    let bytes = app.state.backup.clone().take(&app.state.director, &to).await.map_err(|error| match error {
        BackupError::Store(error) => Problem::from(error),
        BackupError::File(path, why) => Problem::unavailable(format!("{}: {why}", path.display()), 60),
    })?;
    Ok(Json(BackupDone { path: input.value.to, bytes }))
}

/// Writes the readable copies of all leads again, from the log.
#[utoipa::path(
    post, path = "/api/rebuild", tag = "owner", operation_id = "rebuild",
    responses((status = 200, description = "They are being written; `settle` waits for it", body = ref("#/components/schemas/Rebuilt"))),
)]
pub async fn rebuild(State(app): AppState, _: Admin, _: Input<Nothing>) -> Result<Json<Rebuilt>, Problem> {
    let director = &app.state.director;
    let since = director.read(|store| store.last_position()).await?;
    director.projector().doubt();
    let mut filter = LeadFilter { limit: 500, ..LeadFilter::default() };
    let mut leads = 0;
    loop {
        let wanted = filter.clone();
        let page = director.read(move |store| store.list(&wanted)).await?;
        for row in &page.rows {
            let lead = director.lead(row.lead_id).await?;
            director.projector().mark(std::sync::Arc::clone(&lead.lead), since);
            leads += 1;
        }
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => return Ok(Json(Rebuilt { leads })),
        }
    }
}

/// Answers when the readable copies of everything so far are written.
#[utoipa::path(
    get, path = "/api/settle", tag = "owner", operation_id = "settle",
    responses(
        (status = 200, description = "They are", body = ref("#/components/schemas/Settled")),
        (status = 503, description = "Not within half a minute", body = ref("#/components/schemas/ProblemDocument")),
    ),
)]
pub async fn settle(State(app): AppState, _: Read) -> Result<Json<Settled>, Problem> {
    let settled = app.state.director.settle(SETTLE).await?;
    if settled {
        Ok(Json(Settled { settled }))
    } else {
        Err(Problem::unavailable("the readable copies are still being written; ask again", 5))
    }
}
