//! Lists, reads, creates, patches and deletes the definitions of managed object types.
//!
//! All of them are one document without a revision. Its writers in this broker queue for it; what comes from elsewhere
//! shows in the write's own answer, which carries the stored document: it is compared with what was read just before.

use aic_proto::refusal::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::document::{Managed, name_of};
use super::guard::{self, Operation};
use crate::aic::{Api, Fault, Path, Reply, Request};
use crate::tools::{Arguments, Output};

/// The document's name among the locks.
const DOCUMENT: &str = "config/managed";
/// The tenant may answer 200 and take seconds to activate, or to lose, a change.
const SOON: &str = "The tenant needs some seconds to activate it; getManagedObjectSchema shows what is stored.";

fn path() -> Path {
    Path::fixed("/openidm/config/managed")
}

async fn read(api: &Api) -> Result<Managed, Fault> {
    Ok(Managed(api.send(Request::get(path())).await?.body))
}

/// Shape: `{"managedObjectTypes": [name…]}` in the document's order.
pub(super) async fn list(api: Api) -> Result<Output, Fault> {
    Ok(Output::data(json!({ "managedObjectTypes": read(&api).await?.names() })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetSchema {
    object_type: String,
    #[serde(default)]
    include_full_definition: bool,
}

/// Shape: `{"name", "required": […], "properties": {…}}`, or the whole definition.
pub(super) async fn get_schema(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: GetSchema = arguments.read()?;
    let managed = read(&api).await?;
    let (_, definition) = managed.find(&wanted.object_type)?;
    Ok(Output::data(match wanted.include_full_definition {
        true => definition.clone(),
        false => summary(definition),
    }))
}

fn summary(definition: &Value) -> Value {
    let schema = |member: &str| definition.get("schema").and_then(|schema| schema.get(member)).cloned();
    json!({
        "name": name_of(definition),
        "required": schema("required").unwrap_or_else(|| json!([])),
        "properties": schema("properties").unwrap_or_else(|| json!({})),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    object_name: String,
    object_definition: Map<String, Value>,
}

/// Shape: `{"name", "definition"}` with the definition as it was stored.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Create { object_name: name, object_definition: mut definition } = arguments.read()?;
    let _writing = api.lock(DOCUMENT).await?;
    let before = read(&api).await?;
    if before.names().contains(&name.as_str()) {
        return Err(Fault::refused_with(
            Kind::Conflict,
            format!("there is a managed object type {name} already"),
            "patchManagedObjectDefinition changes a type that exists",
        ));
    }
    definition.insert("name".to_owned(), name.clone().into());
    let operations = json!([{ "operation": "add", "field": "/objects/-", "value": definition }]);
    let reply = api.send(Request::patch(path(), operations).if_match("*")).await?;
    let after = Managed(reply.body.clone());
    let stored = after.find(&name).ok().map(|(_, stored)| stored.clone());
    let warning = came_between(&before, &reply, &name).or_else(|| unconfirmed(stored.is_none(), &name));
    let definition = stored.unwrap_or(Value::Object(definition));
    let text = format!("Created the managed object type {name}. {SOON}");
    Ok(Output { warning, ..Output::told(text, json!({ "name": name, "definition": definition })) })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    object_name: String,
    operations: Vec<Operation>,
}

/// Shape: `{"name", "operationsApplied", "definition"}`; `definition` is null where the answer does not carry it.
pub(super) async fn patch(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Patch { object_name: name, operations } = arguments.read()?;
    guard::check_fields(&operations)?;
    let _writing = api.lock(DOCUMENT).await?;
    let before = read(&api).await?;
    let (place, definition) = before.find(&name)?;
    guard::check_change(definition, &operations)?;
    let sent: Vec<Value> = operations.iter().map(|operation| operation.at(place)).collect();
    let reply = api.send(Request::patch(path(), Value::Array(sent)).if_match("*")).await?;
    let after = Managed(reply.body.clone());
    check_hit(&after, place, &name)?;
    let stored = after.find(&name).ok().map(|(_, stored)| stored.clone());
    let warning = came_between(&before, &reply, &name).or_else(|| unconfirmed(stored.is_none(), &name));
    let applied = operations.len();
    let text = format!("Applied {applied} operation(s) to the managed object type {name}. {SOON}");
    let value = json!({ "name": name, "operationsApplied": applied, "definition": stored });
    Ok(Output { warning, ..Output::told(text, value) })
}

/// A patch names its type by position: only the stored document shows which type it hit.
///
/// Errors: `Conflict` when another type stands at that place now.
fn check_hit(after: &Managed, place: usize, name: &str) -> Result<(), Fault> {
    match after.objects().get(place).and_then(name_of) {
        Some(hit) if hit != name => Err(Fault::refused_with(
            Kind::Conflict,
            format!(
                "another writer moved the types of config/managed meanwhile: the operations meant for {name} were applied to {hit}"
            ),
            format!("compare {hit} and {name} by getManagedObjectSchema and undo the operations on {hit}"),
        )),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    object_name: String,
}

/// Shape: `{"name", "removedDefinition"}`.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Delete { object_name: name } = arguments.read()?;
    let _writing = api.lock(DOCUMENT).await?;
    let before = read(&api).await?;
    let (_, removed) = before.find(&name)?;
    let referrers = before.referrers(&name);
    if !referrers.is_empty() {
        return Err(Fault::refused_with(
            Kind::Conflict,
            format!("{name} is the target of relationships of: {}", referrers.join(", ")),
            "remove those relationships first (patchManagedObjectRelationship)",
        ));
    }
    let reply = api.send(Request::put(path(), before.without(&name)).if_match("*")).await?;
    let still_there = Managed(reply.body.clone()).names().contains(&name.as_str());
    let warning = came_between(&before, &reply, &name).or_else(|| unconfirmed(still_there, &name));
    let text = match still_there {
        false => {
            format!("Deleted the managed object type {name}; its records, if any, are no longer reachable. {SOON}")
        }
        true => {
            format!("The tenant accepted the deletion of the managed object type {name} and still shows it. {SOON}")
        }
    };
    Ok(Output { warning, ..Output::told(text, json!({ "name": name, "removedDefinition": removed })) })
}

/// Says which other types are stored otherwise than they were read; nothing where the answer carries no document.
fn came_between(before: &Managed, reply: &Reply, name: &str) -> Option<String> {
    reply.body.get("objects")?;
    let after = Managed(reply.body.clone());
    let changed = after.changed_since(before, name);
    (!changed.is_empty()).then(|| {
        format!("another writer changed config/managed at the same time: check these types too: {}", changed.join(", "))
    })
}

fn unconfirmed(unconfirmed: bool, name: &str) -> Option<String> {
    unconfirmed.then(|| {
        format!(
            "the tenant accepted the change, but its answer does not show it: check {name} by getManagedObjectSchema"
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn managed(names: &[&str]) -> Managed {
        Managed(json!({ "objects": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() }))
    }

    fn reply(body: Value) -> Reply {
        Reply { status: 200, body, transaction_id: None, etag: None }
    }

    #[test]
    fn a_summary_has_all_its_members() {
        let schema = json!({ "required": ["a"], "properties": { "a": { "type": "string" } }, "order": ["a"] });
        let cases = [
            (json!({ "name": "x" }), json!({ "name": "x", "required": [], "properties": {} })),
            (
                json!({ "name": "x", "schema": schema }),
                json!({ "name": "x", "required": ["a"], "properties": { "a": { "type": "string" } } }),
            ),
        ];

        for (definition, wanted) in cases {
            assert_eq!(summary(&definition), wanted);
        }
    }

    #[test]
    fn a_patch_that_hit_another_type_is_told() {
        let cases = [(&["a", "b"][..], true), (&["b", "a"], false), (&["a", "c"], false), (&["a"], true), (&[], true)];

        for (names, wanted) in cases {
            assert_eq!(check_hit(&managed(names), 1, "b").is_ok(), wanted, "{names:?}");
        }
    }

    #[test]
    fn an_answer_without_the_document_says_nothing_of_others() {
        let before = managed(&["a", "b"]);
        let cases = [
            (json!({ "_id": "managed" }), None),
            (Value::Null, None),
            (managed(&["a", "b", "new"]).0, None),
            (managed(&["b", "new"]).0, Some("a")),
        ];

        for (body, wanted) in cases {
            let told = came_between(&before, &reply(body), "new");
            assert_eq!(told.is_some(), wanted.is_some(), "{told:?}");
            assert!(told.unwrap_or_default().ends_with(wanted.unwrap_or_default()));
        }
    }
}
