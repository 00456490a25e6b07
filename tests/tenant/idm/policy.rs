//! Checks an object against its type's policies. Pure. Follows IDM's default policies.

use serde_json::{Value, json};

use super::schema::{self, Definition, Reference};
use crate::tenant::reply::Reply;

/// Checks an object and returns the failed requirements, property by property.
///
/// `taken` tells whether another object of the type has this value in this property.
pub fn failures(definition: Definition<'_>, object: &Value, taken: &dyn Fn(&str, &Value) -> bool) -> Vec<Value> {
    let mut failed: Vec<Value> = Vec::new();
    for name in definition.required() {
        if is_unset(object.get(name)) {
            failed.push(failure(name, vec![json!({"policyRequirement": "REQUIRED"})]));
        }
    }
    for (name, value) in object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let Some(property) = definition.property(name) else { continue };
        let requirements = requirements(property, name, value, taken);
        if !requirements.is_empty() {
            failed.push(failure(name, requirements));
        }
    }
    failed
}

/// Makes the 403 answer of failed policies.
pub fn refusal(message: &str, failed: Vec<Value>) -> Reply {
    let detail = json!({"result": false, "failedPolicyRequirements": failed});
    Reply::json(403, json!({"code": 403, "reason": "Forbidden", "message": message, "detail": detail}))
}

fn is_unset(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}

fn failure(property: &str, requirements: Vec<Value>) -> Value {
    json!({"policyRequirements": requirements, "property": property})
}

fn requirements(property: &Value, name: &str, value: &Value, taken: &dyn Fn(&str, &Value) -> bool) -> Vec<Value> {
    if let Some(wrong) = wrong_type(property, value) {
        return vec![wrong];
    }
    if let Some(wrong) = wrong_choice(property, value) {
        return vec![wrong];
    }
    let policies = property.get("policies").and_then(Value::as_array);
    let policies = policies.into_iter().flatten();
    policies.filter_map(|policy| broken(policy, name, value, taken)).collect()
}

fn wrong_type(property: &Value, value: &Value) -> Option<Value> {
    let expected = match schema::reference(property) {
        Reference::One => vec!["object"],
        _ => schema::types(property),
    };
    let actual = type_of(value);
    let fits = |kind: &&str| **kind == *actual || **kind == *"integer" && value.is_i64();
    if expected.is_empty() || expected.iter().any(fits) {
        return wrong_item(property, value);
    }
    Some(json!({"policyRequirement": "VALID_TYPE", "params": {"invalidType": actual, "validTypes": expected}}))
}

fn wrong_item(property: &Value, value: &Value) -> Option<Value> {
    let item = property.get("items").filter(|_| schema::reference(property) == Reference::No)?;
    value.as_array()?.iter().find_map(|value| wrong_type(item, value))
}

fn wrong_choice(property: &Value, value: &Value) -> Option<Value> {
    let choices = property.get("enum")?.as_array()?;
    (!choices.contains(value)).then(|| json!({"policyRequirement": "VALID_ENUM_VALUE", "params": {"enum": choices}}))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn broken(policy: &Value, name: &str, value: &Value, taken: &dyn Fn(&str, &Value) -> bool) -> Option<Value> {
    let text = value.as_str().unwrap_or_default();
    let length = text.chars().count() as u64;
    let params = policy.get("params").cloned().unwrap_or_else(|| json!({}));
    let limit = |name: &str| params.get(name).and_then(Value::as_u64);
    let (fails, word) = match policy.get("policyId").and_then(Value::as_str)? {
        "unique" => (taken(name, value), "UNIQUE"),
        "valid-username" => (taken(name, value), "VALID_USERNAME"),
        "valid-email-address-format" => (!is_address(text), "VALID_EMAIL_ADDRESS_FORMAT"),
        "minimum-length" => (limit("minLength").is_some_and(|least| length < least), "MIN_LENGTH"),
        "maximum-length" => (limit("maxLength").is_some_and(|most| length > most), "MAX_LENGTH"),
        "cannot-contain-characters" => (has_forbidden(&params, text), "CANNOT_CONTAIN_CHARACTERS"),
        _ => return None,
    };
    fails.then(|| json!({"policyRequirement": word, "params": params}))
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !text.contains(' ')
    })
}

fn has_forbidden(params: &Value, text: &str) -> bool {
    let letters = params.get("forbiddenChars").and_then(Value::as_array);
    letters.into_iter().flatten().filter_map(Value::as_str).any(|letter| text.contains(letter))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::types;
    use super::*;

    fn words(object: Value) -> Vec<String> {
        let document = types::document();
        let definition = Definition::find(&document, "alpha_user").unwrap();
        let failed = failures(definition, &object, &|name, value| name == "userName" && value == "taken");
        let word = |failure: &Value| {
            let property = failure.get("property").and_then(Value::as_str).unwrap_or_default().to_owned();
            let requirement = failure.pointer("/policyRequirements/0/policyRequirement").and_then(Value::as_str);
            format!("{property} {}", requirement.unwrap_or_default())
        };
        failed.iter().map(word).collect()
    }

    #[test]
    fn policies_name_what_fails() {
        let good = json!({"userName": "ada", "givenName": "Ada", "sn": "Example", "mail": "ada@example.com"});
        let changed = |name: &str, value: Value| {
            let mut object = good.clone();
            object.as_object_mut().unwrap().insert(name.to_owned(), value);
            object
        };
        let cases = [
            (good.clone(), vec![]),
            (changed("sn", Value::Null), vec!["sn REQUIRED"]),
            (changed("sn", json!("")), vec!["sn REQUIRED"]),
            (changed("mail", json!("nobody")), vec!["mail VALID_EMAIL_ADDRESS_FORMAT"]),
            (changed("userName", json!("a/b")), vec!["userName CANNOT_CONTAIN_CHARACTERS"]),
            (changed("userName", json!("taken")), vec!["userName VALID_USERNAME"]),
            (changed("city", json!(5)), vec!["city VALID_TYPE"]),
            (changed("city", Value::Null), vec![]),
            (changed("roles", json!({})), vec!["roles VALID_TYPE"]),
            (changed("aliasList", json!(["a", 1])), vec!["aliasList VALID_TYPE"]),
            (changed("frIndexedInteger1", json!(1.5)), vec![]),
        ];
        for (object, expected) in cases {
            assert_eq!(words(object.clone()), expected, "{object}");
        }
    }
}
