//! `max lead handoff`: a person moves a lead.

use serde_json::json;

use super::{Context, show_state};
use crate::client::segment;
use crate::exit::{Exit, Failure};

/// Hand a lead to a stage: a person's move
///
/// Forward one stage, back with a reason, forward past a stage with a reason. It approves and sends nothing; pending
/// approvals of the stage that is left are void. What the entered stage lacks is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead handoff shop-17                                   to the next stage
  max lead handoff shop-17 Scoping --reason 'the client wants more pages'
  max lead handoff shop-17 Clara                             personas resolve too")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// The stage, in any spelling [default: the next one]
    to: Option<String>,
    /// The same, for scripts that name everything
    #[arg(long = "to", value_name = "STAGE", conflicts_with = "to", hide = true)]
    stage: Option<String>,
    /// Why; needed to go back or past a stage
    #[arg(long)]
    reason: Option<String>,
    /// What is handed over, in a sentence
    #[arg(long)]
    summary: Option<String>,
    /// Refuse unless the lead is in this stage
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut body = json!({});
    let to = if args.to.is_some() { &args.to } else { &args.stage };
    let fields = [("to", to), ("reason", &args.reason), ("summary", &args.summary), ("previous_stage", &args.from)];
    for (key, value) in fields {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    let answer = context.post(&format!("/api/handoff/{}", segment(&args.lead)), &body).await?;
    show_state(context, &answer)
}
