//! A private server in a temporary root: manual clock, playbook only, free port.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::launch::{Launcher, Role, Running, ServeOptions};
use crate::client::Client;
use crate::config::{ClockKind, Config, FILE_NAME};
use crate::exit::{Exit, Failure};

/// A server of one's own.
pub struct Theatre {
    /// How to talk to it.
    pub client: Client,
    /// Where its files are.
    pub root: PathBuf,
    running: Box<dyn Running>,
    /// Removes the root at the end, unless it was asked to stay.
    folder: Option<tempfile::TempDir>,
}

impl Theatre {
    /// Opens one in a temporary folder, with `policy` over the default rules and the clock at `start_at`. It speaks for
    /// a copy of the folder `agency`, or for the built-in example agency.
    ///
    /// # Errors
    /// When the rules or the agency's files are wrong, or the server cannot start.
    pub async fn open(
        launcher: &dyn Launcher,
        policy: &Map<String, Value>,
        start_at: Option<Timestamp>,
        agency: Option<&Path>,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("max-simulate-")
            .tempdir()
            .map_err(|error| Failure::failed(format!("no temporary folder can be made: {error}")))?;
        if let Some(agency) = agency {
            let wrong = launcher.check_agency(agency);
            if let Some(why) = wrong.into_iter().next() {
                return Err(Failure::new(Exit::Invalid, why).hint("`max doctor` looks over the whole folder"));
            }
            copy(agency, &folder.path().join("agency"))
                .map_err(|error| Failure::file("copying", agency, &error).hint("`max init` writes an agency folder"))?;
        }
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
        Ok(Self { client, root: root.to_owned(), running, folder: None })
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

/// Copies the files of a folder; links are left out.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
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
