//! Removing from the store's file what no row holds any more, without stopping the writer.
//!
//! SQLite overwrites what it deletes (`secure_delete`), but a row that once moved to another page leaves a copy behind in
//! the unused part of the page it came from, and that copy outlives the row. `VACUUM` would write the whole file anew and
//! hold the writer for as long. Instead the unused parts of pages are overwritten with zeros, a few megabytes at a time:
//! while the write-ahead log is empty and the write lock is ours, every page in the file is as it is, and nobody can
//! change it. What is overwritten belongs to no row, so a crash in the middle changes nothing that anybody reads.
//!
//! The layout is the documented one: <https://www.sqlite.org/fileformat2.html#b_tree_pages>.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use max_engine::ports::StoreError;
use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use super::fault::store_error;

/// Pages that are looked at while the writer waits once: 4 MiB of the usual size.
const CHUNK: u32 = 1_024;
/// Pages that were looked at can get copies from pages that were not yet: once more, until nothing is found.
const PASSES: usize = 4;
/// How often the write-ahead log is tried to be emptied before the caller is told to come again.
const TRIES: usize = 100;
/// How long a try waits for readers while the writer waits for us.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long the writer has between two tries.
const BREAK: Duration = Duration::from_millis(200);
/// From here on the first byte of a page no longer tells its kind.
const MOST_PAGES: u32 = 0x0200_0000;

/// Overwrites what no row of the file holds. `forget_readers` lets go of connections at rest.
pub(super) fn scrub(
    path: &Path,
    file: &File,
    writer: &Mutex<Connection>,
    forget_readers: impl Fn(),
) -> Result<(), StoreError> {
    for _ in 0..PASSES {
        let mut changed = 0u32;
        let mut next = 1u32;
        loop {
            let held = quiet(path, writer, &forget_readers)?;
            let done = Pages::of(file).and_then(|pages| {
                if !pages.is_plain() {
                    return Ok(None);
                }
                let end = next.saturating_add(CHUNK).min(pages.count + 1);
                let cleaned = pages.clean(next..end)?;
                Ok(Some((cleaned, end, end > pages.count)))
            });
            let _ = held.execute_batch("ROLLBACK");
            // The pages in memory are as they were before; written again they would bring back what is gone.
            held.execute_batch("PRAGMA shrink_memory").map_err(store_error)?;
            let Some((cleaned, end, last)) = done.map_err(|e| unreadable(path, &e))? else {
                return vacuum(held);
            };
            MutexGuard::unlock_fair(held);
            changed += cleaned;
            next = end;
            if last {
                break;
            }
        }
        if changed == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// The writer, with an empty write-ahead log and the write lock held, so that the file is the whole truth.
fn quiet<'a>(
    path: &Path,
    writer: &'a Mutex<Connection>,
    forget_readers: &impl Fn(),
) -> Result<MutexGuard<'a, Connection>, StoreError> {
    for _ in 0..TRIES {
        let held = writer.lock();
        forget_readers();
        if is_quiet(path, &held).map_err(store_error)? {
            return Ok(held);
        }
        MutexGuard::unlock_fair(held);
        std::thread::sleep(BREAK);
    }
    Err(StoreError::Unavailable("somebody reads the store for so long that its log cannot be emptied".into()))
}

fn is_quiet(path: &Path, writer: &Connection) -> Result<bool, rusqlite::Error> {
    writer.busy_timeout(PATIENCE)?;
    let emptied = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    let locked = match emptied {
        Ok(0) => writer.execute_batch("BEGIN IMMEDIATE").is_ok(),
        Ok(_) => false,
        Err(error) => {
            writer.busy_timeout(super::BUSY)?;
            return Err(error);
        }
    };
    writer.busy_timeout(super::BUSY)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // Another process may have written between the two.
    if locked && std::fs::metadata(&log).map_or(true, |log| log.len() == 0) {
        return Ok(true);
    }
    if locked {
        writer.execute_batch("ROLLBACK")?;
    }
    Ok(false)
}

/// For files whose pages cannot be told apart from outside.
fn vacuum(writer: MutexGuard<'_, Connection>) -> Result<(), StoreError> {
    writer.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(store_error)
}

fn unreadable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("the unused parts of {} could not be overwritten: {error}", path.display()))
}

/// The file as pages.
struct Pages<'a> {
    file: &'a File,
    size: u32,
    usable: u32,
    count: u32,
    auto_vacuum: bool,
    trunks: BTreeSet<u32>,
    leaves: BTreeSet<u32>,
}

