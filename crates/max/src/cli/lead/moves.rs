//! The short commands by which people steer a lead.

use serde_json::json;

use super::{Context, change};
use crate::exit::{Exit, Failure};

/// Take over from the AI: nothing automatic goes to this client until you hand back
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max lead takeover shop-17")]
pub struct TakeOver {
    /// The lead's id or reference
    lead: String,
}

/// Hand a lead back to the AI
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max lead handback shop-17")]
pub struct HandBack {
    /// The lead's id or reference
    lead: String,
}

/// Try again: settle an escalation, give failed work new attempts, look again for what was missing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max lead list --status failed\n  max lead retry shop-17")]
pub struct Retry {
    /// The lead's id or reference
    lead: String,
}

/// Call for help: the Core Orchestra looks first, then people
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max lead escalate shop-17 --reason 'the client is angry about the delay'")]
pub struct Escalate {
    /// The lead's id or reference
    lead: String,
    /// Why, in a sentence
    #[arg(long)]
    reason: String,
}

/// End a lead
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead close shop-17 --as lost --reason 'bought elsewhere'
  max lead close shop-18 --as merged --into shop-17 --reason 'the same client'")]
pub struct Close {
    /// The lead's id or reference
    lead: String,
    /// How it ends
    #[arg(
        long = "as",
        alias = "outcome",
        value_name = "OUTCOME",
        value_parser = ["lost", "disqualified", "spam", "merged", "delivered"]
    )]
    outcome: String,
    /// Why, in a sentence
    #[arg(long)]
    reason: String,
    /// The other lead's id, when the outcome is `merged`
    #[arg(long, value_name = "LEAD_ID", required_if_eq("outcome", "merged"))]
    into: Option<String>,
}

/// Take up an ended lead again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  max lead reopen shop-17 --reason 'he called: the budget is there now'")]
pub struct Reopen {
    /// The lead's id or reference
    lead: String,
    /// Why, in a sentence
    #[arg(long)]
    reason: String,
}

pub(super) async fn take_over(args: &TakeOver, context: &Context<'_>) -> Result<Exit, Failure> {
    change(context, &args.lead, "take-over", &json!({})).await
}

pub(super) async fn hand_back(args: &HandBack, context: &Context<'_>) -> Result<Exit, Failure> {
    change(context, &args.lead, "hand-back", &json!({})).await
}

pub(super) async fn retry(args: &Retry, context: &Context<'_>) -> Result<Exit, Failure> {
    change(context, &args.lead, "retry", &json!({})).await
}

pub(super) async fn escalate(args: &Escalate, context: &Context<'_>) -> Result<Exit, Failure> {
    change(context, &args.lead, "escalate", &json!({"reason": args.reason})).await
}

pub(super) async fn close(args: &Close, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut body = json!({"outcome": args.outcome, "reason": args.reason});
    if let Some(other) = &args.into {
        body["merged_into"] = json!(other);
    }
    change(context, &args.lead, "close", &body).await
}

pub(super) async fn reopen(args: &Reopen, context: &Context<'_>) -> Result<Exit, Failure> {
    change(context, &args.lead, "reopen", &json!({"reason": args.reason})).await
}
