//! Turns a variable's value into the text that is stored, where the value fits the variable's type.

use serde::Deserialize;
use serde_json::{Number, Value};

/// What the tenant makes of a variable's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    String,
    Array,
    Object,
    Bool,
    Int,
    Number,
    List,
}

impl Type {
    /// The word that the tenant has for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Number => "number",
            Self::List => "list",
        }
    }

    /// What to say of a value that does not fit.
    pub(super) fn wants(self) -> &'static str {
        match self {
            Self::String => {
                "must be text, a number or a boolean for the type string; for JSON use the type object or array"
            }
            Self::Array => "must be a JSON array for the type array",
            Self::Object => "must be a JSON object for the type object",
            Self::Bool => "must be true or false, without quotes, for the type bool",
            Self::Int => "must be a whole number, without quotes, for the type int",
            Self::Number => "must be a number, without quotes, for the type number",
            Self::List => {
                "must be text with commas between the items, or an array of texts without commas, for the type list"
            }
        }
    }
}

/// The text that stands for a value, or nothing when the value does not fit its type.
pub(super) fn stored_text(wanted: Type, value: &Value) -> Option<String> {
    match (wanted, value) {
        (Type::String, value) => scalar_text(value),
        (Type::List, Value::String(text)) => Some(text.clone()),
        (Type::List, Value::Array(items)) => list_text(items),
        (Type::Array, Value::Array(_)) | (Type::Object, Value::Object(_)) => Some(value.to_string()),
        (Type::Bool, Value::Bool(yes)) => Some(yes.to_string()),
        (Type::Int, Value::Number(number)) => Some(number_text(number)).filter(|text| text.parse::<i64>().is_ok()),
        (Type::Number, Value::Number(number)) => Some(number_text(number)),
        _ => None,
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number_text(number)),
        _ => None,
    }
}

fn list_text(items: &[Value]) -> Option<String> {
    let texts: Option<Vec<String>> =
        items.iter().map(|item| scalar_text(item).filter(|text| !text.contains(','))).collect();
    texts.map(|texts| texts.join(","))
}

/// A number as JSON has it; `1.0` is the whole number 1, as in JavaScript.
fn number_text(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_fits_its_type_or_is_refused() {
        let cases = [
            (Type::String, json!("héllo"), Some("héllo")),
            (Type::String, json!(""), Some("")),
            (Type::String, json!(5), Some("5")),
            (Type::String, json!(true), Some("true")),
            (Type::String, json!({ "a": 1 }), None),
            (Type::String, json!([1]), None),
            (Type::String, Value::Null, None),
            (Type::List, json!("a,b,c"), Some("a,b,c")),
            (Type::List, json!(["a", "b", 3]), Some("a,b,3")),
            (Type::List, json!(["a,b"]), None),
            (Type::List, json!([["a"]]), None),
            (Type::List, json!(5), None),
            (Type::Array, json!(["a", 1]), Some(r#"["a",1]"#)),
            (Type::Array, json!("[1]"), None),
            (Type::Object, json!({ "k": 1 }), Some(r#"{"k":1}"#)),
            (Type::Object, json!([]), None),
            (Type::Object, Value::Null, None),
            (Type::Bool, json!(false), Some("false")),
            (Type::Bool, json!("true"), None),
            (Type::Bool, json!(1), None),
            (Type::Int, json!(42), Some("42")),
            (Type::Int, json!(-1), Some("-1")),
            (Type::Int, json!(42.0), Some("42")),
            (Type::Int, json!(1.5), None),
            (Type::Int, json!(1e300), None),
            (Type::Int, json!("abc"), None),
            (Type::Int, Value::Null, None),
            (Type::Number, json!(2.5), Some("2.5")),
            (Type::Number, json!(7), Some("7")),
            (Type::Number, json!("7"), None),
        ];

        for (wanted, value, text) in cases {
            assert_eq!(stored_text(wanted, &value).as_deref(), text, "{wanted:?} {value}");
        }
    }
}
