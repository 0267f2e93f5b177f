//! `max lead list`: the leads there are.

use serde_json::{Value, json};

use super::{Context, row};
use crate::client::query;
use crate::exit::{Exit, Failure};
use crate::wire::LeadList;

/// List leads, newest change first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead list                             what changed last
  max lead list --status awaiting_human     what waits for somebody
  max lead list --stage Closer shop         leads in Closer whose name, company or address holds `shop`
  max lead list --all --json | jq -r '.leads[].lead_id'")]
pub struct Args {
    /// Words in name, company, address or reference
    search: Option<String>,
    /// Only this stage, in any spelling
    #[arg(long)]
    stage: Option<String>,
    /// Only this status: in_progress, awaiting_human, completed, escalated, failed
    #[arg(long)]
    status: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Where the last page ended
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// All pages
    #[arg(long, conflicts_with = "after")]
    all: bool,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let mut cursor = args.after.clone();
    let mut pages: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    loop {
        let path = query(&[
            ("stage", args.stage.clone()),
            ("status", args.status.clone()),
            ("q", args.search.clone()),
            ("limit", Some(if args.all { 500 } else { args.limit }.to_string())),
            ("cursor", cursor.clone()),
        ]);
        let answer = client.get(&format!("/api/leads{path}")).await?;
        let page: LeadList = answer.read()?;
        rows.extend(page.leads.iter().map(row));
        pages.extend(answer.body.get("leads").and_then(Value::as_array).into_iter().flatten().cloned());
        cursor = page.next;
        if !args.all || cursor.is_none() {
            break;
        }
    }
    if context.json() {
        context.output.print_json(&json!({"leads": pages, "next": cursor}));
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        context.output.say("no leads match; bring one in with `max lead add`, or watch `max demo`");
    }
    context.output.table(&["LEAD", "WHO", "STAGE", "STATUS", "NEXT"], &rows);
    if let Some(cursor) = cursor {
        context.output.say(&format!("more: add --after {cursor}, or --all"));
    }
    Ok(Exit::Done)
}
