//! The log in one SQLite file: one writer, readers beside it, write-ahead log, every commit synced.
//!
//! `commit` is the way in, `read` and `list` are the ways out; `migrations` makes the tables.

mod backfill;
mod checkpoint;
mod columns;
mod commit;
mod fault;
mod keys;
mod list;
mod migrations;
mod privacy;
mod read;
mod runs;
mod scrub;
mod settings;
mod states;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use max_core::id::{ApprovalId, Digest, EscalationId, LeadId, LeadRef, MessageId, TaskId};
use max_core::lead::{Lead, Status};
use max_core::stage::{Eidolon, Stage};
use max_engine::fail;
use max_engine::ports::{
    ApprovalRow, Erasure, EscalationRow, Idempotency, LeadFilter, Logged, Page, Position, RenderedState, SapWave,
    Store, StoreError, Suppression, TaskRow, TokenRow, Write, WriteError,
};
use max_engine::projector::WATERMARK;
use max_engine::runs::{MicroUsd, Run};
use max_engine::spend::Spending;
use parking_lot::Mutex;
use rusqlite::{Connection, Error, OpenFlags};

use self::checkpoint::Checkpointer;
use self::fault::store_error;
use crate::files;

/// Read-only connections that are kept open; more are opened when more threads read at once.
const READERS_KEPT: usize = 8;

/// The log in one SQLite file. Share it behind an `Arc`.
pub struct SqliteStore {
    path: PathBuf,
    // Dropped in this order: the writer closes last, which empties the write-ahead log into the file.
    checkpointer: Checkpointer,
    readers: Mutex<Vec<Connection>>,
    writer: Arc<Mutex<Connection>>,
    writes: AtomicUsize,
    // Closed after the connections: closing any handle of a file lets go of all locks of the process on it.
    bare: File,
}

impl SqliteStore {
    /// Opens the store in this file, makes it where there is none, and brings its tables up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| files::store_error("create", folder, &e))?;
        }
        files::create_private(path).map_err(|e| files::store_error("open", path, &e))?;
        let bare = File::options().read(true).write(true).open(path);
        let bare = bare.map_err(|e| files::store_error("open", path, &e))?;
        let mut writer = open(path).map_err(store_error)?;
        tune_writer(&writer).map_err(store_error)?;
        migrations::migrate(&mut writer)?;
        let writer = Arc::new(Mutex::new(writer));
        Ok(Self {
            path: path.to_owned(),
            checkpointer: Checkpointer::start(path, Arc::clone(&writer))?,
            writer,
            readers: Mutex::default(),
            writes: AtomicUsize::new(0),
            bare,
        })
    }

    /// Runs `read` on a connection of its own.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, StoreError> {
        self.with_reader(|reader| read(reader).map_err(store_error))
    }

    fn with_reader<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let kept = self.readers.lock().pop();
        let reader = match kept {
            Some(reader) => reader,
            None => open_reader(&self.path).map_err(store_error)?,
        };
        let answer = read(&reader);
        let mut readers = self.readers.lock();
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        answer
    }

    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, StoreError> {
        fail::point("store.setting")?;
        write(&self.writer.lock()).map_err(store_error)
    }

    fn note_writes(&self, more: usize) {
        let before = self.writes.fetch_add(more, Ordering::Relaxed);
        if before / checkpoint::EVERY_WRITES != (before + more) / checkpoint::EVERY_WRITES {
            self.checkpointer.wake();
        }
    }
}

/// How long a connection waits for a lock: a backup tool or `sqlite3` may hold one for a moment.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// A connection as all of ours are.
fn open(path: &Path) -> Result<Connection, Error> {
    // Each connection has one user at a time (a mutex or the pool sees to it), so SQLite needs no locks of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(BUSY)?;
    // mmap stays off everywhere: a read error in a mapping is a SIGBUS and ends the process, instead of an error.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; \
         PRAGMA cache_size = -2048; PRAGMA mmap_size = 0;",
    )?;
    Ok(connection)
}

