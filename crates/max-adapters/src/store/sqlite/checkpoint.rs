//! Moves the write-ahead log into the database file, beside the writer and not in its way.
//!
//! SQLite's own automatic checkpoint runs inside a COMMIT and makes that one wait for all pages and two syncs.
//! Here a thread copies most pages while the writer goes on. Under steady load the writer is always a few pages
//! ahead, so the log would never begin again at its start; once it is long, the thread takes the writer's mutex for
//! the few pages that are left.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use max_engine::ports::StoreError;
use parking_lot::Mutex;
use rusqlite::{Connection, Error};

use super::fault::store_error;

/// Writes between two looks at the log, about 100 MiB of it. Seldom is better: pages that change again and again are
/// copied once, and each copy ends in two syncs that hold up the writer's own.
pub(super) const EVERY_WRITES: usize = 24_000;

/// Pages in the log (4 KiB each) from which it is made to begin again at its start.
const LONG: i64 = 18_432;

/// The thread. It ends when this is dropped.
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path, writer: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let own = super::open(path).map_err(store_error)?;
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("max-checkpoint".into())
            .spawn(move || run(&own, &writer, &woken))
            .map_err(|e| StoreError::Unavailable(format!("no thread for checkpoints: {e}")))?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// Asks for a look. Never waits: one request under way is enough.
    pub(super) fn wake(&self) {
        if let Some(Err(TrySendError::Disconnected(()))) = self.wake.as_ref().map(|wake| wake.try_send(())) {
            tracing::error!("the checkpoint thread has died; the write-ahead log grows until the next start");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn run(own: &Connection, writer: &Mutex<Connection>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        // Nothing is lost: what was not copied stands in the log and is copied next time.
        if let Err(error) = checkpoint(own, writer) {
            tracing::warn!(%error, "a checkpoint did not finish; trying again after the next writes");
        }
    }
}

fn checkpoint(own: &Connection, writer: &Mutex<Connection>) -> Result<(), Error> {
    if passive(own)? >= LONG {
        let _writer_waits = writer.lock();
        passive(own)?;
    }
    Ok(())
}

/// Copies what can be copied without anybody waiting; how many pages the log has.
fn passive(connection: &Connection) -> Result<i64, Error> {
    connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |row| row.get(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_begins_again_at_its_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("max.db");
        let writer = super::super::open(&path).expect("a writer");
        writer.execute_batch("CREATE TABLE t (x BLOB)").expect("a table");
        let write = |writer: &Connection, rows: i64| {
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                       INSERT INTO t SELECT randomblob(4000) FROM n";
            writer.execute(sql, [rows]).expect("rows");
        };
        write(&writer, LONG + 10);
        let own = super::super::open(&path).expect("the checkpointer's own");
        let writer = Mutex::new(writer);
        checkpoint(&own, &writer).expect("a checkpoint");
        write(&writer.lock(), 1);
        let pages = passive(&own).expect("a look");
        assert!(pages < 10, "the log holds {pages} pages, so it did not begin again");
    }
}
