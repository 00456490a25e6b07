//! Queries, reads, creates, patches and deletes single records of a managed object type.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::aic::{Api, Fault, Filter, Path, Request};
use crate::tools::{Arguments, Output};

/// How many records a page has when the caller does not say.
const DEFAULT_PAGE: u32 = 50;

fn type_path(object_type: &str) -> Result<Path, Fault> {
    Path::fixed("/openidm/managed").segment("objectType", object_type)
}

fn record_path(record: &Record) -> Result<Path, Fault> {
    type_path(&record.object_type)?.segment("objectId", &record.object_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    object_type: String,
    object_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    object_type: String,
    query_filter: Option<String>,
    page_size: Option<u32>,
    paged_results_cookie: Option<String>,
    sort_keys: Option<String>,
    fields: Option<String>,
}

/// Shape: the tenant's page as it is: `{"result": […], "resultCount": n, "pagedResultsCookie": …}`.
pub(super) async fn query(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Query = arguments.read()?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter = filled(wanted.query_filter).unwrap_or_else(|| Filter::everything().as_str().to_owned());
    let request = Request::get(type_path(&wanted.object_type)?)
        .query("_queryFilter", filter)
        .query("_pageSize", wanted.page_size.unwrap_or(DEFAULT_PAGE).to_string())
        .query("_totalPagedResultsPolicy", "EXACT")
        .query_opt("_pagedResultsCookie", filled(wanted.paged_results_cookie))
        .query_opt("_sortKeys", filled(wanted.sort_keys))
        .query_opt("_fields", filled(wanted.fields));
    Ok(Output::as_it_came(api.fetch(request).await?))
}

/// Shape: the record as it is.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let record: Record = arguments.read()?;
    Ok(Output::as_it_came(api.fetch(Request::get(record_path(&record)?)).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    object_type: String,
    object_data: Map<String, Value>,
}

/// Shape: `{"objectType", "_id", "_rev"}`; the record itself stays out, for it may hold secrets.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Create = arguments.read()?;
    let path = type_path(&wanted.object_type)?;
    let reply = api.send(Request::post(path, Value::Object(wanted.object_data)).query("_action", "create")).await?;
    let object_type = wanted.object_type;
    let text = match reply.text("_id") {
        Some(id) => format!("Created {object_type} {id}."),
        None => format!("Created one {object_type}; the tenant did not say its id."),
    };
    Ok(Output::told(text, json!({ "objectType": object_type, "_id": reply.text("_id"), "_rev": reply.text("_rev") })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    #[serde(flatten)]
    record: Record,
    revision: String,
    operations: Vec<Map<String, Value>>,
}

/// Shape: `{"objectType", "_id", "_rev"}` with the new revision.
pub(super) async fn patch(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Patch = arguments.read()?;
    check_revision(&wanted.revision)?;
    let request = Request::patch(record_path(&wanted.record)?, json!(wanted.operations)).if_match(wanted.revision);
    let reply = api.send(request).await?;
    let Record { object_type, object_id } = wanted.record;
    let revision = reply.text("_rev").or(reply.etag.as_deref());
    let text = match revision {
        Some(revision) => format!("Patched {object_type} {object_id}; its revision is now {revision}."),
        None => format!("Patched {object_type} {object_id}; the tenant did not say its new revision."),
    };
    Ok(Output::told(text, json!({ "objectType": object_type, "_id": object_id, "_rev": revision })))
}

/// Checks what can go into an `If-Match` header.
///
/// Source: RFC 9110 section 5.5.
fn check_revision(revision: &str) -> Result<(), Fault> {
    let fit = !revision.trim().is_empty() && revision.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    fit.then_some(()).ok_or_else(|| Fault::invalid("revision", "must be the _rev of the record as it was read"))
}

/// Shape: `{"objectType", "_id"}`.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let record: Record = arguments.read()?;
    api.send(Request::delete(record_path(&record)?)).await?;
    let Record { object_type, object_id } = record;
    Ok(Output::told(
        format!("Deleted {object_type} {object_id}."),
        json!({ "objectType": object_type, "_id": object_id }),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn a_revision_fits_a_header() {
        let cases = [
            ("r7", true),
            ("\"f90619f5-42991\"", true),
            ("*", true),
            ("", false),
            ("  ", false),
            ("a\nb", false),
            ("é", false),
        ];

        for (revision, wanted) in cases {
            assert_eq!(check_revision(revision).is_ok(), wanted, "{revision:?}");
        }
    }
}
