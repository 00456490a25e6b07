//! Features of IDM: which are there, and their installation, which cannot be undone.

use serde_json::{Value, json};

use super::{Desk, no_method, query, refuse};
use crate::tenant::crest::filter::Case;
use crate::tenant::reply::{Outcome, Reply};
use crate::tenant::request::Request;

/// Answers `/openidm/feature`.
pub(super) fn list(desk: &Desk<'_>, request: &Request) -> Outcome {
    if request.method != "GET" {
        return Err(no_method(request));
    }
    let filter = query::read_filter(request)?;
    let all = desk.directory.features.clone();
    Ok(Reply::json(200, query::run(all, &filter, Case::Kept, request, query::manner(desk.switches))?))
}

/// Answers `/openidm/feature/{id}`; an id may have several segments.
pub(super) fn one(desk: &mut Desk<'_>, id: &str, request: &Request) -> Outcome {
    let found =
        desk.directory.features.iter_mut().find(|feature| feature.get("_id").and_then(Value::as_str) == Some(id));
    let feature = found.ok_or_else(|| refuse(404, "Not Found"))?;
    let installed = feature.get("installedVersion").is_some_and(|version| !version.is_null());
    match (request.method.as_str(), request.action()) {
        ("GET", None) => Ok(Reply::json(200, feature.clone())),
        ("POST", Some("validate")) => {
            Ok(Reply::json(200, json!({"status": 200, "success": !installed, "message": "Validate complete."})))
        }
        ("POST", Some("install")) => {
            let reply = Reply::json(200, json!({"status": 200, "message": "Install complete."}));
            if installed {
                return Ok(reply);
            }
            let newest = feature.pointer("/availableVersions/0").cloned().unwrap_or_default();
            if let Some(members) = feature.as_object_mut() {
                members.insert("installedVersion".to_owned(), newest);
            }
            Ok(reply.changing())
        }
        ("POST", _) => Err(refuse(400, "Action not supported")),
        _ => Err(no_method(request)),
    }
}

/// The features of a fresh tenant.
pub(super) fn fresh() -> Vec<Value> {
    let feature =
        |id: &str, installed: Value| json!({"_id": id, "installedVersion": installed, "availableVersions": ["1"]});
    vec![
        feature("groups", Value::Null),
        feature("aiagent", json!("1")),
        feature("password/timestamps", Value::Null),
        feature("indexed/strings/6thru20", Value::Null),
    ]
}
