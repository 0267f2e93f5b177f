//! `max suppress`: addresses that nothing automatic goes to.

use clap::Subcommand;
use serde_json::json;

use super::Context;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::{SuppressionList, SuppressionView};

/// Addresses that nothing automatic goes to
///
/// Whoever opts out, bounces or is erased is on the list by himself. Only a keyed hash of each address is kept, so the
/// list names nobody and may outlive an erasure. It is looked at before every automatic mail, and for every row of a
/// list that is imported; whoever writes to you himself is always heard.
#[derive(Debug, Subcommand)]
pub enum Command {
    Add(Add),
    /// List the entries: hash, why, since when
    #[command(after_help = "Example:\n  max suppress list")]
    List,
    Rm(Rm),
}

/// Put an address on the list
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max suppress add jane@example.org --reason opt_out")]
pub struct Add {
    /// The address
    address: String,
    /// Why
    #[arg(long, default_value = "manual", value_parser = ["manual", "opt_out", "bounced", "erased"])]
    reason: String,
}

/// Take an address off the list
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  max suppress rm jane@example.org\n  max suppress rm 3f5a9c01")]
pub struct Rm {
    /// The address, or the first digits of its hash
    entry: String,
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = match command {
        Command::Add(args) => {
            let body = json!({"address": args.address, "reason": args.reason});
            let answer = context.post("/api/suppressions", &body).await?;
            if !context.json() {
                let one: SuppressionView = answer.read()?;
                context.output.print(&row(&one));
            }
            answer
        }
        Command::List => {
            let answer = context.get("/api/suppressions").await?;
            if !context.json() {
                let list: SuppressionList = answer.read()?;
                list.suppressions.iter().for_each(|one| context.output.print(&row(one)));
            }
            answer
        }
        Command::Rm(args) => {
            context.client()?.delete(&format!("/api/suppressions/{}", segment(&args.entry))).await?;
            context.output.say("it is off the list");
            return Ok(Exit::Done);
        }
    };
    if context.json() {
        context.output.print_json(&answer.body);
    }
    Ok(Exit::Done)
}

fn row(one: &SuppressionView) -> String {
    let hash: String = one.hash.to_string().chars().take(16).collect();
    super::plain(&format!("{hash}  {:8}  {}  {}", one.reason, one.at.strftime("%Y-%m-%d"), one.by))
}
