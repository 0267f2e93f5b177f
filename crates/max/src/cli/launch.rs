//! What commands need of the wiring: servers that can be started and stopped, and the agency's defaults.
//!
//! Commands know this trait and no adapter; `wiring` implements it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use jiff::Timestamp;
use max_core::signal::Signal;
use serde_json::Value;

use crate::config::Config;
use crate::exit::Failure;

/// What runs in a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Director, API and all Eidolons.
    Everything,
    /// Director and API; Eidolons work elsewhere, over HTTP.
    Director,
}

/// How a server is started, beyond its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServeOptions {
    /// Listens here instead of where the settings say.
    pub listen: Option<SocketAddr>,
    /// Leaves every seat empty, so that only the playbook works.
    pub playbook_only: bool,
    /// Where a manual clock stands at the start; the machine's time when absent.
    pub start_at: Option<Timestamp>,
}

/// A server that runs in this process.
pub trait Running: Send {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// A link that signs a browser in, once.
    fn sign_in_link(&self) -> &str;
    /// The admin token, when it was made by this start.
    fn admin_token(&self) -> Option<&str>;
    /// Notices from now on that it is told to stop, for [`Running::wait`]. Whoever reads that it listens may tell it.
    ///
    /// # Errors
    /// When signals cannot be watched.
    fn watch(&mut self) -> Result<(), Failure>;
    /// Runs until it is told to stop (a signal).
    fn wait(&mut self) -> BoxFuture<'_, Result<(), Failure>>;
    /// Stops it, in two stages.
    fn stop(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What a benchmark measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchOptions {
    /// Which benchmark, such as `pipeline`.
    pub name: String,
    /// How many leads, where not as many as is usual for it.
    pub leads: Option<usize>,
    /// How many in flight.
    pub concurrency: usize,
    /// How many leads in the large store; 0 leaves that part out.
    pub store: usize,
    /// Where the files go; a temporary folder when absent.
    pub folder: Option<PathBuf>,
}

/// Whether the owner's scripts can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCheck {
    /// The ids of the scripts that `onboarding.toml` names.
    pub scripts: Vec<String>,
    /// Why their sandbox does not work here, if it does not.
    pub sandbox: Result<(), String>,
}

/// Starts things.
pub trait Launcher: Send + Sync {
    /// Starts a server and returns once it accepts work.
    fn serve<'a>(
        &'a self,
        config: &'a Config,
        role: Role,
        options: ServeOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, Failure>>;

    /// Writes the agency folder's defaults where nothing stands yet, and names what it wrote.
    fn write_agency(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure>;

    /// What is wrong in the agency folder, a sentence each with the remedy.
    fn check_agency(&self, folder: &Path) -> Vec<String>;

    /// What keeps model voices from working that are enabled: the voice and a sentence with the remedy. Calls nobody.
    fn check_voices(&self, config: &Config) -> Vec<(String, String)>;

    /// The owner's scripts of the agency folder, and whether the sandbox they need works on this machine.
    fn check_scripts<'a>(&'a self, folder: &'a Path) -> BoxFuture<'a, ScriptCheck>;

    /// Reads a signal file as the drop box would, or says in a sentence what is wrong with it.
    fn read_signal(&self, file: &Path) -> Result<Value, String>;

    /// A signal as it stands in a file.
    fn signal_text(&self, signal: &Signal) -> String;

    /// Runs a benchmark: the figures as JSON and as a table for people.
    fn bench(&self, options: BenchOptions) -> BoxFuture<'_, Result<(Value, String), Failure>>;
}
