//! `max rebuild`: every readable copy, again from the log.

use serde_json::json;

use super::Context;
use crate::exit::{Exit, Failure};
use crate::wire::Rebuilt;

/// Write every readable copy again from the log
///
/// The log is the truth; state.json, stage folders and inbox copies are made from it. Use this when a folder was
/// edited, lost, or restored from elsewhere. Works with or without a running server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max rebuild")]
pub struct Args {}

pub(super) async fn run(_args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context
        .with_server(async |client| {
            let answer = client.post_long("/api/rebuild", &json!({})).await?;
            // The answer means "begun"; this one means "written".
            client.get_long("/api/settle").await?;
            Ok(answer)
        })
        .await?;
    if context.json() {
        context.output.print_json(&answer.body);
    } else {
        let rebuilt: Rebuilt = answer.read()?;
        context.output.print(&format!("wrote the readable copies of {} leads", rebuilt.leads));
    }
    Ok(Exit::Done)
}
