//! `max token`: who may ask the server for what.

use clap::Subcommand;
use serde_json::json;

use super::Context;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::{TokenList, TokenMade};

/// Access tokens for programs and people
#[derive(Debug, Subcommand)]
pub enum Command {
    New(New),
    /// List the tokens; the secrets themselves are nowhere
    #[command(after_help = "Example:\n  max token list")]
    List,
    Revoke(Revoke),
}

/// Make a token; it is shown this once
///
/// Scopes: ingest (bring in leads, read nothing), read, operate (decide, move, write), admin. Each of the last three
/// includes the ones before it. `eidolon:<id>` works the tasks of one Eidolon.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max token new web-form ingest
  max token new 'Ada, sales' operate
  max token new scoping-host eidolon:scoping")]
pub struct New {
    /// What it is for
    name: String,
    /// What it may do
    #[arg(required = true)]
    scopes: Vec<String>,
}

/// Revoke a token, at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max token revoke k7f3")]
pub struct Revoke {
    /// Its id, as `max token list` shows it
    id: String,
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new(&args, context).await,
        Command::List => list(context).await,
        Command::Revoke(args) => {
            let path = format!("/api/tokens/{}", segment(&args.id));
            context.with_server(async |client| Ok(client.delete(&path).await?)).await?;
            context.output.say(&format!("revoked {}", args.id));
            Ok(Exit::Done)
        }
    }
}

async fn new(args: &New, context: &Context<'_>) -> Result<Exit, Failure> {
    let body = json!({"name": args.name, "scopes": args.scopes});
    let answer = context.with_server(async |client| Ok(client.post("/api/tokens", &body).await?)).await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let made: TokenMade = answer.read()?;
    context.output.print(made.token.as_deref().unwrap_or_default());
    context.output.say(&format!(
        "token {} for {} ({}); it is shown this once. Use it as MAX_TOKEN, or as Authorization: Bearer …",
        made.view.id,
        made.view.name,
        made.view.scopes.join(", ")
    ));
    Ok(Exit::Done)
}

async fn list(context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.with_server(async |client| Ok(client.get("/api/tokens").await?)).await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let list: TokenList = answer.read()?;
    let rows: Vec<Vec<String>> = list
        .tokens
        .iter()
        .map(|token| vec![token.id.clone(), token.name.clone(), token.scopes.join(", "), token.created_at.to_string()])
        .collect();
    context.output.table(&["ID", "FOR", "SCOPES", "MADE"], &rows);
    Ok(Exit::Done)
}
