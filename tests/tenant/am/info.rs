//! What AM says about itself and its realms.

use serde_json::{Value, json};

use super::{listed, no_method, refuse, revised, single, versioned};
use crate::tenant::reply::Outcome;
use crate::tenant::request::Request;

/// Answers `serverinfo`, which is open to everybody.
pub(super) fn server(what: &str, request: &Request) -> Outcome {
    let content = match what {
        "*" => json!({
            "cookieName": "sandbox-session", "secureCookie": true, "realm": "/", "lang": "en-US", "domains": [],
            "cloudOnlyFeaturesEnabled": true, "oauth2AIAgentsEnabled": true, "cdkDeployment": false,
            "fileBasedConfiguration": true,
        }),
        "version" => {
            json!({"version": "9.0.0-SANDBOX", "fullVersion": "Sandbox tenant", "revision": "sandbox", "date": "2026"})
        }
        _ => return Err(refuse(404, "Not Found")),
    };
    let reply = single(200, revised(what, &content), request).with("cache-control", "no-store");
    Ok(versioned(reply, if what == "*" { "1.1" } else { "1.0" }))
}

/// Answers `global-config/realms`: ids are the paths in base64url.
pub(super) fn realms(id: &[&str], request: &Request) -> Outcome {
    if request.method != "GET" {
        return Err(no_method(request));
    }
    let realm = |id: &str, name: &str, parent: Value| {
        revised(id, &json!({"name": name, "parentPath": parent, "active": true, "aliases": []}))
    };
    let all = vec![
        realm("Lw", "/", Value::Null),
        realm("L2FscGhh", "alpha", json!("/")),
        realm("L2JyYXZv", "bravo", json!("/")),
    ];
    match id {
        [] => Ok(listed(all, request)?.with("content-api-version", "protocol=2.0,resource=1.0, resource=1.0")),
        [id] => {
            let found = all.into_iter().find(|realm| realm.get("_id").and_then(Value::as_str) == Some(id));
            Ok(versioned(single(200, found.ok_or_else(|| refuse(404, "Not Found"))?, request), "1.0"))
        }
        _ => Err(refuse(404, "Not Found")),
    }
}
