//! Whatever a string argument holds, no request leaves its tool's own paths or has a header field more.

use std::collections::BTreeSet;

use aic_tests::harness::World;
use aic_tests::tenant::ledger::Entry;
use serde_json::Value;

use super::samples::{self, Sample};
use super::world;

fn hostile_texts() -> Vec<String> {
    let short = [
        "../../config/managed",
        "..",
        ".",
        "a/b",
        "a\\b",
        "%2e%2e/x",
        "%2F..%2Fx",
        "x?_action=delete",
        "x#y",
        "x;y=z",
        "x&_queryFilter=true",
        "x\" or _id pr or name eq \"x",
        "x' or true or '",
        "x\\\" or true or \\\"",
        "line\nbreak",
        "carriage\rreturn: header",
        "nul\0byte",
        "\u{2215}\u{ff0f}\u{202e}",
        " ",
        "",
    ];
    short.iter().map(|text| (*text).to_owned()).chain(["x".repeat(8192), "é".repeat(4096)]).collect()
}

/// The places of all strings in a value, as JSON pointers.
fn strings(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| strings(item, &format!("{at}/{place}"), found))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| strings(member, &format!("{at}/{name}"), found))
        }
        _ => {}
    }
}

fn variants(sample: &Sample) -> Vec<Value> {
    let mut places = Vec::new();
    strings(&sample.arguments, "", &mut places);
    let with = |place: &String, text: String| {
        let mut arguments = sample.arguments.clone();
        *arguments.pointer_mut(place).unwrap() = Value::String(text);
        arguments
    };
    places.iter().flat_map(|place| hostile_texts().into_iter().map(move |text| with(place, text))).collect()
}

/// The header fields that requests have; tokens are not kept in the ledger.
const FIELDS: [&str; 10] = [
    "accept",
    "accept-api-version",
    "content-length",
    "content-type",
    "host",
    "if-match",
    "if-none-match",
    "protocol",
    "user-agent",
    "x-forgerock-transactionid",
];

/// The header fields of a request that are strange, or hold what no field may.
fn strange_fields(entry: &Entry) -> Vec<String> {
    let strange =
        |(name, value): &(&String, &String)| !FIELDS.contains(&name.as_str()) || value.chars().any(char::is_control);
    entry.headers.iter().filter(strange).map(|(name, value)| format!("{name}: {value}")).collect()
}

/// What a path template looks like when every argument is one segment.
fn shape(path: &str) -> usize {
    path.split('/').count()
}

#[test]
fn no_argument_leaves_its_tools_own_paths() {
    let world = world();
    let mut editor = world.editor("editor");
    let mut wrong = Vec::new();

    for sample in samples::all() {
        world.tenant().clear_ledger();
        let _ = editor.call(sample.tool, sample.arguments.clone());
        let usual: BTreeSet<usize> = api(&world).iter().map(|entry| shape(&entry.path)).collect();
        for arguments in variants(&sample) {
            world.tenant().clear_ledger();
            let answer = editor.call(sample.tool, arguments.clone());
            for entry in api(&world) {
                let (path, strange) = (entry.path.clone(), strange_fields(&entry));
                let inside = sample.paths.iter().any(|prefix| path.starts_with(prefix.as_str()));
                let decoded = path.contains("..") || path.chars().any(char::is_control);
                let longer = shape(&path)
                    > usual
                        .last()
                        .copied()
                        .unwrap_or(0)
                        .max(shape("/am/json/alpha/realm-config/authentication/authenticationtrees/nodes/a/b"));
                if !inside || decoded || longer || !strange.is_empty() {
                    wrong.push(format!(
                        "{} {arguments} reached {path} with {strange:?}: {}",
                        sample.tool,
                        answer.text()
                    ));
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn api(world: &World) -> Vec<Entry> {
    world.tenant().ledger().into_iter().filter(Entry::is_api).collect()
}
