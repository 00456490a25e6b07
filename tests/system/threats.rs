//! The table of threats is whole, and every test that it names exists. It reads text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of the product that may hold `unsafe`, each with the OS for its reason.
const UNSAFE: [&str; 8] = [
    "broker/src/os/macos.rs",
    "broker/src/os/memory.rs",
    "broker/src/os/pages.rs",
    "broker/src/os/service/linux.rs",
    "broker/src/os/service/macos.rs",
    "broker/src/os/windows.rs",
    "proto/src/transport/windows.rs",
    "shim/src/launch/windows.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources with their paths.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut directories: Vec<PathBuf> = ["proto", "shim", "broker", "tests"].map(|name| root().join(name)).into();
    while let Some(directory) = directories.pop() {
        for path in fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path()) {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if path.is_dir() && !path.ends_with("node_modules") {
                directories.push(path);
            } else if extension == "rs" || extension == "py" {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }
    found
}

/// The names of all tests: in Rust after their mark, in Python after `@check`.
fn tests() -> BTreeSet<String> {
    let word = |line: &str| line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (_, text) in sources() {
        let mut marked = false;
        for line in text.lines().map(str::trim_start) {
            let name = ["fn ", "async fn ", "def "].iter().find_map(|begins| line.strip_prefix(begins));
            match name {
                Some(name) if marked => drop(names.insert(word(name))),
                _ => {}
            }
            let begins = ["#[test]", "#[tokio::test", "@check"].iter().any(|mark| line.starts_with(mark));
            marked = begins || (marked && name.is_none());
        }
    }
    names
}

#[test]
fn every_threat_and_fault_has_a_test_that_exists_or_a_reason() {
    let table = fs::read_to_string(root().join("tests/THREATS.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| T") || line.starts_with("| R"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let tests = tests();

    let names: Vec<String> = rows.iter().map(|row| row[0].to_owned()).collect();
    let wanted = (1..=60).map(|number| format!("T{number}")).chain((1..=45).map(|number| format!("R{number}")));
    assert_eq!(names, wanted.collect::<Vec<_>>());
    for row in &rows {
        assert!(!row[2].is_empty() || !row[3].is_empty(), "{} has neither a test nor a reason", row[0]);
        for name in row[2].split_whitespace().map(|name| name.trim_matches('`')) {
            assert!(tests.contains(name), "{}: there is no test {name}", row[0]);
        }
    }
}

#[test]
fn unsafe_code_is_in_the_named_files_alone() {
    let mark = concat!("allow(", "unsafe_code)");
    let mut holders: Vec<String> =
        sources().into_iter().filter(|(_, text)| text.contains(mark)).map(|(name, _)| name).collect();
    holders.retain(|name| !name.starts_with("tests/"));
    holders.sort();

    assert_eq!(holders, UNSAFE);
}
