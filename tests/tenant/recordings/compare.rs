//! Compares an answer with a recorded one: status, header fields, error envelope, shape.

use serde_json::Value;

use super::exchange::{Answer, Recording};
use super::plan::Scene;

/// Header fields that a part of the product always has, compared word by word where the recording has them.
const SAME_HEADERS: [&str; 9] = [
    "cache-control",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "x-content-type-options",
    "strict-transport-security",
    "vary",
    "x-not-modified",
    "content-api-version",
];

/// Header fields of which only the presence counts.
const PRESENT_HEADERS: [&str; 3] = ["etag", "x-ratelimit-limit", "x-frame-options"];

/// Says what differs.
pub(crate) fn differences(recording: &Recording, answer: &Answer, scene: &Scene) -> Vec<String> {
    if recording.status != answer.status {
        return vec![format!("status {} instead of {}: {}", answer.status, recording.status, cut(&answer.body))];
    }
    let mut found = headers(recording, answer, scene);
    if recording.status >= 400 {
        found.extend(envelope(recording, answer));
    } else if !recording.truncated {
        shape(&recording.body, &answer.body, "", scene.depth, scene, &mut found);
    }
    found
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

fn headers(recording: &Recording, answer: &Answer, scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for name in SAME_HEADERS {
        // The gateway adds a policy of its own to some answers of AM.
        let same = |expected: &String| {
            let given = answer.headers.get(name);
            given == Some(expected)
                || name == "content-security-policy"
                    && expected.split(", ").any(|part| given.is_some_and(|given| given == part))
        };
        if let Some(expected) = recording.headers.get(name)
            && !scene.old_headers.contains(&name)
            && !same(expected)
        {
            found.push(format!("{name}: {:?} instead of {expected:?}", answer.headers.get(name)));
        }
    }
    for name in PRESENT_HEADERS {
        if recording.headers.contains_key(name) && !answer.headers.contains_key(name) {
            found.push(format!("{name} is missing"));
        }
    }
    if !recording.headers.contains_key("etag") && answer.headers.contains_key("etag") {
        found.push("an etag that was not recorded".to_owned());
    }
    found.extend(content_type(recording, answer));
    found.extend(location(recording, answer));
    found
}

/// Environment APIs are of two minds about the charset; the others are not.
fn content_type(recording: &Recording, answer: &Answer) -> Option<String> {
    let bare = |kind: Option<&String>| kind.map(|kind| kind.split(';').next().unwrap_or_default().to_owned());
    let (expected, given) = (recording.headers.get("content-type"), answer.headers.get("content-type"));
    let strict =
        ["/am/json", "/openidm"].iter().any(|part| recording.path.starts_with(part)) && recording.status != 403;
    let same = if strict { expected == given } else { bare(expected) == bare(given) };
    (!same).then(|| format!("content-type {given:?} instead of {expected:?}"))
}

fn location(recording: &Recording, answer: &Answer) -> Option<String> {
    let path = |url: &String| url.splitn(4, '/').nth(3).map(str::to_owned);
    let expected = recording.headers.get("location").and_then(path)?;
    let given = answer.headers.get("location").and_then(path);
    (given.as_ref() != Some(&expected)).then(|| format!("location {given:?} instead of {expected:?}"))
}

fn envelope(recording: &Recording, answer: &Answer) -> Vec<String> {
    let (expected, given) = (&recording.body, &answer.body);
    match (expected, given) {
        (Value::Object(members), Value::Object(ours)) => {
            let mut found = Vec::new();
            for name in ["code", "reason", "message", "error", "error_description"] {
                if members.get(name) != ours.get(name) {
                    found.push(format!("{name} {:?} instead of {:?}", ours.get(name), members.get(name)));
                }
            }
            let kind = |value: Option<&Value>| value.map(kind);
            if kind(members.get("detail")) != kind(ours.get("detail")) {
                found.push(format!("detail {:?} instead of {:?}", ours.get("detail"), members.get("detail")));
            }
            found
        }
        (Value::String(_), Value::String(_)) | (Value::Null, Value::Null) => Vec::new(),
        _ => vec![format!("body {} instead of {}", kind(given), kind(expected))],
    }
}

/// Compares members and types down to a depth; of lists, the first element.
fn shape(expected: &Value, given: &Value, place: &str, depth: usize, scene: &Scene, found: &mut Vec<String>) {
    if expected.is_null() || given.is_null() && !place.is_empty() {
        return;
    }
    if kind(expected) != kind(given) {
        found.push(format!("{place} is {} instead of {}", kind(given), kind(expected)));
        return;
    }
    match (expected, given) {
        (Value::Object(members), Value::Object(ours)) if depth > 0 => {
            for (name, value) in members.iter().filter(|(name, _)| !scene.ignored.contains(&name.as_str())) {
                match ours.get(name) {
                    Some(own) => shape(value, own, &format!("{place}/{name}"), depth - 1, scene, found),
                    None => found.push(format!("{place}/{name} is missing")),
                }
            }
            let extra =
                ours.keys().filter(|name| !members.contains_key(*name) && !scene.newer.contains(&name.as_str()));
            found.extend(extra.map(|name| format!("{place}/{name} was not recorded")));
        }
        (Value::Array(items), Value::Array(ours)) if depth > 0 => match (items.first(), ours.first()) {
            (Some(item), Some(own)) => shape(item, own, &format!("{place}/0"), depth - 1, scene, found),
            (Some(_), None) => found.push(format!("{place} is empty")),
            _ => {}
        },
        _ => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
