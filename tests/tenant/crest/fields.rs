//! Selects fields of an object as `_fields` asks.

use serde_json::{Map, Value};

use super::pointer;

/// Reads `_fields`; empty or absent means everything that is shown by default.
pub fn read(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim);
    parts.filter(|part| !part.is_empty()).map(|part| part.trim_start_matches('/').to_owned()).collect()
}

/// Selects fields; `_id` and `_rev` always come.
pub fn select(object: &Value, fields: &[String]) -> Value {
    if fields.is_empty() || fields.iter().any(|field| field == "*") {
        return object.clone();
    }
    let mut out = Value::Object(Map::new());
    for field in ["_id", "_rev"].into_iter().chain(fields.iter().map(String::as_str)) {
        let names = pointer::names(field.trim_end_matches("/*"));
        let Some(value) = pointer::get(object, &names).cloned() else { continue };
        if let Some(place) = pointer::ensure(&mut out, &names) {
            *place = value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_selected() {
        let object = json!({"_id": "1", "_rev": "r", "a": 1, "b": {"c": 2, "d": 3}});
        let cases = [
            (None, object.clone()),
            (Some(""), object.clone()),
            (Some("*"), object.clone()),
            (Some("a"), json!({"_id": "1", "_rev": "r", "a": 1})),
            (Some("/b/c, a"), json!({"_id": "1", "_rev": "r", "a": 1, "b": {"c": 2}})),
            (Some("x"), json!({"_id": "1", "_rev": "r"})),
        ];
        for (fields, expected) in cases {
            assert_eq!(select(&object, &read(fields)), expected, "{fields:?}");
        }
    }
}
