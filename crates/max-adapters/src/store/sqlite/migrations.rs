//! Numbered steps from an empty file to today's tables, each applied once and as a whole.

use max_engine::ports::StoreError;
use rusqlite::{Connection, Error, TransactionBehavior};

use super::backfill;
use super::fault::store_error;

/// What a step computes that no statement can.
type Compute = fn(&Connection) -> Result<(), Error>;

/// A step: its statements, and what only a program can compute.
pub(super) struct Step {
    sql: &'static str,
    then: Option<Compute>,
}

impl Step {
    const fn sql(sql: &'static str) -> Self {
        Self { sql, then: None }
    }
}

/// The steps in order; step `n` leads to `PRAGMA user_version = n`. A step, once released, is never edited.
pub(super) const STEPS: [Step; 8] = [
    Step::sql(include_str!("migrations/0001_first.sql")),
    Step::sql(include_str!("migrations/0002_states.sql")),
    Step::sql(include_str!("migrations/0003_companies.sql")),
    Step::sql(include_str!("migrations/0004_privacy.sql")),
    Step::sql(include_str!("migrations/0005_answers.sql")),
    Step::sql(include_str!("migrations/0006_escalations.sql")),
    Step { sql: include_str!("migrations/0007_backfill.sql"), then: Some(backfill::run) },
    Step::sql(include_str!("migrations/0008_runs.sql")),
];

/// Brings the file up to date.
pub(super) fn migrate(writer: &mut Connection) -> Result<(), StoreError> {
    migrate_to(writer, STEPS.len())
}

pub(super) fn migrate_to(writer: &mut Connection, target: usize) -> Result<(), StoreError> {
    let version = version(writer)?;
    if version > STEPS.len() {
        return Err(StoreError::Unavailable(format!(
            "its tables have version {version}, this MAX knows {}; use the newer MAX that wrote them",
            STEPS.len()
        )));
    }
    for (step, Step { sql, then }) in STEPS.iter().enumerate().take(target).skip(version) {
        let apply = |writer: &mut Connection| {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(sql)?;
            then.map_or(Ok(()), |compute| compute(&transaction))?;
            transaction.pragma_update(None, "user_version", number(step + 1))?;
            transaction.commit()
        };
        apply(writer).map_err(store_error)?;
    }
    Ok(())
}

/// A version as SQLite takes it.
fn number(version: usize) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(store_error)?;
    usize::try_from(version).map_err(|_| StoreError::Damaged(format!("its tables have version {version}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as they stood after each version; the next step has to carry them over.
    const ROWS: [&str; 8] = [
        include_str!("migrations/rows_0001.sql"),
        include_str!("migrations/rows_0002.sql"),
        include_str!("migrations/rows_0003.sql"),
        include_str!("migrations/rows_0004.sql"),
        include_str!("migrations/rows_0005.sql"),
        include_str!("migrations/rows_0006.sql"),
        include_str!("migrations/rows_0007.sql"),
        include_str!("migrations/rows_0008.sql"),
    ];

    #[test]
    fn each_step_applies_over_rows_of_the_version_before() {
        let mut db = Connection::open_in_memory().expect("a database");
        for (step, rows) in ROWS.iter().enumerate() {
            migrate_to(&mut db, step + 1).expect("the step applies");
            assert_eq!(version(&db), Ok(step + 1));
            db.execute_batch(rows).expect("rows of this version");
        }
        migrate(&mut db).expect("up to date");
        let leads: i64 = db.query_row("SELECT count(*) FROM leads", [], |row| row.get(0)).expect("a count");
        assert_eq!(leads, ROWS.len() as i64, "no row was lost on the way");
        assert_eq!(ROWS.len(), STEPS.len(), "each step brings the rows that the next one is tested with");
    }

    #[test]
    fn tables_of_a_newer_max_are_left_alone() {
        let mut db = Connection::open_in_memory().expect("a database");
        db.pragma_update(None, "user_version", number(STEPS.len() + 1)).expect("set");
        let refused = migrate(&mut db).expect_err("refused");
        assert!(refused.to_string().contains("use the newer MAX"), "{refused}");
    }
}
