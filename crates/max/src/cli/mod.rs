//! The command line: one file for each command, with its arguments, its help and what it does.
//!
//! Data goes to stdout, talk to stderr, and every end has a documented exit code (`max help exit-codes`). Commands
//! that change leads talk to a running server over HTTP like everyone else; only servers touch the store.

mod agents;
mod approvals;
mod backup;
mod bench;
mod completions;
mod context;
mod demo;
mod doctor;
mod help;
mod ingest;
mod init;
pub mod launch;
mod lead;
mod lint;
mod output;
mod rebuild;
mod sapwave;
mod signal;
mod simulate;
mod suppress;
mod token;
mod trace;
mod up;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::exit::{Exit, Failure};
pub use context::{Context, Globals, client_of};
use launch::Launcher;
pub use output::{Output, line as plain};

/// MAX takes an agency's client from first contact to signed-off project.
///
/// Leads come in by web form, mail, API, file or hand; seven personas work them through the stages LeadGen,
/// FirstResponder, Scoping, Orchestra, Closer, Onboarding and DeliveryPM; people decide what leaves the house.
#[derive(Debug, Parser)]
#[command(name = "max", version, disable_help_subcommand = true, arg_required_else_help = true, after_help = FIRST_STEPS)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  max demo                 watch eight example leads go through, with simulated clients
  max init && max up       set up this folder and start working
  max lead add --help      bring in a lead by hand
  max help exit-codes      what scripts can rely on (also: environment, config, scenarios)";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Up(up::Args),
    Director(up::DirectorArgs),
    Demo(demo::Args),
    #[command(subcommand)]
    Lead(lead::Command),
    Ingest(ingest::Args),
    #[command(subcommand)]
    Approvals(approvals::Command),
    #[command(subcommand)]
    Signal(signal::Command),
    #[command(subcommand)]
    Sapwave(sapwave::Command),
    Agents(agents::Args),
    Lint(lint::Args),
    Trace(trace::Args),
    #[command(subcommand)]
    Token(token::Command),
    #[command(subcommand)]
    Suppress(suppress::Command),
    Rebuild(rebuild::Args),
    Backup(backup::Args),
    Doctor(doctor::Args),
    Simulate(simulate::Args),
    Bench(bench::Args),
    Completions(completions::Args),
    Help(help::Args),
}

/// Runs the command that `args` (with the program's name first) asks for, and says how it ended.
pub async fn run(args: impl IntoIterator<Item = std::ffi::OsString>, launcher: &dyn Launcher) -> Exit {
    let cli = match command().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes; clap knows where each belongs.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let context = Context::new(&cli.globals, launcher);
    match dispatch(cli.command, &context).await {
        Ok(exit) => exit,
        Err(failure) => {
            context.output.failure(&failure);
            failure.exit
        }
    }
}

/// The whole command line as clap knows it.
pub fn command() -> clap::Command {
    Cli::command()
}

async fn dispatch(command: Command, context: &Context<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Up(args) => up::run(&args, context).await,
        Command::Director(args) => up::run_director(&args, context).await,
        Command::Demo(args) => demo::run(&args, context).await,
        Command::Lead(command) => lead::run(command, context).await,
        Command::Ingest(args) => ingest::run(&args, context).await,
        Command::Approvals(command) => approvals::run(command, context).await,
        Command::Signal(command) => signal::run(command, context).await,
        Command::Sapwave(command) => sapwave::run(command, context).await,
        Command::Agents(args) => agents::run(&args, context).await,
        Command::Lint(args) => lint::run(&args, context).await,
        Command::Trace(args) => trace::run(&args, context).await,
        Command::Token(command) => token::run(command, context).await,
        Command::Suppress(command) => suppress::run(command, context).await,
        Command::Rebuild(args) => rebuild::run(&args, context).await,
        Command::Backup(args) => backup::run(&args, context).await,
        Command::Doctor(args) => doctor::run(&args, context).await,
        Command::Simulate(args) => simulate::run(&args, context).await,
        Command::Bench(args) => bench::run(&args, context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Help(args) => help::run(&args, context),
    }
}
