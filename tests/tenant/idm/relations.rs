//! The relationships of one property as a collection of their own.

use serde_json::Value;

use super::schema::{self, Definition, Reference};
use super::store::Directory;
use super::{Desk, managed, no_method, query, refuse, view};
use crate::tenant::crest::filter::Case;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Answers `/openidm/managed/{type}/{id}/{property}`.
pub(super) fn collection(desk: &mut Desk<'_>, kind: &str, id: &str, name: &str, request: &Request) -> Outcome {
    let document = desk.directory.document();
    let (definition, property) = relationship(desk, &document, kind, id, name)?;
    let resource = format!("managed/{}/{id}", definition.name);
    match (request.method.as_str(), request.action()) {
        ("GET", None) => {
            let filter = query::read_filter(request)?;
            let fields = request.query("_fields").unwrap_or_default();
            let rows = rows(desk.directory, &resource, name, fields);
            let page = query::run(rows, &filter, Case::Ignored, request, query::manner(desk.switches))?;
            Ok(Reply::json(200, page).with("x-object", "1"))
        }
        ("POST", Some("create")) => {
            let body = request.json()?;
            let target = body.get("_ref").and_then(Value::as_str).unwrap_or_default();
            if !desk.directory.exists(target) {
                let text =
                    format!("The referenced relationship '{target}', specified for property '{name}', does not exist");
                return Err(refuse(400, &text));
            }
            let link = desk.directory.link(&resource, name, property, &body);
            let row = row(desk.directory, &resource, name, &link)?;
            Ok(Reply::json(201, row).with("x-object", "1").changing())
        }
        _ => Err(no_method(request)),
    }
}

/// Answers `/openidm/managed/{type}/{id}/{property}/{link}`.
pub(super) fn link(desk: &mut Desk<'_>, kind: &str, id: &str, name: &str, link: &str, request: &Request) -> Outcome {
    let document = desk.directory.document();
    let (definition, _) = relationship(desk, &document, kind, id, name)?;
    let resource = format!("managed/{}/{id}", definition.name);
    let row = row(desk.directory, &resource, name, link)?;
    let reply = Reply::json(200, row).with("x-object", "1");
    match request.method.as_str() {
        "GET" => Ok(reply),
        "DELETE" => {
            desk.directory.links.retain(|known| known.id != link);
            Ok(reply.changing())
        }
        _ => Err(no_method(request)),
    }
}

fn relationship<'a>(
    desk: &Desk<'_>,
    document: &'a Value,
    kind: &str,
    id: &str,
    name: &str,
) -> Result<(Definition<'a>, &'a Value), Refusal> {
    let definition = managed::definition(document, kind)?;
    managed::existing(desk, definition, id)?;
    let property = definition.property(name).filter(|property| schema::reference(property) != Reference::No);
    property.map(|property| (definition, property)).ok_or_else(|| refuse(404, "Not Found"))
}

/// Shows relationships as rows: the link's own `_id` and `_rev`, the reference, the target's fields.
fn rows(directory: &Directory, resource: &str, name: &str, fields: &str) -> Vec<Value> {
    let references = directory.references(resource, name).into_iter();
    let row = |reference: Value| {
        let properties = reference.get("_refProperties").cloned().unwrap_or_default();
        let mut row = view::expanded(directory, reference, Some(fields));
        if let Some(members) = row.as_object_mut() {
            for member in ["_id", "_rev"] {
                members.insert(member.to_owned(), properties.get(member).cloned().unwrap_or_default());
            }
        }
        row
    };
    references.map(row).collect()
}

fn row(directory: &Directory, resource: &str, name: &str, link: &str) -> Result<Value, Refusal> {
    let rows = rows(directory, resource, name, "_id");
    let found = rows.into_iter().find(|row| row.get("_id").and_then(Value::as_str) == Some(link));
    found.ok_or_else(|| refuse(404, "Not Found"))
}
