//! `max lead step`: a step of the onboarding checklist that people did.

use serde_json::json;

use super::{Context, change};
use crate::client::segment;
use crate::exit::{Exit, Failure};

/// Mark a step of the onboarding checklist as done
///
/// The client marks his own steps on his page; a person of the agency any that people do. `max lead show` lists them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead step shop-17 O-6 --proof 'invoice data confirmed by telephone'
  max lead step shop-17 O-6 --open --proof 'the address was wrong'      it is not done after all")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// The step's id
    step: String,
    /// What shows that it is done, or why it is open again
    #[arg(long)]
    proof: String,
    /// It is not done after all
    #[arg(long)]
    open: bool,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let body = json!({"done": !args.open, "proof": args.proof});
    change(context, &args.lead, &format!("steps/{}", segment(&args.step)), &body).await
}
