//! Secrets: random ones, how a token is written, and the one that lies in `<root>/run/token`.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use max_engine::error::Error;
use max_engine::ports::StoreError;

/// The public id of the local admin's token.
pub const LOCAL: &str = "local";

/// The id and the secret of a token `max_<id>_<secret>`.
pub fn split(token: &str) -> Option<(&str, &str)> {
    let (id, secret) = token.strip_prefix("max_")?.split_once('_')?;
    (!id.is_empty() && !secret.is_empty()).then_some((id, secret))
}

/// Random bytes of the system.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| unavailable(format!("the system gives no random numbers: {e}")))?;
    Ok(bytes)
}

/// The local admin token: what the file says, or a new one in a new file that only its owner can read.
pub fn local_token(path: &Path) -> Result<(String, bool), Error> {
    let failed = |what: &str, e: std::io::Error| unavailable(format!("{} cannot be {what}: {e}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let mode = std::fs::metadata(path).map_err(|e| failed("read", e))?.permissions().mode();
            if mode & 0o077 != 0 {
                std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|e| failed("protected", e))?;
            }
            Ok((text.trim().to_owned(), false))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = format!("max_{LOCAL}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
            match place(path, &token) {
                Ok(()) => Ok((token, true)),
                // Another process of the same root was first: its token counts.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => local_token(path),
                Err(e) => Err(failed("made", e)),
            }
        }
        Err(error) => Err(failed("read", error)),
    }
}

/// Writes the file beside its place and links it there, so that nobody ever reads half of it.
fn place(path: &Path, token: &str) -> std::io::Result<()> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let draft = folder.join(format!(".token.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let placed =
        writeln!(file, "{token}").and_then(|()| file.sync_all()).and_then(|()| std::fs::hard_link(&draft, path));
    // What is left over harms nobody; it is readable by its owner only.
    drop(std::fs::remove_file(&draft));
    placed
}

fn unavailable(what: String) -> Error {
    Error::Store(StoreError::Unavailable(what))
}
