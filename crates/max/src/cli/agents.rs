//! `max agents`: the nine Eidolons and their voices.

use super::Context;
use super::output::short;
use crate::exit::{Exit, Failure};
use crate::wire::{AgentsHealth, VoiceState};

/// Show how the Eidolons and their voices are
///
/// Every state is derived from work, with what shows it. A seat that nobody takes says what would make somebody sit
/// there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max agents
  max agents --all        also the empty seats
  max agents --json | jq '.eidolons[] | {eidolon, load}'")]
pub struct Args {
    /// Also show empty seats
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let answer = context.get("/api/agents/health").await?;
    if context.json() {
        context.output.print_json(&answer.body);
        return Ok(Exit::Done);
    }
    let health: AgentsHealth = answer.read()?;
    let mut rows = Vec::new();
    let mut empty = 0;
    for eidolon in &health.eidolons {
        for voice in &eidolon.voices {
            if voice.state == VoiceState::Absent {
                empty += 1;
                if !args.all {
                    continue;
                }
            }
            let load = format!("{}/{}/{}", eidolon.load.ready, eidolon.load.delayed, eidolon.load.working);
            rows.push(vec![
                eidolon.eidolon.id().to_owned(),
                eidolon.persona.clone(),
                load,
                voice.voice.clone(),
                format!("{:?}", voice.state).to_lowercase(),
                format!("{}/{}", voice.turns, voice.failures),
                short(voice.last_error.as_deref().unwrap_or(&voice.evidence), 70),
            ]);
        }
    }
    let heading = ["EIDOLON", "PERSONA", "READY/DELAYED/WORKING", "VOICE", "STATE", "TURNS/FAILED", "SHOWN BY"];
    context.output.table(&heading, &rows);
    let status = format!("{:?}", health.status).to_lowercase();
    context.output.say(&format!("{status}; mode: {}; {empty} seats are empty", health.mode));
    Ok(Exit::Done)
}
