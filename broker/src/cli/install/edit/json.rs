//! The entries of a JSON text, with comments and trailing commas where the file has them. The only file that names the parser.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode};
use serde_json::{Map, Number, Value};

use super::{Path, Refused};

/// The member of Claude Code that holds one for each folder in which it was started.
const PROJECTS: &str = "projects";

/// What editors accept: comments and trailing commas, nothing looser.
const EDITORS_JSON: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn parse(text: &str) -> Result<CstRootNode, Refused> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    CstRootNode::parse(text, &EDITORS_JSON).map_err(|error| Refused::Broken {
        line: error.line_display(),
        column: error.column_display(),
        reason: error.kind().to_string(),
    })
}

fn whole(root: &CstRootNode) -> Result<CstObject, Refused> {
    root.object_value().ok_or_else(|| Refused::NotAnObject("the file".to_owned()))
}

fn member_of(object: &CstObject, name: &str) -> Result<Option<CstObject>, Refused> {
    match object.get(name) {
        None => Ok(None),
        Some(member) => member.object_value().map(Some).ok_or_else(|| Refused::NotAnObject(name.to_owned())),
    }
}

/// Every server, with the members that lead to it. Claude Code has a group for each project, too.
pub(super) fn entries(text: &str, group: &str) -> Result<Vec<(Path, Value)>, Refused> {
    let whole = whole(&parse(text)?)?;
    let servers = member_of(&whole, group)?.map(|servers| (vec![group.to_owned()], servers));
    let projects = whole.object_value(PROJECTS).map_or_else(Vec::new, |projects| projects.properties());
    let of_projects = projects.iter().filter_map(|project| {
        let path = vec![PROJECTS.to_owned(), project.decoded_name()?, group.to_owned()];
        Some((path, project.object_value()?.object_value(group)?))
    });
    let groups = servers.into_iter().chain(of_projects);
    Ok(groups.flat_map(|(path, servers)| members(&path, &servers)).collect())
}

fn members(path: &[String], servers: &CstObject) -> Vec<(Path, Value)> {
    let read = |member: CstObjectProp| {
        let value = member.value().map_or(Value::Null, |value| value_of(&value));
        Some(([path, &[member.decoded_name()?]].concat(), value))
    };
    servers.properties().into_iter().filter_map(read).collect()
}

/// The text with an entry; what is there already and right stays as it is written.
pub(super) fn put(text: &str, path: &[String], entry: &Value) -> Result<String, Refused> {
    let root = parse(text)?;
    let Some((name, groups)) = path.split_last() else { return Ok(text.to_owned()) };
    let servers = groups.iter().try_fold(whole(&root)?, |object, group| {
        Ok(member_of(&object, group)?.unwrap_or_else(|| object.object_value_or_set(group)))
    })?;
    settle(&servers, name, entry);
    Ok(root.to_string())
}

fn settle(object: &CstObject, name: &str, wanted: &Value) {
    let Some(member) = object.get(name) else { return drop(object.append(name, input(wanted))) };
    match (member.object_value(), wanted) {
        (Some(there), Value::Object(wanted)) => wanted.iter().for_each(|(name, value)| settle(&there, name, value)),
        _ if member.value().is_some_and(|value| value_of(&value) == *wanted) => {}
        _ => member.set_value(input(wanted)),
    }
}

