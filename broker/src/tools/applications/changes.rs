//! Changes applications: the OAuth2 client by merging, the object in IDM by patching.

use aic_proto::refusal::Kind;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::{CLIENTS, applications, client, linked_client, named, only};
use crate::aic::{Api, Fault, Path, Reply, Request};

/// What AM sets itself and refuses, or ignores, in a write.
const AM_OWNED: [&str; 4] = ["_id", "_rev", "_type", "_provider"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    realm: Realm,
    name: String,
    oauth2_client: Option<Map<String, Value>>,
    managed_application: Option<Patch>,
}

#[derive(Deserialize)]
struct Patch {
    #[serde(rename = "_rev")]
    revision: String,
    operations: Vec<Operation>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Operation {
    operation: String,
    field: String,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

/// A value that may be null, which is not the same as none.
mod given {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

/// Shape: `{"oauth2Client"?, "amTransactionId"?, "managedApplication"?, "idmTransactionId"?}`, as the tenant stored them.
pub(super) async fn update(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Update { realm, name, oauth2_client, managed_application } = arguments.read()?;
    if oauth2_client.is_none() && managed_application.is_none() {
        return Err(Fault::invalid("arguments", "nothing to change: give oauth2Client, managedApplication or both"));
    }
    let (patch, ignored) = match managed_application {
        Some(patch) => allowed(patch).map(|(patch, ignored)| (Some(patch), ignored))?,
        None => (None, Vec::new()),
    };
    let found = named(&api, realm, &name, "_id,ssoEntities").await?;
    let row = only(found.rows(), &name)?;
    let path = application_path(realm, row)?;
    let mut value = Map::new();
    if let Some(changes) = oauth2_client {
        fits(row, patch.as_ref())?;
        let stored = update_client(&api, realm, &name, row, changes).await?;
        value.insert("oauth2Client".to_owned(), stored.body);
        value.insert("amTransactionId".to_owned(), stored.transaction_id.into());
    }
    if let Some(patch) = patch {
        let changed = api.send(Request::patch(path, json!(patch.operations)).if_match(patch.revision)).await;
        let stored = changed.map_err(|fault| if value.is_empty() { fault } else { client_changed(fault, &name) })?;
        value.insert("managedApplication".to_owned(), stored.body);
        value.insert("idmTransactionId".to_owned(), stored.transaction_id.into());
    }
    let output = Output::data(value.into());
    Ok(match ignored.is_empty() {
        true => output,
        false => output.with_warning(format!(
            "Left out, because the link to the OAuth2 client is not changed here: {}.",
            ignored.join(", ")
        )),
    })
}

/// The patch without operations on the link to the client, and the fields of those.
///
/// Errors: [`Fault::Invalid`] when a field stands for the whole object, [`Fault::Refused`] when nothing is left.
fn allowed(patch: Patch) -> Result<(Patch, Vec<String>), Fault> {
    if patch.operations.iter().any(|operation| operation.field.trim_matches('/').trim().is_empty()) {
        return Err(Fault::invalid("managedApplication", "each operation must name a field, for example /description"));
    }
    let (kept, ignored): (Vec<_>, Vec<_>) =
        patch.operations.into_iter().partition(|operation| !is_link(&operation.field));
    let ignored = ignored.into_iter().map(|operation| operation.field).collect();
    match kept.is_empty() {
        true => Err(Fault::refused_with(
            Kind::NotAllowed,
            "managedApplication: no operation is left to send",
            "operations on /ssoEntities are not sent: the link to the OAuth2 client is made by createOidcApp",
        )),
        false => Ok((Patch { operations: kept, ..patch }, ignored)),
    }
}

/// Whether a field is `ssoEntities` or inside it, however it is written.
///
/// Source: RFC 6901 section 3; IDM also takes a pointer without its first slash, and with percent-encoded tokens.
fn is_link(field: &str) -> bool {
    let token = field.trim_start_matches('/').split('/').next().unwrap_or_default();
    percent_decode_str(token).decode_utf8_lossy() == "ssoEntities"
}

/// Refuses both changes when the second is known to fail: the first could not be taken back.
fn fits(row: &Value, patch: Option<&Patch>) -> Result<(), Fault> {
    let now = row.get("_rev").and_then(Value::as_str);
    match (now, patch) {
        (Some(now), Some(patch)) if now != patch.revision => Err(Fault::refused_with(
            Kind::Conflict,
            format!("the application has changed: its revision is {now}, not {}; nothing was changed", patch.revision),
            "read it again with getOidcApp and use the revision that it shows",
        )),
        _ => Ok(()),
    }
}

async fn update_client(
    api: &Api,
    realm: Realm,
    name: &str,
    row: &Value,
    changes: Map<String, Value>,
) -> Result<Reply, Fault> {
    let no_client = || {
        let message = format!("application `{name}` is linked to no OAuth2 client: oauth2Client cannot be changed");
        Fault::refused_with(
            Kind::NotFound,
            message,
            "change managedApplication alone, or create an application with a client",
        )
    };
    let id = linked_client(row).ok_or_else(no_client)?;
    let path = client(realm, id)?;
    let _held = api.lock(&format!("oauth2client/{}/{id}", realm.as_str())).await?;
    let current = api.send(Request::get(path.clone()).version(CLIENTS)).await?;
    let mut request = Request::put(path, merged(current.document()?, changes).into()).version(CLIENTS);
    if let Some(revision) = current.text("_rev").or(current.etag.as_deref()) {
        request = request.if_match(revision);
    }
    api.send(request).await
}

/// The client with the changes merged in: sections setting by setting, everything else replaced.
fn merged(mut client: Map<String, Value>, changes: Map<String, Value>) -> Map<String, Value> {
    for (section, change) in changes {
        match (client.get_mut(&section), change) {
            (Some(Value::Object(settings)), Value::Object(change)) => settings.extend(change),
            (_, change) => {
                client.insert(section, change);
            }
        }
    }
    client.retain(|name, _| !AM_OWNED.contains(&name.as_str()));
    client
}

fn application_path(realm: Realm, row: &Value) -> Result<Path, Fault> {
    let no_id = || Fault::refused(Kind::Upstream, "the tenant's answer names no id of the application");
    applications(realm).segment("_id", row.get("_id").and_then(Value::as_str).ok_or_else(no_id)?)
}

/// The old client is not written back: its secret cannot be read, and others may use what is stored by now.
fn client_changed(fault: Fault, name: &str) -> Fault {
    let doubt = if fault.changed_nothing() { "was not changed" } else { "may have been changed" };
    fault.explained(
        format!("the OAuth2 client of `{name}` was changed and stays so; the application itself {doubt}"),
        "call updateOidcApp again with managedApplication alone and the revision that getOidcApp shows",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::aic::Upstream;

    fn patch(fields: &[&str]) -> Patch {
        let operations = fields.iter().map(|field| Operation {
            operation: "remove".to_owned(),
            field: (*field).to_owned(),
            value: None,
        });
        Patch { revision: "1".to_owned(), operations: operations.collect() }
    }

    #[test]
    fn the_link_is_never_patched() {
        let cases = [
            (vec!["/description"], Some((vec!["/description"], 0))),
            (vec!["/x", "/ssoEntities/oidcId", "ssoEntities"], Some((vec!["/x"], 2))),
            (vec!["/ssoEntitiesOfMine"], Some((vec!["/ssoEntitiesOfMine"], 0))),
            (vec!["/ssoEntities"], None),
            (vec!["/sso%45ntities/oidcId"], None),
            (vec!["/"], None),
            (vec![], None),
        ];

        for (fields, wanted) in cases {
            let found = allowed(patch(&fields)).ok();
            let kept = found.as_ref().map(|(patch, ignored)| {
                (patch.operations.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ignored.len())
            });
            assert_eq!(kept, wanted, "{fields:?}");
        }
    }

    #[test]
    fn a_null_value_is_sent_and_a_missing_one_is_not() {
        for text in [r#"{"operation":"add","field":"/x","value":null}"#, r#"{"operation":"remove","field":"/x"}"#] {
            let operation: Operation = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&operation).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn changes_are_merged_setting_by_setting() {
        let client =
            json!({"_id": "c", "_rev": "1", "_type": {}, "core": {"a": 1, "b": {"x": 1}}, "advanced": {"g": 1}});
        let changes = json!({"core": {"b": {"y": 2}}, "new": {"n": 1}, "advanced": null, "_rev": "9"});

        let result = merged(client.as_object().cloned().unwrap(), changes.as_object().cloned().unwrap());

        assert_eq!(Value::Object(result), json!({"core": {"a": 1, "b": {"y": 2}}, "new": {"n": 1}, "advanced": null}));
    }

    #[test]
    fn a_stale_revision_stops_both_changes() {
        for (row, wanted) in [(json!({"_rev": "1"}), true), (json!({"_rev": "2"}), false), (json!({}), true)] {
            assert_eq!(fits(&row, Some(&patch(&["/x"]))).is_ok(), wanted, "{row}");
        }
    }

    #[test]
    fn a_changed_client_is_told() {
        for (status, wanted) in [(412, "was not changed"), (500, "may have been changed")] {
            let fault = client_changed(Fault::Upstream(Box::new(Upstream::read(status, b"", None))), "App");
            assert!(fault.to_string().contains(wanted), "{fault}");
        }
    }
}
