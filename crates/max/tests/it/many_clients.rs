//! Hundreds of clients at once through the real binary: nobody reads another's words, and everything comes to rest.
//! And what can be read is what the log says, also after somebody has deleted it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Server, call, max};
use max_app::bench::load::Connection;
use serde_json::{Value, json};

const LEADS: usize = 300;

/// A word that stands in one client's message and nowhere else.
fn secret(number: usize) -> String {
    format!("zebra{number:04}q")
}

async fn ingest_all(server: &Server) -> BTreeMap<String, usize> {
    let (address, token) = (server.address, server.token.clone());
    let clients = (0..12).map(|lane| {
        let token = token.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await.expect("a connection");
            let mut made = Vec::new();
            for number in (lane..LEADS).step_by(12) {
                let word = secret(number);
                let lead = json!({
                    "name": format!("Client {word}"), "email": format!("{word}@client.example"),
                    "message": format!("We need a new website with a booking page called {word} for our studio. \
                                        Our budget is 9000 EUR, we start in March. The owner decides."),
                });
                let answer = call(&mut connection, &token, "POST", "/api/ingest-lead", &lead).await;
                let (status, state) = answer.expect("an answer");
                assert_eq!(status, 201, "{state}");
                made.push((state["lead_id"].as_str().expect("an id").to_owned(), number));
            }
            made
        })
    });
    let mut all = BTreeMap::new();
    for client in clients.collect::<Vec<_>>() {
        all.extend(client.await.expect("a client"));
    }
    all
}

async fn get(server: &Server, path: &str) -> Value {
    server.call("GET", path, &Value::Null).await.expect("an answer").1
}

/// Waits until nobody works, then until everything readable is written.
async fn at_rest(server: &Server, number: usize) {
    for _ in 0..2_400 {
        let waiting = get(server, "/api/leads?limit=500&status=awaiting_human").await;
        if waiting["leads"].as_array().is_some_and(|leads| leads.len() == number) {
            get(server, "/api/settle").await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the leads never came to rest: {}", get(server, "/api/leads?limit=500&status=in_progress").await);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|e| if e.path().is_dir() { files(&e.path()) } else { vec![e.path()] }).collect()
}

/// The numbers whose secret stands in a file.
fn mentioned(file: &Path) -> Vec<usize> {
    let text = String::from_utf8_lossy(&std::fs::read(file).expect("a file")).into_owned();
    let mut numbers: Vec<usize> =
        text.match_indices("zebra").filter_map(|(at, _)| text.get(at + 5..at + 9)?.parse().ok()).collect();
    numbers.dedup();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_leads_at_once_stay_apart_and_come_to_rest() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Server::start(root.path(), &[], &[]);
    let leads = ingest_all(&server).await;
    assert_eq!(leads.len(), LEADS, "as many leads as clients");
    at_rest(&server, LEADS).await;
    // One more round for everyone: the clients answer.
    let (address, token) = (server.address, server.token.clone());
    let mut connection = Connection::open(address).await.expect("a connection");
    for (lead, number) in &leads {
        let body =
            json!({"body": format!("By March, for our {} students, we have texts and pictures.", secret(*number))});
        let answer = call(&mut connection, &token, "POST", &format!("/api/leads/{lead}/messages"), &body).await;
        assert_eq!(answer.expect("an answer").0, 200);
    }
    at_rest(&server, LEADS).await;

    for (lead, number) in &leads {
        let folder = root.path().join("max-pipeline").join(lead);
        let all = files(&folder);
        assert!(all.iter().any(|f| f.ends_with("state.json")), "{lead} can be read");
        for file in all {
            let foreign: Vec<usize> = mentioned(&file).into_iter().filter(|other| other != number).collect();
            assert!(foreign.is_empty(), "{} holds the words of {foreign:?}", file.display());
        }
    }
    let mut mails: BTreeMap<usize, usize> = BTreeMap::new();
    for mail in files(&root.path().join("outbox")) {
        let text = String::from_utf8_lossy(&std::fs::read(&mail).expect("a mail")).into_owned();
        let to = text.lines().find(|line| line.starts_with("To:")).expect("an address").to_owned();
        let number: usize = to.split("zebra").last().and_then(|t| t.get(..4)?.parse().ok()).expect("a client");
        let foreign: Vec<usize> = mentioned(&mail).into_iter().filter(|other| *other != number).collect();
        assert!(foreign.is_empty(), "{} holds the words of {foreign:?}", mail.display());
        *mails.entry(number).or_default() += 1;
    }
    assert_eq!(mails.len(), LEADS, "everyone was answered");

    the_readable_copies_are_what_the_log_says(&server, root.path(), leads.keys()).await;
    they_come_back_byte_by_byte(&server, root.path()).await;
}

async fn the_readable_copies_are_what_the_log_says(server: &Server, root: &Path, leads: impl Iterator<Item = &String>) {
    for lead in leads {
        let file = root.join("max-pipeline").join(lead).join("state.json");
        let mut pair = (Value::Null, json!("nothing"));
        // A mail that leaves in between is a change of its own: look again.
        for _ in 0..20 {
            get(server, "/api/settle").await;
            let text = std::fs::read_to_string(&file).expect("state.json");
            pair = (serde_json::from_str(&text).expect("JSON"), get(server, &format!("/api/status/{lead}")).await);
            if pair.0 == pair.1 {
                break;
            }
        }
        assert_eq!(pair.0, pair.1);
    }
}

async fn they_come_back_byte_by_byte(server: &Server, root: &Path) {
    let pipeline = root.join("max-pipeline");
    let readable = || -> BTreeMap<PathBuf, Vec<u8>> {
        let hidden = |file: &PathBuf| file.components().any(|part| part.as_os_str().to_string_lossy() == ".objects");
        let all = files(&pipeline).into_iter().filter(|file| !hidden(file));
        all.map(|file| (file.clone(), std::fs::read(file).expect("a file"))).collect()
    };
    let before = readable();
    assert!(before.keys().any(|file| file.ends_with("summary.md")) && before.len() > 2 * LEADS);
    for file in before.keys() {
        std::fs::remove_file(file).expect("removed");
    }
    let done = max().args(["rebuild", "--root"]).arg(root).output().expect("the command");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    get(server, "/api/settle").await;
    let after = readable();
    let missing: Vec<&PathBuf> = before.keys().filter(|file| !after.contains_key(*file)).collect();
    assert!(missing.is_empty(), "{} not written again, such as {:?}", missing.len(), missing[0]);
    for (file, bytes) in &before {
        assert!(after.get(file) == Some(bytes), "{} is not the same", file.display());
    }
}
