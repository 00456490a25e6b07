//! Counts ESVs and restarts the environment.

use std::time::Duration;

use serde_json::json;

use super::{Desk, refuse};
use crate::tenant::reply::{Outcome, Reply};
use crate::tenant::request::Request;

/// Answers `/environment/count`.
pub(super) fn count(desk: &Desk<'_>) -> Reply {
    Reply::json(200, json!({"secrets": desk.store.secrets.len(), "variables": desk.store.variables.len()}))
}

/// Answers `/environment/startup`.
pub(super) fn answer(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let changing = match (request.method.as_str(), request.action()) {
        ("GET", _) => false,
        ("POST", Some("restart")) => {
            let ends = request.at + Duration::from_secs(desk.switches.restart_seconds);
            desk.store.restart_ends.get_or_insert(ends);
            true
        }
        ("POST", _) => return Err(refuse(400, "The action is not supported")),
        _ => return Err(refuse(405, "method not allowed")),
    };
    let status = if desk.store.restart_ends.is_some() { "restarting" } else { "ready" };
    let reply = Reply::json(200, json!({"restartStatus": status}));
    Ok(if changing { reply.changing() } else { reply })
}
