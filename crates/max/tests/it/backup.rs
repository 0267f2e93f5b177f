//! `max backup` of the real binary under load, and a start from the copy.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::process::{Server, max};
use max_adapters::store::SqliteStore;
use max_core::lead::{Delivery, Direction};
use max_engine::ports::{LeadFilter, Store};
use serde_json::{Value, json};

const LEADS: usize = 40;

async fn ingest(server: &Server, number: usize) {
    let lead = json!({
        "name": format!("Client {number}"), "email": format!("client{number}@shop.example"),
        "external_ref": format!("shop-{number}"),
        "message": "We need a new website with an online booking page for our studio. Our budget is 12000 EUR.",
    });
    let (status, answer) = server.call("POST", "/api/ingest-lead", &lead).await.expect("an answer");
    assert_eq!(status, 201, "{answer}");
}

async fn events(server: &Server, lead: &str) -> Vec<Value> {
    let path = format!("/api/leads/{lead}/events?limit=500");
    let (_, answer) = server.call("GET", &path, &Value::Null).await.expect("an answer");
    answer["events"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

/// Waits until every lead waits for its client.
async fn at_rest(server: &Server, number: usize) {
    for _ in 0..1_200 {
        let path = "/api/leads?limit=200&status=awaiting_human";
        let (_, answer) = server.call("GET", path, &Value::Null).await.expect("an answer");
        if answer["leads"].as_array().is_some_and(|leads| leads.len() == number) {
            let (status, _) = server.call("GET", "/api/settle", &Value::Null).await.expect("an answer");
            assert_eq!(status, 200);
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let (_, all) = server.call("GET", "/api/leads?limit=200", &Value::Null).await.expect("an answer");
    let mut busy = all["leads"].as_array().expect("leads").clone();
    busy.retain(|lead| lead["status"] != "awaiting_human");
    panic!("the leads never came to rest, {number} are expected: {busy:#?}");
}

fn mails(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(root.join("outbox")).into_iter().flatten().flatten();
    let mails = entries.filter(|e| e.path().extension().is_some_and(|e| e == "eml"));
    mails.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).expect("a mail"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_under_load_is_a_root_that_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    std::fs::create_dir(&root).expect("a folder");
    std::fs::create_dir(root.join("agency")).expect("a folder");
    std::fs::write(root.join("max.toml"), "[policy]\nqualification_cut = 41\n").expect("a file");
    let server = Server::start(&root, &[], &[]);
    for number in 0..LEADS / 2 {
        ingest(&server, number).await;
    }
    // In the middle of the work, while more comes in.
    let backup = {
        let mut command = max();
        command.args(["backup", "--json", "--root"]).arg(&root).arg(&copy);
        std::thread::spawn(move || command.output().expect("the command"))
    };
    for number in LEADS / 2..LEADS {
        ingest(&server, number).await;
    }
    let done = backup.join().expect("the command");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    at_rest(&server, LEADS).await;

    let mut told = BTreeMap::new();
    {
        let store = SqliteStore::open(&copy.join("max.db")).expect("the copied log");
        assert_eq!(store.verify(), Ok(Vec::new()), "the chain verifies");
        let page = store.list(&LeadFilter { limit: 500, ..LeadFilter::default() }).expect("the leads");
        assert!(page.rows.len() >= LEADS / 2, "everything acknowledged before is in it: {}", page.rows.len());
        for row in page.rows {
            let lead = store.lead(row.lead_id).expect("a lead").expect("a lead");
            for artifact in &lead.artifacts {
                let object = format!("max-pipeline/{}/.objects/{}", lead.id, artifact.sha256);
                assert!(copy.join(&object).is_file(), "{object} is missing");
            }
            for sent in lead.messages.iter().filter(|m| m.direction == Direction::Out) {
                let file = copy.join(format!("outbox/{}.eml", sent.id));
                assert!(sent.delivery != Delivery::Sent || file.is_file(), "{} is missing", file.display());
            }
            told.insert(lead.id.to_string(), usize::try_from(lead.version).expect("a number"));
        }
    }
    assert!(copy.join("max.toml").is_file());
    let secrets: Vec<_> =
        std::fs::read_dir(copy.join("run")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(secrets, ["suppression.key"], "the list needs its key; no other secret leaves the root");
    let before = mails(&copy);

    let restored = Server::start(&copy, &[], &[]);
    assert_ne!(restored.token, server.token, "a token of its own");
    at_rest(&restored, told.len()).await;
    for (lead, version) in &told {
        let (original, again) = (events(&server, lead).await, events(&restored, lead).await);
        let until = |events: &[Value]| -> Vec<Value> {
            events.iter().filter(|e| e["version"].as_u64() <= Some(*version as u64)).cloned().collect()
        };
        assert_eq!(until(&original), until(&again), "the copied past is the same past");
    }
    // What had left is not written again, and every lead got its one first reply. (The copied outbox may also hold
    // mails that are younger than the copied log.)
    for lead in told.keys() {
        let mut sent = Vec::new();
        // A lead waits for its client as soon as the mail is in the log; the mail follows.
        for _ in 0..400 {
            sent = events(&restored, lead).await.into_iter().filter(|e| e["type"] == "MessageSent").collect();
            if !sent.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(sent.len(), 1, "one reply for {lead}: {sent:?}");
        let message = sent[0]["data"]["message"].as_str().expect("its id");
        assert!(copy.join(format!("outbox/{message}.eml")).is_file(), "{message} was sent");
    }
    at_rest(&restored, told.len()).await;
    for lead in told.keys() {
        let state = std::fs::read_to_string(copy.join("max-pipeline").join(lead).join("state.json"));
        let state: Value = serde_json::from_str(&state.expect("the readable copy is written")).expect("JSON");
        let (_, status) = restored.call("GET", &format!("/api/status/{lead}"), &Value::Null).await.expect("an answer");
        assert_eq!(state, status);
    }
    let after = mails(&copy);
    for (name, bytes) in &before {
        assert_eq!(after.get(name), Some(bytes), "{name} was written again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half_written() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Server::start(root.path(), &[], &[]);
    ingest(&server, 1).await;
    let run = |to: &Path| {
        let mut command = max();
        command.args(["backup", "--root"]).arg(root.path()).arg(to);
        command.output().expect("the command")
    };
    let there = root.path().join("there");
    std::fs::create_dir(&there).expect("a folder");
    assert_eq!(run(&there).status.code(), Some(7), "it exists");
    std::fs::write(root.path().join("file"), "no folder").expect("a file");
    let failed = run(&root.path().join("file/copy"));
    assert!(!failed.status.success());
    assert!(String::from_utf8_lossy(&failed.stderr).contains("file"), "{failed:?}");
    let left = std::fs::read_dir(root.path()).expect("a folder").flatten();
    assert!(!left.into_iter().any(|e| e.file_name().to_string_lossy().ends_with(".part")));
    // Without a name it goes below the root, and without a server one is started for the moment.
    assert_eq!(server.stop(), Some(0));
    let mut command = max();
    let done = command.args(["backup", "--json", "--root"]).arg(root.path()).output().expect("the command");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert!(Path::new(said["path"].as_str().expect("a path")).join("max.db").is_file());
}
