//! The real binary erases a lead: nothing of it is left in any file below the root, the log still verifies, and a crash
//! anywhere is made good by the next start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use max_engine::ports::Store as _;
use serde_json::{Value, json};

use crate::process::{Server, max};

/// A word for every field, found nowhere else.
const MARKERS: [&str; 16] = [
    "mkrname",
    "mkrmail",
    "mkrphone",
    "mkrcompany",
    "mkrrole",
    "mkrsite",
    "mkrmessage",
    "mkrbudget",
    "mkrtime",
    "mkrextra",
    "mkrref",
    "mkrconsent",
    "mkrreply",
    "mkrfile",
    "mkrsubject",
    "mkrkey",
];

fn enquiry() -> Value {
    json!({
        "name": "Mkrname Muster", "email": "mkrmail@client.example", "phone": "+49 555 mkrphone",
        "company": "Mkrcompany Ltd", "role": "mkrrole", "website": "https://mkrsite.example",
        "message": "We need a booking page for our mkrmessage studio, with payment and a calendar. Our budget is 12000 EUR.",
        "budget": "12000 EUR mkrbudget", "timeline": "March mkrtime", "source": "web", "locale": "en",
        "external_ref": "mkrref-1", "anything": "mkrextra",
        "consent": {"marketing": false, "version": "mkrconsent-7", "ip": "203.0.113.77"},
    })
}

/// The root and the server's log apart from it: what an operator's log keeps is his own business.
fn root() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    (folder, path)
}

