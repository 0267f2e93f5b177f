//! Every failpoint of the real binary, once as an error that passes and once as the end of the process. Whatever happens,
//! the same story ends the same way: nothing is lost, nothing is doubled, and nobody waits for ever.
#![cfg(debug_assertions)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{Server, max};
use futures::StreamExt as _;
use max_engine::ports::Store as _;
use serde_json::{Value, json};

/// How long a lead may take to come to rest after a fault.
const PATIENCE: Duration = Duration::from_secs(90);
const ANSWER: &str = "Thank you. We are open from Tuesday to Saturday and need it by March.";
const DROPPED: &str = "We would also like a page with our opening hours.";

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_the_same_whatever_fails() {
    let undisturbed = play(None).await.ending;
    assert_eq!(undisturbed["status"], "completed", "{undisturbed:#}");
    // The story erases nobody; `erasure.rs` breaks those steps.
    let faults = max_engine::fail::POINTS
        .iter()
        .filter(|(name, _)| !name.starts_with("erase."))
        .flat_map(|(name, _)| [format!("{name}=error*3"), format!("{name}=kill*1"), format!("{name}=kill@3*1")]);
    let undisturbed = &undisturbed;
    let acted: Vec<(String, bool)> = futures::stream::iter(faults)
        .map(|fault| async move {
            let played = play(Some(&fault)).await;
            assert_eq!(&played.ending, undisturbed, "after {fault}");
            (fault, played.acted)
        })
        .buffer_unordered(4)
        .collect()
        .await;
    // A failpoint that the story never passes proves nothing.
    let idle: Vec<_> = acted.iter().filter(|(fault, acted)| fault.ends_with("=kill*1") && !acted).collect();
    assert!(idle.is_empty(), "never passed: {idle:?}");
}

/// What came of the story.
struct Played {
    /// How the lead stands, without ids and times.
    ending: Value,
    /// Whether the fault ended a process.
    acted: bool,
}

/// Tells the story to a MAX with this fault. A process that ends is started again without it, and what was not
/// acknowledged is told again.
async fn play(fault: Option<&str>) -> Played {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[policy]\nbackoff_base = \"10ms\"\nbackoff_cap = \"50ms\"\nmax_attempts = 20\n";
    std::fs::write(folder.path().join("max.toml"), config).expect("a config");
    let mut stage = Stage { root: folder.path().to_owned(), server: None, fault, ended: 0 };
    stage.tell("POST", "/api/ingest-lead", &lead()).await;
    stage.rest(|state| state["current_stage"] == "FirstResponder").await;
    stage.set_wave().await;
    let answer = json!({"direction": "in", "body": ANSWER, "message_id": "answer@fault.example"});
    stage.tell("POST", "/api/leads/fault-1/messages", &answer).await;
    stage.rest(|state| state["current_stage"] != "FirstResponder").await;
    let before = stage.messages().await.len();
    stage.drop(
        "20261122-100000_CLIENT_MESSAGE_Script_to_MAX_1.yaml",
        &format!(
            "type: CLIENT_MESSAGE\nfrom: Script\nto: Director\nlead_id: fault-1\nbody: {DROPPED}\nid: dropped-1\n"
        ),
    );
    stage.drop(
        "wrong.yaml",
        "type: PIPELINE_TRANSITION\nlead_id: nobody\nnext_stage: Scoping\nprevious_stage: LeadGen\n",
    );
    stage.put_away(2).await;
    stage.rest(|_| true).await;
    assert!(stage.messages().await.len() > before, "the dropped message is gone");
    if let Some(approval) = stage.approval().await {
        let (path, sha) =
            (format!("/api/approvals/{}", approval["id"].as_str().expect("an id")), &approval["payload_sha256"]);
        stage.tell("POST", &path, &json!({"decision": "approve", "payload_sha256": sha})).await;
        stage.rest(|_| true).await;
    }
    let deliver = json!({"to": "DeliveryPM", "reason": "by the test", "signal_id": "to-delivery"});
    stage.tell("POST", "/api/handoff/fault-1", &deliver).await;
    stage.rest(|state| state["current_stage"] == "DeliveryPM").await;
    let close = json!({"outcome": "delivered", "reason": "the test is over"});
    stage.tell("POST", "/api/leads/fault-1/close", &close).await;
    let mut ending = stage.check().await;
    if stage.server.take().expect("a server").stop() != Some(0) {
        // The fault came last, in what is written behind.
        assert!(fault.is_some_and(|fault| fault.contains("kill")), "after {fault:?} a stop failed");
        (stage.fault, stage.ended) = (None, stage.ended + 1);
        ending = stage.check().await;
        assert_eq!(stage.server.take().expect("a server").stop(), Some(0), "after {fault:?}");
    }
    let acted = stage.ended > 0;
    let store = max_adapters::store::SqliteStore::open(&folder.path().join("max.db")).expect("the store");
    assert_eq!(store.verify().expect("the audit chains"), Vec::new(), "after {fault:?}");
    Played { ending, acted }
}