/// The text without an entry.
pub(super) fn take(text: &str, path: &[String]) -> Result<String, Refused> {
    let root = parse(text)?;
    let Some((name, groups)) = path.split_last() else { return Ok(text.to_owned()) };
    let whole = Some(whole(&root)?);
    let servers = groups.iter().try_fold(whole, |object, group| match object {
        Some(object) => member_of(&object, group),
        None => Ok(None),
    })?;
    if let Some(member) = servers.and_then(|servers| servers.get(name)) {
        member.remove();
    }
    Ok(root.to_string())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => {
            CstInputValue::Object(members.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}

fn value_of(node: &CstNode) -> Value {
    if let Some(object) = node.as_object() {
        let members = object.properties().into_iter();
        let named = members.filter_map(|member| Some((member.decoded_name()?, value_of(&member.value()?))));
        return Value::Object(named.collect::<Map<_, _>>());
    }
    if let Some(array) = node.as_array() {
        return Value::Array(array.elements().iter().map(value_of).collect());
    }
    let text = node.as_string_lit().and_then(|text| text.decoded_value().ok()).map(Value::String);
    let number =
        || node.as_number_lit().and_then(|number| number.to_string().parse::<Number>().ok()).map(Value::Number);
    let truth = || node.as_boolean_lit().map(|truth| Value::Bool(truth.value()));
    text.or_else(number).or_else(truth).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    /// The path of the entry that the tests change.
    fn aic() -> Path {
        vec!["s".to_owned(), "aic".to_owned()]
    }

    /// A text before and after; the change is the entry alone.
    #[test]
    fn an_entry_is_added_in_the_manner_of_the_file() {
        let cases = [
            ("", "{\n  \"s\": {\n    \"aic\": {\n      \"command\": \"x\"\n    }\n  }\n}\n"),
            ("{}", "{\n  \"s\": {\n    \"aic\": {\n      \"command\": \"x\"\n    }\n  }\n}"),
            (
                "{\r\n\t\"a\": 1, // ä\r\n\t\"s\": {\r\n\t\t\"b\": {},\r\n\t},\r\n}\r\n",
                "{\r\n\t\"a\": 1, // ä\r\n\t\"s\": {\r\n\t\t\"b\": {},\r\n\t\t\"aic\": {\r\n\t\t\t\"command\": \"x\",\r\n\t\t},\r\n\t},\r\n}\r\n",
            ),
            (
                "{\n    /* no servers yet */\n    \"s\": {}\n}\n",
                "{\n    /* no servers yet */\n    \"s\": {\n        \"aic\": {\n            \"command\": \"x\"\n        }\n    }\n}\n",
            ),
        ];

        for (before, after) in cases {
            assert_eq!(put(before, &aic(), &json!({"command": "x"})).unwrap(), after, "{before:?}");
        }
    }

    #[test]
    fn what_was_added_is_taken_away_again() {
        for before in
            ["{\n  \"s\": {\n    \"b\": {} // last\n  }\n}\n", "{\r\n  \"s\": {\r\n    \"b\": {},\r\n  }\r\n}"]
        {
            let with = put(before, &aic(), &json!({"command": "x", "env": {"A": "b"}})).unwrap();

            assert_ne!(with, before);
            assert_eq!(take(&with, &aic()).unwrap(), before);
        }
    }

    #[test]
    fn an_entry_that_is_right_stays_as_it_is_written() {
        let written = "{\"s\":{\"aic\":{ \"command\":\"x\" /* mine */ }}}";

        assert_eq!(put(written, &aic(), &json!({"command": "x"})).unwrap(), written);
        assert!(put(written, &aic(), &json!({"command": "y"})).unwrap().contains("\"y\""));
    }

    #[test]
    fn a_change_within_an_entry_leaves_the_rest_of_it() {
        let written = "{\"s\": {\"aic\": {\n  \"command\": \"x\", // mine\n  \"env\": { \"A\": \"b\" /* here */ }\n}}}";

        let changed = put(written, &aic(), &json!({"command": "y", "env": {"A": "c"}})).unwrap();

        assert_eq!(changed, written.replace("\"x\"", "\"y\"").replace("\"b\"", "\"c\""));
    }

    #[test]
    fn the_servers_of_each_project_are_found_too() {
        let text = r#"{"s": {"a": 1}, "projects": {"/ä": {"s": {"b": [2]}}, "/x": {"s": 3}, "/y": 4}}"#;
        let path = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Path>();
        let there = [(path(&["s", "a"]), json!(1)), (path(&["projects", "/ä", "s", "b"]), json!([2]))];

        assert_eq!(entries(text, "s").unwrap(), there);
        let without = take(text, &there[1].0).unwrap();
        assert_eq!(entries(&without, "s").unwrap(), there[..1]);
        assert_eq!(entries(&put(&without, &there[1].0, &json!([2])).unwrap(), "s").unwrap(), there);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let broken = put("{\n  \"s\": {\n    \"b\" 1\n  }\n}", &aic(), &json!({})).unwrap_err();

        assert!(matches!(broken, Refused::Broken { line: 3, .. }), "{broken:?}");
        assert_eq!(put("{\"s\": []}", &aic(), &json!({})), Err(Refused::NotAnObject("s".to_owned())));
        assert_eq!(put("[]", &aic(), &json!({})), Err(Refused::NotAnObject("the file".to_owned())));
    }
}
