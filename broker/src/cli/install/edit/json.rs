//! One entry of a JSON text, with comments and trailing commas where the file has them. The only file that names the parser.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::{Map, Number, Value};

use super::super::editors::NAME;
use super::Refused;

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

fn group_of(whole: &CstObject, group: &str) -> Result<Option<CstObject>, Refused> {
    match whole.get(group) {
        None => Ok(None),
        Some(member) => member.object_value().map(Some).ok_or_else(|| Refused::NotAnObject(group.to_owned())),
    }
}

/// Our entry.
pub(super) fn entry(text: &str, group: &str) -> Result<Option<Value>, Refused> {
    let group = group_of(&whole(&parse(text)?)?, group)?;
    let member = group.and_then(|group| group.get(NAME));
    Ok(member.map(|member| member.value().map_or(Value::Null, |value| value_of(&value))))
}

/// The text with our entry.
pub(super) fn put(text: &str, group: &str, entry: &Value) -> Result<String, Refused> {
    let root = parse(text)?;
    let whole = whole(&root)?;
    let servers = match group_of(&whole, group)? {
        Some(servers) => servers,
        None => whole.object_value_or_set(group),
    };
    match servers.get(NAME) {
        Some(member) if member.value().is_some_and(|value| value_of(&value) == *entry) => {}
        Some(member) => member.set_value(input(entry)),
        None => drop(servers.append(NAME, input(entry))),
    }
    Ok(root.to_string())
}

/// The text without our entry.
pub(super) fn take(text: &str, group: &str) -> Result<String, Refused> {
    let root = parse(text)?;
    if let Some(member) = group_of(&whole(&root)?, group)?.and_then(|servers| servers.get(NAME)) {
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
            assert_eq!(put(before, "s", &json!({"command": "x"})).unwrap(), after, "{before:?}");
        }
    }

    #[test]
    fn what_was_added_is_taken_away_again() {
        for before in
            ["{\n  \"s\": {\n    \"b\": {} // last\n  }\n}\n", "{\r\n  \"s\": {\r\n    \"b\": {},\r\n  }\r\n}"]
        {
            let with = put(before, "s", &json!({"command": "x", "env": {"A": "b"}})).unwrap();

            assert_ne!(with, before);
            assert_eq!(take(&with, "s").unwrap(), before);
        }
    }

    #[test]
    fn an_entry_that_is_right_stays_as_it_is_written() {
        let written = "{\"s\":{\"aic\":{ \"command\":\"x\" /* mine */ }}}";

        assert_eq!(put(written, "s", &json!({"command": "x"})).unwrap(), written);
        assert!(put(written, "s", &json!({"command": "y"})).unwrap().contains("\"y\""));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let broken = put("{\n  \"s\": {\n    \"b\" 1\n  }\n}", "s", &json!({})).unwrap_err();

        assert!(matches!(broken, Refused::Broken { line: 3, .. }), "{broken:?}");
        assert_eq!(put("{\"s\": []}", "s", &json!({})), Err(Refused::NotAnObject("s".to_owned())));
        assert_eq!(put("[]", "s", &json!({})), Err(Refused::NotAnObject("the file".to_owned())));
    }
}
