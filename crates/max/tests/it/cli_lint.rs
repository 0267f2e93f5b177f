//! `max lint`, `max trace` and `max lead diff` on a real server: what is found, where, and how it is mended.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::process::{self, Server};
use serde_json::{Value, json};

/// A command's exit code, what it printed and what it said on stderr.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(root: &Path, arguments: &[&str]) -> Said {
    let output =
        process::max().arg("--root").arg(root).args(arguments).stdin(Stdio::null()).output().expect("the command");
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The same with `--json`.
fn json_of(root: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let said = run(root, &[&["--json"], arguments].concat());
    let value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {} {}", said.out, said.err));
    (said.code, value)
}

struct House {
    server: Server,
    root: tempfile::TempDir,
}

impl House {
    fn open() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        Self { server: Server::start(root.path(), &[], &[]), root }
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.server.call(method, path, &body).await.expect("an answer");
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer:#}");
        answer
    }

    async fn when(&self, lead: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut state = Value::Null;
        for _ in 0..1_200 {
            state = self.call("GET", &format!("/api/status/{lead}"), Value::Null).await;
            if fits(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} did not come: {state:#}");
    }

    /// The id of the approval of this kind, once it waits.
    async fn approval(&self, lead: &str, kind: &str) -> String {
        let state = self.when(lead, kind, |s| s["data"]["waiting_for"]["approval"] == kind).await;
        state["data"]["waiting_for"]["id"].as_str().expect("an id").to_owned()
    }

    async fn writes(&self, lead: &str, ask: &str, text: &str) {
        self.when(lead, ask, |s| s["data"]["waiting_for"]["for"].as_str().is_some_and(|f| f.contains(ask))).await;
        self.call("POST", &format!("/api/leads/{lead}/messages"), json!({"body": text})).await;
    }

    /// Brings a client as far as the mockup that waits for a person; the state then.
    async fn client_with_a_mockup(&self, reference: &str) -> Value {
        let lead = json!({
            "name": "Jane Doe", "email": format!("{reference}@salon.example"), "company": "Cut & Colour",
            "role": "Owner", "locale": "en-GB", "budget": "9000 EUR", "external_ref": reference,
            "message": "Hello, we need a new website with online booking for our three hair salons. Customers must be \
                        able to book an appointment and pay a deposit online. We would like to launch by March.",
        });
        self.call("POST", "/api/ingest-lead", lead).await;
        self.writes(reference, "reply", "I decide myself. Our customers are mostly women, most of them use phones.")
            .await;
        self.writes(
            reference,
            "answers",
            "We have photos and we write the texts ourselves. The site is in English only. There are no other systems.",
        )
        .await;
        let scope = self.approval(reference, "scope").await;
        let approved = run(self.root(), &["approvals", "approve", &scope]);
        assert_eq!(approved.code, Some(0), "{}", approved.err);
        self.when(reference, "the mockup", |s| s["data"]["waiting_for"]["approval"] == "mockup").await
    }

    /// The same project brought over from elsewhere, with a mockup that forgot the first Must.
    async fn project_with_a_gap(&self, state: &Value, forgotten: &str, reference: &str) {
        let mut mockup = state["data"]["Orchestra"]["mockup"].clone();
        for screen in mockup["screens"].as_array_mut().expect("screens") {
            screen["requirements"].as_array_mut().expect("requirements").retain(|id| id != forgotten);
        }
        let mut lead = state["data"]["lead"].clone();
        lead["external_ref"] = json!(reference);
        lead["email"] = json!(format!("{reference}@salon.example"));
        let digest = scope_digest(self, state).await;
        let import = json!({
            "lead": lead, "stage": "Closer", "approved_scope": digest,
            "data": {"Scoping": state["data"]["Scoping"], "Orchestra": {"mockup": mockup}},
        });
        self.call("POST", "/api/import", import).await;
        self.approval(reference, "proposal").await;
    }
}

async fn scope_digest(house: &House, state: &Value) -> Value {
    let lead = state["lead_id"].as_str().expect("an id");
    let list = house.call("GET", &format!("/api/leads/{lead}/artifacts"), Value::Null).await;
    let scope = list["artifacts"].as_array().expect("files").iter().find(|a| a["name"] == "scope.json").cloned();
    scope.expect("the scope")["sha256"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_cell_is_shown_by_trace_interface_and_lint_with_its_place_and_remedy() {
    let house = House::open();
    let state = house.client_with_a_mockup("whole-1").await;
    let whole = run(house.root(), &["trace", "whole-1"]);
    assert_eq!(whole.code, Some(0), "{}{}", whole.out, whole.err);
    assert!(!whole.out.contains("MISSING"), "{}", whole.out);
    let (_, trace) = json_of(house.root(), &["trace", "whole-1"]);
    let must = trace["rows"][0]["requirement"].as_str().expect("a Must").to_owned();
    assert!(whole.out.contains(&must), "{}", whole.out);

    house.project_with_a_gap(&state, &must, "gap-1").await;
    let shown = run(house.root(), &["trace", "gap-1"]);
    assert_eq!(shown.code, Some(1), "{}", shown.err);
    let red = shown
        .out
        .lines()
        .find(|line| line.to_lowercase().starts_with(&format!("{must} screen missing: ").to_lowercase()));
    assert!(red.is_some(), "{}", shown.out);
    let (code, trace) = json_of(house.root(), &["trace", "gap-1"]);
    assert_eq!((code, &trace), (Some(1), &house.call("GET", "/api/leads/gap-1/trace", Value::Null).await));
    let row =
        trace["rows"].as_array().expect("rows").iter().find(|row| row["requirement"] == must.as_str()).expect("it");
    let screen = row["cells"].as_array().expect("cells").iter().find(|cell| cell["column"] == "screen").expect("it");
    assert_eq!(screen["state"], "missing");

    // The same gap as a finding with rule, weight, place and remedy.
    let linted = run(house.root(), &["lint", "gap-1"]);
    assert_eq!(linted.code, Some(1), "{}", linted.err);
    let finding = linted.out.lines().find(|line| line.starts_with("TR-1 blocks ") && line.contains(&must));
    assert!(finding.is_some(), "{}", linted.out);
    assert!(linted.out.contains("to mend it: "), "{}", linted.out);
    let (_, findings) = json_of(house.root(), &["lint", "gap-1"]);
    let all = findings["findings"].as_array().expect("findings").clone();
    let gap = all.iter().find(|f| f["rule"] == "TR-1").unwrap_or_else(|| panic!("{findings:#}"));
    assert!(["detail", "remedy", "place"].iter().all(|key| gap[key].as_str().is_some_and(|t| !t.is_empty())), "{gap}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_checked_without_a_server_and_say_where_and_how_to_mend() {
    let house = House::open();
    let state = house.client_with_a_mockup("shop-1").await;
    house.call("GET", "/api/settle", Value::Null).await;
    let folder = house.root().join("max-pipeline").join(state["lead_id"].as_str().expect("an id"));
    let online = run(house.root(), &["lint", "shop-1"]);
    assert_eq!(online.code, Some(0), "{}{}", online.out, online.err);
    let House { server, root } = house;
    assert_eq!(server.stop(), Some(0));
    let path = folder.display().to_string();
    let clean = run(root.path(), &["lint", &path]);
    assert_eq!(clean.code, Some(0), "{}{}", clean.out, clean.err);

    // Somebody edits what stands there.
    let scope = folder.join("stage-3-scoping/scope.md");
    let text = std::fs::read_to_string(&scope).expect("the scope");
    std::fs::write(&scope, format!("{text}\nTODO: {{{{client}}}} decides, see R-099\n")).expect("written");
    for what in [&path, &scope.display().to_string()] {
        let found = run(root.path(), &["lint", what]);
        assert_eq!(found.code, Some(1), "{what}: {}{}", found.out, found.err);
        let finding = found.out.lines().find(|line| line.starts_with("X-2 blocks ") && line.contains("scope.md"));
        assert!(finding.is_some(), "{what}: {}", found.out);
        assert!(found.out.contains("to mend it: "), "{}", found.out);
    }
    let (code, found) = json_of(root.path(), &["lint", &scope.display().to_string()]);
    assert_eq!(code, Some(1));
    let rules: Vec<&str> =
        found["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(rules.contains(&"X-2"), "{found:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_document_can_be_compared() {
    let house = House::open();
    let state = house.client_with_a_mockup("shop-1").await;
    let lead = state["lead_id"].as_str().expect("an id").to_owned();
    let path = "stage-4-mockup/mockup.json";
    let approval = house.approval("shop-1", "mockup").await;
    let rejected = run(house.root(), &["approvals", "reject", &approval, "--reason", "once more"]);
    assert_eq!(rejected.code, Some(0), "{}", rejected.err);
    house
        .when("shop-1", "another mockup", |s| {
            s["data"]["waiting_for"]["approval"] == "mockup" && s["data"]["waiting_for"]["id"] != approval.as_str()
        })
        .await;
    let newest = house.call("GET", &format!("/api/leads/{lead}/artifacts"), Value::Null).await;
    let versions = newest["artifacts"].as_array().expect("files").iter().find(|a| a["path"] == path).cloned();
    assert_eq!(versions.expect("the mockup")["version"], 2);
    let usual = run(house.root(), &["lead", "diff", "shop-1", path]);
    assert_eq!(usual.code, Some(0), "{}", usual.err);
    assert!(!usual.out.trim().is_empty());
    assert_eq!(run(house.root(), &["lead", "diff", "shop-1", path, "--from", "1", "--to", "2"]).out, usual.out);
    let (_, changes) = json_of(house.root(), &["lead", "diff", "shop-1", path]);
    assert!(changes["changes"].as_array().is_some_and(|all| !all.is_empty()), "{changes:#}");
    let same = json_of(house.root(), &["lead", "diff", "shop-1", path, "--from", "2", "--to", "2"]).1;
    assert_eq!(same["changes"], json!([]));
    for (arguments, code) in [
        (vec!["lead", "diff", "shop-1", "stage-4-mockup/nothing.md"], 6),
        (vec!["lead", "diff", "nobody", path], 6),
        (vec!["lead", "diff", "shop-1", path, "--from", "9"], 6),
        (vec!["lead", "diff", "shop-1", "../../run/token"], 6),
        (vec!["lead", "diff", "shop-1", path, "--from", "first"], 2),
    ] {
        let said = run(house.root(), &arguments);
        assert_eq!(said.code, Some(code), "{arguments:?}: {}{}", said.out, said.err);
        assert!(!said.err.trim().is_empty(), "{arguments:?} says why");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    // Nobody is there to ask.
    for arguments in [&["trace", "shop-1"][..], &["lint", "shop-1"], &["lead", "diff", "shop-1", "a/b.md"]] {
        let said = run(root.path(), arguments);
        assert_eq!(said.code, Some(4), "{arguments:?}: {}", said.err);
        assert!(said.err.contains("max up"), "{arguments:?}: {}", said.err);
    }
    // Files need no server, and wrong ones are refused with the remedy.
    let at = |name: &str| root.path().join(name).display().to_string();
    std::fs::write(at("photo.png"), b"\x89PNG").expect("written");
    std::fs::create_dir(at("empty")).expect("made");
    for (name, code, part) in [
        ("nowhere/offer.md", 6, "there is no file or folder"),
        ("photo.png", 7, "no document that has rules"),
        ("empty", 6, "holds no document"),
    ] {
        let said = run(root.path(), &["lint", &at(name)]);
        assert_eq!(said.code, Some(code), "{name}: {}{}", said.out, said.err);
        assert!(said.err.contains(part), "{name}: {}", said.err);
    }
    let _server = Server::start(root.path(), &[], &[]);
    for arguments in [["trace", "nobody"], ["lint", "nobody"]] {
        let said = run(root.path(), &arguments);
        assert_eq!(said.code, Some(6), "{arguments:?}: {}", said.err);
        assert!(said.err.contains("nobody"), "{}", said.err);
    }
    // A lead without a scope has nothing to follow, and that is no failure.
    let add = ["lead", "add", "--name", "Ada", "--external-ref", "ada-1", "A website, please."];
    assert_eq!(run(root.path(), &add).code, Some(0));
    let said = run(root.path(), &["trace", "ada-1"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    assert!(said.err.contains("no scope yet"), "{}", said.err);
}
