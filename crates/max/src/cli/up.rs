//! `max up` and `max director`: servers.

use std::net::SocketAddr;

use clap::ValueEnum;
use serde_json::json;

use super::Context;
use super::launch::{Role, ServeOptions};
use crate::config::{ClockKind, env};
use crate::exit::{Exit, Failure};

/// Run everything here: Director, API and the nine Eidolons
///
/// Once it accepts work it prints `listening on http://ADDR` on stdout and a one-time sign-in link for the browser.
/// The first interrupt drains, the second one cuts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max up
  max up --listen 127.0.0.1:0              a free port, found by commands through <root>/run/max.json
  max --root /srv/max up --json            one line of JSON when ready")]
pub struct Args {
    #[command(flatten)]
    serve: Serve,
}

/// Run Director and API without Eidolons
///
/// Eidolons elsewhere take their tasks over HTTP (`/api/tasks`), each with a token of scope `eidolon:<id>`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max director
  max token new scoping-host eidolon:scoping")]
pub struct DirectorArgs {
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// The address to listen on; port 0 picks a free one [default: as in max.toml, 127.0.0.1:8420]
    #[arg(long, value_name = "ADDR", env = env::LISTEN, hide_env_values = true)]
    listen: Option<SocketAddr>,
    /// Whose time counts; a manual clock stands still until POST /api/clock moves it (for simulations and tests)
    #[arg(long, value_enum, default_value_t = ClockArg::System)]
    clock: ClockArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClockArg {
    System,
    Manual,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    serve(&args.serve, Role::Everything, context).await
}

pub(super) async fn run_director(args: &DirectorArgs, context: &Context<'_>) -> Result<Exit, Failure> {
    serve(&args.serve, Role::Director, context).await
}

async fn serve(args: &Serve, role: Role, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut config = context.config()?;
    config.clock = match args.clock {
        ClockArg::System => ClockKind::System,
        ClockArg::Manual => ClockKind::Manual,
    };
    let options = ServeOptions { listen: args.listen, ..ServeOptions::default() };
    let mut running = context.launcher.serve(&config, role, options).await?;
    running.watch()?;
    let address = format!("http://{}", running.address());
    if context.json() {
        // One line, so that whoever waits for it can read lines.
        context.output.print(&json!({"listening": address, "sign_in": running.sign_in_link()}).to_string());
    } else {
        context.output.print(&format!("listening on {address}"));
        context.output.say(&format!("sign in once: {}", running.sign_in_link()));
    }
    if let Some(token) = running.admin_token() {
        context.output.say(&format!("admin token (also in {}/run/token): {token}", context.root.display()));
    }
    let ended = running.wait().await;
    running.stop().await;
    ended.map(|()| Exit::Done)
}
