//! `max bench`: how fast this machine carries leads.

use std::path::PathBuf;

use super::Context;
use super::launch::BenchOptions;
use crate::exit::{Exit, Failure};

/// Measure how fast this machine carries leads, beside its floors
///
/// `pipeline` is workload W: leads go through eight durable steps each with trivial work. The floors (fdatasync, SQLite
/// commits, create and rename) are measured in the same run, so that the figures mean something.
///
/// `documents` takes an enquiry with forty wishes up to its contract and then writes scope, mockup, offer and contract a
/// hundred times: Markdown and HTML, lint, both together, PDF, and the memory while a thousand leads get theirs. For the
/// figures of one core: `taskset -c 0 max bench documents`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max bench pipeline
  max bench pipeline --leads 20000 --concurrency 64 --json
  max bench pipeline --store 1000000       also with a million leads in the store
  max bench documents --json
  max bench documents --leads 100          memory over fewer leads")]
pub struct Args {
    /// What to measure: pipeline or documents
    #[arg(default_value = "pipeline")]
    name: String,
    /// How many leads [default: 10000 for pipeline, 1000 for documents]
    #[arg(long)]
    leads: Option<usize>,
    /// How many in flight
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// How many leads in the large store; a million takes some minutes, 0 leaves that part out
    #[arg(long, value_name = "LEADS", default_value_t = 0)]
    store: usize,
    /// Where the files go [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let options = BenchOptions {
        name: args.name.clone(),
        leads: args.leads,
        concurrency: args.concurrency,
        store: args.store,
        folder: args.folder.clone(),
    };
    let (figures, table) = context.launcher.bench(options).await?;
    if context.json() {
        context.output.print_json(&figures);
    } else {
        context.output.print(&table);
    }
    Ok(Exit::Done)
}
