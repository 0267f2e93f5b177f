//! The key to a service: held, sent, never shown.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use reqwest::header::HeaderValue;

/// A key. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl ApiKey {
    /// A key of visible ASCII characters; spaces and line ends around it do not count.
    ///
    /// # Errors
    /// A sentence that does not repeat it.
    pub fn new(text: &str) -> Result<Self, String> {
        let key = text.trim();
        if key.is_empty() {
            return Err("the key is empty".into());
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("the key holds a character that no key has; is it the right file or variable?".into());
        }
        Ok(Self(key.to_owned()))
    }

    /// The key in a file that nobody but its owner can read.
    ///
    /// # Errors
    /// A sentence on what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let show = path.display();
        let look =
            || -> io::Result<(u32, String)> { Ok((std::fs::metadata(path)?.mode(), std::fs::read_to_string(path)?)) };
        let (mode, text) = look().map_err(|error| format!("{show} cannot be read: {error}"))?;
        if mode & 0o077 != 0 {
            return Err(format!("{show} can be read by others; run `chmod 600 {show}`"));
        }
        Self::new(&text).map_err(|error| format!("{show}: {error}"))
    }

    /// As the value of a header that is never shown, behind `scheme`.
    pub(super) fn header(&self, scheme: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new(" sk-secret-1\n").expect("a key");
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        let header = key.header("Bearer ").expect("a header");
        assert_eq!(header.as_bytes(), b"Bearer sk-secret-1");
        assert!(!format!("{header:?}").contains("secret"));
        let wrong = ApiKey::new("sk secret").expect_err("a space");
        assert!(!wrong.contains("secret"), "{wrong}");
    }

    #[test]
    fn a_key_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key");
        std::fs::write(&file, "sk-secret-1\n").expect("written");
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o644, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            let read = ApiKey::read(&file);
            assert_eq!(read.is_ok(), good, "{mode:o}: {read:?}");
        }
        let absent = ApiKey::read(&folder.path().join("none")).expect_err("absent");
        assert!(absent.contains("cannot be read"), "{absent}");
    }
}
