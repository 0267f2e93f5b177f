//! `kill -9` of the real binary at random points under load. What was acknowledged is there afterwards, once; what was
//! not may be told again; and no lead is stuck.
//!
//! 200 rounds; 2,000 with `MAX_TEST_LONG` (`./test --long`), any other number with `MAX_TEST_ROUNDS`. A failure prints
//! the seed: set `MAX_TEST_SEED` to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::process::{Server, call};
use max_app::bench::load::Connection;
use max_engine::ports::Store;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// What the outside was promised.
#[derive(Default)]
struct Promised {
    /// External reference by idempotency number: acknowledged leads.
    leads: BTreeMap<u64, String>,
    /// Asked for and not acknowledged: told again with the same words.
    unsure: Vec<Deed>,
    /// Signal ids of acknowledged handoffs, with their lead.
    handoffs: BTreeMap<String, String>,
    /// Texts of acknowledged messages, with their lead.
    messages: BTreeMap<String, String>,
    /// Acknowledged approvals.
    approvals: BTreeSet<String>,
    /// The next number for a reference, signal or text.
    next: u64,
}

/// Something a client does, with ids of its own so that it can be told again.
#[derive(Clone, Debug)]
enum Deed {
    Ingest { number: u64 },
    HandOff { lead: String, signal: String },
    Message { lead: String, text: String },
    Approve { approval: String, sha: String },
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let usual = if std::env::var_os("MAX_TEST_LONG").is_some() { 2_000 } else { 200 };
    let rounds: u32 = std::env::var("MAX_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let seed = std::env::var("MAX_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |d| d.as_secs())
    });
    eprintln!("seed {seed}, {rounds} rounds");
    let folder = tempfile::tempdir().expect("a folder");
    // Killed attempts count as attempts; a lead that was hit often must not fail for that.
    std::fs::write(
        folder.path().join("max.toml"),
        "[policy]\nmax_attempts = 1000\nbackoff_base = \"10ms\"\nbackoff_cap = \"50ms\"\n",
    )
    .expect("a config");
    let promised = Arc::new(Mutex::new(Promised::default()));
    let mut random = Random(seed);
    for round in 0..rounds {
        let server = Server::start(folder.path(), &[], &[]);
        let clients: Vec<_> = (0..4)
            .map(|n| {
                let (promised, random) = (Arc::clone(&promised), Random(random.next() ^ n));
                tokio::spawn(client(server.address, server.token.clone(), promised, random))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.next() % 120)).await;
        server.kill();
        for client in clients {
            client.await.unwrap_or_else(|e| panic!("seed {seed}, round {round}: {e}"));
        }
    }
    let server = Server::start(folder.path(), &[], &[]);
    let promised = Arc::try_unwrap(promised).map_err(|_| ()).expect("all clients are gone").into_inner();
    eprintln!(
        "{} leads, {} handoffs, {} messages, {} approvals were acknowledged",
        promised.leads.len(),
        promised.handoffs.len(),
        promised.messages.len(),
        promised.approvals.len()
    );
    assert!(promised.leads.len() > rounds as usize / 4, "too little was acknowledged for the test to mean anything");
    verify(&server, &promised).await;
    no_lead_is_stuck(&server).await;
    assert_eq!(server.stop(), Some(0));
    let store = max_adapters::store::SqliteStore::open(&folder.path().join("max.db")).expect("the store");
    assert_eq!(store.verify().expect("the audit chains"), Vec::new());
}

/// Does things until the server is gone.
async fn client(address: std::net::SocketAddr, token: String, promised: Arc<Mutex<Promised>>, mut random: Random) {
    let Ok(mut connection) = Connection::open(address).await else { return };
    loop {
        let again = promised.lock().unsure.pop();
        let deed = match again {
            Some(deed) => Some(deed),
            None => invent(&mut connection, &token, &promised, &mut random).await,
        };
        let Some(deed) = deed else {
            if Connection::open(address).await.is_err() {
                return;
            }
            continue;
        };
        if !perform(&mut connection, &token, &promised, &deed).await {
            promised.lock().unsure.push(deed);
            return;
        }
    }
}

async fn invent(
    connection: &mut Connection,
    token: &str,
    promised: &Mutex<Promised>,
    random: &mut Random,
) -> Option<Deed> {
    let lead = {
        let promised = promised.lock();
        let count = promised.leads.len() as u64;
        (count > 0).then(|| promised.leads.values().nth((random.next() % count) as usize).cloned()).flatten()
    };
    let number = {
        let mut promised = promised.lock();
        promised.next += 1;
        promised.next
    };
    match (random.next() % 10, lead) {
        (0..3, _) | (_, None) => Some(Deed::Ingest { number }),
        (3..6, Some(lead)) => Some(Deed::HandOff { lead, signal: format!("handoff-{number}") }),
        (6..8, Some(lead)) => Some(Deed::Message { lead, text: format!("Message number {number}, please note it.") }),
        (_, Some(_)) => {
            let (_, answer) = call(connection, token, "GET", "/api/approvals", &Value::Null).await.ok()?;
            let approvals = answer["approvals"].as_array()?;
            let one = approvals.get(random.next() as usize % approvals.len().max(1))?;
            let (approval, sha) = (one["id"].as_str()?.to_owned(), one["payload_sha256"].as_str()?.to_owned());
            Some(Deed::Approve { approval, sha })
        }
    }
}