fn lead() -> Value {
    json!({
        "name": "Ada Example", "email": "ada@fault.example", "external_ref": "fault-1",
        "message": "We need a new website with an online booking page for our pottery studio. Our budget is 12000 EUR.",
    })
}

fn soon() -> Value {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(300);
    json!({"name": "look", "eidolon": "scoping", "at": at, "message": "look at what is open"})
}

/// A MAX on a folder, with whoever talks to it.
struct Stage<'a> {
    root: PathBuf,
    server: Option<Server>,
    fault: Option<&'a str>,
    ended: u32,
}

impl Stage<'_> {
    /// The running server; started, or started again.
    async fn server(&mut self) -> &Server {
        if self.server.as_mut().is_some_and(Server::has_ended) {
            self.server = None;
            self.fault = None;
            self.ended += 1;
        }
        while self.server.is_none() {
            let (root, fault) = (self.root.clone(), self.fault.map(|fault| ("MAX_FAILPOINTS", fault.to_owned())));
            let started = tokio::task::spawn_blocking(move || {
                let variables: Vec<_> = fault.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Server::try_start(&root, &[], &variables)
            });
            match started.await.expect("a start") {
                Ok(server) => self.server = Some(server),
                Err(said) => {
                    assert!(self.fault.take().is_some(), "max up does not start again: {said}");
                    self.ended += 1;
                }
            }
        }
        self.server.as_ref().expect("it was started")
    }

    /// Asks until there is an answer that is not "not now".
    async fn tell(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.server().await.call(method, path, body).await {
                Ok((503, problem)) => assert!(problem["detail"].is_string(), "{problem}"),
                // Told again after it had happened: decided already, or a moment that is past by now.
                Ok((200..300 | 409 | 422, answer)) => return answer,
                Ok((status, answer)) => panic!("{method} {path} was answered {status}: {answer} ({:?})", self.fault),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{method} {path} was never answered ({:?})", self.fault);
    }

    /// Sets a wake-up a moment ahead, once: what stands is not set again with another moment.
    async fn set_wave(&mut self) {
        loop {
            let known = self.tell("GET", "/api/sapwaves", &Value::Null).await;
            if known["sapwaves"].as_array().is_some_and(|waves| !waves.is_empty()) {
                return;
            }
            drop(self.server().await.call("POST", "/api/sapwaves", &soon()).await);
        }
    }

    async fn state(&mut self) -> Value {
        self.tell("GET", "/api/status/fault-1", &Value::Null).await
    }

    async fn messages(&mut self) -> Vec<Value> {
        let answer = self.tell("GET", "/api/leads/fault-1/messages", &Value::Null).await;
        answer["messages"].as_array().expect("messages").clone()
    }

    async fn approval(&mut self) -> Option<Value> {
        let answer = self.tell("GET", "/api/approvals", &Value::Null).await;
        answer["approvals"].as_array().expect("approvals").first().cloned()
    }

    /// Waits until nobody works on the lead and it is as wanted.
    async fn rest(&mut self, wanted: impl Fn(&Value) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let state = self.state().await;
            if state["status"] != "in_progress" && wanted(&state) {
                return;
            }
            assert!(Instant::now() < until, "the lead is stuck after {:?}: {state:#}", self.fault);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Puts a file into the drop box as scripts should: written beside, then renamed.
    fn drop(&self, name: &str, text: &str) {
        let signals = self.root.join("signals");
        std::fs::write(signals.join(".new"), text).expect("a file");
        std::fs::rename(signals.join(".new"), signals.join(name)).expect("a name");
    }

    /// Waits until the drop box is empty and this many files are put away.
    async fn put_away(&mut self, files: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.server().await;
            let signals = self.root.join("signals");
            let left = files_in(&signals, 1).len() + files_in(&signals.join(".processing"), 1).len();
            let away = [".processed", ".rejected"].map(|folder| files_in(&signals.join(folder), 2));
            let away: Vec<_> =
                away.concat().into_iter().filter(|p| !p.to_string_lossy().ends_with(".reason.txt")).collect();
            if left == 0 && away.len() == files {
                return;
            }
            assert!(Instant::now() < until, "left in the drop box after {:?}: {left}, away: {away:?}", self.fault);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks what must hold after every fault; how the lead stands.
    async fn check(&mut self) -> Value {
        let leads = self.tell("GET", "/api/leads?limit=10", &Value::Null).await;
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "{leads:#}");
        let outbox = self.root.join("outbox");
        let until = Instant::now() + PATIENCE;
        // Mail and readable copies are written behind; they have to be right in the end.
        let (state, messages) = loop {
            let (state, messages) = (self.state().await, self.messages().await);
            let file =
                self.root.join("max-pipeline").join(state["lead_id"].as_str().expect("an id")).join("state.json");
            let copy: Value =
                std::fs::read(file).ok().and_then(|b| serde_json::from_slice(&b).ok()).unwrap_or_default();
            let out: BTreeSet<_> = messages.iter().filter(|m| m["direction"] == "out").map(mail_name).collect();
            let sent = messages.iter().filter(|m| m["direction"] == "out" && m["delivery"] == "sent").count();
            let mails: BTreeSet<_> = files_in(&outbox, 1).iter().map(|p| name(p)).collect();
            let waves = files_in(&self.root.join("signals/scoping_inbox"), 1);
            let waves = waves.iter().filter(|p| name(p).contains("SAPWAVE")).count();
            let announced = files_in(&self.root.join("signals/.announced"), 2).len();
            if copy == state && mails == out && sent == out.len() && waves == 1 && announced == 1 {
                break (state, messages);
            }
            assert!(
                Instant::now() < until,
                "after {:?}: state.json is {}, mails {mails:?}, outgoing {out:?} ({sent} sent), {waves} SapWaves, \
                 {announced} announcements",
                self.fault,
                if copy == state { "right" } else { "old" },
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        for text in [ANSWER, DROPPED] {
            let times = messages.iter().filter(|m| m["body"] == text).count();
            assert_eq!(times, 1, "after {:?} `{text}` is there {times} times", self.fault);
        }
        let moves: Vec<_> =
            state["history"].as_array().expect("a history").iter().map(|t| t["to_stage"].clone()).collect();
        let kinds: Vec<_> = messages.iter().map(|m| json!([m["direction"], m["kind"]])).collect();
        json!({
            "current_stage": state["current_stage"], "status": state["status"], "next_action": state["next_action"],
            "moves": moves, "messages": kinds,
        })
    }
}

fn mail_name(message: &Value) -> String {
    format!("{}.eml", message["id"].as_str().expect("an id"))
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The visible files in a folder and below it, down to a depth.
fn files_in(folder: &Path, depth: u32) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries
        .filter(|path| !name(path).starts_with('.'))
        .flat_map(|path| match path.is_dir() {
            true if depth > 1 => files_in(&path, depth - 1),
            true => Vec::new(),
            false => vec![path],
        })
        .collect()
}

/// A full disk and a folder that cannot be written, where each kind of file is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_read_only_disk_is_said_and_overcome() {
    for (action, words) in [("full", "full"), ("readonly", "permission")] {
        let folder = tempfile::tempdir().expect("a folder");
        let fault = format!("store.commit={action}*2");
        let server = Server::start(folder.path(), &[], &[("MAX_FAILPOINTS", &fault)]);
        max_app::client::choose_cryptography();
        let client = reqwest::Client::new();
        let mut answers = Vec::new();
        for _ in 0..3 {
            let request = client.post(server.url("/api/ingest-lead")).bearer_auth(&server.token).json(&lead());
            let answer = request.send().await.expect("an answer");
            let (status, head) = (answer.status().as_u16(), answer.headers().clone());
            answers.push(status);
            if status == 503 {
                assert_eq!(head["content-type"], "application/problem+json");
                let wait: u64 = head["retry-after"].to_str().expect("text").parse().expect("seconds");
                assert!(wait > 0);
                let problem: Value = answer.json().await.expect("a problem");
                assert!(problem["detail"].as_str().expect("a sentence").contains(words), "{problem}");
            }
        }
        assert_eq!(answers, [503, 503, 201], "{action}");
        let (_, leads) = server.call("GET", "/api/leads?limit=10", &Value::Null).await.expect("an answer");
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "half of a lead was written: {leads}");
    }
    for action in ["full", "readonly"] {
        for point in ["artifacts.write", "folders.written", "channel.write", "channel.written"] {
            let fault = format!("{point}={action}*3");
            play(Some(&fault)).await;
        }
    }
}

/// No failpoint but a disk that is really full: a small file system of its own. Mounting needs root.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_really_full_is_overcome_when_there_is_room_again() {
    let Some(disk) = SmallDisk::mount() else { return };
    let server = Server::start(&disk.0, &[], &[]);
    let filler = disk.0.join("filler");
    let ingest = async |number: u32| {
        let body = json!({
            "name": format!("Client {number}"), "email": format!("client{number}@full.example"),
            "message": format!("We need a new website, number {number}. {}", "Please. ".repeat(2_000)),
        });
        server.call("POST", "/api/ingest-lead", &body).await.expect("an answer")
    };
    assert_eq!(ingest(0).await.0, 201);
    fill(&filler);
    let mut taken = 1;
    // What the log has allocated already still holds a few.
    let refused = loop {
        match ingest(taken).await {
            (201, _) => taken += 1,
            refused => break refused,
        }
        assert!(taken < 2_000, "the disk is never full");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1["detail"].as_str().is_some_and(|detail| detail.contains("full")), "{}", refused.1);
    let (status, _) = server.call("GET", "/api/leads?limit=1", &Value::Null).await.expect("an answer");
    assert_eq!(status, 200, "reading goes on");
    std::fs::remove_file(&filler).expect("room");
    let (status, answer) = ingest(taken).await;
    assert_eq!(status, 201, "{answer}");
    let until = Instant::now() + PATIENCE;
    loop {
        let path = "/api/leads?status=in_progress&limit=1";
        let (_, busy) = server.call("GET", path, &Value::Null).await.expect("an answer");
        if busy["leads"] == json!([]) {
            break;
        }
        assert!(Instant::now() < until, "stuck: {busy:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.stop(), Some(0));
    let store = max_adapters::store::SqliteStore::open(&disk.0.join("max.db")).expect("the store");
    assert_eq!(store.verify().expect("the audit chains"), Vec::new());
}

/// A folder that is really read-only, not by a failpoint: at the start, and under what runs. Mounting needs root.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_really_read_only_is_said_and_overcome_when_it_can_be_written_again() {
    let Some(disk) = SmallDisk::mount() else { return };
    let ingest = async |server: &Server, number: u32| {
        let mut body = lead();
        (body["name"], body["email"]) =
            (json!(format!("Client {number}")), json!(format!("client{number}@readonly.example")));
        body["external_ref"] = json!(format!("readonly-{number}"));
        server.call("POST", "/api/ingest-lead", &body).await.expect("an answer").0
    };
    let server = Server::start(&disk.0, &[], &[]);
    assert_eq!(ingest(&server, 0).await, 201);
    answered(&server, &disk.0, 1).await;

    // What MAX opens anew while it runs: artifacts and mails. Mounted over, so that nothing has to be closed for it.
    let covers = ["max-pipeline", "outbox"].map(|name| Cover::over(disk.0.join(name)));
    assert_eq!(ingest(&server, 1).await, 201, "the log can be written, so the lead is taken in");
    let until = Instant::now() + PATIENCE;
    let log = || std::fs::read_to_string(disk.0.join("max.log")).unwrap_or_default().to_lowercase();
    while !log().contains("read-only file system") {
        assert!(Instant::now() < until, "nobody said that a folder cannot be written: {}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(covers);
    answered(&server, &disk.0, 2).await;
    assert_eq!(server.stop(), Some(0));

    disk.remount("ro");
    let said = max().args(["up", "--listen", "127.0.0.1:0", "--root"]).arg(&disk.0).output().expect("the command");
    let words = String::from_utf8_lossy(&said.stderr).to_lowercase();
    assert!(!said.status.success() && words.contains("read-only"), "{words}");
    assert!(words.contains(&disk.0.display().to_string().to_lowercase()), "it names the folder: {words}");
    disk.remount("rw");
    let server = Server::start(&disk.0, &[], &[]);
    assert_eq!(ingest(&server, 2).await, 201);
    answered(&server, &disk.0, 3).await;
    assert_eq!(server.stop(), Some(0));
    let store = max_adapters::store::SqliteStore::open(&disk.0.join("max.db")).expect("the store");
    assert_eq!(store.verify().expect("the audit chains"), Vec::new());
}

/// Waits until this many leads wait for their clients, each with one mail in the outbox.
async fn answered(server: &Server, root: &Path, leads: usize) {
    let until = Instant::now() + PATIENCE;
    loop {
        let path = "/api/leads?status=awaiting_human&limit=50";
        let (_, waiting) = server.call("GET", path, &Value::Null).await.expect("an answer");
        let rested = waiting["leads"].as_array().map_or(0, Vec::len);
        let mails = files_in(&root.join("outbox"), 1).len();
        if (rested, mails) == (leads, leads) {
            return;
        }
        assert!(Instant::now() < until, "{rested} of {leads} leads were answered, by {mails} mails: {waiting:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes all the room there is.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).expect("a file");
    for size in [65_536, 4_096, 512] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// A file system of 12 MiB in memory, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("left out: a small file system can only be mounted by root");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder").keep();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=12m", "max-test"]).arg(&folder);
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        assert!(std::env::var("CI").as_deref() != Ok("true"), "a tmpfs cannot be mounted");
        eprintln!("left out: a tmpfs cannot be mounted here");
        None
    }
}

impl SmallDisk {
    /// Lets it be written, or not (`rw`, `ro`). Nobody may have a file open for writing.
    fn remount(&self, how: &str) {
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-o", &format!("remount,{how}")]).arg(&self.0).status();
        assert!(done.is_ok_and(|status| status.success()), "remounted {how}");
    }
}

/// A read-only file system over a folder, gone when dropped.
struct Cover(PathBuf);

impl Cover {
    fn over(folder: PathBuf) -> Self {
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "ro,size=64k", "max-test-cover"]).arg(&folder).status();
        assert!(done.is_ok_and(|status| status.success()), "{} is covered", folder.display());
        Self(folder)
    }
}

impl Drop for Cover {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.0).status());
        drop(std::fs::remove_dir(&self.0));
    }
}