fn tune_writer(writer: &Connection) -> Result<(), Error> {
    // The writer touches a few pages of every index per entry: 16 MiB keeps them at a million leads' pace and stays
    // well inside the process's 60 MiB. Savepoints keep their undo pages in memory, not in a temporary file.
    // The log is overwritten from its start rather than truncated: syncing blocks that exist needs no journal commit.
    writer
        .execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;")
}

fn open_reader(path: &Path) -> Result<Connection, Error> {
    let reader = open(path)?;
    reader.execute_batch("PRAGMA query_only = ON;")?;
    Ok(reader)
}

impl Store for SqliteStore {
    fn commit(&self, batch: &[Write]) -> Result<Vec<Result<Position, WriteError>>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = commit::commit(&self.writer.lock(), batch)?;
        self.note_writes(batch.len());
        Ok(outcomes)
    }

    fn lead(&self, id: LeadId) -> Result<Option<Lead>, StoreError> {
        self.read(|r| read::lead(r, id))
    }
    fn state(&self, id: LeadId) -> Result<Option<RenderedState>, StoreError> {
        self.read(|r| states::get(r, id))
    }
    fn resolve(&self, reference: &LeadRef) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::resolve(r, reference))
    }
    fn open_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_person(r, person_key, true))
    }
    fn any_lead_of(&self, person_key: &str) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_person(r, person_key, false))
    }
    fn leads_of_company(&self, domain: &str, limit: usize) -> Result<Vec<LeadId>, StoreError> {
        self.read(|r| read::leads_of_company(r, domain, limit))
    }
    fn lead_with_fingerprint(&self, fingerprint: Digest, since: Timestamp) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_with_fingerprint(r, fingerprint, since))
    }
    fn lead_of_thread(&self, rfc_id: &str) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_thread(r, rfc_id))
    }
    fn idempotency(&self, key: &str) -> Result<Option<Idempotency>, StoreError> {
        self.read(|r| keys::idempotency(r, key))
    }
    fn keep_keys(&self, keys: &[Idempotency]) -> Result<(), StoreError> {
        self.write(|w| keys::keep_all(w, keys))
    }

    fn list(&self, filter: &LeadFilter) -> Result<Page, StoreError> {
        self.with_reader(|r| list::list(r, filter))
    }
    fn counts(&self) -> Result<Vec<(Stage, Status, u64)>, StoreError> {
        self.read(read::counts)
    }
    fn entries(&self, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.read(|r| read::entries(r, lead, after, limit))
    }
    fn entries_after(&self, position: Position, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.read(|r| read::entries_after(r, position, limit))
    }
    fn last_position(&self) -> Result<Position, StoreError> {
        self.read(read::last_position)
    }

    fn open_tasks(&self, eidolon: Option<Eidolon>, limit: usize) -> Result<Vec<TaskRow>, StoreError> {
        self.read(|r| read::open_tasks(r, eidolon, limit))
    }
    fn lead_of_task(&self, task: TaskId) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_task(r, task))
    }
    fn pending_approvals(&self, limit: usize) -> Result<Vec<ApprovalRow>, StoreError> {
        self.read(|r| read::pending_approvals(r, limit))
    }
    fn lead_of_approval(&self, approval: ApprovalId) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_approval(r, approval))
    }
    fn open_escalations(&self, limit: usize) -> Result<Vec<EscalationRow>, StoreError> {
        self.read(|r| read::open_escalations(r, limit))
    }
    fn lead_of_escalation(&self, escalation: EscalationId) -> Result<Option<LeadId>, StoreError> {
        self.read(|r| read::lead_of_escalation(r, escalation))
    }
    fn outbox(&self, limit: usize) -> Result<Vec<(LeadId, MessageId)>, StoreError> {
        self.read(|r| read::outbox(r, limit))
    }
    fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<LeadId>, StoreError> {
        self.read(|r| read::due(r, now, limit))
    }
    fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(read::next_due)
    }

    fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read(|r| settings::meta(r, key))
    }
    fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write(|w| settings::set_meta(w, key, value))
    }

    fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.read(settings::tokens)
    }
    fn add_token(&self, token: &TokenRow) -> Result<(), StoreError> {
        self.write(|w| settings::add_token(w, token))
    }
    fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        self.write(|w| settings::revoke_token(w, id))
    }

    fn sapwaves(&self) -> Result<Vec<SapWave>, StoreError> {
        self.read(settings::sapwaves)
    }
    fn put_sapwave(&self, wave: &SapWave) -> Result<(), StoreError> {
        self.write(|w| settings::put_sapwave(w, wave))
    }
    fn remove_sapwave(&self, name: &str) -> Result<bool, StoreError> {
        self.write(|w| settings::remove_sapwave(w, name))
    }

    fn suppression(&self, hash: Digest) -> Result<Option<Suppression>, StoreError> {
        self.read(|r| privacy::suppression(r, hash))
    }
    fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        self.read(privacy::suppressions)
    }
    fn put_suppression(&self, one: &Suppression) -> Result<(), StoreError> {
        self.write(|w| privacy::put_suppression(w, one))
    }
    fn remove_suppression(&self, hash: Digest) -> Result<bool, StoreError> {
        self.write(|w| privacy::remove_suppression(w, hash))
    }

    fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        self.read(privacy::erasures)
    }
    fn put_erasure(&self, one: &Erasure) -> Result<(), StoreError> {
        self.write(|w| privacy::put_erasure(w, one))
    }
    fn erase(&self, lead: LeadId, left: &[u8]) -> Result<(), StoreError> {
        privacy::erase(&mut self.writer.lock(), lead, left).map_err(store_error)
    }
    fn scrub(&self) -> Result<(), StoreError> {
        // Readers that are at rest hold no old pages open.
        scrub::scrub(&self.path, &self.bare, &self.writer, || self.readers.lock().clear())
    }

    fn record_run(&self, run: &Run) -> Result<(), StoreError> {
        self.write(|w| runs::record(w, run))
    }
    fn runs(&self, lead: LeadId) -> Result<Vec<Run>, StoreError> {
        self.read(|r| runs::of_lead(r, lead))
    }
    fn spent(&self, spending: Spending) -> Result<MicroUsd, StoreError> {
        self.read(|r| runs::spent(r, spending))
    }
    fn end_lost_runs(&self) -> Result<(), StoreError> {
        self.write(runs::end_lost)
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.with_reader(|r| backup(r, to))
    }
    fn verify(&self) -> Result<Vec<(LeadId, u64)>, StoreError> {
        self.read(read::verify)
    }
}

/// Copies the store as it is at one moment; the copy appears under its name when it is whole and durable.
fn backup(reader: &Connection, to: &Path) -> Result<(), StoreError> {
    let temporary = files::sibling(to, "part");
    let _ = std::fs::remove_file(&temporary);
    files::create_private(&temporary).map_err(|e| files::store_error("create", &temporary, &e))?;
    let copy = || -> Result<(), Error> {
        let mut target = Connection::open(&temporary)?;
        // All pages in one step: one read transaction, so one moment, and writers go on meanwhile.
        rusqlite::backup::Backup::new(reader, &mut target)?.step(-1)?;
        // No readable copies lie beside it: its first start writes them all.
        target.execute("DELETE FROM meta WHERE key = ?1", [WATERMARK])?;
        // One file that stands alone, without a log beside it.
        target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        target.close().map_err(|(_, error)| error)
    };
    let placed = copy()
        .map_err(store_error)
        .and_then(|()| files::place(&temporary, to).map_err(|e| files::store_error("write", to, &e)));
    if placed.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    placed
}

#[cfg(test)]
mod tests;
