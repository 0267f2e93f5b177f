//! `max approvals sign`: a decision as a file, taken in by the real drop box exactly as it was signed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{Server, max};
use serde_json::{Value, json};

struct Desk {
    server: Server,
    root: tempfile::TempDir,
}

impl Desk {
    /// A MAX whose first replies wait for a person.
    fn open() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("max.toml"), "[policy.approvals]\nreply = true\n").expect("a file");
        Self { server: Server::start(root.path(), &[], &[]), root }
    }

    async fn get(&self, path: &str) -> Value {
        self.server.call("GET", path, &Value::Null).await.expect("an answer").1
    }

    /// A lead whose first reply waits: its reference, the approval's id and its hash.
    async fn waiting(&self, reference: &str) -> (String, String) {
        let lead = json!({
            "name": "Ada Example", "email": format!("{reference}@studio.example"), "external_ref": reference,
            "message": "We need a new website with an online booking page for our studio. Our budget is 12000 EUR.",
        });
        let (status, answer) = self.server.call("POST", "/api/ingest-lead", &lead).await.expect("an answer");
        assert_eq!(status, 201, "{answer}");
        let view = self.lead_when(reference, |view| view["approval"].is_object()).await;
        let text = |key: &str| view["approval"][key].as_str().expect("text").to_owned();
        (text("id"), text("payload_sha256"))
    }

    async fn lead_when(&self, reference: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..400 {
            last = self.get(&format!("/api/leads/{reference}")).await;
            if wanted(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{reference} never came to it: {last:#}");
    }

    fn sign(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = max();
        command.args(["approvals", "sign", "--root"]).arg(self.root.path()).args(arguments);
        command.output().expect("the command")
    }

    fn signed(&self, arguments: &[&str], out: &Path) {
        let out = out.to_str().expect("a path");
        let done = self.sign(&[arguments, &["--out", out]].concat());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn drop(&self, name: &str, text: &str) {
        let signals = self.root.path().join("signals");
        std::fs::write(signals.join(format!(".{name}.new")), text).expect("a file");
        std::fs::rename(signals.join(format!(".{name}.new")), signals.join(name)).expect("a name");
    }

    async fn reason(&self, name: &str) -> String {
        let file = self.root.path().join("signals/.rejected").join(format!("{name}.reason.txt"));
        wait_for(|| std::fs::read_to_string(&file).ok()).await
    }

    async fn processed(&self, name: &str) -> PathBuf {
        let folder = self.root.path().join("signals/.processed");
        wait_for(|| {
            let days = std::fs::read_dir(&folder).ok()?;
            days.filter_map(Result::ok).map(|day| day.path().join(name)).find(|path| path.exists())
        })
        .await
    }
}

async fn wait_for<T>(look: impl Fn() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_file_decides_once_and_a_changed_one_never() {
    let desk = Desk::open();
    let (id, hash) = desk.waiting("shop-1").await;
    let file = desk.root.path().join("decision.yaml");
    desk.signed(&[&id, "--approve", "--reason", "fine: \"go\" 👍"], &file);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.contains(&hash), "{text}");

    desk.drop("tampered.yaml", &text.replace("decision: approve", "decision: reject"));
    assert!(desk.reason("tampered.yaml").await.contains("signature"));
    let other = "0".repeat(64);
    desk.drop("hash.yaml", &text.replace(&hash, &other));
    assert!(desk.reason("hash.yaml").await.contains("signature"));
    // Signed, but for something else than what goes out now.
    let stale = desk.root.path().join("stale.yaml");
    desk.signed(&[&id, "--approve", "--hash", &other], &stale);
    desk.drop("stale.yaml", &std::fs::read_to_string(&stale).expect("the file"));
    assert!(desk.reason("stale.yaml").await.contains("has changed"));
    assert!(desk.get("/api/leads/shop-1").await["approval"].is_object(), "nothing was decided yet");

    desk.drop("decision.yaml", &text);
    let view = desk.lead_when("shop-1", |view| view["approval"].is_null()).await;
    assert_eq!(view["waits"]["kind"], "client", "{view:#}");
    let events = desk.get("/api/leads/shop-1/events?limit=200").await;
    let decided: Vec<&Value> =
        events["events"].as_array().expect("events").iter().filter(|e| e["type"] == "ApprovalDecided").collect();
    assert_eq!(decided.len(), 1, "{events:#}");
    assert_eq!(decided[0]["by"], "signal:owner");
    assert!(decided[0].to_string().contains("👍"), "the remark is kept as it was written");

    desk.processed("decision.yaml").await;
    desk.drop("again.yaml", &text);
    desk.processed("again.yaml").await;
    let events = desk.get("/api/leads/shop-1/events?limit=200").await;
    let decided = events["events"].as_array().expect("events").iter().filter(|e| e["type"] == "ApprovalDecided");
    assert_eq!(decided.count(), 1, "a second copy changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_to_go_the_decision_lands_in_the_drop_box() {
    let desk = Desk::open();
    let (id, _) = desk.waiting("shop-2").await;
    let done = desk.sign(&[&id, "--reject", "say more about the price", "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(said["decision"], "reject");
    let events = |events: Value| events.to_string().contains("say more about the price");
    for _ in 0..400 {
        if events(desk.get("/api/leads/shop-2/events?limit=200").await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it was not decided");
}

#[test]
fn whoever_has_no_key_cannot_sign_and_none_is_made() {
    let root = tempfile::tempdir().expect("a folder");
    let id = "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11";
    let run = |more: &[&str]| {
        let mut command = max();
        command.args(["approvals", "sign", id, "--root"]).arg(root.path()).args(more);
        command.output().expect("the command").status.code()
    };
    assert_eq!(run(&["--approve"]), Some(6), "not found");
    assert_eq!(run(&["--approve", "--reject", "no"]), Some(2), "one decision");
    assert_eq!(run(&[]), Some(2), "a decision");
    assert_eq!(std::fs::read_dir(root.path()).expect("a folder").count(), 0);
}
