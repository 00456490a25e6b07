//! Managed objects: query, create, read, update, patch, delete.

use serde_json::{Value, json};

use super::schema::{Definition, Reference, reference};
use super::store::{id_of, revision_of};
use super::{Desk, no_method, query, refuse, view, write};
use crate::tenant::chance;
use crate::tenant::crest::filter::Case;
use crate::tenant::crest::{fields, patch, revision};
use crate::tenant::reply::{Body, Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Length of the ids that user types want.
const UUID_LENGTH: usize = 36;

const ON_CREATE: &str = "Policy validation failed";
const ON_PATCH: &str = "Failed policy validation";

/// Answers `/openidm/managed/{type}`.
pub(super) fn collection(desk: &mut Desk<'_>, kind: &str, request: &Request) -> Outcome {
    let document = desk.directory.document();
    let definition = definition(&document, kind)?;
    match (request.method.as_str(), request.action()) {
        ("GET", None) => list(desk, definition, request),
        ("POST", Some("create")) => {
            let body = request.json()?;
            let id = body.get("_id").and_then(Value::as_str).map_or_else(chance::uuid, str::to_owned);
            create(desk, definition, &id, &body, request)
        }
        ("POST", action) => Err(refuse(400, &format!("Action not supported: {}", action.unwrap_or_default()))),
        _ => Err(no_method(request)),
    }
}

/// Answers `/openidm/managed/{type}/{id}`.
pub(super) fn object(desk: &mut Desk<'_>, kind: &str, id: &str, request: &Request) -> Outcome {
    let document = desk.directory.document();
    let definition = definition(&document, kind)?;
    match request.method.as_str() {
        "GET" => {
            let object = existing(desk, definition, id)?;
            Ok(shown(desk, definition, 200, &object, request))
        }
        "PUT" => put(desk, definition, id, request),
        "PATCH" => change(desk, definition, id, request),
        "DELETE" => delete(desk, definition, id, request),
        _ => Err(no_method(request)),
    }
}

/// Finds a type.
pub(super) fn definition<'a>(document: &'a Value, kind: &str) -> Result<Definition<'a>, Refusal> {
    Definition::find(document, kind).ok_or_else(|| refuse(404, &format!("Resource 'managed/{kind}' not found")))
}

/// Finds an object.
pub(super) fn existing(desk: &Desk<'_>, definition: Definition<'_>, id: &str) -> Result<Value, Refusal> {
    let object = desk.directory.get(definition.name, id).cloned();
    object.ok_or_else(|| {
        refuse(404, &format!("No Such Entry: The search base entry {} does not exist", entry(definition, id)))
    })
}

/// Writes the directory's name of an object, HTML-escaped as the platform does.
fn entry(definition: Definition<'_>, id: &str) -> String {
    let (realm, kind) = definition.realm_and_kind().unwrap_or(("root", definition.name));
    format!("&#39;fr-idm-uuid&#61;{id},ou&#61;{kind},o&#61;{realm},o&#61;root,ou&#61;identities&#39;")
}

fn list(desk: &Desk<'_>, definition: Definition<'_>, request: &Request) -> Outcome {
    let filter = query::read_filter(request)?;
    let objects = desk.directory.objects.get(definition.name).cloned().unwrap_or_default();
    let mut page = query::run(objects, &filter, Case::Ignored, request, query::manner(desk.switches))?;
    let fields = fields::read(request.query("_fields"));
    let mut found = false;
    for object in page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten() {
        *object = view::show(desk.directory, definition, object, &fields);
        found = true;
    }
    let reply = Reply::json(200, page);
    Ok(if found { reply.with("x-object", "1") } else { reply })
}

fn create(desk: &mut Desk<'_>, definition: Definition<'_>, id: &str, body: &Value, request: &Request) -> Outcome {
    check_id(definition, id)?;
    if desk.directory.get(definition.name, id).is_some() {
        let text = format!(
            "Entry Already Exists: The entry {} cannot be added because an entry with that name already exists",
            entry(definition, id)
        );
        return Err(refuse(412, &text));
    }
    let accepted = write::accept(desk.directory, definition, id, &with_defaults(definition, body), ON_CREATE)?;
    let (object, _) = write::store(desk.directory, definition, id, accepted);
    let location = format!("{}/openidm/managed/{}/{id}", desk.origin, definition.name);
    Ok(shown(desk, definition, 201, &object, request).with("location", &location).changing())
}

