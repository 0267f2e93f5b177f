//! `max ingest FILE`: many leads at once, each row for itself.

mod encoding;
mod rows;
mod send;

use std::path::PathBuf;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Context;
use super::output::{Style, line, short};
use crate::exit::{Exit, Failure};
use rows::Row;
use send::{Fate, Outcome};

/// Bring in many leads from a CSV, JSON or JSONL file
///
/// Every row is for itself: a bad one is reported with its field and stops no other. The same file again adds
/// nothing. Columns are recognised in English and German (`E-Mail`, `Nachricht`, `Firma` …); others are kept with the
/// lead.
///
/// With an admin token a row may carry `stage`, `data`, `signed`, `approved_scope` and `artifacts`
/// (`[{"stage", "name", "path" | "text" | "base64"}]`, paths below the file's folder): a project already under way
/// enters mid-pipeline.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max ingest leads.csv --dry-run                    what would happen, row by row
  max ingest leads.csv --map 'Your request=message'
  max ingest projects.jsonl --json > report.json
Exit code 1 means that at least one row was not taken in.")]
pub struct Args {
    /// The file; `-` for standard input
    file: PathBuf,
    /// What the file is [default: by its name, else by its beginning]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A column and the field it stands for; may be repeated
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = column)]
    map: Vec<(String, String)>,
    /// What the leads' `source` says where a row has none
    #[arg(long, default_value = "import")]
    source: String,
    /// Read and check the file, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Rows on their way at the same time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    concurrency: u8,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Rows with a heading, separated by comma, semicolon or tab.
    Csv,
    /// One array of objects.
    Json,
    /// One object on each line.
    Jsonl,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let bytes = read(args)?;
    let decoded = encoding::decode(bytes);
    if let Some(note) = decoded.note {
        context.output.say(&format!("note: {note}"));
    }
    let folder = args.file.parent().map(PathBuf::from).unwrap_or_default();
    let format = args.format.unwrap_or_else(|| rows::guess(&args.file, &decoded.text));
    let rows = rows::parse(format, &decoded.text, &args.map, &folder)?;
    if rows.is_empty() {
        return Err(Failure::new(Exit::Invalid, format!("{} holds no rows", args.file.display())));
    }
    let rows: Vec<Row> = rows.into_iter().map(|row| row.with_source(&args.source)).collect();
    let outcomes = if args.dry_run {
        rows.into_iter().map(send::rehearse).collect()
    } else {
        let bar = bar(rows.len() as u64);
        let outcomes = send::all(&context.client()?, rows, usize::from(args.concurrency), &bar).await;
        bar.finish_and_clear();
        outcomes?
    };
    Ok(report(context, &outcomes, args.dry_run))
}

fn read(args: &Args) -> Result<Vec<u8>, Failure> {
    if args.file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        return match std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Failure::new(Exit::Invalid, format!("standard input cannot be read: {error}"))),
        };
    }
    std::fs::read(&args.file).map_err(|error| Failure::file("reading", &args.file, &error))
}

fn bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rows, {per_sec}, {eta} left");
    // indicatif draws on stderr, and draws nothing when that is no terminal.
    ProgressBar::new(rows).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Tells what became of each row; the exit code says whether all were taken in.
fn report(context: &Context<'_>, outcomes: &[Outcome], dry_run: bool) -> Exit {
    let count = |word: &str| outcomes.iter().filter(|o| o.fate.word() == word).count();
    let failed = count("error");
    let exit = if failed == 0 { Exit::Done } else { Exit::Failed };
    let counts = json!({
        "rows": outcomes.len(), "created": count("created"), "repeat": count("repeat"),
        "message": count("message"), "ready": count("ready"), "error": failed,
    });
    if context.json() {
        let rows: Vec<Value> = outcomes.iter().map(Outcome::to_json).collect();
        context.output.print_json(&json!({"summary": counts, "dry_run": dry_run, "rows": rows}));
        return exit;
    }
    for outcome in outcomes {
        let word = match outcome.fate {
            Fate::Error { .. } => context.output.paint(Style::Red, "error"),
            ref fate => fate.word().to_owned(),
        };
        let text = line(&outcome.detail());
        let who = short(&outcome.who, 40);
        let words: Vec<&str> = [word.as_str(), &who, &text].into_iter().filter(|word| !word.is_empty()).collect();
        context.output.print(&format!("row {}: {}", outcome.number, words.join(" ")));
    }
    let words: Vec<String> = ["created", "repeat", "message", "ready", "error"]
        .iter()
        .filter(|word| count(word) > 0)
        .map(|word| format!("{} {word}", count(word)))
        .collect();
    let head = if dry_run { "dry run, nothing was sent: " } else { "" };
    context.output.say(&format!("{head}{} rows: {}", outcomes.len(), words.join(", ")));
    exit
}

fn column(text: &str) -> Result<(String, String), String> {
    let (column, field) = text.rsplit_once('=').ok_or("write it as COLUMN=FIELD")?;
    Ok((column.trim().to_owned(), field.trim().to_owned()))
}
