//! Where the server is, and what to authenticate with.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Client, ClientError};

/// What a running server leaves in `<root>/run/max.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// Its process.
    pub pid: u32,
    /// Where it listens, `host:port`.
    pub address: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
}

/// The server that says it runs on this root.
pub fn running_server(run: &Path) -> Option<Found> {
    let text = std::fs::read_to_string(run.join("max.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// Where the local admin token lies.
pub fn token_file(run: &Path) -> PathBuf {
    run.join("token")
}

impl Client {
    /// The client of the named server, else of the one that runs on this root.
    ///
    /// # Errors
    /// When no server is named and none runs here.
    pub fn find(server: Option<&str>, token: Option<String>, run: &Path) -> Result<Self, ClientError> {
        let local = || std::fs::read_to_string(token_file(run)).ok().map(|text| text.trim().to_owned());
        let token = token.or_else(local).filter(|token| !token.is_empty());
        let base = match (server, running_server(run)) {
            (Some(server), _) if server.contains("://") => server.to_owned(),
            (Some(server), _) => format!("http://{server}"),
            (None, Some(found)) => format!("http://{}", found.address.trim_start_matches("http://")),
            (None, None) => return Err(ClientError::NoServer { run: run.to_owned() }),
        };
        Self::new(&base, token)
    }
}
