//! Decides whether a patch of a type's definition may be sent: relationships and names are not its to change.
//!
//! A relationship has a second end in another type, which a patch of the definition would leave behind. So the patch is
//! tried out on a copy, and refused when any relationship, however deep, is not as it was.

use std::collections::BTreeMap;

use aic_proto::refusal::Kind;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::name_of;
use crate::aic::Fault;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Add,
    Remove,
    Replace,
}

/// One operation as the caller wrote it; what else it holds is sent as it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Operation {
    operation: Verb,
    field: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Operation {
    /// The operation as it is sent for the type at that place of the document.
    pub(super) fn at(&self, place: usize) -> Value {
        let word = match self.operation {
            Verb::Add => "add",
            Verb::Remove => "remove",
            Verb::Replace => "replace",
        };
        let mut sent = self.rest.clone();
        sent.insert("operation".to_owned(), word.into());
        sent.insert("field".to_owned(), format!("/objects/{place}{}", self.field).into());
        Value::Object(sent)
    }
}

/// Checks what can be checked without the definition.
///
/// Errors: [`Fault::Invalid`] naming the operation: none at all, or a field that would leave its type.
pub(super) fn check_fields(operations: &[Operation]) -> Result<(), Fault> {
    if operations.is_empty() {
        return Err(Fault::invalid("operations", "must hold at least one operation"));
    }
    let unfit = operations.iter().position(|operation| !is_pointer_into_type(&operation.field));
    match unfit {
        Some(place) => Err(Fault::invalid(
            format!("operations[{place}].field"),
            "must be a JSON pointer into the definition, for example /schema/properties/custom_x/title",
        )),
        None => Ok(()),
    }
}

/// Source: RFC 6901. Empty tokens would name the type itself; `%` is read as an escape by some of IDM's versions.
fn is_pointer_into_type(field: &str) -> bool {
    let tokens = field.strip_prefix('/').map(|rest| rest.split('/').all(|token| !token.is_empty()));
    tokens == Some(true) && !field.contains('%') && !field.chars().any(char::is_control)
}

/// Tries the operations out on the definition.
///
/// Errors: `NotAllowed` when a relationship or the name would change.
pub(super) fn check_change(definition: &Value, operations: &[Operation]) -> Result<(), Fault> {
    let mut changed = definition.clone();
    for operation in operations {
        apply(&mut changed, operation);
    }
    if name_of(&changed) != name_of(definition) {
        return Err(Fault::refused(
            Kind::NotAllowed,
            "a managed object type cannot be renamed: its records and all relationships to it would be lost",
        ));
    }
    match differing(&relationships(definition), &relationships(&changed)) {
        Some(place) => Err(Fault::refused_with(
            Kind::NotAllowed,
            format!("the operations would change the relationship {place}, which has a second end in another type"),
            "use patchManagedObjectRelationship for relationship properties whose names begin with custom_",
        )),
        None => Ok(()),
    }
}

/// The outermost relationships under a definition, each by its pointer.
fn relationships(definition: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    collect(definition, String::new(), &mut found);
    found
}

fn collect<'a>(value: &'a Value, pointer: String, found: &mut BTreeMap<String, &'a Value>) {
    match value {
        _ if is_relationship(value) => {
            found.insert(pointer, value);
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| collect(member, format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| collect(item, format!("{pointer}/{place}"), found));
        }
        _ => {}
    }
}

/// A property of type `relationship`, or an array of such.
fn is_relationship(value: &Value) -> bool {
    let named = match value.get("type") {
        Some(Value::String(name)) => name == "relationship",
        Some(Value::Array(names)) => names.iter().any(|name| name == "relationship"),
        _ => false,
    };
    named || value.get("items").is_some_and(is_relationship)
}

fn differing(before: &BTreeMap<String, &Value>, after: &BTreeMap<String, &Value>) -> Option<String> {
    let pointers = before.keys().chain(after.keys());
    pointers.into_iter().find(|pointer| before.get(*pointer) != after.get(*pointer)).cloned()
}

/// Does what IDM would do, as far as relationships can be concerned. What does not fit the definition changes nothing
/// here: IDM refuses it.
fn apply(definition: &mut Value, operation: &Operation) {
    let tokens: Vec<String> =
        operation.field.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    let Some((last, way)) = tokens.split_last() else { return };
    let Some(parent) = way.iter().try_fold(definition, |value, token| step(value, token)) else { return };
    let value = operation.rest.get("value").cloned().unwrap_or_default();
    match parent {
        Value::Object(members) => match operation.operation {
            Verb::Remove => drop(members.remove(last)),
            Verb::Add | Verb::Replace => drop(members.insert(last.clone(), value)),
        },
        Value::Array(items) => apply_to_array(items, last, operation.operation, value),
        _ => {}
    }
}

/// One token further; a missing member of an object is made, as IDM makes it.
fn step<'a>(value: &'a mut Value, token: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(members) => Some(members.entry(token).or_insert_with(|| Value::Object(Map::new()))),
        Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
        _ => None,
    }
}

