//! The drop box, as a person or a script uses it: files in `<root>/signals/` of a running MAX.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::Server;
use serde_json::{Value, json};

/// The example of DESIGN 4, word for word, without `id`.
const EXAMPLE: &str = r#"type: PIPELINE_TRANSITION
from: FirstResponder
to: ScopingAgent            # stage names, persona names and <Stage>Agent all resolve
lead_id: abc-123            # a UUID, or the `external_ref` given at ingestion
previous_stage: FirstResponder
next_stage: Scoping
summary: "Lead qualified, ready for requirements"
data_path: /AI_Agents/max-pipeline/abc-123/stage-2-first/
"#;

struct Box {
    server: Server,
    signals: PathBuf,
    _root: tempfile::TempDir,
}

impl Box {
    async fn with_lead() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let server = Server::start(root.path(), &[], &[]);
        let lead = json!({
            "name": "Ada Example", "email": "ada@studio.example", "external_ref": "abc-123",
            "message": "We need a new website with an online booking page for our studio. Our budget is 12000 EUR.",
        });
        let (status, answer) = server.call("POST", "/api/ingest-lead", &lead).await.expect("an answer");
        assert_eq!(status, 201, "{answer}");
        let signals = root.path().join("signals");
        let this = Self { server, signals, _root: root };
        this.state_when(|s| s["status"] == "awaiting_human" && s["current_stage"] == "FirstResponder").await;
        this
    }

    /// Puts a file into the drop box as scripts should: written beside, then renamed.
    fn drop(&self, name: &str, content: &[u8]) {
        let beside = self.signals.join(format!(".{}.new", name.len()));
        std::fs::write(&beside, content).expect("a file");
        std::fs::rename(beside, self.signals.join(name)).expect("a name");
    }

    async fn state_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..200 {
            let (_, state) = self.server.call("GET", "/api/status/abc-123", &Value::Null).await.expect("an answer");
            if wanted(&state) {
                return state;
            }
            last = state;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the lead never came to it: {last:#}");
    }

    /// The reason beside a rejected file, once it is there.
    async fn reason(&self, name: &str) -> String {
        let file = self.signals.join(".rejected").join(format!("{name}.reason.txt"));
        for _ in 0..200 {
            if let Ok(text) = std::fs::read_to_string(&file) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{name}` was not rejected: {:?}", tree(&self.signals));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design_hands_the_lead_over_once() {
    let box_ = Box::with_lead().await;
    box_.drop("handoff.yaml", EXAMPLE.as_bytes());
    let state = box_.state_when(|s| s["current_stage"] == "Scoping").await;
    let last = state["history"].as_array().and_then(|h| h.last()).expect("a move");
    assert_eq!(last["summary"], "Lead qualified, ready for requirements");
    assert_eq!(last["by"], "signal:FirstResponder");
    // The same file again is a repeat: processed, and nothing moves.
    box_.drop("handoff.yaml", EXAMPLE.as_bytes());
    let processed = box_.signals.join(".processed");
    for _ in 0..200 {
        if tree(&processed).iter().filter(|p| p.to_string_lossy().contains("handoff")).count() == 2 {
            let state = box_.state_when(|_| true).await;
            let moves = state["history"].as_array().expect("a history");
            assert_eq!(moves.iter().filter(|t| t["to_stage"] == "Scoping").count(), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the repeat was not processed: {:?}", tree(&box_.signals));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_rejected_with_a_reason_and_nothing_stops() {
    let box_ = Box::with_lead().await;
    let unknown = EXAMPLE.replace("abc-123            #", "nobody-here #");
    let wrong_stage = EXAMPLE.replace("previous_stage: FirstResponder", "previous_stage: Closer");
    let outside =
        EXAMPLE.replace("/AI_Agents/max-pipeline/abc-123/stage-2-first/", "/AI_Agents/max-pipeline/abc-123/../../etc");
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("type.yaml", b"type: PIPELINE_TRANSISTION\nlead_id: abc-123\n".to_vec(), "PIPELINE_TRANSISTION"),
        ("unknown.yaml", unknown.into_bytes(), "nobody-here"),
        ("stage.yaml", wrong_stage.into_bytes(), "Closer"),
        ("outside.yaml", outside.into_bytes(), "data_path"),
        ("broken.yaml", b"type: [PIPELINE_TRANSITION\n  from: {".to_vec(), ""),
        ("huge.yaml", vec![b'#'; 2 << 20], "1 MiB"),
    ];
    for (name, content, _) in &cases {
        box_.drop(name, content);
    }
    let odd = "odd \u{1f600} näme; rm -rf $(x).yaml";
    box_.drop(odd, b"type: HEARTBEAT\nfrom: somebody\n");
    std::fs::create_dir(box_.signals.join("folder.yaml")).expect("a folder");
    std::os::unix::fs::symlink("/etc/passwd", box_.signals.join("link.yaml")).expect("a link");
    for (name, _, part) in &cases {
        let reason = box_.reason(name).await;
        assert!(reason.contains(part) && !reason.trim().is_empty(), "{name}: {reason}");
    }
    assert!(!box_.reason("folder.yaml").await.is_empty());
    assert!(!box_.reason("link.yaml").await.is_empty());
    let state = box_.state_when(|_| true).await;
    assert_eq!(state["current_stage"], "FirstResponder");
    // And the next good one is taken.
    box_.drop("handoff.yaml", EXAMPLE.as_bytes());
    box_.state_when(|s| s["current_stage"] == "Scoping").await;
}

fn tree(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .flat_map(|entry| {
            let path = entry.path();
            let below = if path.is_dir() && !path.is_symlink() { tree(&path) } else { Vec::new() };
            std::iter::once(path).chain(below)
        })
        .collect()
}
