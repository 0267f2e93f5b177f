//! Looking at what lies in the drop box, without trusting it.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use max_core::id::{Digest, SignalId};
use max_core::lead::MessageKind;
use max_core::signal::{Signal, SignalType, derived_id};
use rustix::fs::{Mode, OFlags};

use super::Inbound;
use crate::mail::parse::{self as mail, InboundMail};
use crate::signals::yaml::{self, FileKind, RejectReason};

/// The longest file name that still leaves room for an instance or a suffix behind it.
const MAX_NAME: usize = 180;

/// What lies there.
#[derive(Debug)]
pub(super) enum Found {
    /// A signal.
    Signal(Box<Inbound>),
    /// Nothing to take in, and the reason does not change with time: a folder, a symlink, a pipe.
    Never(RejectReason),
    /// Nothing to take in as it is now; a writer may not be done.
    NotYet(RejectReason),
    /// Nothing: somebody was faster.
    Gone,
}

/// How a file looked, to tell whether it was touched since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    bytes: u64,
    inode: u64,
    modified: Option<SystemTime>,
}

impl Shape {
    /// The shape of the entry itself, not of what a symlink points to.
    pub(super) fn of(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok().map(|meta| Self::new(&meta))
    }

    fn new(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { bytes: meta.len(), inode: meta.ino(), modified: meta.modified().ok() }
    }

    /// True when its last change is at least `settle` ago by the machine's clock, which also dates files. A clock
    /// that jumps only costs time: the desk watches the shape with a clock that does not.
    pub(super) fn is_old(&self, settle: Duration) -> bool {
        self.modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age >= settle)
    }
}

/// True for what the drop box leaves alone: hidden names and the Eidolons' inboxes.
pub(super) fn is_ours(name: &OsStr, folder: bool) -> bool {
    let bytes = name.as_bytes();
    bytes.starts_with(b".") || (folder && bytes.ends_with(b"_inbox"))
}

/// Looks at `path`, whose name in the drop box is or was `name`.
pub(super) fn look(path: &Path, name: &OsStr) -> io::Result<Found> {
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Gone),
        Err(error) => return Err(error),
    };
    if let Some(reason) = wrong_kind(&meta) {
        return Ok(Found::Never(reason));
    }
    if name.len() > MAX_NAME {
        return Ok(Found::Never(reason(format!(
            "the file name holds {} bytes, but {MAX_NAME} is the most; shorten it",
            name.len()
        ))));
    }
    let Some(kind) = Kind::of(name) else {
        return Ok(Found::NotYet(reason(
            "the drop box takes files that end in .yaml, .yml, .md or .eml; rename the file".into(),
        )));
    };
    let bytes = match read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Found::NotYet(RejectReason::too_large(meta.len()))),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => return Ok(Found::Gone),
            io::ErrorKind::PermissionDenied => {
                return Ok(Found::NotYet(reason("the file may not be read; give MAX the permission to".into())));
            }
            _ => return Err(error),
        },
    };
    Ok(match understand(&bytes, kind, name) {
        Ok(inbound) => Found::Signal(Box::new(inbound)),
        Err(reason) => Found::NotYet(reason),
    })
}

fn reason(sentence: String) -> RejectReason {
    RejectReason(sentence)
}

fn wrong_kind(meta: &Metadata) -> Option<RejectReason> {
    let kind = meta.file_type();
    let sentence = if kind.is_file() {
        return None;
    } else if kind.is_dir() {
        "a folder is no signal; put the signal files themselves into the drop box"
    } else if kind.is_symlink() {
        "a symbolic link is not followed; copy the file itself into the drop box"
    } else {
        "only ordinary files are signals; this is a pipe, socket or device"
    };
    Some(reason(sentence.into()))
}

/// Reads the whole file, or nothing when it is too large. Never follows a link and never waits for a writer, also
/// when the entry was exchanged since it was looked at.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it was exchanged while it was looked at"));
    }
    let mut bytes = Vec::new();
    file.take(yaml::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= yaml::MAX_BYTES).then_some(bytes))
}

/// What a file holds, by its ending.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Signal(FileKind),
    Mail,
}

impl Kind {
    pub(super) fn of(name: &OsStr) -> Option<Self> {
        let ending = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "yaml" | "yml" => Some(Self::Signal(FileKind::Yaml)),
            "md" => Some(Self::Signal(FileKind::Markdown)),
            "eml" => Some(Self::Mail),
            _ => None,
        }
    }
}

fn understand(bytes: &[u8], kind: Kind, name: &OsStr) -> Result<Inbound, RejectReason> {
    let file_name = name.to_string_lossy().into_owned();
    let raw_digest = Digest::of(bytes);
    let (mut signal, mail) = match kind {
        Kind::Signal(kind) => (yaml::parse(bytes, kind)?, None),
        Kind::Mail => {
            let mail = mail::parse(bytes).map_err(|error| RejectReason(error.to_string()))?;
            (signal_of(&mail, bytes), Some(Box::new(mail)))
        }
    };
    signal.id.get_or_insert_with(|| derived_id(&file_name, bytes));
    Ok(Inbound { signal, mail, file_name, raw_digest })
}

/// A mail as a signal. The same mail under another name is the same signal.
fn signal_of(mail: &InboundMail, bytes: &[u8]) -> Signal {
    let mut signal = Signal::new(SignalType::ClientMessage, &mail.from_address, "Director");
    signal.id = Some(mail_id(bytes));
    signal.at = mail.date;
    signal.summary = Some(mail.subject.clone());
    let kind = match mail.kind {
        MessageKind::OutOfOffice => "out_of_office",
        MessageKind::Bounce => "bounce",
        MessageKind::OptOut => "opt_out",
        _ => "reply",
    };
    let fields = [
        ("kind", Some(kind.to_owned())),
        ("address", Some(mail.from_address.clone())),
        ("name", mail.from_name.clone()),
        ("subject", Some(mail.subject.clone())),
        ("body", Some(mail.text.clone())),
        ("message_id", mail.message_id.clone()),
        ("in_reply_to", mail.in_reply_to.clone()),
    ];
    signal.extra.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    signal.extra.insert("automatic".into(), mail.automatic.into());
    signal
}

fn mail_id(bytes: &[u8]) -> SignalId {
    derived_id("mail", bytes)
}
