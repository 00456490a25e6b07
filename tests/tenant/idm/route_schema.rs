//! A managed type's schema, and its own properties as resources.

use serde_json::{Value, json};

use super::schema::Definition;
use super::{Desk, managed, no_method, refuse};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

const VERSION: &str = "protocol=2.1,resource=2.0";

/// Answers `/openidm/schema/managed/{type}`.
pub(super) fn whole(desk: &mut Desk<'_>, kind: &str, request: &Request) -> Outcome {
    if request.method != "GET" {
        return Err(no_method(request));
    }
    let document = desk.directory.document();
    let mut schema = managed::definition(&document, kind)?.schema().cloned().unwrap_or_default();
    if let Some(members) = schema.as_object_mut() {
        members.insert("resourceCollection".to_owned(), json!(format!("managed/{kind}")));
    }
    Ok(Reply::json(200, schema).with("content-api-version", VERSION))
}

/// Answers `/openidm/schema/managed/{type}/properties/{name}`.
///
/// Errors: 400 for a name without `custom_` in a write, 404 for an unknown property, 412 for another `If-Match` than `*`.
pub(super) fn property(desk: &mut Desk<'_>, kind: &str, name: &str, request: &Request) -> Outcome {
    let document = desk.directory.document();
    let definition = managed::definition(&document, kind)?;
    let old = definition.property(name).cloned();
    if request.method != "GET" {
        check_write(name, request)?;
    }
    let reply = match request.method.as_str() {
        "GET" => Reply::json(200, old.ok_or_else(|| refuse(404, "Not Found"))?),
        "PUT" => {
            let body = request.json()?;
            check_property(&body)?;
            store(desk, definition, name, Some(&body));
            Reply::json(if old.is_some() { 200 } else { 201 }, body).changing()
        }
        "DELETE" => {
            let old = old.ok_or_else(|| refuse(404, "Not Found"))?;
            store(desk, definition, name, None);
            Reply::json(200, old).changing()
        }
        _ => return Err(no_method(request)),
    };
    Ok(reply.with("content-api-version", VERSION))
}

fn check_write(name: &str, request: &Request) -> Result<(), Refusal> {
    if !name.starts_with("custom_") {
        return Err(refuse(400, &format!("The property '{name}' does not start with custom_")));
    }
    match request.header("if-match") {
        None | Some("*") => Ok(()),
        Some(_) => Err(refuse(412, "The configuration has no revision that could match")),
    }
}

/// A relationship that says no query for its targets would break its type.
fn check_property(body: &Value) -> Result<(), Refusal> {
    if body.get("type").is_none() {
        return Err(refuse(400, "The property needs a 'type'"));
    }
    if super::schema::reference(body) == super::schema::Reference::No {
        return Ok(());
    }
    let collections = super::schema::target(body).get("resourceCollection").and_then(Value::as_array);
    let complete = |collection: &Value| collection.get("path").is_some() && collection.get("query").is_some();
    if collections.is_some_and(|all| !all.is_empty() && all.iter().all(complete)) {
        return Ok(());
    }
    Err(refuse(400, "A relationship needs resourceCollection entries with 'path' and 'query'"))
}

fn store(desk: &mut Desk<'_>, definition: Definition<'_>, name: &str, property: Option<&Value>) {
    let Some(document) = desk.directory.configs.get_mut("managed") else { return };
    let objects = document.get_mut("objects").and_then(Value::as_array_mut).into_iter().flatten();
    let wanted = |object: &&mut Value| object.get("name").and_then(Value::as_str) == Some(definition.name);
    let Some(schema) = objects.filter(wanted).filter_map(|object| object.get_mut("schema")).next() else { return };
    if let Some(order) = schema.get_mut("order").and_then(Value::as_array_mut) {
        order.retain(|known| known.as_str() != Some(name));
        order.extend(property.map(|_| json!(name)));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove(name);
        if let Some(property) = property {
            properties.insert(name.to_owned(), property.clone());
        }
    }
}