impl<'a> Pages<'a> {
    fn of(file: &'a File) -> std::io::Result<Self> {
        let mut head = [0u8; 100];
        file.read_exact_at(&mut head, 0)?;
        let size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => u32::from(size),
        };
        let length = file.metadata()?.len();
        let count = u32::try_from(length / u64::from(size.max(512))).unwrap_or(u32::MAX);
        let mut pages = Self {
            file,
            size,
            usable: size - u32::from(head[20]),
            count,
            auto_vacuum: word(&head, 52) != 0,
            trunks: BTreeSet::new(),
            leaves: BTreeSet::new(),
        };
        pages.read_free_list(word(&head, 32))?;
        Ok(pages)
    }

    /// True for a file whose pages can be told apart by their first byte.
    fn is_plain(&self) -> bool {
        self.count < MOST_PAGES && !self.auto_vacuum && self.size >= 512
    }

    fn read_free_list(&mut self, first: u32) -> std::io::Result<()> {
        let mut next = first;
        while next != 0 && next <= self.count && self.trunks.insert(next) {
            let page = self.read(next)?;
            let listed = word(&page, 4).min(self.usable / 4 - 2) as usize;
            self.leaves.extend((0..listed).map(|at| word(&page, 8 + 4 * at)));
            next = word(&page, 0);
        }
        Ok(())
    }

    fn read(&self, number: u32) -> std::io::Result<Vec<u8>> {
        let mut page = vec![0u8; self.size as usize];
        self.file.read_exact_at(&mut page, self.place(number))?;
        Ok(page)
    }

    fn place(&self, number: u32) -> u64 {
        u64::from(number - 1) * u64::from(self.size)
    }

    /// Overwrites the unused parts of these pages; in how many there was something.
    fn clean(&self, pages: std::ops::Range<u32>) -> std::io::Result<u32> {
        let mut cleaned = 0;
        for number in pages {
            let page = self.read(number)?;
            let mut touched = false;
            for part in self.unused(number, &page) {
                if page.get(part.clone()).is_some_and(|bytes| bytes.iter().any(|b| *b != 0)) {
                    self.file.write_all_at(&vec![0; part.len()], self.place(number) + part.start as u64)?;
                    touched = true;
                }
            }
            cleaned += u32::from(touched);
        }
        if cleaned > 0 {
            self.file.sync_data()?;
        }
        Ok(cleaned)
    }

    /// The parts of a page that belong to nothing.
    fn unused(&self, number: u32, page: &[u8]) -> Vec<std::ops::Range<usize>> {
        let usable = self.usable as usize;
        if self.leaves.contains(&number) {
            return std::iter::once(0..usable).collect();
        }
        if self.trunks.contains(&number) {
            let listed = word(page, 4).min(self.usable / 4 - 2) as usize;
            return std::iter::once(8 + 4 * listed..usable).collect();
        }
        let head = if number == 1 { 100 } else { 0 };
        // Interior pages have four bytes more. Anything else is an overflow page, whose rest SQLite made zero.
        let pointers = match page.get(head) {
            Some(2 | 5) => head + 12,
            Some(10 | 13) => head + 8,
            _ => return Vec::new(),
        };
        let cells = half(page, head + 3);
        let content = match half(page, head + 5) {
            0 => 65_536,
            start => start,
        };
        let mut parts = Vec::new();
        let gap = pointers + 2 * cells;
        if gap < content && content <= usable {
            parts.push(gap..content);
        }
        // Free blocks are a chain in ascending order; each begins with where the next one is, and its own size.
        let mut block = half(page, head + 1);
        while block >= content && block + 4 <= usable {
            let (next, size) = (half(page, block), half(page, block + 2));
            if size < 4 || block + size > usable {
                break;
            }
            parts.push(block + 4..block + size);
            if next <= block {
                break;
            }
            block = next;
        }
        parts
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).unwrap_or_default();
    u32::from_be_bytes(four)
}

