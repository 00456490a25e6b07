//! Creates and deletes applications, both halves of each.

use aic_proto::refusal::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::{CLIENTS, application, applications, client, how_to_link, linked_client, named, only};
use crate::aic::{Api, Fault, Path, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    realm: Realm,
    name: String,
    client_id: String,
    owners: Value,
    #[serde(default)]
    oauth2_client: Map<String, Value>,
}

/// Shape: `{"oauth2Client", "managedApplication"}`, both as the tenant stored them.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Create = arguments.read()?;
    let path = client(wanted.realm, &wanted.client_id)?;
    let settings = with_name(wanted.oauth2_client, &wanted.name);
    let object = application(&wanted.name, &wanted.owners, &wanted.client_id);
    let put = Request::put(path.clone(), settings.into()).version(CLIENTS).if_none_match_any();
    let stored = api.send(put).await.map_err(|fault| exists_already(fault, &wanted.client_id))?;
    let post = Request::post(applications(wanted.realm), object.clone()).query("_action", "create");
    let half = Half { realm: wanted.realm, path, client_id: wanted.client_id, object, is_ours: stored.status == 201 };
    match api.send(post).await {
        Ok(created) => Ok(Output::data(json!({"oauth2Client": stored.body, "managedApplication": created.body}))),
        Err(fault) => Err(half.taken_back(&api, fault).await),
    }
}

/// A client whose application could not be created.
struct Half {
    realm: Realm,
    path: Path,
    client_id: String,
    object: Value,
    /// AM said that it created the client, so nobody else's can be meant.
    is_ours: bool,
}

impl Half {
    /// Removes the client where it is certain that it is ours and that no application names it; else says what is left.
    async fn taken_back(self, api: &Api, fault: Fault) -> Fault {
        if !self.is_ours || !fault.changed_nothing() {
            return self.left(fault, None);
        }
        match api.send(Request::delete(self.path.clone()).version(CLIENTS)).await {
            Ok(_) => fault.explained(
                format!(
                    "the application could not be created, so its new OAuth2 client `{}` was removed again",
                    self.client_id
                ),
                "neither of the two exists now: call createOidcApp again with the cause put right",
            ),
            Err(second) => self.left(fault, Some(&second)),
        }
    }

    fn left(&self, fault: Fault, not_removed: Option<&Fault>) -> Fault {
        let state = match not_removed.map(|second| (second, second.changed_nothing())) {
            None => "exists".to_owned(),
            Some((second, true)) => format!("exists, because it could not be removed again ({second})"),
            Some((second, false)) => format!("may exist: removing it again failed ({second})"),
        };
        let doubt = match fault.changed_nothing() {
            true => "its application does not exist",
            false => "whether its application exists is unknown: getOidcApp shows it",
        };
        let message = format!("the OAuth2 client `{}` was created and {state}; {doubt}", self.client_id);
        let hint = format!("{} completes it; deleteOidcApp then removes both", how_to_link(self.realm, &self.object));
        fault.explained(message, hint)
    }
}

fn exists_already(fault: Fault, client_id: &str) -> Fault {
    match fault.status() {
        Some(409 | 412) => fault.explained(
            format!("an OAuth2 client `{client_id}` exists already; nothing was created"),
            "choose another clientId, or change the existing application with updateOidcApp",
        ),
        _ => fault,
    }
}

