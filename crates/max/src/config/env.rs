//! Every environment variable that MAX reads, with what it is for. Nothing else reads the environment for settings.

use std::path::PathBuf;

/// The folder that holds everything (`--root`).
pub const ROOT: &str = "MAX_ROOT";
/// The configuration file (`--config`).
pub const CONFIG: &str = "MAX_CONFIG";
/// The address a server listens on (`--listen`).
pub const LISTEN: &str = "MAX_LISTEN";
/// The server that commands talk to (`--server`).
pub const SERVER: &str = "MAX_SERVER";
/// The token that commands authenticate with.
pub const TOKEN: &str = "MAX_TOKEN";
/// What the log on stderr shows.
pub const LOG: &str = "MAX_LOG";
/// Colour off, whatever the terminal can do (no-color.org).
pub const NO_COLOR: &str = "NO_COLOR";

/// The variables with what they do, for `max help environment`.
pub const ALL: [(&str, &str); 7] = [
    (ROOT, "the folder that holds everything; as --root (default ./AI_Agents)"),
    (CONFIG, "the configuration file; as --config (default max.toml in the root, else beside it)"),
    (LISTEN, "the address a server listens on; as --listen (default 127.0.0.1:8420)"),
    (SERVER, "the server that commands talk to; as --server (default: the one running on this root)"),
    (TOKEN, "the token that commands authenticate with (default: <root>/run/token)"),
    (LOG, "what the server's log shows, such as `info` or `max_engine=debug`"),
    (NO_COLOR, "any value turns colour off; as --no-color"),
];

/// The value of a variable; an empty one counts as not set.
pub fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that holds a path.
pub fn path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