fn check_id(definition: Definition<'_>, id: &str) -> Result<(), Refusal> {
    let fits = id.len() == UUID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if definition.kind() != "user" || fits {
        return Ok(());
    }
    Err(refuse(
        400,
        &format!("Invalid Attribute Syntax: the value &#39;{id}&#39; for attribute fr-idm-uuid is not a UUID"),
    ))
}

fn with_defaults(definition: Definition<'_>, body: &Value) -> Value {
    let mut body = body.clone();
    for (name, property) in definition.properties() {
        if let (Some(value), Some(members)) = (property.get("default"), body.as_object_mut()) {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    body
}

fn put(desk: &mut Desk<'_>, definition: Definition<'_>, id: &str, request: &Request) -> Outcome {
    let body = request.json()?;
    let Some(object) = desk.directory.get(definition.name, id).cloned() else {
        if request.header("if-match").is_some() {
            existing(desk, definition, id)?;
        }
        return create(desk, definition, id, &body, request);
    };
    if request.header("if-none-match") == Some("*") && !desk.switches.racing_create {
        return create(desk, definition, id, &body, request);
    }
    check_revision(&object, request)?;
    let accepted = write::accept(desk.directory, definition, id, &body, ON_CREATE)?;
    let (object, changed) = write::store(desk.directory, definition, id, accepted);
    Ok(written(desk, definition, &object, changed, request))
}

fn change(desk: &mut Desk<'_>, definition: Definition<'_>, id: &str, request: &Request) -> Outcome {
    let operations = patch::read(&request.json()?).map_err(patch_refusal)?;
    let object = existing(desk, definition, id)?;
    check_revision(&object, request)?;
    let whole = view::with_references(desk.directory, definition, &object);
    let mut after = patch::apply(&whole, &operations).map_err(patch_refusal)?;
    for (name, _) in whole.as_object().into_iter().flatten() {
        // A reference that the patch took away must be seen as an empty one.
        if let (Some(members), Some(property)) = (after.as_object_mut(), definition.property(name)) {
            let gone = if reference(property) == Reference::Many { json!([]) } else { Value::Null };
            members.entry(name.clone()).or_insert(gone);
        }
    }
    let accepted = write::accept(desk.directory, definition, id, &after, ON_PATCH)?;
    let (object, changed) = write::store(desk.directory, definition, id, accepted);
    Ok(written(desk, definition, &object, changed, request))
}

fn delete(desk: &mut Desk<'_>, definition: Definition<'_>, id: &str, request: &Request) -> Outcome {
    let object = existing(desk, definition, id)?;
    check_revision(&object, request)?;
    let reply = shown(desk, definition, 200, &object, request).changing();
    desk.directory.remove(definition.name, id);
    Ok(reply)
}

/// Makes the refusal of a patch.
pub(super) fn patch_refusal(fault: patch::Fault) -> Refusal {
    match fault {
        patch::Fault::Bad(words) => refuse(400, &words),
        patch::Fault::Script => refuse(501, "This sandbox tenant runs no scripts"),
    }
}

fn check_revision(object: &Value, request: &Request) -> Result<(), Refusal> {
    let (wanted, current) = (request.header("if-match"), revision_of(object));
    if revision::fits(wanted, current) {
        return Ok(());
    }
    let wanted = wanted.unwrap_or_default().trim_matches('"');
    let text = format!(
        "The object's current revision {current} is not the expected {wanted}: it has changed since it was read"
    );
    Err(refuse(412, &text))
}

fn written(desk: &Desk<'_>, definition: Definition<'_>, object: &Value, changed: bool, request: &Request) -> Reply {
    let reply = shown(desk, definition, 200, object, request);
    if changed { reply.changing() } else { reply.with("x-not-modified", "true") }
}

fn shown(desk: &Desk<'_>, definition: Definition<'_>, status: u16, object: &Value, request: &Request) -> Reply {
    let fields = fields::read(request.query("_fields"));
    let shown = view::show(desk.directory, definition, object, &fields);
    let etag = format!("\"{}\"", revision_of(object));
    debug_assert!(!id_of(object).is_empty());
    Reply { body: Body::Json(shown), ..Reply::empty(status) }.with("etag", &etag).with("x-object", "1")
}
