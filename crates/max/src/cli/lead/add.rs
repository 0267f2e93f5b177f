//! `max lead add`: one lead by hand.

use std::io::Read;

use serde_json::{Map, Value};

use super::{Context, show_state};
use crate::exit::{Exit, Failure};

/// Bring in a lead by hand
///
/// A name or an address, and a message, are enough. The same person with the same message within a day is the same
/// lead; another message from the address of an open lead becomes a message of that lead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead add --name 'Jane Doe' --email jane@shop.example 'We need a booking page for our three salons.'
  max lead add --email jane@shop.example --external-ref shop-17 --budget 8000 - < mail.txt
  max lead add --file lead.json")]
pub struct Args {
    /// What the person wrote; `-` reads it from standard input
    #[arg(required_unless_present_any = ["file", "words"])]
    message: Option<String>,
    /// The same as MESSAGE, for scripts that name everything
    #[arg(long = "message", value_name = "MESSAGE", conflicts_with = "message")]
    words: Option<String>,
    /// The person's name
    #[arg(long)]
    name: Option<String>,
    /// The address that answers go to
    #[arg(long)]
    email: Option<String>,
    /// A telephone number
    #[arg(long)]
    phone: Option<String>,
    /// The company
    #[arg(long)]
    company: Option<String>,
    /// The person's role there
    #[arg(long)]
    role: Option<String>,
    /// The company's web site
    #[arg(long)]
    website: Option<String>,
    /// Where the lead comes from
    #[arg(long, default_value = "cli")]
    source: String,
    /// The language, such as `de` or `en-GB`
    #[arg(long)]
    locale: Option<String>,
    /// The budget in the person's own words
    #[arg(long)]
    budget: Option<String>,
    /// The wished time in the person's own words
    #[arg(long)]
    timeline: Option<String>,
    /// Your own name for the lead: letters, digits, `.`, `_`, `-`, at most 64
    #[arg(long, value_name = "REF")]
    external_ref: Option<String>,
    /// Another field, kept with the lead; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    field: Vec<(String, String)>,
    /// Read the whole lead from a JSON file (`-` for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["message", "words", "name", "email", "phone", "company", "role", "website", "locale", "budget", "timeline", "external_ref", "field"])]
    file: Option<std::path::PathBuf>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let lead = match &args.file {
        Some(file) => read_lead(file)?,
        None => lead_of(args)?,
    };
    let answer = context.post("/api/ingest-lead", &lead).await?;
    if answer.status.as_u16() == 200 {
        context.output.say("known already: this belongs to a lead that was here before");
    }
    show_state(context, &answer)
}

fn lead_of(args: &Args) -> Result<Value, Failure> {
    let mut lead = Map::new();
    let message = match args.message.as_deref().or(args.words.as_deref()) {
        Some("-") => stdin()?,
        Some(text) => text.to_owned(),
        None => String::new(),
    };
    lead.insert("message".into(), message.into());
    let fields = [
        ("name", &args.name),
        ("email", &args.email),
        ("phone", &args.phone),
        ("company", &args.company),
        ("role", &args.role),
        ("website", &args.website),
        ("locale", &args.locale),
        ("budget", &args.budget),
        ("timeline", &args.timeline),
        ("external_ref", &args.external_ref),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            lead.insert(key.into(), value.clone().into());
        }
    }
    lead.insert("source".into(), args.source.clone().into());
    for (key, value) in &args.field {
        lead.insert(key.clone(), value.clone().into());
    }
    Ok(Value::Object(lead))
}

fn read_lead(file: &std::path::Path) -> Result<Value, Failure> {
    let text = if file.as_os_str() == "-" {
        stdin()?
    } else {
        std::fs::read_to_string(file).map_err(|error| Failure::file("reading", file, &error))?
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Invalid, format!("{} is not JSON: {error}", file.display()))
            .hint("several leads at once, or CSV: use `max ingest FILE`")
    })
}

/// Everything on standard input.
pub(in crate::cli) fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(Exit::Invalid, format!("standard input cannot be read: {error}")))?;
    Ok(text)
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
