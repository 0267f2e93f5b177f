//! Settings: `max.toml`, the environment and the command line, resolved into one value.
//!
//! What counts, strongest first: the command line, the environment (`env`), the file, the defaults. Everything has a
//! default, so MAX runs without a file. Sections describe their own keys (`keys`); reading and writing follow from
//! that description.

mod eidolons;
pub mod env;
mod keys;
mod policy;
mod reader;
mod sections;
mod writer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use max_core::policy::Policy;
use max_core::stage::{Aliases, Eidolon};
use max_engine::spend::Budget;

pub use eidolons::{API, ApiConfig, EidolonConfig, KeySource, PLAYBOOK, VoiceConfig};
pub use keys::duration;
pub use reader::{ConfigError, Problem, nearest};
pub use sections::{Limits, MailConfig, MockupConfig, NotifyConfig, PortalConfig, SignalsConfig};

/// The folder that holds everything when nobody says otherwise.
pub const DEFAULT_ROOT: &str = "./AI_Agents";
/// The name of the configuration file.
pub const FILE_NAME: &str = "max.toml";

/// Everything that can be set, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The folder that holds everything.
    pub root: PathBuf,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// Whose time counts. Set by `--clock` only.
    pub clock: ClockKind,
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How long a lease on a task lasts without being renewed.
    pub lease: SignedDuration,
    /// The owner's rules. Prices and services come from the agency folder.
    pub policy: Policy,
    /// The nine Eidolons.
    pub eidolons: BTreeMap<Eidolon, EidolonConfig>,
    /// The voices that can take a seat.
    pub voices: BTreeMap<String, VoiceConfig>,
    /// What voices may spend.
    pub budget: Budget,
    /// How mail leaves.
    pub mail: MailConfig,
    /// How people are told that something waits for them.
    pub notify: NotifyConfig,
    /// The drop box.
    pub signals: SignalsConfig,
    /// What goes with a mockup.
    pub mockup: MockupConfig,
    /// The client's page.
    pub portal: PortalConfig,
    /// Sizes and rates.
    pub limits: Limits,
}

/// Whose time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockKind {
    /// The machine's.
    #[default]
    System,
    /// One that stands still until `POST /api/clock` moves it: for simulations and tests.
    Manual,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: DEFAULT_ROOT.into(),
            file: None,
            clock: ClockKind::System,
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            lease: SignedDuration::from_secs(60),
            policy: policy::default_policy(),
            eidolons: eidolons::default_eidolons(),
            voices: eidolons::default_voices(),
            budget: Budget::default(),
            mail: MailConfig::default(),
            notify: NotifyConfig::default(),
            signals: SignalsConfig::default(),
            mockup: MockupConfig::default(),
            portal: PortalConfig::default(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Finds and reads the file for a root: the one named, else `max.toml` in the root, else the one beside it.
    ///
    /// # Errors
    /// All problems of the file at once; also when a file that was named is not there.
    pub fn load(root: &Path, named: Option<&Path>) -> Result<Self, ConfigError> {
        let mut config = Self { root: root.to_owned(), ..Self::default() };
        let Some(file) = find_file(root, named)? else { return Ok(config) };
        let text = std::fs::read_to_string(&file)
            .map_err(|error| ConfigError::of(Some(&file), "", format!("cannot be read: {error}")))?;
        config.read(&file, &text)?;
        config.file = Some(file);
        Ok(config)
    }

    /// Reads the text of `file` over the values that stand here.
    ///
    /// # Errors
    /// All problems at once.
    pub fn read(&mut self, file: &Path, text: &str) -> Result<(), ConfigError> {
        reader::read(file, text, &mut sections::File(self))?;
        self.policy.mail_domain.clone_from(&self.mail.domain);
        let unknown = self.seats_of_unknown_voices();
        if unknown.is_empty() {
            return Ok(());
        }
        let problems = unknown
            .into_iter()
            .map(|(key, message)| Problem { file: Some(file.to_owned()), line: None, key, message })
            .collect();
        Err(ConfigError { problems })
    }

    /// The commented file with every key and its default, as `max init` writes it.
    pub fn commented_defaults() -> String {
        let mut config = Self::default();
        writer::write(sections::HEADING, &mut sections::File(&mut config))
    }

    /// Every name under which stages and Eidolons are known here.
    pub fn aliases(&self) -> Aliases {
        eidolons::aliases(&self.eidolons)
    }

    /// The folder of prices, services, clauses and templates.
    pub fn agency_folder(&self) -> PathBuf {
        self.root.join("agency")
    }

    /// The folder with what a running server leaves for its commands (`max.json`, `token`).
    pub fn run_folder(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Whether nothing but the playbook can work.
    pub fn only_playbook(&self) -> bool {
        !self
            .eidolons
            .values()
            .flat_map(|e| e.seats.values())
            .any(|name| self.voices.get(name).is_some_and(|voice| voice.enabled && voice.kind != PLAYBOOK))
    }

    fn seats_of_unknown_voices(&self) -> Vec<(String, String)> {
        let seats = self.eidolons.iter().flat_map(|(e, config)| config.seats.iter().map(move |seat| (e, seat)));
        seats
            .filter(|(_, (_, voice))| !self.voices.contains_key(*voice))
            .map(|(eidolon, (seat, voice))| {
                let near = nearest(voice, self.voices.keys().map(String::as_str));
                let advice = near.map_or_else(
                    || format!("add a section [voices.{voice}]"),
                    |near| format!("did you mean `{near}`? Else add a section [voices.{voice}]"),
                );
                (format!("eidolons.{eidolon}.seats.{seat}"), format!("there is no voice `{voice}`; {advice}"))
            })
            .collect()
    }
}

/// The file to read, or nothing when there is none and none was named.
fn find_file(root: &Path, named: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(named) = named {
        if named.is_file() {
            return Ok(Some(named.to_owned()));
        }
        let why = "there is no such file; write one with `max init`, or leave out --config to run on the defaults";
        return Err(ConfigError::of(Some(named), "", why));
    }
    let beside = match root.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from(FILE_NAME),
        Some(parent) => parent.join(FILE_NAME),
        None => PathBuf::from(FILE_NAME),
    };
    Ok([root.join(FILE_NAME), beside].into_iter().find(|file| file.is_file()))
}

#[cfg(test)]
mod tests;
