//! `max help`: commands, and the topics that belong to no single command.

use super::Context;
use crate::config::{Config, env};
use crate::exit::{Exit, Failure};

/// Explain a command or a topic
///
/// Topics: exit-codes, environment, config, scenarios.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max help lead close
  max help exit-codes
  max help config          every key of max.toml with its default")]
pub struct Args {
    /// A command, such as `lead close`, or a topic
    topic: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["exit-codes"] => context.output.print(&exit_codes()),
        ["environment"] => context.output.print(&environment()),
        ["config"] => context.output.print(&Config::commented_defaults()),
        ["scenarios"] => context.output.print(crate::simulate::GUIDE),
        words => context.output.print(&command_help(words)?),
    }
    Ok(Exit::Done)
}

fn command_help(words: &[&str]) -> Result<String, Failure> {
    let mut root = super::command();
    root.build();
    let mut command = &mut root;
    for word in words {
        let known: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        command = command.find_subcommand_mut(word).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Failure::usage(format!("there is no command or topic `{word}`; there are: {}", known.join(", ")))
        })?;
    }
    Ok(command.render_long_help().to_string().trim_end().to_owned())
}

fn exit_codes() -> String {
    let mut text = "How a `max` command ends:\n".to_owned();
    for exit in Exit::ALL {
        text.push_str(&format!("\n  {}  {}", exit.code(), exit.meaning()));
    }
    text.push_str("\n\nWith --json a failure is printed as {\"error\", \"hint\", \"exit_code\"} too.");
    text
}

fn environment() -> String {
    let mut text = "Environment variables, weaker than options and stronger than max.toml:\n".to_owned();
    for (name, about) in env::ALL {
        text.push_str(&format!("\n  {name:<12}{about}"));
    }
    text
}
