//! `max lead export`: everything that is held about a lead, for the person it is about.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Context;
use crate::client::segment;
use crate::exit::{Exit, Failure};

/// Export everything that is held about a lead, for the person it is about
///
/// Contact, consent, conversation, scores with their reasons, notes of the AI, decisions, artifacts with their digests
/// and the audit trail: as JSON, and with --to also as one HTML page that needs nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead export shop-17 > shop-17.json
  max lead export shop-17 --to ~/exports        writes lead-<id>.json and lead-<id>.html, readable by you alone")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// A folder to write both forms into
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let path = format!("/api/leads/{}/export", segment(&args.lead));
    let answer = client.get(&path).await?;
    let Some(folder) = &args.to else {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    };
    let page = client.bytes(&format!("{path}?format=html")).await?;
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("making", folder, &error))?;
    let name = answer.body["lead_id"].as_str().unwrap_or("lead");
    let json = serde_json::to_vec_pretty(&answer.body).unwrap_or_default();
    for (ending, bytes) in [("json", json), ("html", page)] {
        let file = folder.join(format!("lead-{name}.{ending}"));
        write_private(&file, &bytes).map_err(|error| Failure::file("writing", &file, &error))?;
        context.output.print(&file.display().to_string());
    }
    Ok(Exit::Done)
}

/// For its owner's eyes only.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}
