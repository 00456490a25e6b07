//! Lists the themes of a realm and reads one of them.

use serde::Deserialize;
use serde_json::Value;

use super::document::{check_identifier, not_found, several};
use crate::aic::{Api, Fault, Filter, Path, Request};
use crate::tools::{Arguments, Output};

fn view(realm: &str) -> Request {
    Request::get(Path::fixed("/openidm/ui/theme/")).query("realm", realm)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    realm: String,
}

/// Shape: the tenant's list as it is: `{"result": [{"_id", "name", "isDefault"}…], "resultCount": n, …}`.
pub(super) async fn list(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let List { realm } = arguments.read()?;
    let request = view(&realm).query("_queryFilter", Filter::everything().as_str()).query("_fields", "name,isDefault");
    Ok(Output::as_it_came(api.fetch(request).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    realm: String,
    theme_identifier: String,
}

/// Shape: the theme as it is.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Get { realm, theme_identifier: identifier } = arguments.read()?;
    check_identifier(&identifier)?;
    let either = Filter::compare("_id", "eq", "themeIdentifier", &identifier)?.or(Filter::compare(
        "name",
        "eq",
        "themeIdentifier",
        &identifier,
    )?);
    let reply = api.send(view(&realm).query("_queryFilter", either.as_str())).await?;
    let by_id = |row: &&Value| row.get("_id").and_then(Value::as_str) == Some(identifier.as_str());
    match reply.rows() {
        [] => Err(not_found(&realm, &identifier)),
        [only] => Ok(Output::data(only.clone())),
        rows => rows.iter().find(by_id).cloned().map(Output::data).ok_or_else(|| several(&realm, &identifier)),
    }
}
