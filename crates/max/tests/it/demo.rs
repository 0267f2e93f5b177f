//! The first command of the README, as a new user runs it: in an empty folder, with nothing set up.

use crate::process;

use std::process::Output;

#[test]
fn the_demo_takes_leads_to_their_end_and_a_pydantic_model_reads_every_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let Output { status, stdout, stderr } =
        process::max().arg("demo").current_dir(folder.path()).output().expect("max demo");
    let said = format!("{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "max demo ended with {status}:\n{said}");
    let Some(mut python) = process::python() else { return };
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/process/client_state.py");
    let read = python.arg(model).arg(folder.path().join("max-demo")).output().expect("python");
    let lines = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(read.status.success(), "pydantic refused a state.json: {}", String::from_utf8_lossy(&read.stderr));
    assert!(lines.lines().count() >= 4, "too few leads:\n{lines}");
    for outcome in ["delivered", "disqualified"] {
        assert!(lines.lines().any(|l| l.ends_with(&format!("completed {outcome}"))), "no lead is {outcome}:\n{lines}");
    }
    // A second demo keeps the first one aside.
    let second = process::max().arg("demo").current_dir(folder.path()).output().expect("max demo");
    assert!(second.status.success());
    let kept = std::fs::read_dir(folder.path()).expect("the folder").filter_map(Result::ok);
    assert_eq!(kept.filter(|e| e.file_name().to_string_lossy().starts_with("max-demo")).count(), 2);
}
