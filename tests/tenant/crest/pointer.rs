//! Names a place inside a JSON document. Follows RFC 6901, with the leading slash optional as in CREST.

use serde_json::{Map, Value};

/// Splits a pointer into its unescaped names.
pub fn names(pointer: &str) -> Vec<String> {
    let unescape = |name: &str| name.replace("~1", "/").replace("~0", "~");
    let path = pointer.strip_prefix('/').unwrap_or(pointer);
    if path.is_empty() { Vec::new() } else { path.split('/').map(unescape).collect() }
}

/// Returns the value at a place.
pub fn get<'a>(root: &'a Value, names: &[String]) -> Option<&'a Value> {
    names.iter().try_fold(root, |at, name| match at {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Returns the value at a place, for change.
pub fn get_mut<'a>(root: &'a mut Value, names: &[String]) -> Option<&'a mut Value> {
    names.iter().try_fold(root, |at, name| match at {
        Value::Object(members) => members.get_mut(name),
        Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Returns the value at a place, making objects on the way there; nothing when something else stands in the way.
pub fn ensure<'a>(root: &'a mut Value, names: &[String]) -> Option<&'a mut Value> {
    names.iter().try_fold(root, |at, name| {
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
        match at {
            Value::Object(members) => Some(members.entry(name.clone()).or_insert(Value::Null)),
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            _ => None,
        }
    })
}
