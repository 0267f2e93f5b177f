//! `max lead`: bring in, look at and move leads.

mod add;
mod cost;
mod deposit;
mod diff;
mod erase;
mod export;
mod handoff;
mod list;
mod message;
mod moves;
mod show;
mod sign;
mod step;

use clap::Subcommand;
use max_core::lead::ClientState;
use serde_json::Value;

use super::Context;
use super::output::{Style, short};
use crate::client::{Answer, segment};
use crate::exit::{Exit, Failure};
use crate::wire::LeadRow;

/// Bring in, look at and move leads.
///
/// LEAD is the lead's id or the reference it was given at ingestion (`external_ref`).
#[derive(Debug, Subcommand)]
pub enum Command {
    Add(Box<add::Args>),
    List(list::Args),
    Show(show::Args),
    Diff(diff::Args),
    Cost(cost::Args),
    Handoff(handoff::Args),
    Message(message::Args),
    Sign(sign::Args),
    Deposit(deposit::Args),
    Step(step::Args),
    Takeover(moves::TakeOver),
    Handback(moves::HandBack),
    Retry(moves::Retry),
    Escalate(moves::Escalate),
    Close(moves::Close),
    Reopen(moves::Reopen),
    Export(export::Args),
    Erase(erase::Args),
}

pub(super) async fn run(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Add(args) => add::run(&args, context).await,
        Command::List(args) => list::run(&args, context).await,
        Command::Show(args) => show::run(&args, context).await,
        Command::Diff(args) => diff::run(&args, context).await,
        Command::Cost(args) => cost::run(&args, context).await,
        Command::Handoff(args) => handoff::run(&args, context).await,
        Command::Message(args) => message::run(&args, context).await,
        Command::Sign(args) => sign::run(&args, context).await,
        Command::Deposit(args) => deposit::run(&args, context).await,
        Command::Step(args) => step::run(&args, context).await,
        Command::Takeover(args) => moves::take_over(&args, context).await,
        Command::Handback(args) => moves::hand_back(&args, context).await,
        Command::Retry(args) => moves::retry(&args, context).await,
        Command::Escalate(args) => moves::escalate(&args, context).await,
        Command::Close(args) => moves::close(&args, context).await,
        Command::Reopen(args) => moves::reopen(&args, context).await,
        Command::Export(args) => export::run(&args, context).await,
        Command::Erase(args) => erase::run(&args, context).await,
    }
}

/// Posts to a path below a lead and shows the state that comes back.
async fn change(context: &Context<'_>, lead: &str, what: &str, body: &Value) -> Result<Exit, Failure> {
    let answer = context.post(&format!("/api/leads/{}/{what}", segment(lead)), body).await?;
    show_state(context, &answer)
}

/// Shows where a lead stands now, in one line.
pub(super) fn show_state(context: &Context<'_>, answer: &Answer) -> Result<Exit, Failure> {
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let state: ClientState = match answer.body.get("state") {
        Some(state) => crate::client::read(state)?,
        None => answer.read()?,
    };
    let out = context.output;
    out.print(&format!(
        "{}  {}  {}\n{}",
        state.lead_id,
        out.paint(Style::Bold, state.current_stage.name()),
        status_word(context, &state),
        super::output::line(&state.next_action)
    ));
    Ok(Exit::Done)
}

/// The status with the outcome, coloured.
fn status_word(context: &Context<'_>, state: &ClientState) -> String {
    let outcome = state.data.get("outcome").and_then(Value::as_str);
    let word = outcome.map_or_else(|| state.status.name().to_owned(), |o| format!("{} ({o})", state.status.name()));
    let style = match state.status {
        max_core::lead::Status::Completed => Style::Green,
        max_core::lead::Status::InProgress => Style::Bold,
        max_core::lead::Status::AwaitingHuman => Style::Yellow,
        max_core::lead::Status::Escalated | max_core::lead::Status::Failed => Style::Red,
    };
    context.output.paint(style, &word)
}

/// A lead as a row of a table.
fn row(lead: &LeadRow) -> Vec<String> {
    let who = match &lead.company {
        Some(company) => format!("{} ({company})", lead.name),
        None if lead.name.is_empty() => lead.email.clone(),
        None => lead.name.clone(),
    };
    let name = lead.external_ref.as_ref().map_or_else(|| lead.lead_id.to_string(), |r| r.as_str().to_owned());
    let status = lead.outcome.clone().unwrap_or_else(|| lead.status.name().to_owned());
    vec![name, short(&who, 32), lead.current_stage.to_string(), status, short(&lead.next_action, 70)]
}
