//! `max sapwave`: durable wake-ups of Eidolons.

use clap::Subcommand;
use serde_json::json;

use super::Context;
use super::output::short;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::SapWaveList;

/// Durable wake-ups of Eidolons, by the clock
#[derive(Debug, Subcommand)]
pub enum Command {
    Add(Add),
    /// List the wake-ups
    #[command(after_help = "Example:\n  max sapwave list")]
    List,
    Rm(Rm),
}

/// Add a wake-up, or replace the one with its name
///
/// Wake-ups of the same minute are staggered: each runs up to 30 seconds after its time, by a number that its name
/// decides, so that nine Eidolons do not all start at once. `max sapwave list` shows the exact next time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max sapwave add weekly mach42v2 --cron '0 8 * * 1' 'Write the weekly review.'     Mondays at 08:00 UTC
  max sapwave add launch Atlas --at 2026-12-01T09:00:00Z 'Ask every client how the launch went.'")]
pub struct Add {
    /// Its name
    name: String,
    /// Whom it wakes, in any spelling
    eidolon: String,
    /// What it is told
    message: String,
    /// Again and again: minute hour day month weekday, in UTC
    #[arg(long, required_unless_present = "at")]
    cron: Option<String>,
    /// Once, at this moment
    #[arg(long, conflicts_with = "cron", value_name = "RFC3339")]
    at: Option<jiff::Timestamp>,
}

/// Remove a wake-up
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max sapwave rm weekly")]
pub struct Rm {
    /// Its name
    name: String,
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Add(args) => add(&args, context).await,
        Command::List => list(context).await,
        Command::Rm(args) => {
            context.client()?.delete(&format!("/api/sapwaves/{}", segment(&args.name))).await?;
            context.output.say(&format!("removed {}", args.name));
            Ok(Exit::Done)
        }
    }
}

async fn add(args: &Add, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut body = json!({"name": args.name, "eidolon": args.eidolon, "message": args.message});
    if let Some(cron) = &args.cron {
        body["cron"] = json!(cron);
    }
    if let Some(at) = &args.at {
        body["at"] = json!(at);
    }
    let answer = context.post("/api/sapwaves", &body).await?;
    if context.json() {
        context.output.print_json(&answer.body);
    } else {
        let next = answer.body["next_run"].as_str().unwrap_or("never");
        context.output.print(&format!("{}: runs next {next}", args.name));
    }
    Ok(Exit::Done)
}

async fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get("/api/sapwaves").await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let list: SapWaveList = answer.read()?;
    if list.sapwaves.is_empty() {
        context.output.say("no wake-ups; `max sapwave add --help` shows how to make one");
    }
    let moment = |at: &Option<jiff::Timestamp>| at.map_or_else(|| "-".into(), |at| at.to_string());
    let rows: Vec<Vec<String>> = list
        .sapwaves
        .iter()
        .map(|wave| {
            let when = wave.cron.clone().unwrap_or_else(|| moment(&wave.at));
            let eidolon = wave.eidolon.id().to_owned();
            vec![
                wave.name.clone(),
                eidolon,
                when,
                moment(&wave.last_run),
                moment(&wave.next_run),
                short(&wave.message, 60),
            ]
        })
        .collect();
    context.output.table(&["NAME", "WAKES", "WHEN", "LAST", "NEXT", "MESSAGE"], &rows);
    Ok(Exit::Done)
}
