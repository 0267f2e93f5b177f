//! A copy of a root, taken while everything runs, that is a root itself: put in its place and started, it goes on.
//!
//! What the log knows must be in the copy, so the order matters. Signals that wait come first: one that is taken in a
//! moment later is then in both, and its id makes the second time harmless. The log comes next, as it is at one
//! moment. Artifacts never change and are durable before the log names them, so that copying them afterwards finds
//! all of them. The outbox comes last: it holds every mail that the copied log believes sent. A mail that leaves
//! after that is unsent in the copy and leaves once more, under the same Message-ID, when the copy is started. What was
//! decided after the moment of the log is decided again, so that its mails (some may lie in the copied outbox, unknown to
//! the copied log) are written anew, under other ids.
//!
//! Readable copies are not taken along; the copy's first start writes them. Secrets in `run/` are not either: a new
//! local token and a new key for signed approvals are made. The one exception is the key of the suppression list, without
//! which the list in the copy would protect nobody.
//!
//! The list of erasures (`erasures.txt`) goes along, too; a copy of it that is kept apart from the backups and put into
//! a restored one makes its first start erase whoever was erased since.

use std::io;
use std::path::{Path, PathBuf};

use max_engine::director::Director;
use max_engine::error::Error;

/// The key of the suppression list, below the root.
pub const SUPPRESSION_KEY: &str = "run/suppression.key";
/// The list of erasures, below the root.
const ERASURES: &str = "erasures.txt";

/// What a backup takes along.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The root.
    pub root: PathBuf,
    /// The agency's own files, which may lie elsewhere.
    pub agency: PathBuf,
    /// The settings, where there is a file.
    pub config: Option<PathBuf>,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] Error),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] io::Error),
}

impl Backup {
    /// Writes the copy; it appears under its name when it is whole and durable. Its size in bytes.
    ///
    /// # Errors
    /// When something cannot be read or written; then there is nothing under `to`.
    pub async fn take(self, director: &Director, to: &Path) -> Result<u64, BackupError> {
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|error| BackupError::File(parent.into(), error))?;
        // Removed with all that is in it, unless it gets its name.
        let part = tempfile::Builder::new().prefix(".").suffix(".part").tempdir_in(parent);
        let part = part.map_err(|error| BackupError::File(parent.into(), error))?;
        let new = part.path().to_owned();
        let (this, folder) = (self.clone(), new.clone());
        let signals = blocking(move || this.signals(&folder)).await?;
        director.backup(&new.join("max.db")).await?;
        let log = std::fs::metadata(new.join("max.db")).map_or(0, |m| m.len());
        let (folder, name) = (new.clone(), to.to_owned());
        let rest = blocking(move || {
            let copied = self.rest(&folder)?;
            let sync = || std::fs::File::open(&folder).and_then(|f| rustix::fs::syncfs(f).map_err(io::Error::from));
            sync().map_err(|error| BackupError::File(folder.clone(), error))?;
            if name.exists() {
                return Err(BackupError::File(name, io::ErrorKind::AlreadyExists.into()));
            }
            std::fs::rename(&folder, &name).map_err(|error| BackupError::File(name.clone(), error))?;
            Ok(copied)
        });
        Ok(signals + log + rest.await?)
    }

    /// What lies in the drop box and was not taken in yet.
    fn signals(&self, to: &Path) -> Result<u64, BackupError> {
        let (from, to) = (self.root.join("signals"), to.join("signals"));
        Ok(copy_files(&from, &to)? + copy_files(&from.join(".processing"), &to.join(".processing"))?)
    }

    fn rest(&self, to: &Path) -> Result<u64, BackupError> {
        let mut bytes = 0;
        for lead in entries(&self.root.join("max-pipeline"))? {
            let objects = Path::new("max-pipeline").join(lead.file_name()).join(".objects");
            bytes += copy_files(&self.root.join(&objects), &to.join(&objects))?;
        }
        for own in [SUPPRESSION_KEY, ERASURES] {
            bytes += copy(&self.root.join(own), &to.join(own))?;
        }
        bytes += copy_files(&self.root.join("outbox"), &to.join("outbox"))?;
        bytes += copy_tree(&self.agency, &to.join("agency"))?;
        if let Some(config) = &self.config {
            bytes += copy(config, &to.join(crate::config::FILE_NAME))?;
        }
        Ok(bytes)
    }
}

/// The files of a folder, without those below it and without unfinished ones (their names begin with a dot).
fn copy_files(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let mut bytes = 0;
    for entry in entries(from)? {
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if file && !entry.file_name().to_string_lossy().starts_with('.') {
            bytes += copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(bytes)
}

/// The owner's own files; links are followed, because the owner made them.
fn copy_tree(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let mut bytes = 0;
    for entry in entries(from)? {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        bytes += if path.is_dir() { copy_tree(&path, &target)? } else { copy(&path, &target)? };
    }
    Ok(bytes)
}

/// What is gone again by now (a mail of a cleaned outbox, a signal that was just taken in) is nothing to copy.
fn copy(from: &Path, to: &Path) -> Result<u64, BackupError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| BackupError::File(folder.into(), error))?;
    }
    match std::fs::copy(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => Ok(0),
        copied => copied.map_err(|error| BackupError::File(from.into(), error)),
    }
}

fn entries(folder: &Path) -> Result<Vec<std::fs::DirEntry>, BackupError> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => {
            let all = entries.and_then(Iterator::collect);
            all.map_err(|error| BackupError::File(folder.into(), error))
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(BackupError::File("the copy".into(), io::Error::other(error))),
    }
}
