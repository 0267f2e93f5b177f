//! `max backup`: a copy of the root, while everything runs.

use std::path::PathBuf;

use serde_json::json;

use super::Context;
use super::output::line;
use crate::exit::{Exit, Failure};
use crate::wire::BackupDone;

/// Write a copy of everything while it runs: a folder that is a root itself
///
/// It holds the log, the artifacts, the outbox, the agency folder, max.toml and the signals that wait, all as they
/// were at one moment; no secrets of run/. To restore: stop MAX, move its root away, put the copy in its place, and
/// start `max up` (it writes the readable copies and a new local token).
///
/// A mail that left after the copy was made is unsent in the copy: it leaves once more, with the same Message-ID. What
/// was decided after that moment is decided again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max backup /var/backups/max-2026-11-22
  max backup                                into <root>/backups/
  max --root /var/backups/max-2026-11-22 up --listen 127.0.0.1:0      look whether it restores")]
pub struct Args {
    /// Where to; a folder that does not exist yet [default: <root>/backups/max-<time>]
    to: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let to = match &args.to {
        Some(to) => to.clone(),
        None => {
            let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
            let folder = context.root.join("backups");
            folder.join(format!("max-{stamp}"))
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
        context.output.say(&format!("start it with `max --root {} up`", line(&done.path)));
    }
    Ok(Exit::Done)
}
