//! What clients and scripts drop: Markdown signals, mails of a conversation, mails of strangers and of machines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::Server;
use serde_json::{Value, json};

const WISH: &str = "We need a new website with an online booking page for our pottery studio. Our budget is 12000 EUR.";

struct Max {
    server: Server,
    root: tempfile::TempDir,
}

impl Max {
    async fn start() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let max = Self { server: Server::start(root.path(), &[], &[]), root };
        let lead = json!({"name": "Ada", "email": "ada@studio.example", "external_ref": "abc-123", "message": WISH});
        let (status, answer) = max.server.call("POST", "/api/ingest-lead", &lead).await.expect("an answer");
        assert_eq!(status, 201, "{answer}");
        max.when("/api/status/abc-123", |s| s["status"] == "awaiting_human").await;
        max
    }

    async fn when(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..400 {
            last = self.server.call("GET", path, &Value::Null).await.expect("an answer").1;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{path} never came to it: {last:#}");
    }

    async fn messages(&self) -> Vec<Value> {
        let all = self.when("/api/leads/abc-123/messages", |_| true).await;
        all["messages"].as_array().expect("messages").clone()
    }

    /// Drops a file and waits until it was dealt with: the reason it was rejected for, if it was.
    async fn drop(&self, name: &str, text: &str) -> Option<String> {
        let signals = self.root.path().join("signals");
        std::fs::write(signals.join(".new"), text).expect("a file");
        std::fs::rename(signals.join(".new"), signals.join(name)).expect("a name");
        for _ in 0..400 {
            if let Ok(reason) = std::fs::read_to_string(signals.join(".rejected").join(format!("{name}.reason.txt"))) {
                return Some(reason);
            }
            if found(&signals.join(".processed"), name) {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nobody took {name}");
    }
}

fn found(folder: &Path, name: &str) -> bool {
    let days = std::fs::read_dir(folder).into_iter().flatten().flatten();
    days.map(|day| day.path().join(name)).any(|path: PathBuf| path.exists())
}

fn mail(from: &str, id: &str, headers: &str, body: &str) -> String {
    format!(
        "From: {from}\r\nTo: hello@agency.example\r\nSubject: Re: Your enquiry\r\nMessage-ID: <{id}>\r\n{headers}\
         Date: Mon, 23 Nov 2026 10:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_markdown_file_with_front_matter_is_a_message_and_its_id_stands_for_it() {
    let max = Max::start().await;
    let text =
        "---\ntype: CLIENT_MESSAGE\nlead_id: abc-123\nid: note-1\n---\nBy **March**, please.\n\nTwenty students.\n";
    assert_eq!(max.drop("note.md", text).await, None);
    let said = max.messages().await;
    let note = said.iter().find(|m| m["body"].as_str().is_some_and(|b| b.contains("By **March**"))).expect("the note");
    assert_eq!((&note["direction"], &note["verified"]), (&json!("in"), &json!(false)), "{note}");

    let count = said.iter().filter(|m| m["direction"] == "in").count();
    assert_eq!(max.drop("copy.md", text).await, None, "the same again is a repeat");
    let other = text.replace("Twenty", "Thirty");
    let reason = max.drop("other.md", &other).await.expect("rejected");
    assert!(reason.contains("duplicate id"), "{reason}");
    let (status, problem) = max
        .server
        .call(
            "POST",
            "/api/signals",
            &json!({"type": "ESCALATION", "lead_id": "abc-123", "id": "note-1", "summary": "x"}),
        )
        .await
        .expect("an answer");
    assert!((400..500).contains(&status) && problem.to_string().contains("duplicate id"), "{status} {problem}");
    let now = max.messages().await.iter().filter(|m| m["direction"] == "in").count();
    assert_eq!(now, count);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_finds_its_lead_by_the_thread_and_a_stranger_becomes_a_lead() {
    let max = Max::start().await;
    let sent = max.when("/api/leads/abc-123/messages", |all| {
        all["messages"].as_array().is_some_and(|m| m.iter().any(|m| m["direction"] == "out"))
    });
    let sent = sent.await["messages"].as_array().expect("messages").clone();
    let ours =
        sent.iter().find(|m| m["direction"] == "out").expect("a reply")["rfc_id"].as_str().expect("an id").to_owned();

    // From another address, but in the thread.
    let thread = format!("In-Reply-To: <{ours}>\r\nReferences: <{ours}>\r\n");
    let answer = mail("Ada at home <ada@home.example>", "a1@home.example", &thread, "By March, for our students.");
    assert_eq!(max.drop("answer.eml", &answer).await, None);
    let said = max.messages().await;
    let own = said.iter().find(|m| m["body"].as_str().is_some_and(|b| b.contains("By March"))).expect("the answer");
    assert_eq!(own["verified"], false, "the thread is right, the address is not the client's");
    let known = mail("Ada <ada@studio.example>", "a2@studio.example", &thread, "Twenty of them, in fact.");
    assert_eq!(max.drop("known.eml", &known).await, None);
    let said = max.messages().await;
    let own = said.iter().find(|m| m["body"].as_str().is_some_and(|b| b.contains("Twenty of"))).expect("the answer");
    assert_eq!(own["verified"], true);
    // What went out in between answers that mail, in its thread.
    let all = max
        .when("/api/leads/abc-123/messages", |all| {
            all["messages"].as_array().is_some_and(|m| m.iter().any(|m| m["in_reply_to"] == "a1@home.example"))
        })
        .await;
    assert!(all.to_string().contains(&ours));

    let stranger =
        mail("Bob <bob@bakery.example>", "b1@bakery.example", "", "Hello, we need an online shop for our bakery.");
    assert_eq!(max.drop("stranger.eml", &stranger).await, None);
    let leads = max.when("/api/leads?q=bakery", |l| l["leads"].as_array().is_some_and(|l| l.len() == 1)).await;
    assert_eq!(leads["leads"][0]["name"], "Bob");
    assert_eq!(max.drop("again.eml", &stranger).await, None);
    let leads = max.when("/api/leads", |_| true).await;
    assert_eq!(leads["leads"].as_array().map(Vec::len), Some(2), "the same mail again is no further lead");
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_heard_and_never_answered() {
    let max = Max::start().await;
    let sent = max.messages().await;
    let ours =
        sent.iter().find(|m| m["direction"] == "out").expect("a reply")["rfc_id"].as_str().expect("an id").to_owned();
    let thread = format!("In-Reply-To: <{ours}>\r\nAuto-Submitted: auto-replied\r\n");
    let away = mail("Ada <ada@studio.example>", "o1@studio.example", &thread, "I am out of the office until Monday.");
    assert_eq!(max.drop("away.eml", &away).await, None);
    let said = max.messages().await;
    assert!(said.iter().any(|m| m["kind"] == "out_of_office"), "{said:#?}");
    assert_eq!(said.iter().filter(|m| m["direction"] == "out").count(), 1, "nobody answers a machine");
    max.when("/api/status/abc-123", |s| s["status"] == "awaiting_human").await;

    let unknown =
        mail("News <news@letters.example>", "n1@letters.example", "Auto-Submitted: auto-generated\r\n", "Hi!");
    let reason = max.drop("news.eml", &unknown).await.expect("rejected");
    assert!(reason.contains("machine"), "{reason}");

    let bounce = format!(
        "From: Mail Delivery System <mailer-daemon@mx.example>\r\nTo: hello@agency.example\r\nSubject: Undelivered\r\n\
         Message-ID: <d1@mx.example>\r\nIn-Reply-To: <{ours}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThe address does not exist.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; ada@studio.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    );
    assert_eq!(max.drop("bounce.eml", &bounce).await, None);
    let state = max.when("/api/status/abc-123", |s| s["status"] == "escalated").await;
    assert!(state["next_action"].as_str().is_some_and(|n| n.contains("bounce")), "{}", state["next_action"]);
    assert_eq!(max.when("/api/leads", |_| true).await["leads"].as_array().map(Vec::len), Some(1));
}
