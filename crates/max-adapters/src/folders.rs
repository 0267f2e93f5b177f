//! The readable side: `state.json`, stage folders with copies of the artifacts, summaries, inbox copies.
//!
//! All of it is a projection: written atomically, synced from time to time, rebuilt from the log when in doubt.
//! A lead that is written once after ten changes costs a tenth: whoever drives this waits a moment for more.

mod erase;
mod place;
mod summary;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use max_core::id::{LeadId, SignalId, TaskId};
use max_core::lead::{ClientState, Lead};
use max_core::signal::{Signal, file_name};
use max_core::stage::Eidolon;
use max_engine::ports::{ArtifactStore, Folders, StoreError, Traces};
use parking_lot::Mutex;

use self::place::Placed;
use crate::files::{self, Dir};

/// How far the thread that writes readable copies steps back (0 is usual, 19 is furthest). They may be a second late; an
/// answer may not.
const BACKGROUND: i32 = 10;
/// How many leads a shard remembers. What is forgotten is only looked up on disk again.
const REMEMBERED: usize = 512;

/// The folders below one root.
pub struct FileFolders {
    root: PathBuf,
    pipeline: Dir,
    inboxes: [Inbox; Eidolon::ALL.len()],
    announced: Dated,
    render: fn(&Signal) -> String,
    // A lead is in one shard, so it is written by one thread at a time.
    shards: [Mutex<Shard>; 16],
}

#[derive(Default)]
struct Shard {
    placed: HashMap<LeadId, Placed>,
    buffer: Vec<u8>,
}

impl FileFolders {
    /// The folders below `root`; `render` is how a signal is written.
    pub fn new(root: &Path, render: fn(&Signal) -> String) -> Result<Self, StoreError> {
        let open = |path: PathBuf| -> Result<Dir, StoreError> {
            std::fs::create_dir_all(&path)
                .and_then(|()| Dir::open(&path))
                .map_err(|e| files::store_error("open", &path, &e))
        };
        let signals = root.join("signals");
        let inbox = |eidolon: Eidolon| -> Result<Inbox, StoreError> {
            let path = signals.join(eidolon.inbox());
            Ok(Inbox { dir: open(path.clone())?, processed: Dated::new(open(path.join(".processed"))?) })
        };
        let [a, b, c, d, e, f, g, h, i] = Eidolon::ALL.map(inbox);
        Ok(Self {
            root: root.to_owned(),
            pipeline: open(root.join("max-pipeline"))?,
            inboxes: [a?, b?, c?, d?, e?, f?, g?, h?, i?],
            announced: Dated::new(open(signals.join(".announced"))?),
            render,
            shards: Default::default(),
        })
    }

    fn shard(&self, lead: LeadId) -> &Mutex<Shard> {
        // The last byte of a UUID of version 7 is random.
        let [.., last] = *lead.0.as_bytes();
        &self.shards[usize::from(last) % self.shards.len()]
    }

    fn inbox(&self, eidolon: Eidolon) -> &Inbox {
        &self.inboxes[eidolon as usize]
    }

    fn lead_error(&self, lead: LeadId, error: &std::io::Error) -> StoreError {
        files::store_error("write", &self.root.join("max-pipeline").join(lead.to_string()), error)
    }

    fn inbox_error(&self, eidolon: Eidolon, error: &std::io::Error) -> StoreError {
        files::store_error("write", &self.root.join("signals").join(eidolon.inbox()), error)
    }
}

impl Folders for FileFolders {
    fn write_lead(&self, lead: &Lead, artifacts: &dyn ArtifactStore) -> Result<(), StoreError> {
        let mut shard = self.shard(lead.id).lock();
        let Shard { placed, buffer } = &mut *shard;
        if placed.len() >= REMEMBERED && !placed.contains_key(&lead.id) {
            placed.clear();
        }
        let placed = placed.entry(lead.id).or_default();
        buffer.clear();
        serde_json::to_writer_pretty(&mut *buffer, &ClientState::from(lead))
            .map_err(|e| StoreError::Unavailable(format!("state.json of {}: {e}", lead.id)))?;
        buffer.push(b'\n');
        let write = || {
            let (folder, _) = self.pipeline.enter(&lead.id.to_string())?;
            placed.stages(&folder, lead)?;
            folder.write("state.json", buffer)?;
            Ok((folder, placed))
        };
        let (folder, placed) = write().map_err(|e| self.lead_error(lead.id, &e))?;
        placed.summaries(&folder, lead).map_err(|e| self.lead_error(lead.id, &e))?;
        placed.artifacts(&folder, lead, artifacts, |e| self.lead_error(lead.id, &e))
    }

    fn write_delivery(&self, to: Eidolon, signal: &Signal) -> Result<(), StoreError> {
        let text = (self.render)(signal);
        self.inbox(to).dir.write(&name_of(signal), text.as_bytes()).map_err(|e| self.inbox_error(to, &e))
    }