fn half(bytes: &[u8], at: usize) -> usize {
    let two = bytes.get(at..at + 2).and_then(|b| <[u8; 2]>::try_from(b).ok()).unwrap_or_default();
    usize::from(u16::from_be_bytes(two))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A table whose rows moved often: every page has had others.
    fn worn(path: &Path, rows: u32) -> Connection {
        let db = super::super::open(path).expect("a database");
        db.execute_batch(
            "PRAGMA secure_delete = OFF; CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID; \
             CREATE TABLE u (n INTEGER PRIMARY KEY, v TEXT);",
        )
        .expect("tables");
        db.execute_batch("BEGIN").expect("begun");
        for n in 0..rows {
            let k = n.wrapping_mul(2_654_435_761) % 1_000_003;
            let long = "x".repeat((n % 97) as usize * (if n % 50 == 0 { 200 } else { 3 }));
            db.execute("INSERT OR REPLACE INTO t VALUES (?1, ?2)", (format!("secret-{k}"), &long)).expect("a row");
            db.execute("INSERT INTO u VALUES (?1, ?2)", (n, format!("secret {n} {long}"))).expect("a row");
            if n % 3 == 0 {
                db.execute("UPDATE u SET v = 'short' WHERE n = ?1", [n / 2]).expect("shorter");
            }
        }
        db.execute_batch("COMMIT").expect("committed");
        db
    }

    fn stands(path: &Path, text: &str) -> usize {
        let bytes = std::fs::read(path).expect("the file");
        bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    }

    #[test]
    fn nothing_of_a_deleted_row_is_left_and_every_other_row_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("worn.db");
        let db = worn(&path, 6_000);
        let sum = |db: &Connection| -> (i64, i64) {
            let sql = "SELECT count(*), sum(length(k) + length(v)) FROM t WHERE k NOT LIKE 'secret-1%'";
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("sums")
        };
        let before = sum(&db);
        db.execute_batch("DELETE FROM t WHERE k LIKE 'secret-1%'; DELETE FROM u; PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("deleted");
        assert!(stands(&path, "secret-1") > 0, "the test itself leaves nothing behind");
        let file = File::options().read(true).write(true).open(&path).expect("the file");
        let writer = Mutex::new(db);
        scrub(&path, &file, &writer, || ()).expect("scrubbed");
        assert_eq!((stands(&path, "secret-1"), stands(&path, "secret 1")), (0, 0));
        let db = writer.lock();
        let whole: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        assert_eq!((whole.as_str(), sum(&db)), ("ok", before));
        // Whoever goes on writing brings nothing back.
        db.execute_batch(
            "INSERT INTO u SELECT 1, 'again'; UPDATE t SET v = v || 'y'; PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .expect("written");
        assert_eq!(stands(&path, "secret-1"), 0);
    }

    #[test]
    fn whoever_reads_for_long_is_waited_for_and_then_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("read.db");
        let db = worn(&path, 50);
        let reader = super::super::open(&path).expect("a reader");
        reader.execute_batch("BEGIN; SELECT count(*) FROM t;").expect("a long look");
        db.execute("UPDATE u SET v = 'z' WHERE n = 1", []).expect("a write behind his back");
        let writer = Mutex::new(db);
        assert!(!is_quiet(&path, &writer.lock()).expect("no fault"));
        reader.execute_batch("COMMIT").expect("done");
        assert!(is_quiet(&path, &writer.lock()).expect("no fault"));
    }

    /// How long the writer waits at most while a store of 100,000 leads is scrubbed. Prints its figures.
    #[test]
    #[ignore = "builds a file of some hundred megabytes; run it with --run-ignored"]
    fn a_large_store_keeps_its_writer_waiting_for_moments_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large.db");
        let db = super::super::open(&path).expect("a database");
        db.execute_batch(
            "CREATE TABLE entries (n INTEGER PRIMARY KEY, k BLOB, v TEXT); CREATE INDEX i ON entries (k); BEGIN;",
        )
        .expect("a table");
        // About 4 KiB a lead, as `max bench pipeline` measures it.
        for n in 0..800_000u32 {
            let k = n.wrapping_mul(2_654_435_761).to_be_bytes();
            db.execute("INSERT INTO entries VALUES (?1, ?2, ?3)", (n, k, "payload ".repeat(60))).expect("a row");
        }
        db.execute_batch("COMMIT; DELETE FROM entries WHERE n % 1000 = 0; PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("done");
        let megabytes = std::fs::metadata(&path).expect("the file").len() >> 20;
        let file = File::options().read(true).write(true).open(&path).expect("the file");
        let writer = Mutex::new(db);
        let done = std::sync::atomic::AtomicBool::new(false);
        let (took, longest) = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let mut longest = Duration::ZERO;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let from = Instant::now();
                    writer.lock().execute("UPDATE entries SET v = 'w' WHERE n = 1", []).expect("a write");
                    longest = longest.max(from.elapsed());
                    std::thread::sleep(Duration::from_millis(1));
                }
                longest
            });
            let from = Instant::now();
            scrub(&path, &file, &writer, || ()).expect("scrubbed");
            let took = from.elapsed();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            (took, waiting.join().expect("the writer"))
        });
        let from = Instant::now();
        writer.lock().execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").expect("vacuumed");
        println!(
            "{megabytes} MiB: scrubbed in {took:?}, a write waited {longest:?} at most; VACUUM holds it for {:?}",
            from.elapsed()
        );
        assert!(longest < Duration::from_secs(2), "{longest:?}");
    }
}
