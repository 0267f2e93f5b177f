//! The command line with what people really type: other words for the same, odd signs, and pipes that end early.

use std::io::Read as _;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::process::{Server, max};

fn run(root: &Path, arguments: &[&str]) -> Output {
    max().arg("--root").arg(root).args(arguments).stdin(Stdio::null()).output().expect("max")
}

#[test]
fn options_may_be_called_as_in_the_interface() {
    let root = tempfile::tempdir().expect("a folder");
    let _server = Server::start(root.path(), &[], &[]);
    for arguments in [
        &["lead", "add", "--external-ref", "a-1", "--name", "\u{202e}😀", "--message", "👍 we need a website 🚀"][..],
        &["lead", "takeover", "a-1"],
        &["lead", "handoff", "a-1", "--to", "Scoping", "--reason", "we talked"],
        &["lead", "close", "a-1", "--outcome", "lost", "--reason", "no budget"],
    ] {
        let done = run(root.path(), arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(!String::from_utf8_lossy(&done.stdout).contains('\u{202e}'), "nobody turns the terminal around");
    }
    let shown = run(root.path(), &["lead", "show", "a-1"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("lost"), "{shown:?}");
}

#[test]
fn who_stops_reading_ends_the_command_without_a_panic() {
    let root = tempfile::tempdir().expect("a folder");
    for arguments in [&["help", "config"][..], &["completions", "bash"], &["--help"]] {
        let mut child = max()
            .arg("--root")
            .arg(root.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("max");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("its words").read_to_string(&mut said).expect("text");
        child.wait().expect("an end");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}
