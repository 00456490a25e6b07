//! Secrets and their versions. A value goes in and never comes out.

use serde_json::{Value, json};

use super::store::version;
use super::variables::{body, check_description, check_id, check_value};
use super::{Desk, refuse};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

const ENCODINGS: [&str; 3] = ["generic", "pem", "base64hmac"];
const MISSING: &str = "The secret does not exist or does not have a version";

/// Answers `/environment/secrets/{id}` and what lies below.
pub(super) fn answer(desk: &mut Desk<'_>, id: &str, rest: &[&str], request: &Request) -> Outcome {
    check_id("secretId", id)?;
    match (request.method.as_str(), rest, request.action()) {
        ("GET", [], _) => Ok(Reply::json(200, existing(desk, id)?)),
        ("PUT", [], _) => create(desk, id, request),
        ("POST", [], Some("setDescription")) => describe(desk, id, request),
        ("DELETE", [], _) => {
            let old = existing(desk, id)?;
            desk.store.secrets.remove(id);
            desk.store.versions.remove(id);
            Ok(Reply::json(200, old).changing())
        }
        ("GET", ["versions"], _) => {
            existing(desk, id)?;
            let newest_first: Vec<Value> = versions(desk, id).into_iter().rev().collect();
            Ok(Reply::json(200, Value::Array(newest_first)))
        }
        ("POST", ["versions"], Some("create")) => add_version(desk, id, request),
        ("GET", ["versions", number], _) => {
            Ok(Reply::json(200, one_version(desk, id, number, "Failed to get secret version")?))
        }
        ("POST", ["versions", number], Some("changestatus")) => change_status(desk, id, number, request),
        ("DELETE", ["versions", number], _) => delete_version(desk, id, number),
        _ => Err(refuse(405, "method not allowed")),
    }
}

fn existing(desk: &Desk<'_>, id: &str) -> Result<Value, Refusal> {
    desk.store.secrets.get(id).cloned().ok_or_else(|| refuse(404, MISSING))
}

fn versions(desk: &Desk<'_>, id: &str) -> Vec<Value> {
    desk.store.versions.get(id).cloned().unwrap_or_default()
}

fn one_version(desk: &Desk<'_>, id: &str, number: &str, missing: &str) -> Result<Value, Refusal> {
    let found =
        versions(desk, id).into_iter().find(|version| version.get("version").and_then(Value::as_str) == Some(number));
    found.ok_or_else(|| refuse(404, missing))
}

fn create(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let encoding = text("encoding");
    if !ENCODINGS.contains(&encoding) {
        let answer =
            json!({"code": 606, "message": format!("encoding in body should be one of [{}]", ENCODINGS.join(" "))});
        return Err(Reply::json(422, answer).into());
    }
    check_value("esvSecretCreateRequest", body.get("valueBase64").and_then(Value::as_str))?;
    check_description(text("description"))?;
    let Some(placeholders) = body.get("useInPlaceholders").and_then(Value::as_bool) else {
        return Err(refuse(422, "useInPlaceholders in body is required"));
    };
    if desk.store.secrets.contains_key(id) {
        return Err(refuse(400, "Failed to create secret, the secret already exists"));
    }
    let user = desk.user.clone();
    let secret = desk.store.add_secret(id, text("description"), encoding, placeholders, &user, request.at);
    Ok(Reply::json(200, secret).changing())
}

fn describe(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    existing(desk, id)?;
    let description = body.get("description").and_then(Value::as_str).unwrap_or_default();
    check_description(description)?;
    if let Some(members) = desk.store.secrets.get_mut(id).and_then(Value::as_object_mut) {
        members.insert("description".to_owned(), json!(description));
    }
    Ok(Reply::empty(200).changing())
}

fn add_version(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    check_value("esvSecretVersionRequest", body.get("valueBase64").and_then(Value::as_str))?;
    let secret = desk.store.secrets.get_mut(id).ok_or_else(|| refuse(404, "Failed to create secret version"))?;
    let loaded = secret.get("useInPlaceholders") == Some(&json!(false));
    let all = desk.store.versions.entry(id.to_owned()).or_default();
    let added = version(all.len() + 1, request.at, loaded);
    all.push(added.clone());
    if let Some(members) = secret.as_object_mut() {
        members.insert("activeVersion".to_owned(), added.get("version").cloned().unwrap_or_default());
        members.insert("loaded".to_owned(), json!(loaded));
    }
    Ok(Reply::json(200, added).changing())
}

fn change_status(desk: &mut Desk<'_>, id: &str, number: &str, request: &Request) -> Outcome {
    existing(desk, id)?;
    one_version(desk, id, number, MISSING)?;
    let body = body(request)?;
    let status = body.get("status").and_then(Value::as_str).unwrap_or_default();
    if !["ENABLED", "DISABLED"].contains(&status) {
        return Err(refuse(400, "The status is neither ENABLED nor DISABLED"));
    }
    if status == "DISABLED" && is_newest(desk, id, number) {
        return Err(refuse(400, "Cannot disable latest secret version"));
    }
    set_status(desk, id, number, status).map(|version| Reply::json(200, version).changing())
}

fn delete_version(desk: &mut Desk<'_>, id: &str, number: &str) -> Outcome {
    one_version(desk, id, number, MISSING)?;
    if is_newest(desk, id, number) {
        return Err(refuse(500, "Failed to delete secret version"));
    }
    let version = set_status(desk, id, number, "DESTROYED")?;
    if let Some(all) = desk.store.versions.get_mut(id) {
        all.retain(|known| known.get("version") != version.get("version"));
    }
    Ok(Reply::json(200, version).changing())
}

fn is_newest(desk: &Desk<'_>, id: &str, number: &str) -> bool {
    versions(desk, id).last().and_then(|version| version.get("version")).and_then(Value::as_str) == Some(number)
}

fn set_status(desk: &mut Desk<'_>, id: &str, number: &str, status: &str) -> Result<Value, Refusal> {
    let all = desk.store.versions.get_mut(id).into_iter().flatten();
    let mut wanted = all.filter(|version| version.get("version").and_then(Value::as_str) == Some(number));
    let version = wanted.next().ok_or_else(|| refuse(404, MISSING))?;
    if let Some(members) = version.as_object_mut() {
        members.insert("status".to_owned(), json!(status));
    }
    Ok(version.clone())
}
