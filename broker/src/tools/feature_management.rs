//! The tools of the tool set `featureManagement`: features of IDM, and AI Agents, which span IDM and both realms.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Arguments, Output, Tool};
use crate::aic::{Api, Fault, Path, Reply, Request};

/// The realms' OAuth provider service answers in this version.
const SERVICE_VERSION: &str = "protocol=2.1,resource=1.0";
/// The IDM feature that is one third of AI Agents.
const AI_AGENT: &str = "aiagent";

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "listFeatures", run: |api, _| Box::pin(list(api)) },
    Tool { name: "validateIdmFeature", run: |api, arguments| Box::pin(validate(api, arguments)) },
    Tool { name: "installIdmFeature", run: |api, arguments| Box::pin(install(api, arguments)) },
    Tool { name: "enableAiAgent", run: |api, _| Box::pin(enable_ai_agent(api)) },
];

/// Shape: `{"features": [{"name", "type": "idm", "installed", "installedVersion", "availableVersions"}…, {"name": "AI
/// Agents", "type": "aic", "installed", "status", "message", "details": {"idm", "am": {"alpha", "bravo"}}}]}`; a realm
/// that could not be read has its failure in `error`.
async fn list(api: Api) -> Result<Output, Fault> {
    let service = |path| Request::get(path).version(SERVICE_VERSION);
    let requests = [
        Request::get(Path::fixed("/openidm/feature")).query("_queryFilter", "true"),
        service(Path::fixed("/am/json/realms/root/realms/alpha/realm-config/services/oauth-oidc")),
        service(Path::fixed("/am/json/realms/root/realms/bravo/realm-config/services/oauth-oidc")),
    ];
    let mut outcomes = api.send_all(requests).await.into_iter();
    let mut next = || outcomes.next().unwrap_or(Err(Fault::SignedOut));
    let (idm, alpha, bravo) = (next()?, Probe::of(next()), Probe::of(next()));
    let mut features: Vec<Value> = idm.rows().iter().filter(|row| id_of(row) != AI_AGENT).map(feature).collect();
    let in_idm = idm.rows().iter().any(|row| id_of(row) == AI_AGENT && is_installed(row));
    features.push(ai_agents(in_idm, &alpha, &bravo));
    Ok(Output::data(json!({ "features": features })))
}

fn id_of(row: &Value) -> &str {
    row.get("_id").and_then(Value::as_str).unwrap_or_default()
}

fn is_installed(row: &Value) -> bool {
    row.get("installedVersion").is_some_and(|version| !version.is_null())
}

fn feature(row: &Value) -> Value {
    json!({
        "name": id_of(row),
        "type": "idm",
        "installed": is_installed(row),
        "installedVersion": row.get("installedVersion"),
        "availableVersions": row.get("availableVersions").cloned().unwrap_or_else(|| json!([])),
    })
}

/// Whether a realm has AI Agents on, as far as that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Probe {
    Read(bool),
    Unread(String),
}

impl Probe {
    fn of(outcome: Result<Reply, Fault>) -> Self {
        match outcome {
            Ok(reply) => Self::Read(reply.body.pointer("/aiAgentsConfig/aiAgentsEnabled") == Some(&Value::Bool(true))),
            Err(fault) => Self::Unread(fault.to_string()),
        }
    }

    fn show(&self) -> Value {
        match self {
            Self::Read(on) => json!({ "configured": on, "error": null }),
            Self::Unread(error) => json!({ "configured": false, "error": error }),
        }
    }
}

