//! Takes a managed object in: declared attributes, references, policies, then the store. All or nothing.

use serde_json::{Map, Value};

use super::policy;
use super::schema::{self, Definition, Reference};
use super::store::{Directory, id_of};
use crate::tenant::reply::{Refusal, Reply};

/// Members that a body may carry and that are never stored from it.
const META: [&str; 3] = ["_id", "_rev", "_meta"];

/// An object that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    plain: Map<String, Value>,
    references: Vec<(String, Vec<Value>)>,
}

/// Checks a body.
///
/// Errors: 400 for undeclared attributes and for references to nothing, 403 for failed policies, in this order.
pub fn accept(
    directory: &Directory,
    definition: Definition<'_>,
    id: &str,
    body: &Value,
    policy_message: &str,
) -> Result<Accepted, Refusal> {
    let Some(members) = body.as_object() else {
        return Err(Reply::crest_error(
            400,
            "The request could not be processed because the provided content is not a JSON object",
        )
        .into());
    };
    let undeclared: Vec<&str> = members
        .keys()
        .map(String::as_str)
        .filter(|name| !META.contains(name) && definition.property(name).is_none())
        .collect();
    if !undeclared.is_empty() {
        let text = format!("Request content includes undeclared attributes: [{}]", undeclared.join(", "));
        return Err(Reply::crest_error(400, &text).into());
    }
    let taken = |name: &str, value: &Value| is_taken(directory, definition.name, id, name, value);
    let failed = policy::failures(definition, body, &taken);
    if !failed.is_empty() {
        return Err(policy::refusal(policy_message, failed).into());
    }
    let accepted = divide(definition, members);
    check_references(directory, &accepted)?;
    Ok(accepted)
}

fn is_taken(directory: &Directory, kind: &str, id: &str, name: &str, value: &Value) -> bool {
    let fold = |value: &Value| value.as_str().map(str::to_lowercase);
    let others = directory.objects.get(kind).into_iter().flatten().filter(|object| id_of(object) != id);
    others.filter_map(|object| object.get(name)).any(|other| fold(other).is_some() && fold(other) == fold(value))
}

fn divide(definition: Definition<'_>, members: &Map<String, Value>) -> Accepted {
    let (mut plain, mut references) = (Map::new(), Vec::new());
    for (name, value) in members.iter().filter(|(name, _)| !META.contains(&name.as_str())) {
        let Some(property) = definition.property(name) else { continue };
        match schema::reference(property) {
            _ if schema::is_virtual(property) => {}
            Reference::No if value.is_null() => {}
            Reference::No => {
                plain.insert(name.clone(), value.clone());
            }
            Reference::One if value.is_null() => references.push((name.clone(), Vec::new())),
            Reference::One => references.push((name.clone(), vec![value.clone()])),
            Reference::Many => references.push((name.clone(), value.as_array().cloned().unwrap_or_default())),
        }
    }
    Accepted { plain, references }
}

fn check_references(directory: &Directory, accepted: &Accepted) -> Result<(), Refusal> {
    for (name, values) in &accepted.references {
        for value in values {
            let target = value.get("_ref").and_then(Value::as_str).unwrap_or_default();
            if !directory.exists(target) {
                let text =
                    format!("The referenced relationship '{target}', specified for property '{name}', does not exist");
                return Err(Reply::crest_error(400, &text).into());
            }
        }
    }
    Ok(())
}

/// Stores an accepted object; tells whether anything changed. References that it does not name stay.
pub fn store(directory: &mut Directory, definition: Definition<'_>, id: &str, accepted: Accepted) -> (Value, bool) {
    let resource = format!("managed/{}/{id}", definition.name);
    let mut object = accepted.plain;
    object.insert("_id".to_owned(), Value::String(id.to_owned()));
    let before = directory.get(definition.name, id).cloned();
    let links_before = directory.links.clone();
    for (name, wanted) in &accepted.references {
        if let Some(property) = definition.property(name) {
            directory.relate(&resource, name, property, wanted);
        }
    }
    if let Some(before) = before {
        let mut same = before.as_object().cloned().unwrap_or_default();
        same.remove("_rev");
        if same == object && directory.links == links_before {
            return (before, false);
        }
    }
    (directory.put(definition.name, Value::Object(object)), true)
}
