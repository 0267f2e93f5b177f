//! Setting up and looking after an installation, through the real command.

use std::path::Path;

use crate::process::{self, Server};
use serde_json::Value;

/// Runs a command on a root and gives its exit code, its JSON and what it said on stderr.
fn max(root: &Path, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = process::max().args(["--root"]).arg(root).arg("--json").args(arguments).output().expect("max");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), json, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn init_overwrites_nothing_and_a_slip_in_the_file_names_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("agency one");
    let (exit, first, _) = max(&root, &["init"]);
    assert_eq!(exit, Some(0));
    assert!(first["written"].as_array().is_some_and(|files| files.len() > 2), "{first:#}");
    let file = root.join("max.toml");
    std::fs::write(&file, "[policy]\nmax_atempts = 2\n").expect("written");
    let (exit, second, _) = max(&root, &["init"]);
    assert_eq!(exit, Some(3), "{second:#}");
    assert_eq!(std::fs::read_to_string(&file).expect("read"), "[policy]\nmax_atempts = 2\n");
    let (exit, doctor, _) = max(&root, &["doctor"]);
    assert_eq!(exit, Some(1));
    let findings = doctor["findings"].as_array().cloned().unwrap_or_default();
    let config = findings.iter().find(|finding| finding["about"] == "config").expect("a finding");
    let what = config["what"].as_str().unwrap_or_default();
    assert!(what.contains(":2: policy.max_atempts") && what.contains("did you mean `max_attempts`"), "{what}");
}

#[test]
fn doctor_says_plainly_that_only_the_playbook_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let (exit, report, _) = max(folder.path(), &["doctor"]);
    assert_eq!(exit, Some(0), "{report:#}");
    assert!(report.to_string().contains("only the playbook works"), "{report:#}");
}

#[test]
fn tokens_and_backups_work_with_and_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let server = Server::start(root, &[], &[]);
    let (exit, made, _) = max(root, &["token", "new", "web form", "ingest"]);
    assert_eq!(exit, Some(0), "{made:#}");
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(server.stop(), Some(0));
    let (_, list, said) = max(root, &["token", "list"]);
    assert!(list["tokens"].as_array().is_some_and(|tokens| tokens.iter().any(|t| t["id"] == id.as_str())), "{list:#}");
    assert!(said.contains("for the moment"), "{said}");
    let (exit, ..) = max(root, &["token", "revoke", &id]);
    assert_eq!(exit, Some(0));
    let (exit, done, said) = max(root, &["backup"]);
    assert_eq!(exit, Some(0), "{done:#}{said}");
    assert!(Path::new(done["path"].as_str().expect("a path")).join("max.db").is_file());
}

#[test]
fn exit_codes_are_as_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    assert_eq!(max(root, &["lead", "list"]).0, Some(4));
    assert_eq!(max(root, &["frobnicate"]).0, Some(2));
    assert_eq!(max(root, &["--config", "nowhere.toml", "init"]).0, Some(3));
    let server = Server::start(root, &[], &[]);
    assert_eq!(max(root, &["lead", "show", "nobody"]).0, Some(6));
    assert_eq!(max(root, &["lead", "list", "--stage", "Nowhere"]).0, Some(7));
    let (exit, lead, _) = max(root, &["lead", "add", "--name", "Ada", "--external-ref", "ada-1", "A website, please."]);
    assert_eq!(exit, Some(0), "{lead:#}");
    let (exit, refused, _) = max(root, &["lead", "sign", "ada-1", "Ada"]);
    assert_eq!((exit, refused["exit_code"].as_u64()), (Some(5), Some(5)));
    let stranger = process::max().args(["--root"]).arg(root).args(["lead", "list"]).env("MAX_TOKEN", "x").output();
    assert_eq!(stranger.expect("max").status.code(), Some(8));
    assert_eq!(server.stop(), Some(0));
}
