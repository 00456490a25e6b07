//! Scripts. Reads carry no revision; the server writes the audit fields.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::contexts::{ALIAS, CONTEXTS, STORED};
use super::{Desk, body, filter, no_action, no_method, refuse, select_all, version_all};
use crate::tenant::chance;
use crate::tenant::crest::filter::Case;
use crate::tenant::crest::{fields, page, revision};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;
use crate::tenant::times::epoch_milliseconds;

/// The version that answers, whatever was asked.
const VERSION: &str = "1.1";

/// Answers `scripts`.
pub(super) fn collection(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match (request.method.as_str(), request.action()) {
        ("GET", None) => list(desk, request),
        ("POST", Some("create")) => {
            let id = chance::uuid();
            desk.address = format!("{}/{id}", desk.address.trim_end_matches('/'));
            version_all(store(desk, &id, request), VERSION)
        }
        ("POST", Some("validate")) => version_all(validate(request), VERSION),
        ("POST", _) => version_all(Err(no_action(request)), VERSION),
        _ => Err(no_method(request)),
    }
}

/// Answers `scripts/{id}`.
pub(super) fn one(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let outcome = match request.method.as_str() {
        "GET" => existing(desk, id).map(|script| {
            Reply::json(200, fields::select(&shown(desk, script), &fields::read(request.query("_fields"))))
        }),
        "PUT" => store(desk, id, request),
        "DELETE" => delete(desk, id),
        _ => Err(no_method(request)),
    };
    version_all(outcome, VERSION)
}

fn existing<'a>(desk: &'a Desk<'_>, id: &str) -> Result<&'a Value, Refusal> {
    let script = desk.realm.scripts.iter().find(|script| text(script, "_id") == id);
    script
        .ok_or_else(|| refuse(404, &format!("Script with UUID {id} could not be found in realm /{}", desk.realm.name)))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn shown(desk: &Desk<'_>, script: &Value) -> Value {
    let mut script = script.clone();
    if let (true, Some(members)) = (desk.switches.evaluator_version_absent, script.as_object_mut()) {
        members.remove("evaluatorVersion");
    }
    script
}

/// Pages by offset only: there is never a cookie, and the rest is counted.
fn list(desk: &Desk<'_>, request: &Request) -> Outcome {
    let filter = filter(request)?;
    let ask = page::read(request).map_err(|words| refuse(400, &words))?;
    let scripts = desk.realm.scripts.iter().map(|script| shown(desk, script));
    let found: Vec<Value> = scripts.filter(|script| filter.matches(script, Case::Kept)).collect();
    let total = found.len();
    let manner = page::Manner {
        cookie_on_full_last_page: false,
        cookie_percent_encoded: false,
        exact_totals: false,
        default_size: None,
    };
    let mut page = page::cut(found, &ask, manner);
    select_all(&mut page, request);
    let offset = request.query("_pagedResultsOffset").and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
    if let Some(members) = page.as_object_mut() {
        let count = members
            .get("resultCount")
            .and_then(Value::as_u64)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0);
        members.insert("pagedResultsCookie".to_owned(), Value::Null);
        members.insert("remainingPagedResults".to_owned(), json!(total.saturating_sub(offset + count)));
    }
    let version = if total > 0 { "protocol=2.0,resource=1.1, resource=1.1" } else { "resource=1.1" };
    Ok(Reply::json(200, page).with("content-api-version", version))
}

