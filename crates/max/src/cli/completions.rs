//! `max completions`: so that the shell knows the commands.

use clap_complete::Shell;

use super::Context;
use crate::exit::{Exit, Failure};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max completions bash > ~/.local/share/bash-completion/completions/max
  max completions zsh > ~/.zfunc/_max
  max completions fish > ~/.config/fish/completions/max.fish")]
pub struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "max", &mut script);
    context.output.print(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
