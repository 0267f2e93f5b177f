//! Small things about files that several adapters need: durable placing, private files, errors as advice.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use max_engine::fail;
use max_engine::ports::StoreError;
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

/// The store's word for a failed file operation; `verb` fits "cannot … this path".
pub(crate) fn store_error(verb: &str, path: &Path, error: &io::Error) -> StoreError {
    let text = format!("cannot {verb} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(text),
        _ => StoreError::Unavailable(text),
    }
}

/// A failpoint among file operations: what it says, as the operating system would have said it.
pub(crate) fn point(name: &'static str) -> io::Result<()> {
    fail::point(name).map_err(|error| match error {
        StoreError::Full(text) => io::Error::new(io::ErrorKind::StorageFull, text),
        StoreError::ReadOnly(text) => io::Error::new(io::ErrorKind::ReadOnlyFilesystem, text),
        other => io::Error::other(other),
    })
}

/// Makes an empty file that only its owner reads, unless there is one.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// A hidden name beside `path`, for what is not finished yet.
pub(crate) fn sibling(path: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

/// Gives a finished file its name, durably: its content first, then the name.
pub(crate) fn place(temporary: &Path, to: &Path) -> io::Result<()> {
    File::open(temporary)?.sync_data()?;
    std::fs::rename(temporary, to)?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// A file that is written under a hidden name and gets its own when it is whole: a reader sees all of it or nothing.
/// Only its owner reads it. Dropped before it has a name, it is gone.
pub(crate) struct Hidden(tempfile::NamedTempFile);

impl Hidden {
    /// Writes it into the folder it is to stand in.
    pub(crate) fn write(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
        file.write_all(bytes)?;
        Ok(Self(file))
    }

    /// The same, and what it holds is durable.
    pub(crate) fn write_durably(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        let hidden = Self::write(folder, bytes)?;
        hidden.0.as_file().sync_all()?;
        Ok(hidden)
    }

    /// Gives it its name; false when there is a file of this name, which stays as it is.
    pub(crate) fn name(self, path: &Path) -> io::Result<bool> {
        match self.0.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    }

    /// Gives it its name, in the place of whatever has it.
    pub(crate) fn replace(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map(drop).map_err(|error| error.error)
    }
}

/// An open folder. What is done by name inside it never follows a symlink, so nobody who can write there makes us
/// write elsewhere.
#[derive(Debug)]
pub(crate) struct Dir(OwnedFd);

impl Dir {
    /// Opens a folder by its path, which is trusted.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self(fs::open(path, flags, Mode::empty())?))
    }

    /// Goes into a folder, making it where there is none; whether it was made.
    pub(crate) fn enter(&self, name: &str) -> io::Result<(Self, bool)> {
        match self.inside(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make(name)?;
                Ok((self.inside(name)?, true))
            }
            inside => Ok((inside?, false)),
        }
    }

    /// Goes into a folder that exists.
    pub(crate) fn inside(&self, name: &str) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(Self(fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Makes a folder, unless there is one.
    pub(crate) fn make(&self, name: &str) -> io::Result<()> {
        match fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// How long the file is; nothing when there is no regular file of this name.
    pub(crate) fn length(&self, name: &str) -> io::Result<Option<u64>> {
        match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::RegularFile => {
                Ok(u64::try_from(stat.st_size).ok())
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// What a file holds; nothing when there is no regular file of this name.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if self.length(name)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut bytes = Vec::new();
        File::from(fs::openat(&self.0, name, flags, Mode::empty())?).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes a file so that a reader sees the old one or the new one, never a part. Not synced.
    ///
    /// Replacing a file frees an inode, and ext4 steps over each inode freed in the last minutes whenever it makes a
    /// new one: ten thousand replacements in a row end at a millisecond each. So callers coalesce. Exchanging names
    /// or allocating blocks first was measured too and does not change that.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_hidden(name, bytes, |_| point("folders.written"))?;
        point("folders.named")
    }

    /// The same, and durable when it returns.
    pub(crate) fn write_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_hidden(name, bytes, |file| {
            file.sync_data()?;
            point("artifacts.written")
        })?;
        point("artifacts.named")?;
        self.sync()
    }

    fn write_hidden(&self, name: &str, bytes: &[u8], finish: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
        let hidden = format!(".{name}.tmp");
        let written = self.create(&hidden).and_then(|mut file| {
            file.write_all(bytes)?;
            finish(&file)
        });
        let named = written.and_then(|()| self.rename(&hidden, self, name));
        if named.is_err() {
            // A full disk should not also keep the unfinished part.
            let _ = fs::unlinkat(&self.0, &*hidden, AtFlags::empty());
        }
        named
    }

    fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o666));
        let file = match create() {
            // Left behind by a process that died here.
            Err(Errno::EXIST) => {
                fs::unlinkat(&self.0, name, AtFlags::empty())?;
                create()?
            }
            file => file?,
        };
        Ok(File::from(file))
    }

    /// Moves a file into another folder.
    pub(crate) fn rename(&self, name: &str, to: &Dir, new_name: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.0, name, &to.0, new_name)?)
    }

    /// Makes the names in the folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.0)?)
    }

    /// Makes everything on the folder's file system durable.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        Ok(fs::syncfs(&self.0)?)
    }
}
