//! Older versions of an artifact, and what changed since one: the log names every version, the store keeps them all.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use max_core::event::Event;
use max_core::id::LeadId;
use max_core::lead::{ArtifactRef, Lead};
use max_documents::{Lang, diff};
use serde::Deserialize;
use serde_json::json;

use super::App;
use super::problem::Problem;

/// Texts longer than this are not compared.
const COMPARED_AT_MOST: u64 = 4 << 20;

/// Which version of an artifact is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// This version instead of the newest.
    pub version: Option<u32>,
    /// What changed since this version, instead of the file.
    pub diff: Option<u32>,
    /// The form of the comparison.
    #[serde(rename = "as")]
    pub form: Option<Form>,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// For people with a terminal.
    Markdown,
    /// For people with a browser.
    Html,
    /// For programs.
    Json,
}

/// A version with the Markdown that was written beside it.
struct Known {
    artifact: ArtifactRef,
    markdown: Option<ArtifactRef>,
}

/// A version of an artifact by its number.
pub async fn version(app: &App, lead: &Lead, newest: &ArtifactRef, wanted: u32) -> Result<ArtifactRef, Problem> {
    Ok(known(app, lead.id, newest, wanted).await?.artifact)
}

/// What changed between an older version (or `to`'s) and the newest, as people read it.
pub async fn compared(app: &App, lead: &Lead, newest: &ArtifactRef, wanted: &Wanted) -> Result<Response, Problem> {
    let from = wanted.diff.unwrap_or(1);
    let to = wanted.version.unwrap_or(newest.version);
    let (old, new) = (known(app, lead.id, newest, from).await?, known(app, lead.id, newest, to).await?);
    let (old, new) = match (old.markdown, new.markdown) {
        (Some(old), Some(new)) => (old, new),
        _ => (old.artifact, new.artifact),
    };
    let (old, new) = (text(app, lead.id, &old).await?, text(app, lead.id, &new).await?);
    let lang = lead.language.as_deref().and_then(Lang::of_tag).unwrap_or(Lang::En);
    let changes =
        tokio::task::spawn_blocking(move || diff::readable(&old, &new)).await.map_err(|_| Problem::internal())?;
    let title = format!("{}/{}: {from} → {to}", newest.stage.folder(), newest.name);
    let paper = newest.name.ends_with(".html") || newest.name.ends_with(".pdf");
    let (kind, body) = match wanted.form.unwrap_or(if paper { Form::Html } else { Form::Markdown }) {
        Form::Markdown => ("text/markdown; charset=utf-8", diff::markdown(&changes, lang)),
        Form::Html => ("text/html; charset=utf-8", diff::page(&title, &changes, lang)),
        Form::Json => ("application/json", json!({"from": from, "to": to, "changes": changes}).to_string()),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'")),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, body).into_response())
}

async fn known(app: &App, lead: LeadId, newest: &ArtifactRef, version: u32) -> Result<Known, Problem> {
    let log = app.state.director.entries(lead, 0, usize::MAX).await?;
    let left = |event: &Event| match event {
        Event::WorkSubmitted { artifacts, .. } | Event::LeadImported { artifacts, .. } => artifacts.clone(),
        _ => Vec::new(),
    };
    let same = |a: &ArtifactRef| a.stage == newest.stage && a.name == newest.name && a.version == version;
    let stem = newest.name.rsplit_once('.').map_or(newest.name.as_str(), |(stem, _)| stem);
    let markdown = format!("{stem}.md");
    log.iter()
        .flat_map(|logged| logged.entry.events.iter().map(left))
        .find_map(|artifacts| {
            let artifact = artifacts.iter().find(|a| same(a))?.clone();
            let markdown = artifacts.iter().find(|a| a.stage == newest.stage && a.name == markdown).cloned();
            Some(Known { artifact, markdown })
        })
        .ok_or_else(|| {
            let path = format!("{}/{}", newest.stage.folder(), newest.name);
            Problem::not_found(format!("version {version} of `{path}`, whose newest is {}", newest.version))
        })
}

async fn text(app: &App, lead: LeadId, artifact: &ArtifactRef) -> Result<String, Problem> {
    let unreadable = || {
        let name = &artifact.name;
        Problem::field("diff", format!("`{name}` is no text of at most 4 MiB; ask for each version by `?version=`"))
    };
    if artifact.bytes > COMPARED_AT_MOST {
        return Err(unreadable());
    }
    String::from_utf8(app.state.director.artifact(lead, artifact.sha256).await?).map_err(|_| unreadable())
}