fn store(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let name = text(&body, "name");
    if name.is_empty() {
        return Err(refuse(400, "Script name must be specified"));
    }
    let same_name = |script: &&Value| text(script, "name") == name && text(script, "_id") != id;
    if desk.realm.scripts.iter().any(|script| same_name(&script)) {
        return Err(refuse(409, &format!("Script with name {name} already exist in realm /{}", desk.realm.name)));
    }
    let old = existing(desk, id).ok().cloned();
    if old.as_ref().is_some_and(|old| {
        old.get("default") == Some(&Value::Bool(true)) && text(old, "context") != text(&body, "context")
    }) {
        return Err(refuse(400, "The context of a default script cannot be changed"));
    }
    let script = script(desk, id, &body, old.as_ref(), request)?;
    match desk.realm.scripts.iter_mut().find(|known| text(known, "_id") == id) {
        Some(known) => *known = script.clone(),
        None => desk.realm.scripts.push(script.clone()),
    }
    if old.is_some() {
        return Ok(Reply::json(200, shown(desk, &script)).changing());
    }
    let rev = revision::of_content(&script);
    let mut created = shown(desk, &script);
    if let Some(members) = created.as_object_mut() {
        members.insert("_rev".to_owned(), json!(rev));
    }
    Ok(Reply::json(201, created).with("etag", &format!("\"{rev}\"")).with("location", &desk.address).changing())
}

/// Builds the stored script out of a body.
///
/// Errors: 400 for a language, a context, an engine or a body that is not to be had.
fn script(desk: &Desk<'_>, id: &str, body: &Value, old: Option<&Value>, request: &Request) -> Result<Value, Refusal> {
    if text(body, "language") != "JAVASCRIPT" && old.is_none_or(|old| text(old, "language") != text(body, "language")) {
        return Err(refuse(400, "Script language not supported"));
    }
    let context = text(body, "context");
    if !CONTEXTS.contains(&context) {
        return Err(refuse(400, &format!("Script context not recognised: {context}")));
    }
    let source = text(body, "script");
    if source.is_empty() || STANDARD.decode(source).is_err() {
        return Err(refuse(400, "The script is not valid base64"));
    }
    let version = body.get("evaluatorVersion").map_or("1.0", |version| version.as_str().unwrap_or_default());
    if !["1.0", "2.0"].contains(&version) {
        return Err(refuse(400, "Script evaluator version not supported"));
    }
    let now = epoch_milliseconds(request.at);
    let user = format!("id={},ou=user,ou=am-config", desk.user);
    let kept = |name: &str, fresh: Value| old.and_then(|old| old.get(name).cloned()).unwrap_or(fresh);
    let mut script = json!({
        "_id": id, "name": text(body, "name"), "description": body.get("description").cloned().unwrap_or_default(),
        "script": source, "default": kept("default", json!(false)), "language": text(body, "language"),
        "context": if context == ALIAS { STORED } else { context }, "evaluatorVersion": version,
        "createdBy": kept("createdBy", json!(user)), "creationDate": kept("creationDate", json!(now)),
        "lastModifiedBy": user, "lastModifiedDate": now,
    });
    if let (Some(exports), Some(members)) =
        (body.get("exports").filter(|_| context == "LIBRARY"), script.as_object_mut())
    {
        members.insert("exports".to_owned(), exports.clone());
    }
    Ok(script)
}

fn delete(desk: &mut Desk<'_>, id: &str) -> Outcome {
    if existing(desk, id)?.get("default") == Some(&Value::Bool(true)) {
        return Err(refuse(403, "A default script cannot be deleted"));
    }
    desk.realm.scripts.retain(|script| text(script, "_id") != id);
    Ok(Reply::json(200, json!({"_id": id})).changing())
}

/// Checks that the brackets of a script close: the sandbox has no JavaScript engine.
fn validate(request: &Request) -> Outcome {
    let body = body(request)?;
    let source = STANDARD.decode(text(&body, "script")).map_err(|_| refuse(400, "The script is not valid base64"))?;
    let depth = |open: u8, close: u8| {
        source.iter().fold(0i32, |depth, byte| depth + i32::from(*byte == open) - i32::from(*byte == close))
    };
    if depth(b'(', b')') == 0 && depth(b'{', b'}') == 0 {
        return Ok(Reply::json(200, json!({"success": true})));
    }
    Ok(Reply::json(400, json!({"success": false, "errors": [{"line": 1, "column": 1, "message": "syntax error"}]})))
}
