//! Secrets: random ones, how a token is written, and the one that lies in `<root>/run/token`.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
            // Another process of the same root may have been first: its token counts.
            match crate::secret::create(path, &token).map_err(|e| failed("made", e))? {
                true => Ok((token, true)),
                false => local_token(path),
            }
        }
        Err(error) => Err(failed("read", error)),
    }
}

fn unavailable(what: String) -> Error {
    Error::Store(StoreError::Unavailable(what))
}
