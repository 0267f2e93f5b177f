//! What every command has at hand: where the root is, how to speak, how to reach the server.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::launch::{Launcher, Role, Running, ServeOptions};
use super::output::Output;
use crate::client::{Answer, Client, ClientError};
use crate::config::{Config, DEFAULT_ROOT, env};
use crate::exit::{Exit, Failure};

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// The folder that holds everything [default: ./AI_Agents]
    #[arg(long, global = true, value_name = "DIR", env = env::ROOT, hide_env_values = true)]
    root: Option<PathBuf>,
    /// The configuration file [default: max.toml in the root, else beside it]
    #[arg(long, global = true, value_name = "FILE", env = env::CONFIG, hide_env_values = true)]
    config: Option<PathBuf>,
    /// The server to talk to [default: the one running on this root]
    #[arg(long, global = true, value_name = "URL", env = env::SERVER, hide_env_values = true)]
    server: Option<String>,
    /// Print the answer as JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    /// Say more about what happens (twice for even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// No colour, whatever the terminal can do (also: NO_COLOR)
    #[arg(long, global = true)]
    no_color: bool,
}

/// What a command has at hand.
pub struct Context<'a> {
    /// How it speaks.
    pub output: Output,
    /// The folder that holds everything.
    pub root: PathBuf,
    /// How much to say: 0 the usual, 1 more, 2 everything.
    pub verbose: u8,
    /// What starts servers.
    pub launcher: &'a dyn Launcher,
    server: Option<String>,
    config_file: Option<PathBuf>,
}

impl<'a> Context<'a> {
    pub(super) fn new(globals: &Globals, launcher: &'a dyn Launcher) -> Self {
        Self {
            output: Output::new(globals.json, globals.no_color || env::text(env::NO_COLOR).is_some()),
            root: globals.root.clone().unwrap_or_else(|| DEFAULT_ROOT.into()),
            verbose: globals.verbose,
            launcher,
            server: globals.server.clone(),
            config_file: globals.config.clone(),
        }
    }

    /// Whether the answer is for a program.
    pub fn json(&self) -> bool {
        self.output.json
    }

    /// The server that was named, if one was.
    pub fn named_server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The settings for this root.
    pub fn config(&self) -> Result<Config, Failure> {
        self.config_at(&self.root)
    }

    /// The settings for another root.
    pub fn config_at(&self, root: &Path) -> Result<Config, Failure> {
        Config::load(root, self.config_file.as_deref()).map_err(|error| {
            Failure::new(Exit::Config, error.to_string())
                .hint("mend the file, or move it aside: everything has a default (`max help config` shows all keys)")
        })
    }

    /// The client of the server that is named or runs on this root.
    pub fn client(&self) -> Result<Client, Failure> {
        Ok(self.find_client()?)
    }

    fn find_client(&self) -> Result<Client, ClientError> {
        Client::find(self.server.as_deref(), env::text(env::TOKEN), &self.root.join("run"))
    }

    /// Does something with the server of this root; where none runs, one without Eidolons is started for the moment.
    pub async fn with_server<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        if let Ok(client) = self.find_client()
            && (self.server.is_some() || client.get("/healthz").await.is_ok())
        {
            return work(&client).await;
        }
        if !self.root.is_dir() {
            return Err(Failure::new(Exit::NotFound, format!("there is no folder {}", self.root.display()))
                .hint("name the root with --root, or make one with `max init`"));
        }
        self.output.say("no server runs on this root; starting one for the moment");
        let config = self.config()?;
        let options = ServeOptions { listen: Some(([127, 0, 0, 1], 0).into()), ..ServeOptions::default() };
        let running = self.launcher.serve(&config, Role::Director, options).await?;
        let result = match client_of(&*running, &config) {
            Ok(client) => work(&client).await,
            Err(failure) => Err(failure),
        };
        running.stop().await;
        result
    }

    /// Asks the server and gives its answer.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        Ok(self.client()?.get(path).await?)
    }

    /// Sends the server something and gives its answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        Ok(self.client()?.post(path, body).await?)
    }
}

/// The client of a server that this process runs.
pub fn client_of(running: &dyn Running, config: &Config) -> Result<Client, Failure> {
    let token = running.admin_token().map(str::to_owned);
    let run = config.run_folder();
    Ok(Client::find(Some(&running.address().to_string()), token, &run)?)
}
