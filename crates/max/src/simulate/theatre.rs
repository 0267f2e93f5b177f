//! A private server in a temporary root: manual clock, playbook only, free port.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use max_core::policy::Policy;
use serde_json::{Map, Value};

use crate::cli::launch::{Launcher, Role, Running, ServeOptions};
use crate::client::Client;
use crate::config::{ClockKind, Config, FILE_NAME};
use crate::exit::{Exit, Failure};

/// A server of one's own.
pub struct Theatre {
    /// How to talk to it.
    pub client: Client,
    /// The rules it decides by.
    pub policy: Policy,
    /// Where its files are.
    pub root: PathBuf,
    running: Box<dyn Running>,
    /// Removes the root at the end, unless it was asked to stay.
    folder: Option<tempfile::TempDir>,
}

impl Theatre {
    /// Opens one in a temporary folder, with `policy` over the default rules and the clock at `start_at`.
    ///
    /// # Errors
    /// When the rules are wrong or the server cannot start.
    pub async fn open(
        launcher: &dyn Launcher,
        policy: &Map<String, Value>,
        start_at: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("max-simulate-")
            .tempdir()
            .map_err(|error| Failure::failed(format!("no temporary folder can be made: {error}")))?;
        let mut theatre = Self::open_at(launcher, folder.path(), policy, start_at).await?;
        theatre.folder = Some(folder);
        Ok(theatre)
    }

    /// Opens one in a folder that stays.
    ///
    /// # Errors
    /// As [`Theatre::open`].
    pub async fn open_at(
        launcher: &dyn Launcher,
        root: &Path,
        policy: &Map<String, Value>,
        start_at: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        let config = configure(root, policy)?;
        let listen = Some(([127, 0, 0, 1], 0).into());
        let options = ServeOptions { listen, playbook_only: true, start_at };
        let running = launcher.serve(&config, Role::Everything, options).await?;
        let client = crate::cli::client_of(&*running, &config)?;
        Ok(Self { client, policy: config.policy, root: root.to_owned(), running, folder: None })
    }

    /// A link that signs a browser in, once.
    pub fn sign_in_link(&self) -> &str {
        self.running.sign_in_link()
    }

    /// Lets it run until it is told to stop.
    pub async fn stay_open(&mut self) -> Result<(), Failure> {
        self.running.wait().await
    }

    /// Closes it. With `keep`, its files stay.
    pub async fn close(self, keep: bool) {
        self.running.stop().await;
        if let (Some(folder), true) = (self.folder, keep) {
            drop(folder.keep());
        }
    }
}

/// The settings of a private server: the scenario's rules, written down as an owner would.
fn configure(root: &Path, policy: &Map<String, Value>) -> Result<Config, Failure> {
    let rules = toml::Table::try_from(serde_json::json!({"policy": policy}))
        .map_err(|error| Failure::new(Exit::Invalid, format!("policy: {error}")))?;
    let file = root.join(FILE_NAME);
    std::fs::write(&file, rules.to_string()).map_err(|error| Failure::file("writing", &file, &error))?;
    let mut config = Config::load(root, None).map_err(|error| {
        Failure::new(Exit::Invalid, format!("policy: {error}")).hint("`max help config` shows the keys of [policy]")
    })?;
    config.clock = ClockKind::Manual;
    Ok(config)
}
