//! `max lead sign`: the client's signature, as it reached the agency.

use serde_json::{Value, json};

use super::{Context, change};
use crate::client::segment;
use crate::exit::{Exit, Failure};

/// Record the client's signature under what waits for one
///
/// The signature names exactly the document that was sent. Without --document it is the one the lead waits for, and
/// it is shown before it counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead sign shop-17 'Jane Doe'
  max lead sign shop-17 'Jane Doe' --document 3f5a…      exactly this document")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// The signer's name
    signer: String,
    /// SHA-256 of what is signed
    #[arg(long, value_name = "SHA256")]
    document: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let document = match &args.document {
        Some(document) => document.clone(),
        None => waiting_document(args, context).await?,
    };
    change(context, &args.lead, "sign", &json!({"document": document, "signer": args.signer})).await
}

async fn waiting_document(args: &Args, context: &Context<'_>) -> Result<String, Failure> {
    let answer = context.get(&format!("/api/status/{}", segment(&args.lead))).await?;
    let waiting = &answer.body["data"]["waiting_for"];
    let Some(document) = waiting.get("document").and_then(Value::as_str) else {
        let action = answer.body["next_action"].as_str().unwrap_or_default();
        return Err(Failure::new(Exit::Refused, format!("lead {} waits for no signature: {action}", args.lead)));
    };
    context.output.say(&format!("signing {}: {document}", waiting["for"].as_str().unwrap_or("the document")));
    Ok(document.to_owned())
}
