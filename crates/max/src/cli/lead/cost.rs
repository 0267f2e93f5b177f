//! `max lead cost`: what voices did on a lead, and what it cost.

use max_engine::runs::MicroUsd;

use super::Context;
use crate::cli::output::line;
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::{RunList, RunView};

/// Show what voices did on a lead, and what it cost
///
/// One line for each run of a voice: when, who, how long, tokens in (and of these from the cache) and out, cost, and how
/// it ended. Turns that the playbook worked from the start cost nothing and are not listed; it is listed where it stood
/// in for another voice. The cost of a call that broke off is the most it may have been.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead cost shop-17
  max lead cost shop-17 --json | jq .total.cost_micro_usd")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get(&format!("/api/leads/{}/runs", segment(&args.lead))).await?;
    let list: RunList = answer.read()?;
    let out = context.output;
    if context.json() {
        out.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    if list.runs.is_empty() {
        out.say("nothing was spent on this lead: only the playbook worked on it");
        return Ok(Exit::Done);
    }
    let heading = ["BEGAN", "STAGE", "VOICE", "MODEL", "TOOK", "IN", "CACHED", "OUT", "COST", "OUTCOME"];
    out.table(&heading, &list.runs.iter().map(row).collect::<Vec<_>>());
    for run in &list.runs {
        if let Some(error) = &run.error {
            out.print(&line(&format!("{} of {}: {error}", run.voice, run.eidolon)));
        }
    }
    out.print(&format!("together {}", MicroUsd(list.total.cost_micro_usd)));
    Ok(Exit::Done)
}

fn row(run: &RunView) -> Vec<String> {
    let repair = if run.repair { " (repair)" } else { "" };
    vec![
        format!("{:.0}", run.started_at),
        run.stage.to_string(),
        format!("{}/{}", run.eidolon, run.voice),
        run.model.clone().unwrap_or_else(|| run.transport.clone()),
        format!("{}.{:03} s", run.took_ms / 1_000, run.took_ms % 1_000),
        run.spent.tokens_in.to_string(),
        run.spent.tokens_cached.to_string(),
        run.spent.tokens_out.to_string(),
        MicroUsd(run.spent.cost_micro_usd).to_string(),
        format!("{}{repair}", run.outcome),
    ]
}