/// The client's settings, named after the application unless they name it themselves.
fn with_name(mut settings: Map<String, Value>, name: &str) -> Map<String, Value> {
    let core = settings.entry("coreOAuth2ClientConfig").or_insert_with(|| json!({}));
    if core.is_null() {
        *core = json!({});
    }
    if let Some(core) = core.as_object_mut() {
        let given = core.get("clientName").map(|given| given.get("value").unwrap_or(given));
        if given.is_none_or(is_empty) {
            core.insert("clientName".to_owned(), json!({"inherited": false, "value": [name]}));
        }
    }
    settings
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

#[derive(Deserialize)]
struct Named {
    realm: Realm,
    name: String,
}

/// Shape: `{"deleted": [sentence…]}`.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Named { realm, name } = arguments.read()?;
    let found = named(&api, realm, &name, "_id,ssoEntities").await?;
    let row = only(found.rows(), &name)?;
    let no_id = || Fault::refused(Kind::Upstream, "the tenant's answer names no id of the application");
    let id = row.get("_id").and_then(Value::as_str).ok_or_else(no_id)?;
    let linked = linked_client(row);
    let second = linked.map(|id| client(realm, id)).transpose()?;
    api.send(Request::delete(applications(realm).segment("_id", id)?)).await?;
    let mut deleted = vec![format!("application `{name}` ({id})")];
    if let (Some(path), Some(client_id)) = (second, linked) {
        let gone = api.send(Request::delete(path).version(CLIENTS)).await;
        gone.map_err(|fault| client_left(fault, realm, &name, id, client_id))?;
        deleted.push(format!("OAuth2 client `{client_id}`"));
    }
    Ok(Output::told(format!("Deleted {}.", deleted.join(" and ")), json!({"deleted": deleted})))
}

fn client_left(fault: Fault, realm: Realm, name: &str, id: &str, client_id: &str) -> Fault {
    if fault.is_not_found() {
        let message =
            format!("application `{name}` ({id}) was deleted; its OAuth2 client `{client_id}` was gone before");
        return fault.explained(message, "neither of the two exists now: nothing is left to do");
    }
    let doubt = if fault.changed_nothing() { "still exists" } else { "may still exist" };
    let object = application(name, &json!([{"_ref": "managed/…"}]), client_id);
    let hint = format!(
        "the client is not reached by name any more: {} (owners filled in) links it again, then deleteOidcApp \
            removes both",
        how_to_link(realm, &object)
    );
    fault.explained(format!("application `{name}` ({id}) was deleted; its OAuth2 client `{client_id}` {doubt}"), hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::aic::Upstream;

    fn answered(status: u16) -> Fault {
        Fault::Upstream(Box::new(Upstream::read(status, b"", None)))
    }

    #[test]
    fn a_client_is_named_after_its_application_unless_it_has_a_name() {
        let named = json!({"inherited": false, "value": ["App"]});
        let cases = [
            (json!({}), named.clone()),
            (json!({"coreOAuth2ClientConfig": null}), named.clone()),
            (json!({"coreOAuth2ClientConfig": {"clientName": {"inherited": false, "value": []}}}), named.clone()),
            (json!({"coreOAuth2ClientConfig": {"clientName": []}}), named),
            (json!({"coreOAuth2ClientConfig": {"clientName": ["Kept"]}}), json!(["Kept"])),
            (json!({"coreOAuth2ClientConfig": {"clientName": {"value": ["Kept"]}}}), json!({"value": ["Kept"]})),
        ];

        for (given, wanted) in cases {
            let settings = with_name(given.as_object().cloned().unwrap(), "App");
            assert_eq!(settings["coreOAuth2ClientConfig"]["clientName"], wanted, "{given}");
        }
    }

    #[test]
    fn what_is_left_names_the_call_that_completes_it() {
        let object = application("App", &json!([]), "c");
        let half =
            Half { realm: Realm::Alpha, path: Path::fixed("/x"), client_id: "c".to_owned(), object, is_ours: true };

        for (status, wanted) in [(400, "does not exist"), (500, "is unknown")] {
            let Fault::Explained { message, hint, .. } = half.left(answered(status), None) else {
                panic!("not explained")
            };
            assert!(message.contains("`c` was created and exists") && message.contains(wanted), "{message}");
            assert!(hint.contains("alpha_application") && hint.contains(r#""oidcId":"c""#), "{hint}");
        }
    }

    #[test]
    fn a_client_that_stays_behind_is_told() {
        for (status, wanted) in [(404, "was gone before"), (403, "still exists"), (500, "may still exist")] {
            let fault = client_left(answered(status), Realm::Bravo, "App", "app-1", "c");
            assert!(fault.to_string().contains(wanted), "{fault}");
            assert_eq!(fault.status(), Some(status));
        }
    }
}
