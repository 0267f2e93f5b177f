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

#[test]
fn mistakes_name_the_step_and_the_remedy() {
    let all = [
        with("client: [{on: {message: reply}}]"),
        with("client: [{on: {message: reply}, send: a, sign: b}]"),
        with("client: [{on: {message: reply}, approve: true}]"),
        with("client: [{on: {}, send: a}]"),
        with("client: [{send: a}]"),
        with("client: [{on: {message: reply}, after: soon, send: a}]"),
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
