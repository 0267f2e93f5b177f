//! `max lead message`: what the client wrote, or what a person writes to the client.

use serde_json::json;

use super::{Context, add::stdin, change};
use crate::exit::{Exit, Failure};

/// Record a message from the client, or write to the client
///
/// Without --send, the text is recorded as the client's. With it, you write to the client as a person of the agency.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead message shop-17 'Yes, three salons, and we accept cards.'
  max lead message shop-17 --kind out_of_office - < auto-reply.txt
  max lead message shop-17 --send --subject 'Tomorrow at ten' 'Shall we talk tomorrow at ten?'")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// The text; `-` reads it from standard input
    text: String,
    /// Write to the client instead of recording what he wrote
    #[arg(long)]
    send: bool,
    /// The subject line
    #[arg(long)]
    subject: Option<String>,
    /// What kind of message came in
    #[arg(long, value_parser = ["reply", "out_of_office", "bounce", "opt_out"], conflicts_with = "send")]
    kind: Option<String>,
    /// The address it came from [default: the lead's own]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "send")]
    from: Option<String>,
    /// Its Message-ID; the same one again changes nothing
    #[arg(long, value_name = "ID", conflicts_with = "send")]
    message_id: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let text = if args.text == "-" { stdin()? } else { args.text.clone() };
    let mut body = json!({"direction": if args.send { "out" } else { "in" }, "body": text});
    let fields =
        [("subject", &args.subject), ("kind", &args.kind), ("from", &args.from), ("message_id", &args.message_id)];
    for (key, value) in fields {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    change(context, &args.lead, "messages", &body).await
}
