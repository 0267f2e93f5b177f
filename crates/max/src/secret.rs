//! Files that hold a secret of the root: made once, whole or not at all, and readable by nobody else.

use std::io::{self, Write as _};
use std::path::Path;

use max_engine::fail;

/// Writes a new file with mode 600, durably. False when there is one already, whose content then counts.
///
/// It gets its name only when it is whole: a start that dies here must not leave an empty secret behind, which would
/// keep every later start from coming up.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn create(path: &Path, text: &str) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Temporary files are made with mode 600.
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    fail::point("secret.written").map_err(io::Error::other)?;
    let new = match file.persist_noclobber(path) {
        Ok(_) => true,
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error.error),
    };
    fail::point("secret.named").map_err(io::Error::other)?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(new)
}

/// Reads a key in hexadecimal digits from a file of its own, making it on the first start.
///
/// # Errors
/// When the file cannot be read or made, or does not hold a key.
pub(crate) fn key(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let bytes = hex::decode(text.trim()).map_err(io::Error::other)?;
            if bytes.len() < 32 {
                return Err(io::Error::other(format!("{} is too short; delete it and start again", path.display())));
            }
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let fresh = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
            let bytes: Vec<u8> = fresh.iter().flat_map(|u| *u.as_bytes()).collect();
            // Another process of the same root may have been first: its key counts.
            if create(path, &hex::encode(&bytes))? { Ok(bytes) } else { key(path) }
        }
        Err(error) => Err(error),
    }
}
