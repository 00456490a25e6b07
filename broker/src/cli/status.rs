//! `aic-broker status`: what the broker holds. Starts none.

use std::process::ExitCode;

use aic_proto::message::{Ask, ToBroker, ToShim};
use serde_json::Value;

use super::link::{Error, Link, converse, strange};
use super::{code, say};
use crate::config::Places;

/// Shows the status.
pub(super) fn show(places: &Places, json: bool) -> ExitCode {
    converse(async {
        let answer = match Link::find(places).await {
            Ok(mut link) => link.ask(&ToBroker::Status(Ask { id: 1 })).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(ToShim::Status(text)) => {
                print(&text.text, json);
                ExitCode::SUCCESS
            }
            Ok(_) => strange(),
            Err(Error::Absent) => {
                say(if json { r#"{"running": false}"# } else { "no aic-broker is running" });
                ExitCode::from(code::NO_BROKER)
            }
            Err(error) => error.report(),
        }
    })
}

fn print(text: &str, json: bool) {
    let parsed = serde_json::from_str::<Value>(text).ok().filter(|_| !json);
    match parsed {
        Some(status) => say(table(&status).trim_end()),
        None => say(text),
    }
}

/// The status for people.
fn table(status: &Value) -> String {
    let word = |value: &Value, member: &str| match value.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let rows = |member: &str| status.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let keychain = status.get("keychain").cloned().unwrap_or_default();
    let mut text = format!(
        "aic-broker {} (pid {}) since {}{}\nkeychain: {} ({})\n",
        word(status, "version"),
        word(status, "pid"),
        word(status, "started_at"),
        if status.get("paused") == Some(&Value::Bool(true)) { ", PAUSED: aic-broker resume" } else { "" },
        word(&keychain, "backend"),
        word(&keychain, "state"),
    );
    for session in rows("sessions") {
        let (tenant, state) = (word(&session, "tenant"), word(&session, "state"));
        text.push_str(&format!(
            "session  {tenant}  {state}  {}  until {}\n",
            word(&session, "user"),
            word(&session, "expires_at")
        ));
        if let Some(before) = session.get("instead_of").and_then(Value::as_str) {
            text.push_str(&format!("         ANOTHER USER than before, which was {before}\n"));
        }
        if let Some(login) = session.get("login") {
            let code =
                login.get("user_code").and_then(Value::as_str).map_or(String::new(), |code| format!("  code {code}"));
            text.push_str(&format!("         sign in at {}{code}\n", word(login, "url")));
        }
    }
    for client in rows("clients") {
        let (pid, name, calls) = (word(&client, "pid"), word(&client, "name"), word(&client, "calls"));
        text.push_str(&format!("client   {name} (pid {pid})  {}  {calls} calls\n", word(&client, "tenant")));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_has_what_people_look_for() {
        let status = json!({"version": "1", "pid": 7, "started_at": "now", "paused": true,
            "keychain": {"backend": "memory", "state": "ok"},
            "sessions": [{"tenant": "dev", "state": "signing_in", "user": null, "instead_of": "ada", "expires_at": null,
                "login": {"url": "https://x", "user_code": "ABCD", "expires_at": "then"}}],
            "clients": [{"pid": 8, "name": "editor", "tenant": "dev", "calls": 3}]});

        let text = table(&status);

        for part in ["PAUSED", "dev", "signing_in", "https://x", "ABCD", "which was ada", "editor (pid 8)", "3 calls"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
