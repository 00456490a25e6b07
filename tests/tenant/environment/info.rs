//! What the environment says about itself.

use serde_json::json;

use crate::tenant::reply::{Body, Reply};
use crate::tenant::switches::Switches;

/// Answers `/environment/info` as the switches say.
pub(super) fn answer(switches: &Switches) -> Reply {
    let reply = switches.info.reply();
    if matches!(reply.body, Body::Json(_)) {
        reply.with("etag", "W/\"200-sandbox\"").with("x-frame-options", "SAMEORIGIN")
    } else {
        reply
    }
}

/// Answers `/environment/release`: the rapid channel is a sandbox's.
pub(super) fn release() -> Reply {
    Reply::json(200, json!({"channel": "rapid", "currentVersion": "18045.0"}))
        .with("content-api-version", "resource=1.0")
}

/// Answers `/environment/direct-configuration/session/state`.
pub(super) fn session_state() -> Reply {
    Reply::json(200, json!({"editable": false})).with("content-api-version", "resource=1.0")
}
