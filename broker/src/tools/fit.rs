//! Cuts an answer that would flood a model's context, says so, and names the arguments that get the rest. Pure.
//!
//! It works on the text, part by part: a document of ten megabytes would be a multiple of that as a tree of values.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

/// The most of one answer, as JSON text: what a large context can still hold beside everything else.
const LIMIT_BYTES: usize = 256 * 1024;
/// How deep a container is looked for: rows are at depth one, a journey's nodes at depth two.
const DEPTH: usize = 3;

/// Cuts the largest containers and texts of a JSON text until it fits; gives the mark when anything was cut.
pub fn fit(tool: &str, json: String) -> (String, Option<String>) {
    let (mut json, mut cuts) = (json, Vec::new());
    while json.len() > LIMIT_BYTES {
        let Some((shorter, cut)) = cut_largest(&json, json.len() - LIMIT_BYTES) else { break };
        json = shorter;
        cuts.push(cut);
    }
    let mark =
        || format!("CUT, because the whole answer is too long: {}. For the rest: {}", cuts.join("; "), rest(tool));
    let mark = (!cuts.is_empty()).then(mark);
    (json, mark)
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

/// Shortens the largest part by at least `surplus` bytes, or to nothing; tells what was done.
fn cut_largest(json: &str, surplus: usize) -> Option<(String, String)> {
    let (path, part) = largest(json, DEPTH)?;
    let name = path.join(".");
    let (shorter, told) = match part.chars().next()? {
        open @ ('[' | '{') => {
            let pieces = pieces_of(part);
            let (all, keep) = (pieces.len(), kept(pieces.iter().map(|(_, piece)| piece.len()), surplus));
            let last = keep.checked_sub(1).and_then(|last| pieces.get(last));
            let told = match open {
                '[' => format!("{name} has the first {keep} of {all}"),
                _ => format!("{name} has {keep} of {all} members"),
            };
            (up_to(part, last.map(|(_, piece)| *piece), open), told)
        }
        _ => {
            let text = text_of(part)?;
            let end = text.floor_char_boundary(text.len().saturating_sub(surplus));
            let told = format!("{name} has the first {end} of {} bytes", text.len());
            (serde_json::to_string(text.get(..end)?).ok()?, told)
        }
    };
    let Range { start, end } = place_of(part, json);
    Some((format!("{}{shorter}{}", json.get(..start)?, json.get(end..)?), told))
}

/// The part of a container up to and with its last kept piece.
fn up_to(container: &str, last: Option<&str>, open: char) -> String {
    let kept = last.and_then(|last| container.get(..place_of(last, container).end));
    let close = if open == '[' { ']' } else { '}' };
    kept.map_or_else(|| format!("{open}{close}"), |kept| format!("{kept}{close}"))
}

/// Where a part lies in the text that it was borrowed from.
fn place_of(part: &str, whole: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
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

/// The largest part that can be shortened, with the names that lead to it: the deepest that holds most of its parent.
fn largest(json: &str, depth: usize) -> Option<(Vec<String>, &str)> {
    let shortened = |part: &str| part.len() > 2 && part.starts_with(['[', '{', '"']);
    let members = if json.starts_with('{') { pieces_of(json) } else { Vec::new() };
    let (name, part) = members.into_iter().filter(|(_, part)| shortened(part)).max_by_key(|(_, part)| part.len())?;
    match largest(part, depth.saturating_sub(1)).filter(|(_, inner)| depth > 1 && inner.len() > part.len() / 2) {
        Some((path, inner)) => Some((std::iter::once(name).chain(path).collect(), inner)),
        None => Some((vec![name], part)),
    }
}

fn text_of(json: &str) -> Option<Cow<'_, str>> {
    let borrowed = serde_json::from_str::<&str>(json).map(Cow::Borrowed);
    borrowed.or_else(|_| serde_json::from_str::<String>(json).map(Cow::Owned)).ok()
}

/// A container's pieces in their order, each with its name where it is an object's; none where it is no container.
fn pieces_of(json: &str) -> Vec<(String, &str)> {
    let json = json.trim_ascii();
    let named = json.starts_with('{');
    let mut rest =
        json.get(1..json.len().saturating_sub(1)).filter(|_| named || json.starts_with('[')).unwrap_or_default();
    let mut pieces = Vec::new();
    while let Some((name, piece)) = next_piece(&mut rest, named) {
        pieces.push((name, piece));
    }
    pieces
}

fn next_piece<'a>(rest: &mut &'a str, named: bool) -> Option<(String, &'a str)> {
    let mut value = || {
        let text = rest.trim_start_matches([',', ':']).trim_ascii_start();
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (value, after) = text.split_at_checked(values.byte_offset())?;
        *rest = after.trim_ascii_start();
        Some(value)
    };
    let name = if named { serde_json::from_str(value()?).ok()? } else { String::new() };
    Some((name, value()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::{Value, json};

    use super::*;

    fn fitted(tool: &str, value: Value) -> (Value, Option<String>) {
        let (text, mark) = fit(tool, value.to_string());
        assert!(text.len() <= LIMIT_BYTES || mark.is_none());
        (serde_json::from_str(&text).unwrap(), mark)
    }

    #[test]
    fn what_fits_is_left_alone() {
        let value = json!({"result": [1, 2, 3], "resultCount": 3});

        assert_eq!(fitted("queryLogs", value.clone()), (value, None));
    }

    #[test]
    fn rows_that_do_not_fit_are_cut_from_the_end_and_the_way_to_them_is_named() {
        let rows: Vec<Value> = (0..10_000).map(|number| json!({"_id": number, "text": "x".repeat(100)})).collect();

        let (value, mark) = fitted("queryManagedObjects", json!({"result": rows, "pagedResultsCookie": "c"}));

        let shown = value["result"].as_array().unwrap().len();
        assert!(shown > 1_000, "{shown}");
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
        let (_, told) = fitted("getJourney", json!({"_id": "j", "nodeData": {"configs": nodes, "schemas": {}}}));
        let (_, said) = fitted("getAMScript", json!({"script": "é".repeat(400_000)}));

        assert!(told.unwrap().contains("nodeData.configs has"));
        assert!(said.unwrap().contains("script has the first"));
    }

    #[test]
    fn pieces_are_told_apart_however_they_are_written() {
        let spaced = " { \"a\" : [1, 2] ,\n\"b\\n\":{\"c\":\"}\"},\"d\":-1.5e3 } ";

        let names =
            |json: &str| pieces_of(json).into_iter().map(|(name, piece)| format!("{name}={piece}")).collect::<Vec<_>>();

        assert_eq!(names(spaced), ["a=[1, 2]", "b\n={\"c\":\"}\"}", "d=-1.5e3"]);
        assert_eq!(names("[true, null,\"x\"]"), ["=true", "=null", "=\"x\""]);
        assert_eq!(names("\"text\"").len() + names("{}").len() + names("[ ]").len() + names("17").len(), 0);
    }

    #[test]
    fn what_cannot_be_cut_ends_the_search() {
        let (value, mark) = fitted("x", Value::String("x".repeat(LIMIT_BYTES)));

        assert!(mark.is_none() && value.is_string());
    }
}
