//! `max lead erase`: what an erasure would do, and asking for it.

use serde_json::json;

use super::{Context, show_state};
use crate::cli::output::{Style, line};
use crate::client::segment;
use crate::exit::{Exit, Failure};
use crate::wire::ErasurePreview;

/// Show what the erasure of a lead's data would do; with --yes, ask for it
///
/// Asking erases nothing. It stops everything automatic at once, and then a person has to approve it, as a second step
/// (`max approvals`). What a person asked for by mail, check that it was the client: a mail from another address than
/// the one on file proves nothing, and answering it may tell a stranger that there is a lead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead erase shop-17                                          what goes, what stays, what is out of reach
  max lead erase shop-17 --yes --asked-by 'the client, by mail of 3 May'
  max approvals list                                              the approval that now waits")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// Ask for it
    #[arg(long)]
    yes: bool,
    /// Who asked for it, and by which way
    #[arg(long, value_name = "WHO", default_value = "")]
    asked_by: String,
    /// Why, if there is more to say
    #[arg(long, default_value = "")]
    reason: String,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let path = format!("/api/leads/{}/erase", segment(&args.lead));
    if args.yes {
        let answer = context.post(&path, &json!({"reason": args.reason, "asked_by": args.asked_by})).await?;
        let shown = show_state(context, &answer)?;
        if let Some(approval) = answer.body["data"]["waiting_for"]["id"].as_str() {
            context.output.say(&format!("nothing is erased yet; see `max approvals show {}`", line(approval)));
        }
        return Ok(shown);
    }
    let answer = context.get(&path).await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    preview(context, &answer.read()?);
    context.output.say("this is a preview; ask for it with --yes, then a person approves it");
    Ok(Exit::Done)
}

fn preview(context: &Context<'_>, preview: &ErasurePreview) {
    let out = context.output;
    let part = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        out.print(&out.paint(Style::Bold, title));
        for one in lines {
            out.print(&format!("  {}", line(&one)));
        }
    };
    out.print(&format!("lead {}", preview.lead_id));
    part("Goes", preview.goes.iter().map(|p| format!("{:>5}  {}", p.count, p.what)).collect());
    part("Stays", preview.stays.clone());
    part("Out of reach", preview.out_of_reach.clone());
    let others = preview.other_leads.iter().map(|id| format!("{id} (erase it, too: `max lead erase {id}`)"));
    part("Other leads of the same address, which stay", others.collect());
}
