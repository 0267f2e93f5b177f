//! Every shipped scenario is played by the real command against the real server, and a failing one is told by name.

use crate::process;

use serde_json::Value;

#[test]
fn every_shipped_scenario_meets_its_expectations() {
    let names: Vec<&str> = max_app::simulate::SHIPPED.iter().map(|(name, _)| *name).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let played = process::max()
        .arg("simulate")
        .args(&names)
        .arg("--json")
        .current_dir(folder.path())
        .output()
        .expect("max simulate");
    let report: Value = serde_json::from_slice(&played.stdout).expect("a report");
    assert!(played.status.success(), "{report:#}");
    assert_eq!(report["scenarios"].as_array().map(Vec::len), Some(names.len()));
}

#[test]
fn an_expectation_that_is_not_met_is_named_and_ends_with_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.yaml");
    let spam = max_app::simulate::SHIPPED.iter().find(|(name, _)| *name == "spam").expect("shipped").1;
    std::fs::write(&file, spam.replace("outcome: spam", "outcome: delivered")).expect("written");
    let played = process::max().arg("simulate").arg(&file).output().expect("max simulate");
    let said = String::from_utf8_lossy(&played.stdout).into_owned();
    assert_eq!(played.status.code(), Some(1), "{said}");
    assert!(said.contains("outcome: expected delivered, was spam"), "{said}");
}
