//! `max ingest` against the real server: rows for themselves, a rerun that adds nothing, projects under way.

use std::path::Path;

use crate::process::{self, Server};
use serde_json::Value;

/// Runs a command of the server's root and gives its exit code and its JSON.
fn max(root: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = process::max().args(["--root"]).arg(root).arg("--json").args(arguments).output().expect("max");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), json)
}

#[test]
fn a_bad_row_stops_no_other_and_the_same_file_again_adds_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Server::start(root.path(), &[], &[]);
    let file = root.path().join("leads.csv");
    std::fs::write(
        &file,
        "Name;E-Mail;Nachricht;Lieblingsfarbe\n\
         Jörg Müller;joerg@laden.example;Wir brauchen einen Onlineshop bis Mai.;blau\n\
         Ohne Adresse;keine-adresse;Hallo;\n\
         =cmd();a@b.example;\"We need a website; with \"\"booking\"\".\";\n",
    )
    .expect("written");
    let file = file.to_str().expect("a path");

    let (exit, rehearsal) = max(root.path(), &["ingest", file, "--dry-run"]);
    assert_eq!((exit, rehearsal["summary"]["ready"].as_u64()), (Some(0), Some(3)));
    let (exit, first) = max(root.path(), &["ingest", file]);
    assert_eq!(exit, Some(1));
    assert_eq!(first["summary"]["created"], 2, "{first:#}");
    assert_eq!(first["rows"][1]["field"], "email", "{first:#}");
    let (_, again) = max(root.path(), &["ingest", file]);
    assert_eq!((&again["summary"]["created"], &again["summary"]["repeat"]), (&0.into(), &2.into()), "{again:#}");
    let (_, list) = max(root.path(), &["lead", "list", "--all"]);
    assert_eq!(list["leads"].as_array().map(Vec::len), Some(2));
    let id = first["rows"][0]["lead_id"].as_str().expect("an id");
    let (_, shown) = max(root.path(), &["lead", "show", id]);
    assert_eq!(shown["lead"]["state"]["data"]["lead"]["extra"]["lieblingsfarbe"], "blau", "{shown:#}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_project_under_way_enters_where_it_is_with_its_files() {
    let root = tempfile::tempdir().expect("a folder");
    let server = Server::start(root.path(), &[], &[]);
    std::fs::write(root.path().join("brief.md"), "# What was agreed\n").expect("written");
    let file = root.path().join("projects.jsonl");
    std::fs::write(
        &file,
        r#"{"name": "Ada", "email": "ada@x.example", "message": "As agreed", "external_ref": "old-1", "stage": "Scoping", "artifacts": [{"stage": "FirstResponder", "name": "brief.md", "path": "brief.md"}]}"#,
    )
    .expect("written");
    let (exit, report) = max(root.path(), &["ingest", file.to_str().expect("a path")]);
    assert_eq!(exit, Some(0), "{report:#}");
    let (_, shown) = max(root.path(), &["lead", "show", "old-1"]);
    let stages: Vec<&str> = shown["lead"]["state"]["history"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|transition| transition["to_stage"].as_str())
        .collect();
    assert_eq!(stages, ["Scoping"], "{shown:#}");
    let paths: Vec<&str> =
        shown["lead"]["artifacts"].as_array().into_iter().flatten().filter_map(|a| a["path"].as_str()).collect();
    assert!(paths.contains(&"stage-2-first/brief.md"), "{paths:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn without_a_server_nothing_is_sent_and_the_code_says_so() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("leads.csv");
    std::fs::write(&file, "email,message\na@b.example,Hello\n").expect("written");
    let (exit, said) = max(root.path(), &["ingest", file.to_str().expect("a path")]);
    assert_eq!((exit, said["exit_code"].as_u64()), (Some(4), Some(4)));
}