/// Performs a deed; false when the answer never came.
async fn perform(connection: &mut Connection, token: &str, promised: &Mutex<Promised>, deed: &Deed) -> bool {
    let (path, body) = match deed {
        Deed::Ingest { number } => (
            "/api/ingest-lead".to_owned(),
            json!({
                "name": format!("Client {number}"), "email": format!("client{number}@kill.example"),
                "message": format!("We need a new website for our shop number {number}, with online booking. Budget 12000 EUR."),
                "external_ref": format!("kill-{number}"),
            }),
        ),
        Deed::HandOff { lead, signal } => (
            format!("/api/handoff/{lead}"),
            json!({"signal_id": signal, "reason": "by the test", "summary": "handed on by the test"}),
        ),
        Deed::Message { lead, text } => (
            format!("/api/leads/{lead}/messages"),
            json!({"direction": "in", "body": text, "message_id": format!("{}@kill.example", text.replace([' ', ',', '.'], "-"))}),
        ),
        Deed::Approve { approval, sha } => {
            (format!("/api/approvals/{approval}"), json!({"decision": "approve", "payload_sha256": sha}))
        }
    };
    let Ok((status, answer)) = call(connection, token, "POST", &path, &body).await else { return false };
    let mut promised = promised.lock();
    match (status, deed) {
        (200 | 201, Deed::Ingest { number }) => {
            promised.leads.insert(*number, format!("kill-{number}"));
        }
        (200, Deed::HandOff { lead, signal }) => drop(promised.handoffs.insert(signal.clone(), lead.clone())),
        (200, Deed::Message { lead, text }) => drop(promised.messages.insert(text.clone(), lead.clone())),
        (200, Deed::Approve { approval, .. }) => drop(promised.approvals.insert(approval.clone())),
        // A stage that is not there, a lead that ended, an approval that became void: refused, and nothing changed.
        (409 | 404, _) => {}
        other => panic!("{deed:?} was answered {other:?}: {answer}"),
    }
    true
}

async fn verify(server: &Server, promised: &Promised) {
    let mut ids = BTreeSet::new();
    for reference in promised.leads.values() {
        let (status, state) =
            server.call("GET", &format!("/api/status/{reference}"), &Value::Null).await.expect("an answer");
        assert_eq!(status, 200, "the acknowledged lead {reference} is gone");
        assert!(ids.insert(state["lead_id"].to_string()), "{reference} shares its lead with another");
    }
    for (signal, lead) in &promised.handoffs {
        let (_, state) = server.call("GET", &format!("/api/status/{lead}"), &Value::Null).await.expect("an answer");
        let history = state["history"].as_array().expect("a history");
        let times = history.iter().filter(|t| t["signal_id"] == json!(signal)).count();
        assert_eq!(times, 1, "handoff {signal} of {lead} happened {times} times");
    }
    for (text, lead) in &promised.messages {
        let path = format!("/api/leads/{lead}/messages");
        let (_, answer) = server.call("GET", &path, &Value::Null).await.expect("an answer");
        let messages = answer["messages"].as_array().expect("messages");
        let times = messages.iter().filter(|m| m["body"] == json!(text)).count();
        assert_eq!(times, 1, "the message `{text}` of {lead} is there {times} times");
    }
    for approval in &promised.approvals {
        let path = format!("/api/approvals/{approval}");
        let (_, answer) = server.call("GET", &path, &Value::Null).await.expect("an answer");
        assert_eq!(answer["state"], "approved", "the acknowledged approval {approval} is {}", answer["state"]);
    }
}

/// Every lead comes to rest: nobody is in progress for ever.
async fn no_lead_is_stuck(server: &Server) {
    for _ in 0..600 {
        let path = "/api/leads?status=in_progress&limit=500";
        let (_, answer) = server.call("GET", path, &Value::Null).await.expect("an answer");
        let busy = answer["leads"].as_array().expect("leads");
        if busy.is_empty() {
            let (_, answer) = server.call("GET", "/api/leads?status=failed", &Value::Null).await.expect("an answer");
            assert_eq!(answer["leads"], json!([]), "leads failed");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (_, answer) =
        server.call("GET", "/api/leads?status=in_progress&limit=3", &Value::Null).await.expect("an answer");
    panic!("leads are stuck in progress: {answer:#}");
}

/// SplitMix64: a seed that is printed can be played again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
