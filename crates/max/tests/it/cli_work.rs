//! Working with a running MAX through the real command: a Director alone, signals, wake-ups, a second process.

use std::path::Path;

use crate::process::{self, Server, call};
use max_app::bench::load::Connection;
use serde_json::{Value, json};

/// Runs a command on a root and gives its exit code, its JSON and what it said on stderr.
fn max(root: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = process::max().args(["--root"]).arg(root).arg("--json").args(arguments).output().expect("max");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), json, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A command that has to work.
#[track_caller]
fn done(root: &Path, arguments: &[&str]) -> Value {
    let (exit, json, said) = max(root, arguments);
    assert_eq!(exit, Some(0), "{arguments:?}: {json:#}{said}");
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_director_alone_leaves_the_work_to_an_eidolon_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let director = Server::try_start_as("director", root, &[], &[]).unwrap_or_else(|said| panic!("{said}"));
    done(
        root,
        &["lead", "add", "--name", "Ada", "--external-ref", "shop-17", "We need a website with a booking page."],
    );
    let (_, tasks) = director.call("GET", "/api/tasks", &Value::Null).await.expect("an answer");
    assert_eq!(tasks["tasks"][0]["eidolon"], "leadgen", "{tasks}");
    assert_eq!(tasks["tasks"][0]["holder"], Value::Null, "nobody works here");
    let agents = done(root, &["agents", "--all"]);
    assert!(!agents.to_string().contains("\"working\":1"), "{agents}");

    let made = done(root, &["token", "new", "elsewhere", "eidolon:leadgen"]);
    let token = made["token"].as_str().expect("a token").to_owned();
    let mut connection = Connection::open(director.address).await.expect("a connection");
    let mut ask =
        async |path: &str, body: Value| call(&mut connection, &token, "POST", path, &body).await.expect("an answer");
    let (status, claimed) = ask("/api/tasks/claim", json!({"eidolon": "leadgen", "holder": "elsewhere/1"})).await;
    assert_eq!(status, 200, "{claimed}");
    assert_eq!(claimed["lead"]["data"]["lead"]["external_ref"], "shop-17");
    let (status, refused) = ask("/api/tasks/claim", json!({"eidolon": "scoping", "holder": "elsewhere/1"})).await;
    assert_eq!(status, 403, "a token of one Eidolon: {refused}");
    assert_eq!(director.stop(), Some(0));
}

#[test]
fn signals_are_checked_sent_once_and_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let good = root.join("good.yaml");
    let transition = "type: PIPELINE_TRANSITION\nfrom: LeadGen\nto: FirstResponder\nlead_id: shop-17\n\
                      previous_stage: LeadGen\nnext_stage: FirstResponder\nsummary: on\nid: over-1\n";
    std::fs::write(&good, transition).expect("a file");
    std::fs::write(root.join("bad.yaml"), "type: PIPELINE_TRANSITION\nnext_stage: Nowhere\n").expect("a file");
    let (good, bad) = (good.display().to_string(), root.join("bad.yaml").display().to_string());
    done(root, &["signal", "lint", &good]);
    let (exit, findings, _) = max(root, &["signal", "lint", &good, &bad]);
    assert_eq!(exit, Some(1), "{findings:#}");
    assert!(findings["files"][1]["detail"].to_string().contains("lead_id"), "{findings:#}");

    let director = Server::try_start_as("director", root, &[], &[]).unwrap_or_else(|said| panic!("{said}"));
    done(
        root,
        &["lead", "add", "--name", "Ada", "--external-ref", "shop-17", "We need a website with a booking page."],
    );
    for _ in 0..2 {
        let routed = done(root, &["signal", "send", &good]);
        assert_eq!(routed["id"], "over-1", "{routed:#}");
    }
    let lead = done(root, &["lead", "show", "shop-17"]);
    assert_eq!(lead["lead"]["state"]["current_stage"], "FirstResponder");
    assert_eq!(lead["lead"]["state"]["history"].as_array().map(Vec::len), Some(2), "it moved once: {lead:#}");
    let transition = ["signal", "send", "--type", "PIPELINE_TRANSITION", "--to", "Scoping", "--lead"];
    let (exit, _, said) = max(root, &[&transition[..], &["nobody"]].concat());
    assert!(exit != Some(0) && said.contains("nobody"), "{exit:?}: {said}");
    assert_eq!(director.stop(), Some(0));
}

#[test]
fn wake_ups_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let server = Server::start(root, &[], &[]);
    done(root, &["sapwave", "add", "weekly", "maestro", "--cron", "0 8 * * 1", "Look back."]);
    let list = done(root, &["sapwave", "list"]);
    assert_eq!(list["sapwaves"][0]["name"], "weekly", "{list:#}");
    assert!(list["sapwaves"][0]["next_run"].is_string(), "{list:#}");
    let (exit, _, said) = max(root, &["sapwave", "add", "never", "maestro", "--cron", "61 8 * * 1", "Look back."]);
    assert_eq!(exit, Some(7), "{said}");
    done(root, &["sapwave", "rm", "weekly"]);
    assert_eq!(done(root, &["sapwave", "list"])["sapwaves"], json!([]));
    assert_ne!(max(root, &["sapwave", "rm", "weekly"]).0, Some(0), "it is gone");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_second_process_on_the_same_root_is_refused_and_told_who_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let server = Server::start(root, &[], &[]);
    for role in ["up", "director"] {
        let second = process::max().args(["--root"]).arg(root).args([role, "--listen", "127.0.0.1:0"]).output();
        let second = second.expect("max");
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(!second.status.success() && second.stdout.is_empty(), "{said}");
        assert!(said.contains(&root.display().to_string()), "it names the root: {said}");
    }
    assert!(std::fs::read_to_string(root.join("run/max.json")).is_ok_and(|text| text.contains("127.0.0.1")));
    assert_eq!(server.stop(), Some(0));
    assert!(!root.join("run/max.json").exists(), "nobody is there any more");
}
