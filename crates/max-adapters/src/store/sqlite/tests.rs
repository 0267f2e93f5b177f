//! The store's promises over a real file, and what only a file can show.

use max_testkit::builders::Story;
use max_testkit::contract::store::{Meddling, Subject, run};

use super::*;

fn store(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("max.db")).expect("a store")
}

#[test]
fn keeps_the_promises_of_a_store() {
    run(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(store(&folder));
        Subject::new(store, move |lead, version, how| meddle(&folder.path().join("max.db"), lead, version, how))
    });
}

/// Changes one entry over a connection that is none of the store's.
fn meddle(path: &Path, lead: LeadId, version: u64, how: Meddling) {
    let other = Connection::open(path).expect("another connection");
    let whose = "version = ?1 AND lead = (SELECT no FROM leads WHERE id = ?2)";
    let key = rusqlite::params![version.cast_signed(), lead.0.as_bytes()];
    let changed = match how {
        Meddling::Tamper => other
            .execute(&format!("UPDATE entries SET payload = replace(payload, 'ready', 'steady') WHERE {whose}"), key),
        Meddling::Erase => {
            let payload: String = other
                .query_row(&format!("SELECT payload FROM entries WHERE {whose}"), key, |row| row.get(0))
                .expect("a payload");
            let digest = Digest::of(payload.as_bytes());
            other.execute(
                &format!("UPDATE entries SET payload = NULL, erased = ?3 WHERE {whose}"),
                rusqlite::params![version.cast_signed(), lead.0.as_bytes(), digest.0],
            )
        }
    };
    assert_eq!(changed, Ok(1));
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut story, first) = Story::of("Ada");
    let batch = [first, story.hand_off()];
    store(&folder).commit(&batch).expect("committed");
    let again = store(&folder);
    assert_eq!(again.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
    assert_eq!(again.verify(), Ok(Vec::new()));
}

#[test]
fn an_entry_that_was_cut_off_the_end_is_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let (mut story, first) = Story::of("Ada");
    store.commit(&[first, story.hand_off()]).expect("committed");
    let other = Connection::open(folder.path().join("max.db")).expect("another connection");
    other.execute("DELETE FROM entries WHERE version = 2", []).expect("deleted");
    assert_eq!(store.verify(), Ok(vec![(story.id(), 2)]));
}

#[test]
fn a_backup_is_a_store_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let (story, first) = Story::of("Ada");
    store.commit(&[first]).expect("committed");
    let copy = folder.path().join("copy.db");
    store.backup(&copy).expect("copied");
    let (_, later) = Story::of("Bob");
    store.commit(&[later]).expect("the store goes on");
    let restored = SqliteStore::open(&copy).expect("the copy opens");
    assert_eq!(restored.lead(story.id()), Ok(Some(story.lead().as_ref().clone())));
    assert_eq!(restored.last_position(), Ok(1));
    assert_eq!(restored.verify(), Ok(Vec::new()));
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a listing").flatten().map(|f| f.file_name()).collect();
    assert!(!names.iter().any(|n| n.to_string_lossy().ends_with(".part")), "{names:?}");
}

#[test]
fn what_is_asked_often_is_found_by_an_index_and_sorted_by_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let reader = open_reader(&store.path).expect("a reader");
    for (sql, index) in [
        (states::KEPT, "leads_by_id"),
        (read::OPEN_ESCALATIONS, "leads_by_call"),
        (read::ESCALATED, "leads_by_escalation"),
    ] {
        let mut plan = reader.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let steps = steps.expect("a plan").join("; ");
        assert!(steps.contains(index) && !steps.contains("TEMP B-TREE"), "{sql}: {steps}");
    }
}

#[test]
fn a_file_that_is_no_database_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("max.db"), "this is a letter, not a database".repeat(200)).expect("written");
    let opened = SqliteStore::open(&folder.path().join("max.db")).map(drop);
    assert!(matches!(opened, Err(StoreError::Damaged(_))), "{opened:?}");
}

#[test]
fn a_full_disk_refuses_the_batch_and_keeps_what_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let (mut story, first) = Story::of("Ada");
    store.commit(&[first]).expect("committed");
    let before = story.lead().as_ref().clone();
    // SQLite's own limit on the number of pages answers like a full disk.
    store.write(|w| w.pragma_update_and_check(None, "max_page_count", 1, |_| Ok(()))).expect("limited");
    let many: Vec<Write> = (0..200).map(|n| Story::of(&format!("Client {n}")).1).collect();
    assert!(matches!(store.commit(&many), Err(StoreError::Full(_))));
    store.write(|w| w.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(()))).expect("room again");
    assert_eq!(store.lead(story.id()), Ok(Some(before)));
    assert_eq!(store.last_position(), Ok(1), "nothing of the batch counts");
    assert_eq!(store.commit(&[story.hand_off()]).expect("committed").len(), 1, "and it goes on");
}

#[test]
fn closing_leaves_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(&folder);
    let (story, write) = Story::of("Ada");
    store.commit(&[write]).expect("committed");
    assert!(store.lead(story.id()).expect("a read").is_some());
    drop(store);
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a listing").flatten().map(|f| f.file_name()).collect();
    assert_eq!(names, [std::ffi::OsString::from("max.db")]);
}
