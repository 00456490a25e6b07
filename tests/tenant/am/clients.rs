//! OAuth 2.0 clients: values are wrapped in reads, bare or wrapped in writes. A secret never comes out.

use serde_json::{Map, Value, json};

use super::client_schema::{BARE_SECTION, Kind, SECTIONS, defaults, schema};
use super::{
    Desk, body, invalid_attribute, invalid_value, listed, no_action, no_method, refuse, revised, single, version_all,
};
use crate::tenant::crest::revision;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Members of a body that are accepted and not stored; `_rev` and `_provider` are not among them.
const META: [&str; 2] = ["_id", "_type"];

/// The kinds of agents.
const TYPES: [(&str, &str); 4] = [
    ("OAuth2Client", "OAuth2 Client Agents"),
    ("IdentityGatewayAgent", "Identity Gateway Agents"),
    ("SoftwarePublisher", "OAuth2 Software Publisher Agents"),
    ("AIAgent", "AI Agents"),
];

/// Answers `realm-config/agents`.
pub(super) fn types(request: &Request) -> Outcome {
    match (request.method.as_str(), request.action()) {
        ("POST", Some("getAllTypes")) => {
            let one = |(id, name): &(&str, &str)| json!({"_id": id, "name": name, "collection": true});
            Ok(Reply::json(200, json!({"result": TYPES.iter().map(one).collect::<Vec<Value>>()})))
        }
        ("POST", _) => Err(no_action(request)),
        _ => Err(no_method(request)),
    }
}

/// Answers `realm-config/agents/OAuth2Client`.
pub(super) fn collection(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let version = request.resource_version().unwrap_or("1.0").to_owned();
    match (request.method.as_str(), request.action()) {
        ("GET", None) => listed(desk.realm.clients.iter().map(|(id, client)| shown(id, client)).collect(), request),
        ("POST", Some("schema")) => version_all(Ok(Reply::json(200, schema())), &version),
        ("POST", Some("template")) => version_all(Ok(Reply::json(200, wrapped(&defaults()))), &version),
        ("POST", _) => Err(no_action(request)),
        _ => Err(no_method(request)),
    }
}

/// Answers `realm-config/agents/OAuth2Client/{id}`.
pub(super) fn one(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let version = request.resource_version().unwrap_or("1.0").to_owned();
    let outcome = match request.method.as_str() {
        "GET" => existing(desk, id).map(|client| single(200, client, request)),
        "PUT" => put(desk, id, request),
        "DELETE" => delete(desk, id, request),
        _ => Err(no_method(request)),
    };
    version_all(outcome, &version)
}

fn existing(desk: &Desk<'_>, id: &str) -> Result<Value, Refusal> {
    desk.realm.clients.get(id).map(|client| shown(id, client)).ok_or_else(|| refuse(404, "Not Found"))
}

fn delete(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let old = existing(desk, id)?;
    check_match(&old, request)?;
    desk.realm.clients.remove(id);
    Ok(single(200, old, request).changing())
}

fn check_match(client: &Value, request: &Request) -> Result<(), Refusal> {
    let current = client.get("_rev").and_then(Value::as_str).unwrap_or_default();
    if revision::fits(request.header("if-match"), current) {
        return Ok(());
    }
    Err(refuse(412, "The client has changed since it was read"))
}

fn put(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let old = existing(desk, id).ok();
    match &old {
        Some(_) if request.header("if-none-match") == Some("*") && !desk.switches.racing_create => {
            return Err(refuse(412, "The client already exists"));
        }
        Some(old) => check_match(old, request)?,
        None if request.header("if-match").is_some() => return Err(refuse(404, "Not Found")),
        None => {}
    }
    let client = read(&body, desk.realm.clients.get(id))?;
    desk.realm.clients.insert(id.to_owned(), client);
    let reply = single(if old.is_some() { 200 } else { 201 }, existing(desk, id)?, request).changing();
    Ok(if old.is_some() { reply } else { reply.with("location", &desk.address) })
}

