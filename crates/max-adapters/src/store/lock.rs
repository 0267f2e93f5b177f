//! One process per root: an advisory lock on `<root>/run/lock`.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Holds the root for this process until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct RootLock {
    // The lock belongs to the open file; closing it lets go.
    _file: File,
}

/// Why the root could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else works on this root.
    #[error(
        "another MAX ({}) works on {}; stop it, or choose another root with --root",
        .pid.map_or("process unknown".to_owned(), |pid| format!("process {pid}")), .root.display()
    )]
    Held {
        /// The root.
        root: PathBuf,
        /// The other process, if it wrote itself down.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {}: {source}; check the folder's permissions", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

impl RootLock {
    /// Takes the root, or says who has it. Never waits.
    pub fn acquire(root: &Path) -> Result<Self, LockError> {
        let run = root.join("run");
        let path = run.join("lock");
        let io = |source| LockError::Io { path: path.clone(), source };
        std::fs::create_dir_all(&run).map_err(io)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LockError::Held { root: root.to_owned(), pid: written_pid(&mut file) });
            }
            Err(errno) => return Err(io(errno.into())),
        }
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

/// The process that holder wrote into the file. Nothing when it has not come to that yet.
fn written_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_told_who_has_it() {
        let root = tempfile::tempdir().expect("a folder");
        let first = RootLock::acquire(root.path()).expect("the first takes it");
        let refused = RootLock::acquire(root.path()).expect_err("the second is refused");
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        RootLock::acquire(root.path()).expect("free again");
    }
}
