//! One variable: read, written (200 for new ones too), described, deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::store::variable;
use super::{Desk, invalid, refuse};
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;
use crate::tenant::times::rfc3339;

/// The types of a variable.
const TYPES: [&str; 9] =
    ["string", "list", "array", "object", "bool", "int", "number", "base64encodedinlined", "keyvaluelist"];

/// Greatest length of the part after `esv-`.
const MAX_NAME: usize = 124;

/// Greatest length of a description.
const MAX_DESCRIPTION: usize = 1000;

/// Greatest size of a decoded value.
const MAX_VALUE_BYTES: usize = 65_535;

/// Answers `/environment/variables/{id}`.
pub(super) fn answer(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    check_id("variableId", id)?;
    match (request.method.as_str(), request.action()) {
        ("GET", _) => Ok(Reply::json(200, existing(desk, id)?)),
        ("PUT", _) => put(desk, id, request),
        ("POST", Some("setDescription")) => describe(desk, id, request),
        ("DELETE", _) => {
            let old = existing(desk, id)?;
            desk.store.variables.remove(id);
            Ok(Reply::json(200, old).changing())
        }
        _ => Err(refuse(405, "method not allowed")),
    }
}

/// Checks an ESV's id.
pub(super) fn check_id(parameter: &str, id: &str) -> Result<(), Refusal> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let fits = |name: &str| (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(letter);
    if id.strip_prefix("esv-").is_some_and(fits) {
        return Ok(());
    }
    let text = format!(
        "parameter \"{parameter}\" in path has an error: string doesn't match the regular expression \"^esv-[a-z0-9_-]{{1,124}}$\""
    );
    Err(invalid(&text))
}

/// Reads a JSON object out of a body.
pub(super) fn body(request: &Request) -> Result<Value, Refusal> {
    let body = serde_json::from_slice(&request.body).ok().filter(Value::is_object);
    body.ok_or_else(|| invalid("request body has an error: failed to decode request body"))
}

fn existing(desk: &Desk<'_>, id: &str) -> Result<Value, Refusal> {
    desk.store.variables.get(id).cloned().ok_or_else(|| refuse(404, "The variable does not exist"))
}

fn put(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let value = check_value("esvVariableCreateUpdateRequest", text("valueBase64"))?;
    let description = text("description").unwrap_or_default();
    check_description(description)?;
    let sent = text("expressionType").unwrap_or_default();
    check_type(sent)?;
    let old = desk.store.variables.get(id);
    let known = old.and_then(|old| old.get("expressionType")).and_then(Value::as_str);
    let kind = match known {
        None if sent.is_empty() => {
            return Err(refuse(
                400,
                "Variable type required; expressionType cannot be empty when creating new variables",
            ));
        }
        Some(known) if !sent.is_empty() && sent != known => {
            return Err(refuse(400, "Changing the type of an existing variable is not permitted"));
        }
        known => known.unwrap_or(sent).to_owned(),
    };
    let variable = variable(id, &kind, value, description, false, &desk.user, request.at);
    desk.store.variables.insert(id.to_owned(), variable.clone());
    Ok(Reply::json(200, variable).changing())
}

fn check_type(kind: &str) -> Result<(), Refusal> {
    if kind.is_empty() || TYPES.contains(&kind) {
        return Ok(());
    }
    let choices = serde_json::to_string(&TYPES).unwrap_or_default();
    let text = format!(
        "request body has an error: doesn't match schema #/components/schemas/esvVariableCreateUpdateRequest: \
         Error at \"/expressionType\": value is not one of the allowed values {choices}"
    );
    Err(invalid(&text))
}

/// Checks a value in base64.
pub(super) fn check_value<'a>(schema: &str, value: Option<&'a str>) -> Result<&'a str, Refusal> {
    let fault = |what: &str| {
        let text = format!(
            "request body has an error: doesn't match schema #/components/schemas/{schema}: Error at \"/valueBase64\": {what}"
        );
        invalid(&text)
    };
    let value = value.ok_or_else(|| fault("property \"valueBase64\" is missing"))?;
    let decoded = STANDARD.decode(value).map_err(|_| refuse(400, "The value is not valid base64"))?;
    if decoded.len() > MAX_VALUE_BYTES { Err(fault("the value is too long")) } else { Ok(value) }
}

/// Checks a description.
pub(super) fn check_description(description: &str) -> Result<(), Refusal> {
    if description.chars().count() <= MAX_DESCRIPTION {
        return Ok(());
    }
    Err(invalid("request body has an error: Error at \"/description\": maximum string length is 1000"))
}

fn describe(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let description = body.get("description").and_then(Value::as_str).unwrap_or_default();
    check_description(description)?;
    existing(desk, id)?;
    if let Some(members) = desk.store.variables.get_mut(id).and_then(Value::as_object_mut) {
        members.insert("description".to_owned(), json!(description));
        members.insert("lastChangeDate".to_owned(), json!(rfc3339(request.at)));
    }
    Ok(Reply::empty(200).changing())
}