/// Reads a client: what a body leaves out has its default, except the secret, which stays.
///
/// Errors: 400 for a section or attribute that is none, and for a value of another type.
fn read(body: &Value, old: Option<&Value>) -> Result<Value, Refusal> {
    let body = body.as_object().ok_or_else(|| refuse(400, "The request body is not an object"))?;
    let mut client = defaults();
    for (name, section) in body.iter().filter(|(name, _)| !META.contains(&name.as_str())) {
        let known = SECTIONS.iter().find(|(known, _)| known == name);
        let (_, attributes) =
            known.ok_or_else(|| invalid_attribute(SECTIONS.iter().map(|(name, _)| *name).collect()))?;
        let section = section.as_object().ok_or_else(|| invalid_value(name))?;
        for (attribute, value) in section {
            let value = bare(value);
            let kind = kind(attributes, attribute)?;
            // An optional text may be unset, and nothing else.
            if !kind.fits(&value) {
                return Err(invalid_value(attribute));
            }
            set(&mut client, name, attribute, value);
        }
    }
    let secret = "/coreOAuth2ClientConfig/userpassword";
    if client.pointer(secret).is_none_or(Value::is_null)
        && let Some(kept) = old.and_then(|old| old.pointer(secret))
    {
        set(&mut client, "coreOAuth2ClientConfig", "userpassword", kept.clone());
    }
    Ok(client)
}

fn kind(attributes: &[(&'static str, Kind)], name: &str) -> Result<Kind, Refusal> {
    let found = attributes.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    found.ok_or_else(|| invalid_attribute(attributes.iter().map(|(name, _)| *name).collect()))
}

fn set(client: &mut Value, section: &str, attribute: &str, value: Value) {
    if let Some(members) = client.get_mut(section).and_then(Value::as_object_mut) {
        members.insert(attribute.to_owned(), value);
    }
}

/// Takes a wrapped value out of its wrapping; one that is inherited or has no value is unset.
fn bare(value: &Value) -> Value {
    match value.as_object() {
        Some(wrapping) if wrapping.contains_key("inherited") => wrapping.get("value").cloned().unwrap_or_default(),
        _ => value.clone(),
    }
}

fn shown(id: &str, client: &Value) -> Value {
    let mut shown = revised(id, &wrapped(client));
    if let Some(members) = shown.as_object_mut() {
        members
            .insert("_type".to_owned(), json!({"_id": "OAuth2Client", "name": "OAuth2 Clients", "collection": true}));
    }
    shown
}

/// Wraps every value but those of the bare section; an unset one has no `value`, and a secret is never shown at all.
fn wrapped(client: &Value) -> Value {
    let wrap = |name: &String, value: &Value| match value {
        Value::Null => (name.clone(), json!({"inherited": false})),
        value => (name.clone(), json!({"inherited": false, "value": value})),
    };
    let is_shown =
        |(name, value): &(&String, &Value)| *name != "userpassword" && !(*name == "agentgroup" && value.is_null());
    let section = |(name, section): (&String, &Value)| {
        let members = section.as_object().into_iter().flatten();
        let values: Map<String, Value> = if name == BARE_SECTION {
            members
                .filter(|(name, value)| !value.is_null() || *name == "remoteConsentServiceId")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        } else {
            members.filter(is_shown).map(|(name, value)| wrap(name, value)).collect()
        };
        (name.clone(), Value::Object(values))
    };
    Value::Object(client.as_object().into_iter().flatten().map(section).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_and_wrapped_values_are_the_same_client() {
        let bare = read(&json!({"coreOAuth2ClientConfig": {"scopes": ["openid"], "clientType": "Public"}}), None);
        let wrapped = json!({"_id": "x", "_type": {}, "coreOAuth2ClientConfig": {
            "scopes": {"inherited": false, "value": ["openid"]}, "clientType": {"inherited": false, "value": "Public"}}});

        assert_eq!(bare, read(&wrapped, None));
    }

    #[test]
    fn what_a_client_does_not_have_is_refused() {
        let cases = [
            json!({"_rev": "1"}),
            json!({"_provider": {}}),
            json!({"newSection": {}}),
            json!({"coreOAuth2ClientConfig": {"nothing": 1}}),
            json!({"coreOAuth2ClientConfig": {"clientType": "Secret"}}),
            json!({"coreOAuth2ClientConfig": {"scopes": "openid"}}),
            json!({"coreOAuth2ClientConfig": null}),
        ];
        for body in cases {
            assert_eq!(read(&body, None).map_err(|refusal| refusal.status), Err(400), "{body}");
        }
    }

    #[test]
    fn a_secret_stays_and_is_never_shown() {
        let first = read(&json!({"coreOAuth2ClientConfig": {"userpassword": "s3cret"}}), None).unwrap_or_default();
        let second = read(&json!({"coreOAuth2ClientConfig": {"userpassword": null}}), Some(&first)).unwrap_or_default();

        assert_eq!(second.pointer("/coreOAuth2ClientConfig/userpassword"), Some(&json!("s3cret")));
        assert!(!shown("x", &second).to_string().contains("s3cret"));
    }
}
