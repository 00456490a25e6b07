//! Cuts an answer that would flood a model's context, says so, and names the arguments that get the rest. Pure.

use serde_json::Value;

/// The most of one answer, as JSON text: what a large context can still hold beside everything else.
const LIMIT_BYTES: usize = 256 * 1024;
/// How deep a container is looked for: rows are at depth one, a journey's nodes at depth two.
const DEPTH: usize = 3;

/// Cuts the largest containers and texts of a value until it fits; gives the mark when anything was cut.
pub fn fit(tool: &str, value: Value) -> (Value, Option<String>) {
    let mut value = value;
    let mut cuts = Vec::new();
    let mut size = size_of(&value);
    while size > LIMIT_BYTES {
        let Some(cut) = cut_largest(&mut value, size - LIMIT_BYTES) else { break };
        cuts.push(cut);
        size = size_of(&value);
    }
    match cuts.is_empty() {
        true => (value, None),
        false => {
            let mark =
                format!("CUT, because the whole answer is too long: {}. For the rest: {}", cuts.join("; "), rest(tool));
            (value, Some(mark))
        }
    }
}

/// The arguments that get what was cut.
fn rest(tool: &str) -> &'static str {
    match tool {
        "queryManagedObjects" => "call again with the same pagedResultsCookie and a smaller pageSize, or with fields",
        "queryLogs" => "call again with the same pagedResultsCookie and a smaller pageSize, or a shorter time window",
        "queryESVs" => "call again with the same pagedResultsCookie and a smaller pageSize",
        "listOidcApps" => "call again with a queryFilter",
        "getManagedObject" => "call queryManagedObjects with queryFilter `_id eq \"…\"` and the wanted fields",
        "getManagedObjectSchema" => "call again without includeFullDefinition",
        "getNodeTypeDetails" => "call again with fewer nodeTypes",
        "getOidcAppSchema" => "call again with summary or with single sections",
        "getJourney" => "call getNodeTypeDetails for the schemas of single node types",
        _ => "there is no narrower call; look in the tenant's own console",
    }
}

fn size_of(value: &Value) -> usize {
    value.to_string().len()
}

/// Shortens the largest part by at least `surplus` bytes, or to nothing; tells what was done.
fn cut_largest(value: &mut Value, surplus: usize) -> Option<String> {
    let (path, _) = largest(value, String::new(), DEPTH)?;
    let part = value.pointer_mut(&path)?;
    let name = path.trim_start_matches('/').replace('/', ".");
    match part {
        Value::Array(items) => {
            let all = items.len();
            items.truncate(kept(items.iter().map(size_of), surplus));
            Some(format!("{name} has the first {} of {all}", items.len()))
        }
        Value::Object(members) => {
            let all = members.len();
            let keep = kept(members.values().map(size_of), surplus);
            let mut seen = 0;
            members.retain(|_, _| {
                seen += 1;
                seen <= keep
            });
            Some(format!("{name} has {} of {all} members", members.len()))
        }
        Value::String(text) => {
            let all = text.len();
            let end = (0..=all.saturating_sub(surplus)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            Some(format!("{name} has the first {end} of {all} bytes"))
        }
        _ => None,
    }
}

/// How many parts may stay when `surplus` bytes must go from the end.
fn kept(sizes: impl ExactSizeIterator<Item = usize> + DoubleEndedIterator, surplus: usize) -> usize {
    let all = sizes.len();
    let mut gone = 0;
    let dropped = sizes.rev().take_while(|size| {
        let needed = gone < surplus;
        gone += size;
        needed
    });
    all - dropped.count().min(all)
}

/// The largest part that can be shortened, by its JSON pointer: the deepest that holds most of its parent.
fn largest(value: &Value, path: String, depth: usize) -> Option<(String, usize)> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, child)| (format!("{path}/{}", escape(name)), child)).collect()
        }
        _ => Vec::new(),
    };
    let shortened = |child: &&(String, &Value)| match child.1 {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => false,
    };
    let (path, child) = children.iter().filter(shortened).max_by_key(|(_, child)| size_of(child))?;
    let size = size_of(child);
    match largest(child, path.clone(), depth.saturating_sub(1)).filter(|(_, inner)| depth > 1 && *inner > size / 2) {
        Some(inner) => Some(inner),
        None => Some((path.clone(), size)),
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_left_alone() {
        let value = json!({"result": [1, 2, 3], "resultCount": 3});

        assert_eq!(fit("queryLogs", value.clone()), (value, None));
    }

    #[test]
    fn rows_that_do_not_fit_are_cut_from_the_end_and_the_way_to_them_is_named() {
        let rows: Vec<Value> = (0..10_000).map(|number| json!({"_id": number, "text": "x".repeat(100)})).collect();

        let (value, mark) = fit("queryManagedObjects", json!({"result": rows, "pagedResultsCookie": "c"}));

        let shown = value["result"].as_array().unwrap().len();
        assert!(size_of(&value) <= LIMIT_BYTES && shown > 1_000, "{shown}");
        assert_eq!(value["result"][0]["_id"], 0);
        assert_eq!(value["pagedResultsCookie"], "c");
        let mark = mark.unwrap();
        assert!(
            mark.contains(&format!("result has the first {shown} of 10000")) && mark.contains("pageSize"),
            "{mark}"
        );
    }

    #[test]
    fn members_and_texts_are_cut_too() {
        let nodes: serde_json::Map<String, Value> =
            (0..100).map(|number| (format!("n{number}"), json!("x".repeat(10_000)))).collect();
        let (journey, told) = fit("getJourney", json!({"_id": "j", "nodeData": {"configs": nodes, "schemas": {}}}));
        let (script, said) = fit("getAMScript", json!({"script": "é".repeat(400_000)}));

        assert!(size_of(&journey) <= LIMIT_BYTES && told.unwrap().contains("nodeData.configs has"));
        assert!(size_of(&script) <= LIMIT_BYTES && said.unwrap().contains("script has the first"));
    }

    #[test]
    fn what_cannot_be_cut_ends_the_search() {
        let (value, mark) = fit("x", Value::String("x".repeat(LIMIT_BYTES)));

        assert!(mark.is_none() && value.is_string());
    }
}
