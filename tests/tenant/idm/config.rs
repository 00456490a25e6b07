//! Configuration documents. `config/managed` is one document for all types and has no revision.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Desk, managed, no_method, query, refuse, types};
use crate::tenant::crest::filter::Case;
use crate::tenant::crest::patch::{self, Step};
use crate::tenant::crest::{fields, page};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Answers `/openidm/config`: the one place where an exact total comes unasked.
pub(super) fn list(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    if request.method != "GET" {
        return Err(no_method(request));
    }
    let filter = query::read_filter(request)?;
    let documents = desk.directory.configs.values().cloned().collect();
    let manner = page::Manner { exact_totals: true, ..query::manner(desk.switches) };
    let mut page = query::run(documents, &filter, Case::Kept, request, manner)?;
    let fields = fields::read(request.query("_fields"));
    for document in page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten() {
        *document = fields::select(document, &fields);
    }
    if let Some(members) = page.as_object_mut() {
        let total = members.get("resultCount").cloned().unwrap_or_default();
        members.insert("totalPagedResultsPolicy".to_owned(), json!("EXACT"));
        members.insert("totalPagedResults".to_owned(), total);
    }
    Ok(Reply::json(200, page))
}

/// Answers `/openidm/config/{id}`.
pub(super) fn document(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    if id.starts_with("fidc/") {
        return Err(refuse(403, "Access denied"));
    }
    match request.method.as_str() {
        "GET" => read(desk, id, request),
        "PUT" => put(desk, id, request),
        "PATCH" => change(desk, id, request),
        "DELETE" => {
            let old = stored(desk, id)?;
            desk.directory.configs.remove(id);
            Ok(Reply::json(200, old).changing())
        }
        _ => Err(no_method(request)),
    }
}

fn stored(desk: &Desk<'_>, id: &str) -> Result<Value, Refusal> {
    desk.directory.configs.get(id).cloned().ok_or_else(|| refuse(404, "Not Found"))
}

fn read(desk: &Desk<'_>, id: &str, request: &Request) -> Outcome {
    let current = stored(desk, id)?;
    let document = match &desk.directory.managed_before {
        Some((before, until)) if id == "managed" && request.at < *until => before.clone(),
        _ => current,
    };
    Ok(Reply::json(200, fields::select(&document, &fields::read(request.query("_fields")))))
}

fn put(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    if String::from_utf8_lossy(&request.body).contains("@import url(") {
        return Err(edge_refusal());
    }
    let mut body = request.json()?;
    check_if_match(request)?;
    let Some(members) = body.as_object_mut() else {
        return Err(refuse(
            400,
            "The request could not be processed because the provided content is not a JSON object",
        ));
    };
    members.remove("_rev");
    members.insert("_id".to_owned(), json!(id));
    let created = !desk.directory.configs.contains_key(id);
    if created && request.header("if-match").is_some() {
        return Err(refuse(404, "Not Found"));
    }
    store(desk, id, &body, request)?;
    let reply = Reply::json(if created { 201 } else { 200 }, body).changing();
    let family = id.split_once('/').map_or(String::new(), |(family, _)| format!("{family}/"));
    let location = format!("{}/openidm/config/{family}{id}", desk.origin);
    Ok(if created { reply.with("location", &location) } else { reply })
}

/// The edge filter's page; it takes style sheets in e-mail templates for an attack.
fn edge_refusal() -> Refusal {
    let page = "<!doctype html><meta charset=\"utf-8\"><title>403</title>403 Forbidden".to_owned();
    Reply::html(403, page).with("content-type", "text/html; charset=UTF-8").into()
}

/// Configuration has no revisions: only `*` can fit.
fn check_if_match(request: &Request) -> Result<(), Refusal> {
    match request.header("if-match") {
        None | Some("*") => Ok(()),
        Some(_) => Err(refuse(412, "The configuration has no revision that could match")),
    }
}

fn change(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let operations = patch::read(&request.json()?).map_err(managed::patch_refusal)?;
    check_if_match(request)?;
    let before = stored(desk, id)?;
    let mut kept = Vec::new();
    for operation in operations {
        let in_list = operation.field.last().is_some_and(|last| last == "-" || last.parse::<usize>().is_ok());
        match &operation.step {
            Step::Remove(None) if in_list => {
                return Err(refuse(400, "A list item of the configuration cannot be removed by its position"));
            }
            // A removal by value is ignored without a word.
            Step::Remove(Some(_)) => {}
            _ => kept.push(operation),
        }
    }
    let after = patch::apply(&before, &kept).map_err(managed::patch_refusal)?;
    store(desk, id, &after, request)?;
    let reply = Reply::json(200, after.clone());
    Ok(if after == before { reply } else { reply.changing() })
}

fn store(desk: &mut Desk<'_>, id: &str, document: &Value, request: &Request) -> Result<(), Refusal> {
    if id != "managed" {
        desk.directory.configs.insert(id.to_owned(), document.clone());
        return Ok(());
    }
    let before = desk.directory.document();
    check_managed(&before, document)?;
    if desk.switches.managed_lost_writes > 0 {
        desk.switches.managed_lost_writes -= 1;
        return Ok(());
    }
    let stale = Duration::from_secs(desk.switches.managed_stale_seconds);
    desk.directory.managed_before = Some((before, request.at + stale));
    desk.directory.configs.insert(id.to_owned(), document.clone());
    Ok(())
}

/// Checks the document of all types.
fn check_managed(before: &Value, after: &Value) -> Result<(), Refusal> {
    let Some(objects) = after.get("objects").and_then(Value::as_array) else {
        return Err(refuse(400, "The managed configuration needs a list 'objects'"));
    };
    let fresh = types::document();
    let mut names = Vec::new();
    for object in objects {
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            return Err(refuse(400, "A managed object needs a 'name'"));
        }
        if names.contains(&name) {
            return Err(refuse(400, &format!("The managed object '{name}' is defined twice")));
        }
        names.push(name);
        check_new_properties(&fresh, before, name, object)?;
    }
    Ok(())
}

/// A property that is added to one of the platform's types needs the prefix `custom_`.
fn check_new_properties(fresh: &Value, before: &Value, name: &str, object: &Value) -> Result<(), Refusal> {
    if super::schema::Definition::find(fresh, name).is_none() {
        return Ok(());
    }
    let known = super::schema::Definition::find(before, name);
    let properties = object.pointer("/schema/properties").and_then(Value::as_object);
    let unprefixed: Vec<&str> = properties
        .into_iter()
        .flat_map(|properties| properties.keys().map(String::as_str))
        .filter(|property| {
            !property.starts_with("custom_") && known.and_then(|known| known.property(property)).is_none()
        })
        .collect();
    if unprefixed.is_empty() {
        return Ok(());
    }
    let text = format!("Request content includes unprefixed attributes for {name}: [{}]", unprefixed.join(", "));
    Err(refuse(400, &text))
}
