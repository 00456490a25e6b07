//! The tools of the tool set `applications`: an OIDC application is an OAuth2 client in AM and an object in IDM.

mod changes;
mod lifecycle;
mod reads;
mod schema;

use aic_proto::refusal::Kind;
use serde_json::{Value, json};

use super::Tool;
use super::realm::Realm;
use crate::aic::{Api, Fault, Filter, Path, Reply, Request};

/// The version of OAuth2 clients.
const CLIENTS: &str = "protocol=2.1,resource=1.0";

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "listOidcApps", run: |api, arguments| Box::pin(reads::list(api, arguments)) },
    Tool { name: "getOidcApp", run: |api, arguments| Box::pin(reads::get(api, arguments)) },
    Tool { name: "getOidcAppSchema", run: |api, arguments| Box::pin(schema::get(api, arguments)) },
    Tool { name: "createOidcApp", run: |api, arguments| Box::pin(lifecycle::create(api, arguments)) },
    Tool { name: "deleteOidcApp", run: |api, arguments| Box::pin(lifecycle::delete(api, arguments)) },
    Tool { name: "updateOidcApp", run: |api, arguments| Box::pin(changes::update(api, arguments)) },
];

fn applications(realm: Realm) -> Path {
    Path::fixed("/openidm/managed/").then(realm.as_str()).then("_application")
}

fn clients(realm: Realm) -> Path {
    Path::fixed("/am/json/").then(realm.as_str()).then("/realm-config/agents/OAuth2Client")
}

fn client(realm: Realm, id: &str) -> Result<Path, Fault> {
    clients(realm).segment("clientId", id)
}

/// Reads the applications of exactly this name.
///
/// Errors: [`Fault::Refused`] when there is none.
async fn named(api: &Api, realm: Realm, name: &str, fields: &'static str) -> Result<Reply, Fault> {
    let filter = Filter::compare("name", "eq", "name", name)?;
    let request = Request::get(applications(realm)).query("_queryFilter", filter.as_str()).query("_fields", fields);
    let reply = api.send(request).await?;
    match reply.rows().is_empty() {
        true => {
            let message = format!("realm {} has no application named `{name}`", realm.as_str());
            Err(Fault::refused_with(Kind::NotFound, message, "listOidcApps shows the names"))
        }
        false => Ok(reply),
    }
}

/// The one application of the name: a write never guesses between two.
fn only<'a>(rows: &'a [Value], name: &str) -> Result<&'a Value, Fault> {
    match rows {
        [one] => Ok(one),
        _ => {
            let message = format!("{} applications are named `{name}`: {}", rows.len(), ids(rows).join(", "));
            let hint = "nothing was changed; give them different names with patchManagedObject, or delete one by \
                its id with deleteManagedObject";
            Err(Fault::refused_with(Kind::Conflict, message, hint))
        }
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.get("_id")?.as_str()).collect()
}

/// The id of the OAuth2 client that an application is linked to.
fn linked_client(application: &Value) -> Option<&str> {
    application.pointer("/ssoEntities/oidcId").and_then(Value::as_str).filter(|id| !id.is_empty())
}

/// The object that makes an OAuth2 client an application.
fn application(name: &str, owners: &Value, client_id: &str) -> Value {
    json!({"name": name, "owners": owners, "ssoEntities": {"oidcId": client_id}, "templateName": "custom", "templateVersion": "1.0"})
}

/// How to give a client without an application one, so that the tools of this set reach it.
fn how_to_link(realm: Realm, application: &Value) -> String {
    format!("createManagedObject with objectType `{}_application` and objectData {application}", realm.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_wants_exactly_one_application() {
        for (rows, wanted) in
            [(json!([{"_id": "a"}]), true), (json!([{"_id": "a"}, {"_id": "b"}]), false), (json!([]), false)]
        {
            let rows = rows.as_array().cloned().unwrap_or_default();
            assert_eq!(only(&rows, "n").is_ok(), wanted, "{rows:?}");
        }
    }

    #[test]
    fn a_link_is_a_filled_oidc_id() {
        let cases = [
            (json!({"ssoEntities": {"oidcId": "c"}}), Some("c")),
            (json!({"ssoEntities": {"oidcId": ""}}), None),
            (json!({"ssoEntities": {}}), None),
            (json!({}), None),
        ];

        for (application, wanted) in cases {
            assert_eq!(linked_client(&application), wanted, "{application}");
        }
    }
}
