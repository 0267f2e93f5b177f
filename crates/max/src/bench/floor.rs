//! What the machine can do at best: the floors that the figures stand beside.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::stats::Figure;

/// How long each floor is measured.
const TIME: Duration = Duration::from_secs(1);

/// Measures all floors in a folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn floors(folder: &Path) -> anyhow::Result<Vec<Figure>> {
    Ok(vec![
        Figure::new("floor: fdatasync append of 4 KiB", appends(folder)?, "/s"),
        Figure::new("floor: SQLite commits of one row (WAL, synchronous=FULL)", commits(folder)?, "/s"),
        Figure::new("floor: create and rename of 1 KiB files", renames(folder)?, "/s"),
    ])
}

fn per_second(mut one: impl FnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut done = 0u64;
    while start.elapsed() < TIME {
        one(done)?;
        done += 1;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn appends(folder: &Path) -> anyhow::Result<f64> {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("append"))?;
    per_second(|_| {
        file.write_all(&[7; 4096])?;
        Ok(file.sync_data()?)
    })
}

fn commits(folder: &Path) -> anyhow::Result<f64> {
    let db = rusqlite::Connection::open(folder.join("floor.db"))?;
    db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (a INTEGER, b TEXT);")?;
    let mut insert = db.prepare("INSERT INTO t VALUES (?1, 'a row of ordinary length for an entry of a log')")?;
    per_second(|n| {
        insert.execute([n as i64])?;
        Ok(())
    })
}

fn renames(folder: &Path) -> anyhow::Result<f64> {
    let target = folder.join("renames");
    fs::create_dir_all(&target)?;
    per_second(|n| {
        let temporary = target.join(".new");
        File::create(&temporary)?.write_all(&[7; 1024])?;
        Ok(fs::rename(&temporary, target.join(n.to_string()))?)
    })
}
