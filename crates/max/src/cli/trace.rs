//! `max trace`: every requirement from the client's words to its acceptance.

use max_core::trace::{CellState, Column, Trace};

use super::Context;
use super::output::{line, short};
use crate::client::segment;
use crate::exit::{Exit, Failure};

/// Show the way of every requirement: message, scope, screen, price, annex, milestone, acceptance
///
/// A red cell (`MISSING`) blocks approvals until it is mended or waived. Ends with 1 when there is one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max trace shop-17
  max trace shop-17 --json | jq '.rows[] | select(.cells[].state == \"missing\") | .requirement'")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get(&format!("/api/leads/{}/trace", segment(&args.lead))).await?;
    let trace: Trace = answer.read()?;
    if context.json() {
        context.output.print_json(&answer.body);
    } else {
        show(context, &trace);
    }
    Ok(if trace.is_whole() { Exit::Done } else { Exit::Failed })
}

fn show(context: &Context<'_>, trace: &Trace) {
    let out = context.output;
    if trace.rows.is_empty() {
        return out.say("there is no scope yet, so there is nothing to follow");
    }
    let mut heads = vec!["REQUIREMENT".to_owned(), "PRIORITY".to_owned()];
    heads.extend(Column::ALL.iter().map(|column| column.name().to_uppercase()));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = trace
        .rows
        .iter()
        .map(|row| {
            let first = [line(&row.requirement), row.priority_name().to_owned()];
            first.into_iter().chain(row.cells.iter().map(|cell| word(cell.state, &cell.note))).collect()
        })
        .collect();
    out.table(&heads, &rows);
    for row in &trace.rows {
        for cell in row.cells.iter().filter(|cell| matches!(cell.state, CellState::Missing | CellState::Excused)) {
            let word = cell.state.name();
            out.print(&line(&format!("{} {} {word}: {}", row.requirement, cell.column.name(), cell.note)));
        }
    }
    for stray in &trace.strays {
        out.print(&line(&format!("{} MISSING: {}", stray.thing, stray.detail)));
    }
}

/// A cell in a word: where it leads, or how it stands.
fn word(state: CellState, note: &str) -> String {
    match state {
        CellState::Ok => short(&line(note), 18),
        CellState::Missing => "MISSING".into(),
        other => other.name().into(),
    }
}
