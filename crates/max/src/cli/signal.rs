//! `max signal`: send signals, check files before they are dropped, and follow what happens.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use futures::StreamExt;
use serde_json::{Map, Value, json};

use super::Context;
use super::output::line;
use crate::exit::{Exit, Failure};
use crate::wire::SignalRouted;

/// Send signals, check signal files, follow what happens
#[derive(Debug, Subcommand)]
pub enum Command {
    Send(Send),
    Lint(Lint),
    Tail(Tail),
}

/// Send a signal: a YAML or JSON file, or one made from options
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max signal send handover.yaml
  max signal send --type PIPELINE_TRANSITION --lead shop-17 --from FirstResponder --to Scoping --summary 'Qualified'
  max signal send --type CLIENT_MESSAGE --lead shop-17 --set body='Yes, please go on.'

A file in <root>/signals/ does the same; this way you see at once what became of it.")]
pub struct Send {
    /// A signal file
    #[arg(required_unless_present = "kind")]
    file: Option<PathBuf>,
    /// The type, such as PIPELINE_TRANSITION, CLIENT_MESSAGE, ESCALATION
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "file")]
    kind: Option<String>,
    /// The lead's id or reference
    #[arg(long, value_name = "LEAD")]
    lead: Option<String>,
    /// Who says so
    #[arg(long, default_value = "cli")]
    from: String,
    /// Whom it is for; for a transition, the next stage
    #[arg(long)]
    to: Option<String>,
    /// What is handed over
    #[arg(long)]
    summary: Option<String>,
    /// An id; the same one again changes nothing
    #[arg(long)]
    id: Option<String>,
    /// Another field; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
}

/// Check signal files without sending them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max signal lint *.yaml")]
pub struct Lint {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Follow what happens to all leads, live
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max signal tail
  max signal tail --lead 0197c6c4-… --after 0      everything from the beginning
  max signal tail --json | jq -c '{lead_id, type}'")]
pub struct Tail {
    /// Only this lead (its id)
    #[arg(long, value_name = "LEAD_ID")]
    lead: Option<String>,
    /// Begin after this position of the log
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    /// End after this many
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Send(args) => send(&args, context).await,
        Command::Lint(args) => lint(&args, context),
        Command::Tail(args) => tail(&args, context).await,
    }
}

async fn send(args: &Send, context: &Context<'_>) -> Result<Exit, Failure> {
    let signal = match &args.file {
        Some(file) => context.launcher.read_signal(file).map_err(|why| invalid(file, &why))?,
        None => signal_of(args),
    };
    let answer = context.post("/api/signals", &signal).await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let routed: SignalRouted = answer.read()?;
    context.output.print(&line(&format!("{}: {}", routed.id.as_str(), routed.routed)));
    Ok(Exit::Done)
}

fn signal_of(args: &Send) -> Value {
    let mut signal = Map::new();
    let transition = args.kind.as_deref() == Some("PIPELINE_TRANSITION");
    let next = args.to.as_ref().filter(|_| transition);
    let fields = [
        ("type", args.kind.as_ref()),
        ("from", Some(&args.from)),
        ("to", args.to.as_ref()),
        ("lead_id", args.lead.as_ref()),
        ("next_stage", next),
        ("summary", args.summary.as_ref()),
        ("id", args.id.as_ref()),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            signal.insert(key.into(), json!(value));
        }
    }
    for (key, value) in &args.set {
        signal.insert(key.clone(), json!(value));
    }
    Value::Object(signal)
}

fn lint(args: &Lint, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut report = Vec::new();
    for file in &args.files {
        let verdict = context.launcher.read_signal(file);
        let (ok, text) = match &verdict {
            Ok(signal) => (true, format!("a {} that can be sent", signal["type"].as_str().unwrap_or("signal"))),
            Err(why) => (false, why.clone()),
        };
        if !ok {
            exit = Exit::Failed;
        }
        if !context.json() {
            context.output.print(&line(&format!("{}: {text}", file.display())));
        }
        report.push(json!({"file": file, "ok": ok, "detail": text}));
    }
    if context.json() {
        context.output.print_json(&json!({"files": report}));
    }
    Ok(exit)
}

async fn tail(args: &Tail, context: &Context<'_>) -> Result<Exit, Failure> {
    let after = args.after.map(|position| position.to_string());
    let path = format!("/api/events{}", crate::client::query(&[("after", after)]));
    let mut events = Box::pin(context.client()?.events(&path).await?);
    let mut seen = 0;
    while let Some(event) = events.next().await {
        let event = event?;
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if args.lead.as_ref().is_some_and(|lead| *lead != text("lead_id")) {
            continue;
        }
        if context.json() {
            context.output.print(&event.to_string());
        } else {
            let by = text("by");
            context.output.print(&line(&format!("{} {} {by}: {}", text("at"), text("lead_id"), text("line"))));
        }
        seen += 1;
        if args.count.is_some_and(|count| seen >= count) {
            break;
        }
    }
    Ok(Exit::Done)
}

fn invalid(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Invalid, format!("{}: {why}", file.display()))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