fn apply_to_array(items: &mut Vec<Value>, token: &str, verb: Verb, value: Value) {
    let place = token.parse::<usize>().ok().filter(|place| *place < items.len());
    match (verb, place) {
        (Verb::Remove, Some(place)) => drop(items.remove(place)),
        (Verb::Replace, Some(place)) => items.iter_mut().skip(place).take(1).for_each(|item| *item = value.clone()),
        (Verb::Add, Some(place)) => items.insert(place, value),
        (Verb::Add, None) => items.push(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn definition() -> Value {
        json!({
            "name": "user",
            "iconClass": "fa",
            "schema": {
                "order": ["mail", "manager"],
                "properties": {
                    "mail": { "type": "string" },
                    "manager": { "type": "relationship", "title": "Manager", "resourceCollection": [{ "path": "managed/user" }] },
                    "devices": { "type": "array", "title": "Devices", "items": { "type": "relationship" } },
                    "nested": { "type": "object", "properties": { "deep": { "type": ["relationship", "null"] } } },
                },
            },
        })
    }

    fn operations(list: Value) -> Vec<Operation> {
        serde_json::from_value(list).unwrap()
    }

    #[test]
    fn relationships_stay_as_they_are() {
        let relation = json!({ "type": "relationship" });
        let schema = definition()["schema"].clone();
        let mut other_schema = schema.clone();
        other_schema["properties"]["manager"]["title"] = json!("Boss");
        let mut wider_schema = schema.clone();
        wider_schema["properties"]["phone"] = json!({ "type": "string" });
        let cases = [
            ("add", "/schema/properties/phone", json!({ "type": "string" }), true),
            ("add", "/schema/order/-", json!("phone"), true),
            ("add", "/schema/order/0", json!("phone"), true),
            ("replace", "/iconClass", json!("fa-user"), true),
            ("replace", "/schema/properties/mail/title", json!("Mail"), true),
            ("remove", "/schema/properties/mail", Value::Null, true),
            ("remove", "/schema/properties/ghost", Value::Null, true),
            ("replace", "/schema", schema, true),
            ("replace", "/schema", wider_schema, true),
            ("add", "/onCreate", json!({ "type": "text/javascript", "source": "1" }), true),
            ("add", "/schema/properties/boss", relation.clone(), false),
            ("add", "/schema/properties/bosses", json!({ "type": "array", "items": relation }), false),
            ("add", "/schema/properties/box", json!({ "type": "object", "properties": { "boss": relation } }), false),
            ("replace", "/schema/properties/mail/type", json!("relationship"), false),
            ("remove", "/schema/properties/manager", Value::Null, false),
            ("remove", "/schema/properties/devices", Value::Null, false),
            ("remove", "/schema/properties/devices/items", Value::Null, false),
            ("replace", "/schema/properties/devices/title", json!("Things"), false),
            ("replace", "/schema/properties/manager/title", json!("Boss"), false),
            ("replace", "/schema/properties/manager/resourceCollection/0/path", json!("managed/role"), false),
            ("remove", "/schema/properties/nested/properties/deep", Value::Null, false),
            ("remove", "/schema/properties/nested", Value::Null, false),
            ("replace", "/schema/properties", json!({}), false),
            ("replace", "/schema", other_schema, false),
            ("remove", "/schema", Value::Null, false),
            ("replace", "/name", json!("person"), false),
            ("remove", "/name", Value::Null, false),
        ];

        for (operation, field, value, wanted) in cases {
            let list = operations(json!([{ "operation": operation, "field": field, "value": value }]));
            assert_eq!(check_change(&definition(), &list).is_ok(), wanted, "{operation} {field}");
        }
    }

    #[test]
    fn steps_that_undo_each_other_are_no_change() {
        let manager = definition()["schema"]["properties"]["manager"].clone();
        let list = operations(json!([
            { "operation": "remove", "field": "/schema/properties/manager" },
            { "operation": "add", "field": "/schema/properties/manager", "value": manager },
        ]));

        assert!(check_change(&definition(), &list).is_ok());
    }

    #[test]
    fn a_field_stays_inside_its_type() {
        let cases = [
            ("/iconClass", true),
            ("/schema/properties/a~1b", true),
            ("/schema/order/-", true),
            ("iconClass", false),
            ("", false),
            ("/", false),
            ("//name", false),
            ("/schema/", false),
            ("/schema/%6Eame", false),
            ("/a\nb", false),
        ];

        for (field, wanted) in cases {
            let list = operations(json!([{ "operation": "add", "field": field, "value": 1 }]));
            assert_eq!(check_fields(&list).is_ok(), wanted, "{field:?}");
        }
        assert!(check_fields(&[]).is_err());
    }

    #[test]
    fn what_is_sent_is_what_was_written_with_its_place() {
        let list = operations(json!([
            { "operation": "add", "field": "/x", "value": null },
            { "operation": "remove", "field": "/y" },
        ]));

        let sent: Vec<Value> = list.iter().map(|operation| operation.at(4)).collect();

        assert_eq!(
            sent,
            [
                json!({ "operation": "add", "field": "/objects/4/x", "value": null }),
                json!({ "operation": "remove", "field": "/objects/4/y" }),
            ]
        );
    }
}
