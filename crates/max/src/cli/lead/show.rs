//! `max lead show`: everything about one lead on a page.

use max_core::lead::{ClientState, Direction};
use serde_json::{Value, json};

use super::{Context, status_word};
use crate::cli::output::{Style, indent, line, short};
use crate::client::{read, segment};
use crate::exit::{Exit, Failure};
use crate::wire::{EventList, LeadView, MessageList};

/// Show a lead: state, what it waits for, history, conversation, artifacts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead show shop-17
  max lead show shop-17 --events            every fact of its log
  max lead show shop-17 --json | jq .lead.state.data.waiting_for")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// Also show every fact of its log
    #[arg(long)]
    events: bool,
    /// Show messages in full instead of their beginning
    #[arg(long)]
    full: bool,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let client = context.client()?;
    let base = format!("/api/leads/{}", segment(&args.lead));
    let page = client.get(&base).await?;
    let messages = client.get(&format!("{base}/messages")).await?;
    let events = if args.events { Some(client.get(&format!("{base}/events?limit=500")).await?.body) } else { None };
    if context.json() {
        let mut all = json!({"lead": page.body, "messages": messages.body["messages"]});
        if let Some(events) = events {
            all["events"] = events["events"].clone();
        }
        context.output.print_json(&all);
        return Ok(Exit::Done);
    }
    let lead: LeadView = page.read()?;
    head(context, &lead);
    history(context, &lead.state);
    conversation(context, &messages.read::<MessageList>()?, args.full);
    artifacts(context, &lead);
    if let Some(events) = events {
        facts(context, &read::<EventList>(&events)?);
    }
    Ok(Exit::Done)
}

fn head(context: &Context<'_>, lead: &LeadView) {
    let out = context.output;
    let contact = &lead.state.data["lead"];
    let text = |key: &str| contact.get(key).and_then(Value::as_str).unwrap_or_default();
    out.print(&out.paint(Style::Bold, &line(&format!("{} {}", text("name"), angle(text("email"))))));
    let company = text("company");
    if !company.is_empty() {
        out.print(&line(company));
    }
    let reference = lead.external_ref.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
    out.print(&format!("{}{reference}", lead.state.lead_id));
    out.print("");
    out.print(&format!(
        "{}  {}",
        out.paint(Style::Bold, lead.state.current_stage.name()),
        status_word(context, &lead.state)
    ));
    out.print(&format!("Next: {}", line(&lead.state.next_action)));
    if let Some(approval) = &lead.approval {
        out.print(&format!("  max approvals show {}", approval.id));
    }
    if !lead.portal.is_empty() {
        out.print(&format!("Client's page: {}", line(&lead.portal)));
    }
    if let Some(reply) = &lead.first_reply {
        let after = |seconds: Option<i64>| seconds.map_or_else(|| "not yet".to_owned(), |s| format!("after {s} s"));
        let receipt = reply.receipt_after_seconds.map(|s| format!("; receipt after {s} s")).unwrap_or_default();
        let (after, most) = (after(reply.reply_after_seconds), reply.at_most_seconds);
        out.print(&format!("First reply: {after} (at most {most} s){receipt}"));
    }
    if let Some(document) = lead.waits.as_ref().and_then(|w| w.get("document")).and_then(Value::as_str) {
        out.print(&format!("  document to sign: {document}"));
    }
    if let Some(error) = lead.task.as_ref().and_then(|task| task.last_error.as_deref()) {
        out.print(&format!("  last failure: {}", line(error)));
    }
    if !lead.allowed.is_empty() {
        out.print(&out.paint(Style::Dim, &format!("You may: {}", line(&lead.allowed.join(", ")))));
    }
}

fn angle(email: &str) -> String {
    if email.is_empty() { String::new() } else { format!("<{email}>") }
}

fn heading(context: &Context<'_>, text: &str) {
    context.output.print(&format!("\n{}", context.output.paint(Style::Bold, text)));
}

fn history(context: &Context<'_>, state: &ClientState) {
    heading(context, "History");
    let rows: Vec<Vec<String>> = state
        .history
        .iter()
        .map(|move_| {
            let at = move_.at.strftime("%Y-%m-%d %H:%M").to_string();
            vec![at, move_.to_stage.to_string(), move_.by.to_string(), short(&move_.summary, 80)]
        })
        .collect();
    context.output.table(&["WHEN (UTC)", "ENTERED", "BY", "WHY"], &rows);
}

fn conversation(context: &Context<'_>, list: &MessageList, full: bool) {
    heading(context, "Conversation");
    for view in &list.messages {
        let message = &view.message;
        let arrow = if message.direction == Direction::In { "<-" } else { "->" };
        let kind = word(&message.kind);
        let note = view.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let head = format!(
            "{} {arrow} {} [{kind}, {}{note}]",
            message.at.strftime("%Y-%m-%d %H:%M"),
            if message.subject.is_empty() { "(no subject)" } else { &message.subject },
            word(&view.delivery),
        );
        context.output.print(&line(&head));
        let body = if full {
            message.body.clone()
        } else {
            short(&message.body.split_whitespace().collect::<Vec<_>>().join(" "), 160)
        };
        context.output.print(&context.output.paint(Style::Dim, &indent(&body, 4)));
    }
}

fn artifacts(context: &Context<'_>, lead: &LeadView) {
    if lead.artifacts.is_empty() {
        return;
    }
    heading(context, "Artifacts");
    let rows: Vec<Vec<String>> = lead
        .artifacts
        .iter()
        .map(|view| {
            let artifact = &view.artifact;
            let note = if artifact.superseded { "superseded" } else { "" };
            vec![view.path.clone(), format!("v{}", artifact.version), format!("{} bytes", artifact.bytes), note.into()]
        })
        .collect();
    context.output.table(&["PATH", "VERSION", "SIZE", ""], &rows);
    let folder = context.root.join("max-pipeline").join(lead.state.lead_id.to_string());
    if folder.is_dir() {
        context.output.print(&format!("in {}", folder.display()));
    }
}

fn facts(context: &Context<'_>, list: &EventList) {
    heading(context, "Log");
    let rows: Vec<Vec<String>> = list
        .events
        .iter()
        .map(|event| {
            let at = event.at.strftime("%Y-%m-%d %H:%M:%S").to_string();
            vec![event.version.to_string(), at, event.by.to_string(), short(&event.line, 100)]
        })
        .collect();
    context.output.table(&["ENTRY", "WHEN (UTC)", "BY", "WHAT"], &rows);
}

/// The word that a value is written with, such as `follow_up`.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
