//! The broker's layers name only layers below them, and a token's characters are read in four places alone.
//!
//! Source: the map of the code, "Invariants" 2 and 3. It reads text, so cross-module paths begin with `crate::`.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, the highest first; those of one rank do not name each other.
const LAYERS: [&[&str]; 8] = [
    &["listen"],
    &["client"],
    &["guard", "vault", "tools", "audit"],
    &["oauth", "keychain", "aic"],
    &["http"],
    &["secret", "clock", "config"],
    &["os"],
    &["text", "aside"],
];
/// What joins the parts and may name them all.
const JOINS: [&str; 5] = ["app", "cli", "lib", "main", "fuzzing"];
/// Where a token's characters may be read.
const READERS: [&str; 4] = ["secret", "oauth", "vault", "keychain"];

/// Where the HTTP client's crate is named: the one client, and the header field that a token is put in.
const HTTP: [&str; 2] = ["http", "secret"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../broker/src")
}

/// Every file with the module that it belongs to: the first part of its path.
fn files(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                found.push((module_of(&path), path))
            }
            false => {}
        }
    }
    found
}

fn module_of(file: &Path) -> String {
    let path = file.strip_prefix(source()).unwrap();
    path.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The code of a file, without its comments and its tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that a piece of code names: `crate::a`, `use crate::{a, b::c}`.
fn named_in(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let parts = code.split("crate::").skip(1);
    parts
        .flat_map(|part| match part.strip_prefix('{') {
            Some(group) => outer_names(group).iter().map(|name| word(name)).collect(),
            None => vec![word(part)],
        })
        .collect()
}

/// The first names of a group's members, groups inside them passed over.
fn outer_names(group: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut depth = 0;
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(String::new()),
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if depth == 0 && !letter.is_whitespace() => names.last_mut().unwrap().push(letter),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn a_layer_names_only_layers_below_it() {
    let mut broken = Vec::new();
    for (module, file) in files(&source()) {
        if JOINS.contains(&module.as_str()) {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("the module {module} has no layer: give it one"));
        for named in named_in(&code_of(&file)) {
            let allowed = named == module || rank(&named).is_some_and(|other| other > own);
            if !allowed {
                broken.push(format!("{module} names {named} in {}", file.strip_prefix(source()).unwrap().display()));
            }
        }
    }

    broken.sort();
    broken.dedup();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_token_s_characters_are_read_in_four_places_alone() {
    let readers: Vec<String> = files(&source())
        .into_iter()
        .filter(|(module, file)| !READERS.contains(&module.as_str()) && code_of(file).contains(".expose()"))
        .map(|(_, file)| file.display().to_string())
        .collect();

    assert!(readers.is_empty(), "{readers:?}");
}

#[test]
fn there_is_one_http_client() {
    let named = |word: &str| -> Vec<String> {
        let holding = files(&source()).into_iter().filter(|(_, file)| code_of(file).contains(word));
        holding.map(|(module, _)| module).collect()
    };

    assert!(named("reqwest::").iter().all(|module| HTTP.contains(&module.as_str())), "{:?}", named("reqwest::"));
    assert_eq!(named("reqwest::Client::builder"), ["http"]);
}

#[test]
fn names_are_found_in_every_way_of_writing_them() {
    let code = "use crate::a;\nuse crate::{b, c::{d, e}, f::g};\nfn x() { crate::h::i() }";

    assert_eq!(named_in(code), ["a", "b", "c", "f", "h"]);
}
