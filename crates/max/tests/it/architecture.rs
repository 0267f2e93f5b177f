//! The invariants of ARCHITECTURE.md that a reader of the sources can check.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Every source file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} holds sources");
    let name = |path: &Path| path.strip_prefix(root()).unwrap_or(path).display().to_string();
    found.into_iter().map(|path| (name(&path), fs::read_to_string(&path).expect("a source"))).collect()
}

/// The names under `[dependencies]` of a crate.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join("crates").join(krate).join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    manifest["dependencies"].as_table().expect("a table").keys().cloned().collect()
}

/// The code of a source without its comments and its tests, which stand at the end.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or(text);
    let shipped = shipped.split("#[cfg(all(test").next().unwrap_or(shipped);
    shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_core_has_no_runtime_no_clock_and_no_chance() {
    let pure = ["jiff", "schemars", "serde", "serde_json", "sha2", "hex", "thiserror", "uuid"];
    for name in dependencies("max-core") {
        assert!(pure.contains(&name.as_str()), "max-core depends on {name}");
    }
    for (file, text) in sources("crates/max-core/src") {
        for word in [
            "Timestamp::now",
            "SystemTime",
            "Instant",
            "new_v4",
            "now_v7",
            "std::fs",
            "std::env",
            "std::net",
            "async fn",
        ] {
            assert!(!code(&text).contains(word), "{file} holds {word}");
        }
    }
}

#[test]
fn the_engine_names_no_driver() {
    for driver in ["rusqlite", "notify", "axum", "reqwest", "mail-builder", "mail-parser", "minijinja", "max-adapters"]
    {
        assert!(!dependencies("max-engine").iter().any(|name| name == driver), "max-engine depends on {driver}");
    }
    for (file, text) in sources("crates/max-engine/src") {
        for word in ["Timestamp::now", "SystemTime::now", "std::fs::", "std::env::"] {
            assert!(!code(&text).contains(word), "{file} holds {word}");
        }
    }
}

#[test]
fn only_the_wiring_names_adapters_and_only_config_reads_the_environment() {
    for (file, text) in sources("crates/max/src") {
        let code = code(&text);
        let wires = ["src/wiring.rs", "src/launcher.rs", "src/bench/pipeline.rs", "src/bench/documents/project.rs"]
            .iter()
            .any(|w| file.ends_with(w));
        assert!(wires || !code.contains("max_adapters::"), "{file} names an adapter");
        let reads = file.contains("/config/") || file.ends_with("src/main.rs");
        assert!(reads || !code.contains("env::var"), "{file} reads the environment");
        assert!(!code.contains("process::exit"), "{file} ends the process");
    }
}

#[test]
fn every_source_opens_with_its_purpose() {
    for (file, text) in sources("crates") {
        assert!(text.starts_with("//!"), "{file} does not open with its purpose");
    }
}

#[test]
fn nothing_is_left_to_be_done_later() {
    for (file, text) in sources("crates") {
        for word in [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("FIX", "ME")] {
            assert!(!text.contains(word), "{file} holds {word}");
        }
    }
}
