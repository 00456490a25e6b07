//! Shows a managed object as a read gives it: unset properties, references on demand, selected fields.

use serde_json::{Map, Value, json};

use super::schema::{self, Definition, Reference};
use super::store::{Directory, id_of};
use crate::tenant::crest::fields;

/// Shows an object with the fields asked for.
pub fn show(directory: &Directory, definition: Definition<'_>, object: &Value, fields: &[String]) -> Value {
    let mut shown = filled(definition, object);
    let wanted: Vec<(String, Option<String>)> = fields.iter().map(|field| split(field)).collect();
    for (name, property) in definition.properties() {
        let ask = wanted.iter().find(|(head, _)| head == name || head == "*_ref");
        if let Some((_, inner)) = ask.filter(|_| schema::reference(property) != Reference::No) {
            let value = references(directory, definition, object, name, property, inner.as_deref());
            shown.insert(name.clone(), value);
        }
    }
    let plain = plain_fields(fields);
    let whole = fields.is_empty() || fields.iter().any(|field| field == "*" || field == "*_ref");
    if whole { Value::Object(shown) } else { fields::select(&Value::Object(shown), &plain) }
}

/// Returns the object with all its references, as a patch sees it.
pub fn with_references(directory: &Directory, definition: Definition<'_>, object: &Value) -> Value {
    let mut all = object.as_object().cloned().unwrap_or_default();
    for (name, property) in definition.properties().filter(|(_, property)| schema::reference(property) != Reference::No)
    {
        let value = references(directory, definition, object, name, property, None);
        if !value.is_null() && value != json!([]) {
            all.insert(name.clone(), value);
        }
    }
    Value::Object(all)
}

fn filled(definition: Definition<'_>, object: &Value) -> Map<String, Value> {
    let mut shown = object.as_object().cloned().unwrap_or_default();
    for (name, property) in definition.properties() {
        if schema::is_private(property) {
            shown.remove(name);
        } else if definition.shows_unset() && schema::reference(property) == Reference::No && !shown.contains_key(name)
        {
            let unset = if schema::types(property) == ["array"] { json!([]) } else { Value::Null };
            shown.insert(name.clone(), unset);
        }
    }
    shown.retain(|_, value| definition.shows_unset() || !value.is_null());
    shown
}

fn split(field: &str) -> (String, Option<String>) {
    match field.split_once('/') {
        Some((head, inner)) => (head.to_owned(), Some(inner.to_owned())),
        None => (field.to_owned(), None),
    }
}

fn plain_fields(fields: &[String]) -> Vec<String> {
    fields.iter().map(|field| field.split_once('/').map_or(field.as_str(), |(head, _)| head).to_owned()).collect()
}

fn references(
    directory: &Directory,
    definition: Definition<'_>,
    object: &Value,
    name: &str,
    property: &Value,
    inner: Option<&str>,
) -> Value {
    let resource = format!("managed/{}/{}", definition.name, id_of(object));
    let shown = directory.references(&resource, name);
    let mut shown = shown.into_iter().map(|reference| expanded(directory, reference, inner));
    match schema::reference(property) {
        Reference::One => shown.next().unwrap_or_default(),
        _ => Value::Array(shown.collect()),
    }
}

/// Adds the target's fields to a reference.
pub fn expanded(directory: &Directory, mut reference: Value, inner: Option<&str>) -> Value {
    let Some(inner) = inner else { return reference };
    let path = reference.get("_ref").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some((kind, id)) = path.strip_prefix("managed/").and_then(|rest| rest.split_once('/')) else {
        return reference;
    };
    let document = directory.document();
    let (Some(definition), Some(target)) = (Definition::find(&document, kind), directory.get(kind, id)) else {
        return reference;
    };
    let target = fields::select(&Value::Object(filled(definition, target)), &fields::read(Some(inner)));
    if let (Some(members), Some(fields)) = (reference.as_object_mut(), target.as_object()) {
        members.insert("_refResourceRev".to_owned(), fields.get("_rev").cloned().unwrap_or_default());
        members.extend(
            fields.iter().filter(|(name, _)| *name != "_rev").map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    reference
}
