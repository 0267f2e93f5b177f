//! `/api/leads/{id}/artifacts`: the files that the stages left.
//!
//! A mockup is HTML that a voice wrote, so it is served as a document without an origin: it runs no script and reaches
//! nothing, neither the network nor the pages of MAX.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::artifact_versions::{self, Wanted};
use super::auth::Read;
use super::input::Params;
use super::problem::Problem;
use super::respond::At;
use crate::wire::{ArtifactList, ArtifactView};

/// How HTML that a voice wrote is shown (rule MK-11).
pub(crate) const SANDBOX: &str = "sandbox; default-src 'none'; \
                       style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; form-action 'none'; \
                       base-uri 'none'; frame-ancestors 'self'";

/// The newest version of every artifact.
#[utoipa::path(
    get, path = "/api/leads/{id}/artifacts", tag = "leads", operation_id = "list_artifacts",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The artifacts", body = ref("#/components/schemas/ArtifactList"))),
)]
pub async fn list(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<ArtifactList>, Problem> {
    let cached = app.lead(&id).await?;
    let artifacts = cached.lead.artifacts.iter().map(|a| ArtifactView::new(cached.lead.id, a)).collect();
    Ok(Json(ArtifactList { artifacts }))
}

/// What an artifact holds.
#[utoipa::path(
    get, path = "/api/leads/{id}/artifacts/{*path}", tag = "leads", operation_id = "read_artifact",
    params(
        ("id" = String, Path, description = "UUID or external_ref"),
        ("path" = String, Path, description = "The stage's folder and the name, such as `stage-3-scoping/scope.md`"),
        ("version" = Option<u32>, Query, description = "This version instead of the newest"),
        ("diff" = Option<u32>, Query, description = "What changed since this version, instead of the file"),
        ("as" = Option<String>, Query, description = "The form of what changed: markdown, html or json"),
    ),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream")),
)]
pub async fn read(
    State(app): AppState,
    _: Read,
    At((id, path)): At<(String, String)>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    let cached = app.lead(&id).await?;
    let lead = &cached.lead;
    // Looked up among what the log names, so a path can lead nowhere else.
    let found = lead
        .artifacts
        .iter()
        .find(|a| path.strip_prefix(a.stage.folder()).and_then(|rest| rest.strip_prefix('/')) == Some(a.name.as_str()));
    let shown: String = path.chars().take(120).collect();
    let newest = found.ok_or_else(|| Problem::not_found(format!("artifact `{shown}` of lead {}", lead.id)))?;
    if wanted.diff.is_some() {
        return artifact_versions::compared(&app, lead, newest, &wanted).await;
    }
    let artifact = match wanted.version {
        Some(version) => &artifact_versions::version(&app, lead, newest, version).await?,
        None => newest,
    };
    let bytes = app.state.director.artifact(lead.id, artifact.sha256).await?;
    let (kind, inline) = media_type(&artifact.name);
    let file_name = artifact.name.rsplit('/').next().unwrap_or("file");
    let disposition = format!("{}; filename=\"{file_name}\"", if inline { "inline" } else { "attachment" });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (ETAG, header(&format!("\"{}\"", artifact.sha256))),
        (CONTENT_DISPOSITION, header(&disposition)),
    ];
    Ok((headers, bytes).into_response())
}

/// Names of artifacts are plain ASCII by rule, so this cannot fail for one that passed its checks.
fn header(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// The media type by the name's ending, and whether a browser may show it.
pub(crate) fn media_type(name: &str) -> (&'static str, bool) {
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
        Some("md") => ("text/markdown; charset=utf-8", true),
        Some("txt" | "log") => ("text/plain; charset=utf-8", true),
        Some("html" | "htm") => ("text/html; charset=utf-8", true),
        Some("json") => ("application/json", true),
        Some("csv") => ("text/csv; charset=utf-8", false),
        Some("yaml" | "yml") => ("text/plain; charset=utf-8", true),
        Some("pdf") => ("application/pdf", true),
        Some("png") => ("image/png", true),
        Some("jpg" | "jpeg") => ("image/jpeg", true),
        Some("svg") => ("image/svg+xml", true),
        _ => ("application/octet-stream", false),
    }
}
