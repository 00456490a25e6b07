//! The tools of the tool set `esv`: environment variables, and the names of environment secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use self::value::{Type, stored_text};
use super::{Arguments, Output, Tool};
use crate::aic::{Api, Fault, Filter, Path, Request};

mod value;

/// The environment API's version: 1.0 has ended.
const VERSION: &str = "resource=2.0";
/// How many entries a page has when the caller does not say.
const DEFAULT_PAGE: u32 = 50;
/// The longest id that is written, after `esv-`.
const LONGEST_NAME: usize = 120;

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "queryESVs", run: |api, arguments| Box::pin(query(api, arguments)) },
    Tool { name: "getVariable", run: |api, arguments| Box::pin(get_variable(api, arguments)) },
    Tool { name: "setVariable", run: |api, arguments| Box::pin(set_variable(api, arguments)) },
    Tool { name: "deleteVariable", run: |api, arguments| Box::pin(delete_variable(api, arguments)) },
];

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Variable,
    Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    #[serde(rename = "type")]
    sort: Sort,
    query_term: Option<String>,
    page_size: Option<u32>,
    paged_results_cookie: Option<String>,
    sort_keys: Option<String>,
}

/// Shape: the tenant's page as it is: `{"result": […], "pagedResultsCookie": …}`.
async fn query(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Query = arguments.read()?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = match filled(wanted.query_term) {
        Some(term) => Filter::compare("/_id", "co", "queryTerm", &term)?,
        None => Filter::everything(),
    };
    let path = match wanted.sort {
        Sort::Variable => Path::fixed("/environment/variables"),
        Sort::Secret => Path::fixed("/environment/secrets"),
    };
    let request = Request::get(path)
        .version(VERSION)
        .query("_queryFilter", filter.as_str())
        .query("_pageSize", wanted.page_size.unwrap_or(DEFAULT_PAGE).to_string())
        .query_opt("_pagedResultsCookie", filled(wanted.paged_results_cookie))
        .query_opt("_sortKeys", filled(wanted.sort_keys));
    Ok(Output::as_it_came(api.fetch(request).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    variable_id: String,
}

fn variable_path(id: &str) -> Result<Path, Fault> {
    Path::fixed("/environment/variables").segment("variableId", id)
}

/// Shape: the variable with `value` as text instead of `valueBase64`; one that is no text keeps `valueBase64`.
async fn get_variable(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: One = arguments.read()?;
    let reply = api.send(Request::get(variable_path(&wanted.variable_id)?).version(VERSION)).await?;
    Ok(Output::data(decoded(reply.body)))
}

fn decoded(mut variable: Value) -> Value {
    if let (Some(text), Some(members)) = (text_of(&variable), variable.as_object_mut()) {
        members.remove("valueBase64");
        members.insert("value".to_owned(), text.into());
    }
    variable
}

fn text_of(variable: &Value) -> Option<String> {
    let encoded = variable.get("valueBase64")?.as_str().filter(|encoded| !encoded.is_empty())?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetVariable {
    variable_id: String,
    #[serde(default)]
    value: Value,
    #[serde(rename = "type")]
    wanted_type: Type,
    description: Option<String>,
}

/// Shape: `{"_id", "type", "loaded": false, "restartNeeded": true}`.
async fn set_variable(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: SetVariable = arguments.read()?;
    check_id(&wanted.variable_id)?;
    let text = stored_text(wanted.wanted_type, &wanted.value)
        .ok_or_else(|| Fault::invalid("value", wanted.wanted_type.wants()))?;
    let body = json!({
        "_id": wanted.variable_id,
        "description": wanted.description.as_deref().unwrap_or_default(),
        "valueBase64": STANDARD.encode(text),
        "expressionType": wanted.wanted_type.word(),
    });
    api.send(Request::put(variable_path(&wanted.variable_id)?, body).version(VERSION)).await?;
    let id = wanted.variable_id;
    let description = match wanted.description {
        Some(_) => "",
        None => " No description was given, so it has none now.",
    };
    let text =
        format!("Stored {id}. The tenant goes on with the old value until its services are restarted.{description}");
    Ok(Output::told(
        text,
        json!({ "_id": id, "type": wanted.wanted_type.word(), "loaded": false, "restartNeeded": true }),
    ))
}

/// Source: the environment API's rule for ids, with the shorter of the two lengths in use.
fn check_id(id: &str) -> Result<(), Fault> {
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let name = id.strip_prefix("esv-").filter(|name| (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(fit));
    match name {
        Some(_) => Ok(()),
        None => Err(Fault::invalid("variableId", "must be esv- and 1 to 120 characters of a-z, 0-9, _ and -")),
    }
}

/// Shape: `{"_id", "restartNeeded": true}`.
async fn delete_variable(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: One = arguments.read()?;
    api.send(Request::delete(variable_path(&wanted.variable_id)?).version(VERSION)).await?;
    let id = wanted.variable_id;
    let text = format!("Deleted {id}. The tenant's services go on with it until they are restarted.");
    Ok(Output::told(text, json!({ "_id": id, "restartNeeded": true })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn an_id_follows_the_rule() {
        let longest = format!("esv-{}", "x".repeat(LONGEST_NAME));
        let too_long = format!("{longest}x");
        let cases = [
            ("esv-a", true),
            ("esv-a_b-9", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("esv-", false),
            ("other", false),
            ("ESV-a", false),
            ("esv-A", false),
            ("esv-a/b", false),
            ("esv-ä", false),
        ];

        for (id, wanted) in cases {
            assert_eq!(check_id(id).is_ok(), wanted, "{id}");
        }
    }

    #[test]
    fn only_text_is_decoded() {
        let cases = [
            (json!({ "_id": "esv-a", "valueBase64": "aGVsbG8=" }), json!({ "_id": "esv-a", "value": "hello" })),
            (json!({ "_id": "esv-a", "valueBase64": "" }), json!({ "_id": "esv-a", "valueBase64": "" })),
            (
                json!({ "_id": "esv-a", "valueBase64": "/////w==" }),
                json!({ "_id": "esv-a", "valueBase64": "/////w==" }),
            ),
            (json!({ "_id": "esv-a", "valueBase64": "?" }), json!({ "_id": "esv-a", "valueBase64": "?" })),
            (json!({ "_id": "esv-a" }), json!({ "_id": "esv-a" })),
            (Value::Null, Value::Null),
        ];

        for (variable, wanted) in cases {
            assert_eq!(decoded(variable), wanted);
        }
    }
}
