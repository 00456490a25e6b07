//! Decides what becomes of our entry where a person added to it. Pure.

use serde_json::Value;

/// The entry as it should be: texts are ours (program, tenant); members and words that a person added stay, and so do numbers and switches.
pub(super) fn merged(there: &Value, wanted: &Value) -> Value {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            let mut both = there.clone();
            for (name, value) in wanted {
                let value = there.get(name).map_or_else(|| value.clone(), |there| merged(there, value));
                both.insert(name.clone(), value);
            }
            Value::Object(both)
        }
        (Value::Array(there), Value::Array(wanted)) => {
            Value::Array(wanted.iter().chain(there.iter().skip(wanted.len())).cloned().collect())
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => there.clone(),
        _ => wanted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_person_added_stays() {
        let cases = [
            (json!({"command": "a"}), json!({"command": "b"}), json!({"command": "b"})),
            (
                json!({"command": "a", "env": {"AIC_BASE_URL": "one", "AIC_READ_ONLY": "true"}}),
                json!({"command": "a", "env": {"AIC_BASE_URL": "two"}}),
                json!({"command": "a", "env": {"AIC_BASE_URL": "two", "AIC_READ_ONLY": "true"}}),
            ),
            (json!({"args": ["--read-only"]}), json!({"args": []}), json!({"args": ["--read-only"]})),
            (
                json!({"args": ["--read-only"]}),
                json!({"command": "a"}),
                json!({"args": ["--read-only"], "command": "a"}),
            ),
            (
                json!({"command": ["a", "--read-only"]}),
                json!({"command": ["b"]}),
                json!({"command": ["b", "--read-only"]}),
            ),
            (
                json!({"timeout": 90, "enabled": false}),
                json!({"timeout": 60, "enabled": true}),
                json!({"timeout": 90, "enabled": false}),
            ),
            (json!({"command": {"path": "a"}}), json!({"command": "a"}), json!({"command": "a"})),
            (json!(null), json!({"command": "a"}), json!({"command": "a"})),
        ];

        for (there, wanted, both) in cases {
            assert_eq!(merged(&there, &wanted), both, "{there}");
        }
    }
}