/// AI Agents are there when IDM and both realms have them, and not there when none has; all else is for a person.
fn ai_agents(in_idm: bool, alpha: &Probe, bravo: &Probe) -> Value {
    let (status, message) = match (in_idm, alpha, bravo) {
        (true, Probe::Read(true), Probe::Read(true)) => ("installed", "AI Agents are on in IDM and in both realms."),
        (false, Probe::Read(false), Probe::Read(false)) => {
            ("not_installed", "AI Agents are off. enableAiAgent turns them on, for good.")
        }
        (_, Probe::Unread(_), _) | (_, _, Probe::Unread(_)) => {
            ("indeterminate", "A realm could not be read: details say which and why.")
        }
        _ => ("indeterminate", "AI Agents are on in some of IDM, alpha and bravo only: details say where."),
    };
    json!({
        "name": "AI Agents",
        "type": "aic",
        "installed": status == "installed",
        "status": status,
        "message": message,
        "details": { "idm": { "installed": in_idm }, "am": { "alpha": alpha.show(), "bravo": bravo.show() } },
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feature {
    feature_name: String,
}

/// A feature's name is a path of its own: each part becomes a segment.
///
/// Errors: [`Fault::Invalid`] when a part is empty or holds anything but letters, digits, `_` and `-`.
fn feature_path(name: &str) -> Result<Path, Fault> {
    let fit = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !name.split('/').all(fit) {
        return Err(Fault::invalid("featureName", "must be parts of letters, digits, _ and -, with / between them"));
    }
    name.split('/').try_fold(Path::fixed("/openidm/feature"), |path, part| path.segment("featureName", part))
}

/// Shape: the tenant's verdict as it is: `{"status", "success", "message"}`; `success: false` is an answer, no failure.
async fn validate(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Feature { feature_name } = arguments.read()?;
    let request = Request::post(feature_path(&feature_name)?, json!({})).query("_action", "validate").that_reads();
    Ok(Output::as_it_came(api.fetch(request).await?))
}

/// Shape: `{"_id", "status": "installed", "apiResponse"}`; `apiResponse` is null where the answer was empty.
async fn install(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Feature { feature_name } = arguments.read()?;
    let reply = api.send(Request::post(feature_path(&feature_name)?, json!({})).query("_action", "install")).await?;
    let text = format!("Installed the IDM feature {feature_name}. It cannot be uninstalled.");
    Ok(Output::told(text, json!({ "_id": feature_name, "status": "installed", "apiResponse": reply.body })))
}

/// Shape: `{"status": "enabled", "apiResponse"}`; `apiResponse` is null where the answer was empty.
async fn enable_ai_agent(api: Api) -> Result<Output, Fault> {
    let request = Request::post(Path::fixed("/environment/aiagent"), json!({})).query("_action", "enable");
    let reply = api.send(request).await?;
    let text = "Turned AI Agents on in IDM and in both realms. This cannot be undone; listFeatures shows the state.";
    Ok(Output::told(text, json!({ "status": "enabled", "apiResponse": reply.body })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn a_feature_name_becomes_segments() {
        let cases = [
            ("groups", Some("/openidm/feature/groups")),
            ("password/timestamps", Some("/openidm/feature/password/timestamps")),
            ("a-b_C9", Some("/openidm/feature/a-b_C9")),
            ("../config", None),
            ("/groups", None),
            ("groups/", None),
            ("a//b", None),
            ("a.b", None),
            ("", None),
            ("a b", None),
            ("a%2Fb", None),
        ];

        for (name, wanted) in cases {
            assert_eq!(feature_path(name).ok().as_ref().map(Path::as_str), wanted, "{name:?}");
        }
    }

    #[test]
    fn ai_agents_are_on_only_where_all_three_say_so() {
        let (on, off, unread) = (Probe::Read(true), Probe::Read(false), Probe::Unread("403".to_owned()));
        let cases = [
            (true, &on, &on, "installed"),
            (false, &off, &off, "not_installed"),
            (true, &off, &on, "indeterminate"),
            (true, &off, &off, "indeterminate"),
            (false, &on, &on, "indeterminate"),
            (true, &on, &unread, "indeterminate"),
            (false, &unread, &off, "indeterminate"),
        ];

        for (idm, alpha, bravo, wanted) in cases {
            let shown = ai_agents(idm, alpha, bravo);
            assert_eq!(shown["status"], wanted, "{idm} {alpha:?} {bravo:?}");
            assert_eq!(shown["installed"], wanted == "installed");
        }
        assert_eq!(ai_agents(true, &on, &unread)["details"]["am"]["bravo"]["error"], "403");
    }

    #[test]
    fn a_feature_is_installed_when_it_has_a_version() {
        let cases = [
            (json!({ "_id": "a", "installedVersion": "1", "availableVersions": ["1"] }), true),
            (json!({ "_id": "a", "installedVersion": null, "availableVersions": ["1"] }), false),
            (json!({ "_id": "a" }), false),
        ];

        for (row, wanted) in cases {
            assert_eq!(feature(&row)["installed"], wanted, "{row}");
        }
    }
}
