//! The folders of the drop box and the moves between them. Every move is one rename that never overwrites.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use crate::files::{Hidden, point, sync_folder};
use crate::signals::yaml::RejectReason;

/// How many suffixes are tried for a name that is taken.
const MOST_SUFFIXES: u32 = 10_000;

/// The drop box and its three hidden folders.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub folder: PathBuf,
    pub instance: String,
}

/// An instance's name as it stands behind a claimed file's: without dots, which would make it hard to tell where the
/// file's own name ends.
pub(super) fn plain_instance(instance: &str) -> String {
    let plain: String = instance.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).take(40).collect();
    if plain.is_empty() { "max".into() } else { plain }
}

/// A claimed file.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// Where it lies now.
    pub path: PathBuf,
    /// Its name in the drop box.
    pub name: OsString,
}

impl Shelf {
    pub(super) fn open(folder: PathBuf, instance: &str) -> io::Result<Self> {
        let shelf = Self { folder, instance: plain_instance(instance) };
        shelf.make_folders()?;
        Ok(shelf)
    }

    pub(super) fn make_folders(&self) -> io::Result<()> {
        [".processing", ".processed", ".rejected"]
            .iter()
            .try_for_each(|sub| std::fs::create_dir_all(self.folder.join(sub)))
    }

    pub(super) fn path(&self, name: &OsStr) -> PathBuf {
        self.folder.join(name)
    }

    fn processing(&self) -> PathBuf {
        self.folder.join(".processing")
    }

    /// The names in the drop box, oldest first for names that begin with a time; true for folders.
    pub(super) fn names(&self) -> io::Result<Vec<(OsString, bool)>> {
        let mut names: Vec<_> = std::fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .map(|entry| (entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir())))
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    fn claimed_path(&self, name: &OsStr) -> PathBuf {
        let mut claimed = name.to_owned();
        claimed.push(".");
        claimed.push(&self.instance);
        self.processing().join(claimed)
    }

    /// The file of this name that this instance holds already.
    pub(super) fn held(&self, name: &OsStr) -> Option<Claim> {
        let path = self.claimed_path(name);
        path.symlink_metadata().is_ok().then(|| Claim { path, name: name.to_owned() })
    }

    /// Takes a file for this instance. Nothing when another was faster.
    pub(super) fn claim(&self, name: &OsStr) -> io::Result<Option<Claim>> {
        let path = self.claimed_path(name);
        point("dropbox.claim")?;
        match rename(&self.path(name), &path) {
            Ok(()) => Ok(Some(Claim { path, name: name.to_owned() })),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Claims and the instances that hold them.
    pub(super) fn claims(&self) -> io::Result<Vec<(Claim, String)>> {
        let claim = |entry: std::fs::DirEntry| {
            let file = entry.file_name().into_vec();
            let dot = file.iter().rposition(|byte| *byte == b'.')?;
            let instance = String::from_utf8_lossy(&file[dot + 1..]).into_owned();
            Some((Claim { path: entry.path(), name: OsString::from_vec(file[..dot].to_vec()) }, instance))
        };
        Ok(std::fs::read_dir(self.processing())?.filter_map(Result::ok).filter_map(claim).collect())
    }

    /// Puts a claimed file back under its own name, because its id may be derived from it. When the name is taken by
    /// now, this instance holds it and takes it first. False when neither is possible yet.
    pub(super) fn give_back(&self, claim: &Claim) -> io::Result<bool> {
        for target in [self.path(&claim.name), self.claimed_path(&claim.name)] {
            if target == claim.path {
                return Ok(true);
            }
            match rename(&claim.path, &target) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Moves a claimed file to `.processed/<day>/`, its content durable before.
    pub(super) fn accept(&self, claim: &Claim, day: &str) -> io::Result<PathBuf> {
        point("dropbox.accept")?;
        let folder = self.folder.join(".processed").join(day);
        std::fs::create_dir_all(&folder)?;
        File::open(&claim.path)?.sync_all()?;
        let target = move_aside(&claim.path, &folder, &claim.name)?;
        point("dropbox.accepted")?;
        sync_folder(&folder)?;
        Ok(target)
    }

    /// Moves whatever lies at `path` to `.rejected/`, and writes beside it why.
    ///
    /// The reason comes first: a crash in between leaves a reason too many, never a file without one.
    pub(super) fn reject(&self, path: &Path, name: &OsStr, reason: &RejectReason) -> io::Result<PathBuf> {
        point("dropbox.reject")?;
        let folder = self.folder.join(".rejected");
        let name = shorten(name);
        for number in 1..MOST_SUFFIXES {
            let target = folder.join(suffixed(&name, number));
            if target.symlink_metadata().is_ok() {
                continue;
            }
            // Writing the reason also takes the name: nobody else gets as far.
            let written = match write_reason(&folder, &target, reason) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                written => written?,
            };
            let moved = point("dropbox.reason").and_then(|()| rename(path, &target));
            if moved.is_err() {
                // A reason for nothing would only mislead.
                let _ = std::fs::remove_file(written);
            }
            match moved {
                Ok(()) => return sync_folder(&folder).map(|()| target),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("`.rejected/` holds too many files of this name; move them away"))
    }
}

/// Moves a file into a folder under its name, with `-2`, `-3` … before the ending when the name is taken.
fn move_aside(from: &Path, folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for number in 1..MOST_SUFFIXES {
        let target = folder.join(suffixed(name, number));
        match rename(from, &target) {
            Ok(()) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the folder holds too many files of this name; move them away"))
}

fn suffixed(name: &OsStr, number: u32) -> OsString {
    if number == 1 {
        return name.to_owned();
    }
    let path = Path::new(name);
    let mut suffixed = path.file_stem().unwrap_or(name).to_owned();
    suffixed.push(format!("-{number}"));
    if let Some(ending) = path.extension() {
        suffixed.push(".");
        suffixed.push(ending);
    }
    suffixed
}

/// A name that leaves room for `.reason.txt`.
fn shorten(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    if bytes.len() <= 200 {
        return name.to_owned();
    }
    OsString::from_vec(bytes[..200].to_vec())
}

fn write_reason(folder: &Path, target: &Path, reason: &RejectReason) -> io::Result<PathBuf> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".reason.txt");
    let path = folder.join(name);
    match Hidden::write_durably(folder, format!("{reason}\n").as_bytes())?.name(&path)? {
        true => Ok(path),
        false => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Renames without overwriting, where the file system can promise it.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        result => Ok(result?),
    }
}
