//! Script contexts: which bindings and classes a script of a context may use.

use serde_json::{Value, json};

use super::{refuse, versioned};
use crate::tenant::reply::{Outcome, Reply};

/// The context in which scripts of journeys are stored, whichever engine runs them.
pub(super) const STORED: &str = "AUTHENTICATION_TREE_DECISION_NODE";

/// The name that writes may use for it.
pub(super) const ALIAS: &str = "SCRIPTED_DECISION_NODE";

/// All contexts of the sandbox tenant.
pub(super) const CONTEXTS: [&str; 8] = [
    STORED,
    ALIAS,
    "OIDC_CLAIMS",
    "OAUTH2_ACCESS_TOKEN_MODIFICATION",
    "OAUTH2_MAY_ACT",
    "LIBRARY",
    "POLICY_CONDITION",
    "SAML2_IDP_ADAPTER",
];

/// Bindings of a next-generation journey script: name, JavaScript type, methods.
const BINDINGS: [(&str, &str, &[&str]); 14] = [
    ("nodeState", "object", &["get", "putShared", "putTransient", "remove", "keys"]),
    ("action", "object", &["goTo", "withHeader", "withDescription", "withErrorMessage"]),
    ("callbacks", "object", &["isEmpty", "getNameCallbacks", "getPasswordCallbacks"]),
    ("callbacksBuilder", "object", &["nameCallback", "passwordCallback", "textOutputCallback"]),
    ("httpClient", "object", &["send"]),
    ("idRepository", "object", &["getIdentity"]),
    ("openidm", "object", &["create", "read", "update", "patch", "delete", "query"]),
    ("logger", "object", &["info", "warn", "error", "debug"]),
    ("secrets", "object", &["getGenericSecret"]),
    ("requestHeaders", "object", &[]),
    ("requestParameters", "object", &[]),
    ("realm", "string", &[]),
    ("scriptName", "string", &[]),
    ("resumedFromSuspend", "boolean", &[]),
];

/// Classes that a script may name.
const CLASSES: [&str; 5] =
    ["java.lang.Boolean", "java.lang.Math", "java.lang.String", "java.util.ArrayList", "java.util.HashMap"];

/// Answers `contexts/{id}`.
pub(super) fn answer(id: &str) -> Outcome {
    if !CONTEXTS.contains(&id) {
        return Err(refuse(404, "Not Found"));
    }
    let next = id == ALIAS;
    let bindings: Vec<Value> = BINDINGS.iter().filter(|_| next).map(binding).collect();
    let versions = if next { json!(["2.0"]) } else { json!(["1.0", "2.0"]) };
    let body =
        json!({"_id": id, "bindings": bindings, "allowLists": CLASSES, "evaluatorVersions": {"JAVASCRIPT": versions}});
    Ok(versioned(Reply::json(200, body), "1.0"))
}

fn binding((name, kind, methods): &(&str, &str, &[&str])) -> Value {
    let method =
        |method: &&str| json!({"elementType": "method", "name": method, "parameters": [], "returnType": "object"});
    let elements: Vec<Value> = methods.iter().map(method).collect();
    json!({"name": name, "javaScriptType": kind, "javaClass": null, "elements": elements})
}