async fn post(server: &Server, path: &str, body: &Value) -> Value {
    let (status, answer) = server.call("POST", path, body).await.expect("an answer");
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

async fn get(server: &Server, path: &str) -> Value {
    let (status, answer) = server.call("GET", path, &Value::Null).await.expect("an answer");
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn until(server: &Server, lead: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let mut state = Value::Null;
    for _ in 0..1_200 {
        if let Ok((200, now)) = server.call("GET", &format!("/api/status/{lead}"), &Value::Null).await {
            state = now;
            if fits(&state) {
                return state;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come: {state}");
}

/// A lead with markers in every field, a conversation, files, signals and mails.
async fn lead_with_markers(server: &Server, root: &Path) -> String {
    let lead = post(server, "/api/ingest-lead", &enquiry()).await["lead_id"].as_str().expect("an id").to_owned();
    until(server, &lead, "the first reply", |s| s["data"]["waiting_for"]["kind"] == "client").await;
    let signal = "type: CLIENT_MESSAGE\nfrom: mkrname\nto: Director\nlead_id: mkrref-1\nid: mkrkey-1\nsubject: mkrsubject\n\
                  body: We sell mkrreply to 200 visitors a month and need it by March.\n";
    std::fs::write(root.join("signals/20261123-090000_mkrfile.yaml"), signal).expect("a signal");
    for _ in 0..400 {
        if get(server, &format!("/api/leads/{lead}/messages")).await.to_string().contains("mkrreply") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until(server, &lead, "an answer", |s| s["data"]["waiting_for"].is_object()).await;
    get(server, "/api/settle").await;
    lead
}

/// Files below the root that hold a marker, in their name or their bytes.
fn found(root: &Path) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().to_lowercase();
            if path.ends_with("max.log") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            }
            let bytes = if path.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for marker in MARKERS {
                if text.contains(marker) || name.contains(marker) {
                    found.push(format!("{marker} in {}", path.display()));
                }
            }
        }
    }
    let mut all = Vec::new();
    walk(root, &mut all);
    all
}

async fn ask_and_approve(server: &Server, lead: &str) {
    let state =
        post(server, &format!("/api/leads/{lead}/erase"), &json!({"asked_by": "the client, by telephone"})).await;
    assert_eq!(state["data"]["waiting_for"]["approval"], "erasure");
    assert_eq!(state["status"], "awaiting_human");
    let id = state["data"]["waiting_for"]["id"].as_str().expect("an approval").to_owned();
    let approval = get(server, &format!("/api/approvals/{id}")).await;
    let sha = approval["payload_sha256"].as_str().expect("a hash");
    post(server, &format!("/api/approvals/{id}"), &json!({"decision": "approve", "payload_sha256": sha})).await;
}

/// Waits until the store says that nothing is left to do.
async fn erased(server: &Server, root: &Path, lead: &str) {
    for _ in 0..1_200 {
        if is_done(root, lead) {
            get(server, "/api/settle").await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the erasure did not end");
}

fn is_done(root: &Path, lead: &str) -> bool {
    let store = rusqlite::Connection::open(root.join("max.db")).expect("the store");
    store.busy_timeout(Duration::from_secs(5)).expect("patience");
    let lead: uuid::Uuid = lead.parse().expect("an id");
    let sql = "SELECT count(*) FROM erasures WHERE done = 1 AND lead = ?1";
    store.query_row(sql, [lead.as_bytes()], |row| row.get::<_, i64>(0)).is_ok_and(|done| done == 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_search_after_erasure_finds_nothing() {
    let (_folder, root) = root();
    let server = Server::start(&root, &[], &[]);
    let lead = lead_with_markers(&server, &root).await;
    let before = found(&root).join("\n");
    for marker in MARKERS {
        assert!(before.contains(marker), "the test itself does not bring {marker} anywhere");
    }
    assert!(!before.contains("203.0.113.77"));
    let preview = get(&server, &format!("/api/leads/{lead}/erase")).await;
    assert!(preview["goes"].as_array().is_some_and(|g| g.len() > 3) && preview["stays"].to_string().contains("hash"));
    ask_and_approve(&server, &lead).await;
    erased(&server, &root, &lead).await;

    assert_eq!(found(&root), Vec::<String>::new(), "nothing is left while the server runs");
    let state = get(&server, &format!("/api/status/{lead}")).await;
    assert_eq!((&state["status"], &state["data"]["outcome"]), (&json!("completed"), &json!("erased")));
    let export = get(&server, &format!("/api/leads/{lead}/export")).await.to_string().to_lowercase();
    assert!(!MARKERS.iter().any(|marker| export.contains(marker)), "{export}");
    assert_eq!(get(&server, "/api/suppressions").await["suppressions"][0]["reason"], "erased");
    // The same enquiry again is a new lead: nobody is shut out.
    let again = post(&server, "/api/ingest-lead", &json!({
        "name": "Mkrname Muster", "email": "mkrmail@client.example", "message": "Hello again, we need a shop.", "source": "web",
    })).await;
    assert_ne!(again["lead_id"].as_str(), Some(lead.as_str()));
    // A list may not bring her back.
    let cold = json!({"name": "M", "email": "MkrMail@client.example", "message": "from a fair", "source": "csv", "external_ref": "c-1"});
    let (status, refused) = server.call("POST", "/api/ingest-lead", &cold).await.expect("an answer");
    assert_eq!(status, 422, "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|d| d.contains("suppression list")), "{refused}");
    assert_eq!(server.stop(), Some(0));
    let store = max_adapters::store::SqliteStore::open(&root.join("max.db")).expect("the store");
    assert_eq!(store.verify(), Ok(Vec::new()), "the chain verifies");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_an_erasure_is_made_good_by_the_next_start() {
    for point in ["erase.files", "erase.log", "erase.logged", "erase.scrub", "erase.scrubbed"] {
        let (_folder, root) = root();
        let armed = format!("{point}=kill");
        let mut server = Server::start(&root, &[], &[("MAX_FAILPOINTS", &armed)]);
        let lead = lead_with_markers(&server, &root).await;
        ask_and_approve(&server, &lead).await;
        for _ in 0..1_200 {
            if server.has_ended() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(server);
        let server = Server::start(&root, &[], &[]);
        erased(&server, &root, &lead).await;
        assert_eq!(found(&root), Vec::<String>::new(), "after a crash at {point}");
        assert_eq!(server.stop(), Some(0));
        let store = max_adapters::store::SqliteStore::open(&root.join("max.db")).expect("the store");
        assert_eq!(store.verify(), Ok(Vec::new()), "after a crash at {point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_erases_again_whom_the_list_names() {
    let (_folder, root) = root();
    let server = Server::start(&root, &[], &[]);
    let lead = lead_with_markers(&server, &root).await;
    let (_copies, copies) = self::root();
    let copy = copies.join("copy");
    let done = max().args(["backup", "--root"]).arg(&root).arg(&copy).output().expect("the command");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    ask_and_approve(&server, &lead).await;
    erased(&server, &root, &lead).await;
    assert_eq!(server.stop(), Some(0));
    assert!(!found(&copy).is_empty(), "the backup is older than the erasure");
    std::fs::copy(root.join("erasures.txt"), copy.join("erasures.txt")).expect("the list");
    let restored = Server::start(&copy, &[], &[]);
    erased(&restored, &copy, &lead).await;
    assert_eq!(found(&copy), Vec::<String>::new());
    assert_eq!(restored.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ai_mail_to_a_suppressed_address_is_held_and_a_person_is_told() {
    let (_folder, root) = root();
    let server = Server::start(&root, &[], &[]);
    post(&server, "/api/suppressions", &json!({"address": "Mkrmail@client.example"})).await;
    let lead = post(&server, "/api/ingest-lead", &enquiry()).await["lead_id"].as_str().expect("an id").to_owned();
    let state = until(&server, &lead, "the escalation", |s| s["status"] == "escalated").await;
    assert!(state["next_action"].as_str().is_some_and(|a| a.contains("suppression list")), "{state}");
    let messages = get(&server, &format!("/api/leads/{lead}/messages")).await;
    let held = messages["messages"].as_array().expect("messages").iter().filter(|m| m["delivery"] == "held").count();
    assert!(held >= 1 && messages.to_string().contains("suppression list"), "{messages}");
    let sent = std::fs::read_dir(root.join("outbox")).map_or(0, |all| all.flatten().count());
    assert_eq!(sent, 0, "nothing left");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_suppressed_between_approval_and_send_gets_nothing() {
    let (_folder, root) = root();
    std::fs::write(root.join("max.toml"), "[policy.approvals]\nreply = true\n").expect("the owner's file");
    // The receipt leaves; the reply that was approved meets trouble for a moment.
    let server = Server::start(&root, &[], &[("MAX_FAILPOINTS", "relay.release=error@2*2")]);
    let lead = post(&server, "/api/ingest-lead", &enquiry()).await["lead_id"].as_str().expect("an id").to_owned();
    let state = until(&server, &lead, "the approval", |s| s["data"]["waiting_for"]["approval"] == "reply").await;
    let sent = || std::fs::read_dir(root.join("outbox")).map_or(0, |all| all.flatten().count());
    for _ in 0..400 {
        if sent() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(sent(), 1, "the receipt left");
    let id = state["data"]["waiting_for"]["id"].as_str().expect("an approval").to_owned();
    let approval = get(&server, &format!("/api/approvals/{id}")).await;
    let yes = json!({"decision": "approve", "payload_sha256": approval["payload_sha256"]});
    post(&server, &format!("/api/approvals/{id}"), &yes).await;
    post(&server, "/api/suppressions", &json!({"address": "mkrmail@client.example"})).await;
    let state = until(&server, &lead, "the escalation", |s| s["status"] == "escalated").await;
    assert!(state["next_action"].as_str().is_some_and(|a| a.contains("suppression list")), "{state}");
    assert_eq!(sent(), 1, "the list is looked up when a message leaves, not when it was approved");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_holds_everything_and_the_first_mail_informs() {
    let (_folder, root) = root();
    let server = Server::start(&root, &[], &[]);
    let lead = lead_with_markers(&server, &root).await;
    let export = get(&server, &format!("/api/leads/{lead}/export")).await;
    let text = export.to_string().to_lowercase();
    for marker in MARKERS.iter().filter(|marker| **marker != "mkrfile") {
        assert!(text.contains(marker), "{marker} is not in the export");
    }
    let consent = &export["consent"][0];
    assert_eq!((&consent["purpose"], &consent["basis"]), (&json!("enquiry"), &json!("pre_contract")));
    assert_eq!(consent["text_version"], "mkrconsent-7");
    assert_eq!(consent["ip_hash"].as_str().map(str::len), Some(64), "the address itself is not kept");
    assert!(!text.contains("203.0.113.77"));
    assert!(!export["assessments"].as_array().expect("a list").is_empty());
    let verdict = &export["assessments"][0]["value"];
    assert!(verdict["score"].is_u64(), "the score stands in it: {verdict}");
    let factors = verdict["factors"].as_array().expect("the factors");
    assert!(factors.iter().any(|f| !f["evidence"].is_null()), "each point with its reason: {verdict}");
    assert_eq!(export["assessments"][0]["voice"], "playbook", "and who gave it");
    let told = &export["told_that_an_ai_writes"][0];
    assert!(told["text"].is_string() && told["version"].is_string(), "text and version are recorded: {told}");
    let ours = export["conversation"].as_array().expect("messages").iter().filter(|m| m["direction"] == "out");
    assert!(ours.into_iter().all(|m| m["written_by"] == "playbook"), "what AI wrote is marked");
    assert!(!export["notes_of_the_ai"].as_array().expect("notes").is_empty());
    let mails: Vec<String> = std::fs::read_dir(root.join("outbox"))
        .expect("the outbox")
        .flatten()
        .map(|e| std::fs::read_to_string(e.path()).expect("a mail"))
        .collect();
    let first = mails.first().expect("a mail");
    for header in ["X-MAX-Generated: ai; persona=", &format!("X-MAX-Lead: {lead}")] {
        assert!(first.contains(header), "{header} in {first}");
    }
    assert!(
        mails.iter().any(|mail| mail.replace("=\r\n", "").contains("agency.example/privacy")),
        "the privacy link: {mails:?}"
    );
    let folder = root.join("exports");
    let done =
        max().args(["lead", "export", &lead, "--root"]).arg(&root).arg("--to").arg(&folder).output().expect("ran");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let page = std::fs::read_to_string(folder.join(format!("lead-{lead}.html"))).expect("a page");
    assert!(page.contains("mkrreply") && page.starts_with("<!DOCTYPE html>"));
    for part in
        ["id=\"assessments\"", "evidence", "playbook", "id=\"consent\"", "mkrconsent-7", "id=\"notes_of_the_ai\""]
    {
        assert!(page.contains(part), "{part} is not on the page");
    }
    assert_eq!(server.stop(), Some(0));
}
