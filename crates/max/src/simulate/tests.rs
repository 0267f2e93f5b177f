//! Shipped scenarios read, mistakes are said well, and expectations tell expected from actual.

use std::path::Path;

use super::*;

fn complaint(text: &str) -> String {
    Scenario::parse(Path::new("mine.yaml"), text).expect_err("this must be refused").message
}

fn with(steps: &str) -> String {
    format!("lead: {{message: x}}\n{steps}\nexpect: {{status: completed}}\n")
}

#[test]
fn every_shipped_scenario_can_be_read() {
    for (name, text) in SHIPPED {
        let scenario = Scenario::parse(Path::new(name), text);
        assert!(scenario.is_ok(), "{name}: {}", scenario.err().map(|e| e.message).unwrap_or_default());
    }
}

#[test]
fn the_example_of_the_guide_can_be_read() {
    let begin = GUIDE.find("    name: A silent client").expect("the example");
    let example: String = GUIDE[begin..]
        .lines()
        .take_while(|line| line.starts_with("    "))
        .map(|line| format!("{}\n", &line[4..]))
        .collect();
    assert!(Scenario::parse(Path::new("guide.yaml"), &example).is_ok());
}

/// The keys that a part of a file may have, as its reader lists them when it meets one that it does not know.
fn keys(text: &str) -> Vec<String> {
    let said = complaint(text);
    let (_, list) = said.split_once("expected").unwrap_or_else(|| panic!("{said}"));
    // Below it stands the part of the file that is meant.
    let list = list.lines().next().unwrap_or_default();
    list.trim_start_matches(" one of").split(',').map(|key| key.trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn the_guide_names_every_key_and_every_shipped_scenario() {
    let expect = |inner: &str| format!("lead: {{message: x}}\nexpect: {{{inner}}}\n");
    let all = [
        keys("zzz: 1\n"),
        keys(&with("client: [{zzz: 1}]")),
        keys(&with("client: [{on: {zzz: 1}}]")),
        keys(&with("people: [{close: {zzz: 1}}]")),
        keys(&with("people: [{hand_off: {zzz: 1}}]")),
        keys(&expect("zzz: 1")),
        keys(&expect("messages: [{zzz: 1}]")),
        keys(&expect("approvals: [{zzz: 1}]")),
        keys(&expect("artifacts: [{zzz: 1}]")),
    ];
    let written: Vec<&str> = GUIDE.split('`').skip(1).step_by(2).collect();
    let named = |key: &str| {
        written.iter().any(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == key))
    };
    for key in all.iter().flatten() {
        assert!(named(key), "docs/simulate.md does not describe `{key}`");
    }
    assert!(all.iter().map(Vec::len).sum::<usize>() > 50, "{all:?}");
    for (name, _) in SHIPPED {
        assert!(written.contains(&name), "docs/simulate.md does not name `{name}`");
    }
}

#[test]
fn shipped_scenarios_are_the_files_of_their_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    let mut shipped: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
    files.sort();
    shipped.sort();
    assert_eq!(files, shipped);
}

#[test]
fn mistakes_name_the_step_and_the_remedy() {
    let all = [
        with("client: [{on: {message: reply}}]"),
        with("client: [{on: {message: reply}, send: a, sign: b}]"),
        with("client: [{on: {message: reply}, approve: true}]"),
        with("client: [{on: {}, send: a}]"),
        with("client: [{send: a}]"),
        with("client: [{on: {message: reply}, after: soon, send: a}]"),
        with("client: [{on: {message: reply}, enquire: {message: again}}]"),
        with("client: [{on: {message: reply}, enquire: {via: pigeon}}]"),
        with("people: [{on: {message: reply}, enquire: {via: api}}]"),
        with("client: [{on: {message: reply}, erase: please}]"),
        with("people: [{on: {status: completed}, approve: true}]"),
        with("people: [{on: {status: completed}, every: true, retry: true}]"),
        "lead: {message: x}\nexpect: {}\n".to_owned(),
        "lead: {name: x}\nexpect: {status: completed}\n".to_owned(),
        "lead: {message: x}\nlimit: forever\nexpect: {status: completed}\n".to_owned(),
    ];
    insta::assert_snapshot!(all.iter().map(|text| complaint(text)).collect::<Vec<_>>().join("\n"));
}

#[test]
fn unknown_words_and_broken_yaml_name_the_line() {
    for (text, part) in [
        (with("client: [{on: {mesage: reply}, send: a}]"), "mesage"),
        (with("client: [{on: {message: replay}, send: a}]"), "replay"),
        ("lead: [\n".to_owned(), "mine.yaml"),
        ("lead: {message: x}\nexpect: {status: done}\n".to_owned(), "done"),
    ] {
        let said = complaint(&text);
        assert!(said.contains(part), "{said}");
    }
}
