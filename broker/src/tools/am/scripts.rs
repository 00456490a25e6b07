//! Reads and writes the scripts of decision nodes, and shows what such a script can use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::{in_realm, revision};
use crate::aic::{Api, Fault, Filter, Path, Request};

/// The version of scripts and contexts.
const SCRIPTS: &str = "protocol=2.0,resource=1.0";
/// The version with which the tools' recordings read one script.
const ONE_SCRIPT: &str = "protocol=1.0,resource=1.0";
/// The context of journeys' scripts, as AM stores it.
const CONTEXT: &str = "AUTHENTICATION_TREE_DECISION_NODE";
/// The next-generation engine.
const ENGINE: &str = "2.0";

fn scripts(realm: Realm) -> Path {
    in_realm(realm, "/scripts")
}

fn script(realm: Realm, id: &str) -> Result<Path, Fault> {
    scripts(realm).segment("scriptId", id)
}

#[derive(Deserialize)]
struct InRealm {
    realm: Realm,
}

/// Shape: the tenant's page as it is, without sources. Next-generation scripts of decision nodes only.
pub(super) async fn list(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let InRealm { realm } = arguments.read()?;
    let wanted = Filter::compare("context", "eq", "context", CONTEXT)?.and(Filter::compare(
        "evaluatorVersion",
        "eq",
        "evaluatorVersion",
        ENGINE,
    )?);
    let request = Request::get(scripts(realm))
        .query("_queryFilter", wanted.as_str())
        .query("_pageSize", "-1")
        .query("_fields", "_id,name,description,language,context,evaluatorVersion,creationDate,lastModifiedDate")
        .version(SCRIPTS);
    Ok(Output::as_it_came(api.fetch(request).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    realm: Realm,
    script_id: String,
}

/// Shape: the script as AM has it, with `script` as text.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let One { realm, script_id } = arguments.read()?;
    let mut body = api.send(Request::get(script(realm, &script_id)?).version(ONE_SCRIPT)).await?.body;
    if let Some(source) = body.get_mut("script")
        && let Some(text) = source.as_str().and_then(decoded)
    {
        *source = text.into();
    }
    Ok(Output::data(body))
}

/// Base64 of UTF-8 text, whole and padded as AM writes it; anything else is the script itself.
///
/// Source: RFC 4648 section 4.
fn decoded(source: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(source).ok()?).ok()
}

#[derive(Deserialize)]
struct Create {
    realm: Realm,
    name: String,
    description: Option<String>,
    script: String,
}

/// Shape: `{"success", "name", "scriptId"}`.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Create = arguments.read()?;
    let body = json!({
        "context": CONTEXT,
        "name": wanted.name,
        "description": wanted.description.unwrap_or_default(),
        "language": "JAVASCRIPT",
        "script": STANDARD.encode(&wanted.script),
        "evaluatorVersion": ENGINE,
    });
    let reply =
        api.send(Request::post(scripts(wanted.realm), body).query("_action", "create").version(SCRIPTS)).await?;
    let id = reply.text("_id");
    let text = match id {
        Some(id) => format!("Created script `{}` with id {id}.", wanted.name),
        None => format!("Created script `{}`; AM did not say its id: listScripts shows it.", wanted.name),
    };
    Ok(Output::told(text, json!({"success": true, "name": wanted.name, "scriptId": id})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    realm: Realm,
    script_id: String,
    name: Option<String>,
    description: Option<String>,
    script: Option<String>,
}

/// Shape: `{"success", "name", "scriptId"}`.
pub(super) async fn update(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Update { realm, script_id, name, description, script: source } = arguments.read()?;
    let path = script(realm, &script_id)?;
    let encoded = source.map(|source| STANDARD.encode(source));
    let changes: Map<String, Value> = [("name", name), ("description", description), ("script", encoded)]
        .into_iter()
        .filter_map(|(member, text)| Some((member.to_owned(), text?.into())))
        .collect();
    if changes.is_empty() {
        return Err(Fault::invalid("arguments", "nothing to change: give name, description or script"));
    }
    let _held = api.lock(&format!("script/{}/{script_id}", realm.as_str())).await?;
    let current = api.send(Request::get(path.clone()).version(SCRIPTS)).await?;
    let mut body = current.document()?;
    body.extend(changes.clone());
    let mut request = Request::put(path, body.clone().into()).version(SCRIPTS);
    if let Some(revision) = revision(&current) {
        request = request.if_match(revision);
    }
    let stored = api.send(request).await?.body;
    let name = body.get("name").and_then(Value::as_str);
    let output = Output::told(
        format!("Updated script `{}` with id {script_id}.", name.unwrap_or_default()),
        json!({"success": true, "name": name, "scriptId": script_id}),
    );
    Ok(match differs(&changes, &stored) {
        true => output.with_warning(
            "AM's answer shows other values than were sent: another writer may have come \
            between. getAMScript shows the script.",
        ),
        false => output,
    })
}

fn differs(changes: &Map<String, Value>, stored: &Value) -> bool {
    changes.iter().any(|(member, value)| stored.get(member).is_some_and(|stored| stored != value))
}

/// Shape: `{"success", "scriptId"}`.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let One { realm, script_id } = arguments.read()?;
    api.send(Request::delete(script(realm, &script_id)?).version(SCRIPTS)).await?;
    Ok(Output::told(format!("Deleted script {script_id}."), json!({"success": true, "scriptId": script_id})))
}

/// Shape: the tenant's answer as it is: bindings, allow lists, engines.
pub(super) async fn bindings(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let InRealm { realm } = arguments.read()?;
    let path = in_realm(realm, "/contexts/SCRIPTED_DECISION_NODE");
    Ok(Output::as_it_came(api.fetch(Request::get(path).version(SCRIPTS)).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_base64_of_text_is_decoded() {
        let cases = [
            ("b3V0Y29tZSA9ICJ0cnVlIjsK", Some("outcome = \"true\";\n")),
            ("aMOpbGxv", Some("héllo")),
            ("", Some("")),
            ("return", None),
            ("test", None),
            ("outcome = 1;", None),
            ("b3V0Y29tZQ", None),
        ];

        for (source, wanted) in cases {
            assert_eq!(decoded(source).as_deref(), wanted, "{source}");
        }
    }

    #[test]
    fn another_stored_value_is_noticed() {
        let changes = Map::from_iter([("name".to_owned(), json!("a"))]);

        for (stored, wanted) in
            [(json!({"name": "a", "x": 1}), false), (json!({"name": "b"}), true), (Value::Null, false)]
        {
            assert_eq!(differs(&changes, &stored), wanted, "{stored}");
        }
    }
}
