//! The registry of rules is true: each rule names a function that exists and a test that exists, and `docs/rules.md`
//! says what the registry says. `RULES_UPDATE=1 cargo nextest run -p max-core rules` writes the page again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use max_core::rules::{Rule, UNDECIDED, all};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");

#[test]
fn the_page_of_rules_is_current() {
    let page = page();
    if std::env::var_os("RULES_UPDATE").is_some() {
        std::fs::write(PAGE, &page).expect("docs/rules.md");
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/rules.md is not what the registry says; run with RULES_UPDATE=1");
}

#[test]
fn every_rule_has_its_check_and_its_test() {
    let sources = Sources::read();
    let mut wrong = Vec::new();
    for rule in all() {
        if !sources.has_function(rule.check) {
            wrong.push(format!("{}: no function `{}`", rule.id, rule.check));
        }
        if !sources.tests.contains(rule.test) {
            wrong.push(format!("{}: no test `{}`", rule.id, rule.test));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_stands_once_and_says_something() {
    let mut ids = BTreeSet::new();
    for rule in all() {
        assert!(ids.insert(rule.id), "{} stands twice", rule.id);
        assert!(rule.says.split_whitespace().count() >= 4 && !rule.says.contains('|'), "{}", rule.id);
    }
}

fn page() -> String {
    let mut page = String::from(
        "# The rules that code decides\n\nMade from `max_core::rules` by its test; do not edit. A finding that *refuses* \
         sends work back before it counts, one that *blocks*\nstops an approval until it is mended or waived by a person \
         with a reason, one that *advises* stops nothing.\nEvery test fails without its check.\n",
    );
    let mut groups: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in all() {
        groups.entry(rule.id.split('-').next().unwrap_or_default()).or_default().push(rule);
    }
    for (prefix, title) in GROUPS {
        let Some(mut rules) = groups.remove(prefix) else { continue };
        rules.sort_by_key(|rule| number(rule.id));
        let _ = write!(page, "\n## {title}\n\n| rule | says | weight | check | test |\n|---|---|---|---|---|\n");
        for Rule { id, says, weight, check, test } in rules {
            let _ = writeln!(page, "| {id} | {says} | {} | `{check}` | `{test}` |", weight.name());
        }
    }
    page.push_str("\n## What no check here decides\n\n| sentence | why |\n|---|---|\n");
    for (id, why) in UNDECIDED {
        let _ = writeln!(page, "| {id} | {why} |");
    }
    assert!(groups.is_empty(), "give these prefixes a title here: {:?}", groups.keys());
    page
}

const GROUPS: [(&str, &str); 15] = [
    ("X", "Every stage"),
    ("TR", "The trace"),
    ("OG", "What goes out"),
    ("M", "Mail"),
    ("ID", "Who asks about his data"),
    ("FU", "Follow-ups"),
    ("LG", "LeadGen"),
    ("FR", "FirstResponder"),
    ("SC", "Scoping"),
    ("MK", "Orchestra"),
    ("PC", "Closer"),
    ("ON", "Onboarding"),
    ("DL", "DeliveryPM"),
    ("LW", "Law"),
    ("L", "Law, in short"),
];

/// `M-4a` is the first part of rule 4.
fn number(id: &str) -> u32 {
    let number = id.rsplit('-').next().map(|n| n.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    number.and_then(|n| n.parse().ok()).unwrap_or(u32::MAX)
}

/// The functions and tests of all crates, by a plain look at their sources.
struct Sources {
    /// Function names by the module path of their file.
    functions: BTreeMap<String, BTreeSet<String>>,
    tests: BTreeSet<String>,
}

impl Sources {
    fn read() -> Self {
        let mut sources = Self { functions: BTreeMap::new(), tests: BTreeSet::new() };
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        gather(&crates, &mut files);
        for file in files {
            sources.take(&module(&file), &std::fs::read_to_string(&file).unwrap_or_default());
        }
        sources
    }

    fn take(&mut self, module: &str, text: &str) {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = function(line) {
                if is_test {
                    self.tests.insert(name.to_owned());
                } else {
                    self.functions.entry(module.to_owned()).or_default().insert(name.to_owned());
                }
                is_test = false;
            } else if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                is_test = true;
            } else if !line.starts_with("#[") && !line.starts_with("//") && !line.is_empty() {
                is_test = false;
            }
        }
    }

    /// `stages::scoping::check_scope`: a function of that name in that module, or in a file below it.
    fn has_function(&self, check: &str) -> bool {
        let (module, name) = check.rsplit_once("::").unwrap_or(("", check));
        self.functions.iter().any(|(path, names)| {
            let here = path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"));
            let deeper = path.ends_with(&format!("::{module}")) || path.contains(&format!("::{module}::"));
            (here || deeper) && names.contains(name)
        })
    }
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// `crates/max-core/src/stages/scoping/mod.rs` is `stages::scoping`.
fn module(file: &Path) -> String {
    let parts: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let src = parts.iter().rposition(|part| part == "src" || part == "tests").map_or(0, |at| at + 1);
    let mut path: Vec<&str> = parts[src..].iter().map(|part| part.trim_end_matches(".rs")).collect();
    if matches!(path.last(), Some(&"mod" | &"lib")) {
        path.pop();
    }
    path.join("::")
}

/// The name of the function that a line begins, if it does.
fn function(line: &str) -> Option<&str> {
    // `pub(in crate::stages) fn …`
    let line = line.strip_prefix("pub(in ").and_then(|rest| rest.split_once(") ")).map_or(line, |(_, rest)| rest);
    let words = ["pub(crate) ", "pub(super) ", "pub ", "async ", "const "];
    let rest = words.iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    let name = rest.strip_prefix("fn ")?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}