    fn retire_delivery(&self, to: Eidolon, signal: &Signal) -> Result<(), StoreError> {
        let inbox = self.inbox(to);
        let name = name_of(signal);
        let moved = inbox.processed.with(date_of(signal), |processed| inbox.dir.rename(&name, processed, &name));
        match moved {
            // It was never written, or whoever worked on it has moved it already.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            moved => moved.map_err(|e| self.inbox_error(to, &e)),
        }
    }

    fn reconcile_deliveries(&self, open: &HashSet<TaskId>) -> Result<(), StoreError> {
        Eidolon::ALL.into_iter().try_for_each(|eidolon| {
            let path = self.root.join("signals").join(eidolon.inbox());
            put_away_old(self.inbox(eidolon), &path, open).map_err(|e| self.inbox_error(eidolon, &e))
        })
    }

    fn announce(&self, signal: &Signal) -> Result<(), StoreError> {
        let text = (self.render)(signal);
        self.announced
            .with(date_of(signal), |folder| folder.write(&name_of(signal), text.as_bytes()))
            .map_err(|e| files::store_error("write", &self.root.join("signals/.announced"), &e))
    }

    fn erase(&self, lead: LeadId, traces: &Traces) -> Result<(), StoreError> {
        // Nobody writes into the folder meanwhile, and what was placed there is forgotten with it.
        let mut shard = self.shard(lead).lock();
        shard.placed.remove(&lead);
        erase::erase(&self.root, lead, traces).map_err(|e| self.lead_error(lead, &e))
    }

    fn erasure_list(&self) -> Result<Vec<(LeadId, Timestamp)>, StoreError> {
        erase::list(&self.root).map_err(|e| files::store_error("read", &self.root.join(erase::LIST), &e))
    }

    fn note_erasure(&self, lead: LeadId, at: Timestamp) -> Result<(), StoreError> {
        erase::note(&self.root, lead, at).map_err(|e| files::store_error("write", &self.root.join(erase::LIST), &e))
    }

    fn in_background(&self) {
        // Without a process id the kernel takes the calling thread.
        if let Err(error) = rustix::process::setpriority_process(None, BACKGROUND) {
            tracing::debug!(%error, "the thread that writes readable copies runs like any other");
        }
    }

    fn forget(&self) {
        for shard in &self.shards {
            shard.lock().placed.clear();
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.pipeline.sync_all().map_err(|e| files::store_error("sync", &self.root, &e))
    }
}

/// Where an Eidolon is delivered to, and where its copies go afterwards.
struct Inbox {
    dir: Dir,
    processed: Dated,
}

/// Moves the copies of an inbox whose task is not open to the folder of the day they were written.
fn put_away_old(inbox: &Inbox, path: &Path, open: &HashSet<TaskId>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        let Some((name, (date, task))) = name.to_str().and_then(|name| Some((name, named_in(name)?))) else { continue };
        if open.contains(&task) {
            continue;
        }
        match inbox.processed.with(date, |processed| inbox.dir.rename(name, processed, name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved?,
        }
    }
    Ok(())
}

/// The day and the task in the name of an inbox copy (`YYYYMMDD-HHMMSS_…_<task>.yaml`); nothing for other files.
fn named_in(name: &str) -> Option<(Date, TaskId)> {
    let date = Date::strptime("%Y%m%d", name.get(..8)?).ok()?;
    let (_, id) = name.strip_suffix(".yaml")?.rsplit_once('_')?;
    Some((date, TaskId(id.parse().ok()?)))
}

/// A folder with a folder per day inside; the one used last stays open.
struct Dated {
    parent: Dir,
    last: Mutex<Option<(Date, Dir)>>,
}

impl Dated {
    fn new(parent: Dir) -> Self {
        Self { parent, last: Mutex::default() }
    }

    fn with<T>(&self, date: Date, work: impl FnOnce(&Dir) -> std::io::Result<T>) -> std::io::Result<T> {
        let mut last = self.last.lock();
        let day = match last.take() {
            Some((of, day)) if of == date => day,
            _ => self.parent.enter(&date.to_string())?.0,
        };
        let (_, day) = last.insert((date, day));
        work(day)
    }
}

/// The same signal always has the same name, so that writing it again writes the same file.
fn name_of(signal: &Signal) -> String {
    let id = signal.id.clone().unwrap_or_else(|| SignalId::from(uuid::Uuid::nil()));
    file_name(moment_of(signal), signal.kind, &signal.from, &signal.to, &id)
}

/// The day a signal was written (UTC).
fn date_of(signal: &Signal) -> Date {
    moment_of(signal).to_zoned(TimeZone::UTC).date()
}

fn moment_of(signal: &Signal) -> Timestamp {
    signal.at.unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
