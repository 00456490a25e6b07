//! Reads applications: the list, and one with its OAuth2 client.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::{CLIENTS, applications, client, ids, linked_client, named};
use crate::aic::{Api, Fault, Reply, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    realm: Realm,
    query_filter: Option<String>,
}

/// Shape: the tenant's page as it is, summary fields only.
pub(super) async fn list(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let List { realm, query_filter } = arguments.read()?;
    let filter = query_filter.filter(|filter| !filter.is_empty()).unwrap_or_else(|| "true".to_owned());
    let request = Request::get(applications(realm))
        .query("_queryFilter", filter)
        .query("_fields", "name,ssoEntities,templateName,authoritative,_id");
    Ok(Output::as_it_came(api.fetch(request).await?))
}

#[derive(Deserialize)]
struct Named {
    realm: Realm,
    name: String,
}

/// Shape: `{"oauth2Client", "managedApplication", "idmTransactionId", "amTransactionId"}`; without a linked client
/// `oauth2Client` is null, and when it could not be read there is also `oauth2ClientError`.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Named { realm, name } = arguments.read()?;
    let found = named(&api, realm, &name, "*").await?;
    let application = found.rows().first().cloned().unwrap_or_default();
    let linked = match linked_client(&application) {
        Some(id) => Some(api.send(Request::get(client(realm, id)?).version(CLIENTS)).await),
        None => None,
    };
    let mut value =
        json!({"oauth2Client": null, "managedApplication": application, "idmTransactionId": found.transaction_id});
    let failed = linked.and_then(|outcome| show_client(&mut value, outcome));
    let output = match failed {
        Some(fault) => {
            Output::told(format!("Read application `{name}`, but not its OAuth2 client: error: {fault}."), value)
        }
        None => Output::data(value),
    };
    Ok(match found.rows() {
        [_] => output,
        rows => output.with_warning(format!(
            "{} applications are named `{name}` ({}): this is the first.",
            rows.len(),
            ids(rows).join(", ")
        )),
    })
}

fn show_client(value: &mut Value, outcome: Result<Reply, Fault>) -> Option<Fault> {
    let object = value.as_object_mut()?;
    match outcome {
        Ok(reply) => {
            object.insert("oauth2Client".to_owned(), reply.body);
            object.insert("amTransactionId".to_owned(), reply.transaction_id.into());
            None
        }
        Err(fault) => {
            object.insert("oauth2ClientError".to_owned(), fault.to_item());
            Some(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aic::Upstream;

    #[test]
    fn a_client_that_could_not_be_read_is_not_shown_as_absent() {
        let mut value = json!({"oauth2Client": null});

        let fault = show_client(&mut value, Err(Fault::Upstream(Box::new(Upstream::read(500, b"", None)))));

        assert!(fault.is_some());
        assert_eq!(
            value,
            json!({"oauth2Client": null, "oauth2ClientError": {"error": "the tenant answered 500", "status": 500}})
        );
    }
}
