//! `max backup`: a consistent copy, while everything runs.

use std::path::PathBuf;

use serde_json::json;

use super::Context;
use super::output::line;
use crate::exit::{Exit, Failure};
use crate::wire::BackupDone;

/// Write a consistent copy of the log while everything runs
///
/// To restore: stop MAX, put the copy in place of <root>/max.db (remove max.db-wal and max.db-shm), keep the folder
/// max-pipeline/ for the artifacts, and start. `max rebuild` writes the readable copies again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max backup /var/backups/max-2026-11-22.db
  max backup                                   into <root>/backups/")]
pub struct Args {
    /// Where to; a file that does not exist yet [default: <root>/backups/max-<time>.db]
    to: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let to = match &args.to {
        Some(to) => to.clone(),
        None => {
            let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
            let folder = context.root.join("backups");
            std::fs::create_dir_all(&folder).map_err(|error| Failure::file("making", &folder, &error))?;
            folder.join(format!("max-{stamp}.db"))
        }
    };
    let to = std::path::absolute(&to).map_err(|error| Failure::file("resolving", &to, &error))?;
    let body = json!({"to": to});
    let answer = context.with_server(async |client| Ok(client.post_long("/api/backup", &body).await?)).await?;
    if context.json() {
        context.output.print_json(&answer.body);
    } else {
        let done: BackupDone = answer.read()?;
        context.output.print(&line(&format!("{} ({} bytes)", done.path, done.bytes)));
        context.output.say("artifacts lie in max-pipeline/; copy that folder too");
    }
    Ok(Exit::Done)
}
