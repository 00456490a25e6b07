//! `aic-broker audit`: shows and verifies what was done. Needs no running broker.

use std::process::ExitCode;

use serde_json::Value;

use super::look::{Colour, Look};
use super::{code, say, stop};
use crate::audit;
use crate::clock::Moment;
use crate::config::{Places, Span};

/// Checks the chain.
pub(super) fn verify(places: &Places) -> ExitCode {
    match audit::verify(&places.state) {
        Ok(lines) => {
            say(&format!("the audit log is whole: {lines} lines"));
            ExitCode::SUCCESS
        }
        Err(broken) => stop(code::FAILED, &format!("the audit log is not whole: {broken}")),
    }
}

/// Shows the lines.
pub(super) fn show(places: &Places, since: Option<&str>, json: bool) -> ExitCode {
    let from = match since.map(Span::parse).transpose() {
        Ok(span) => span
            .and_then(|span| Moment::now().wall.checked_sub(span.0))
            .map(|wall| Moment { wall, ..Moment::now() }.rfc3339_millis()),
        Err(wanted) => return stop(code::USAGE, &format!("--since: {wanted}")),
    };
    if !json {
        let names = ["TIME", "EVENT", "TENANT", "USER", "TOOL", "OUTCOME", "EXECUTED", "CLIENT"];
        say(&Look::of_output().paint(Colour::Faint, &row(names)));
    }
    let shown = audit::read(&places.state, |line| {
        let parsed: Value = serde_json::from_str(line).unwrap_or_default();
        let time = parsed.get("time").and_then(Value::as_str).unwrap_or_default();
        if from.as_deref().is_none_or(|from| time >= from) {
            say(&if json { line.to_owned() } else { short(&parsed) });
        }
    });
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stop(code::FAILED, &format!("{}: {error}", places.state.display())),
    }
}

/// One line for people.
fn short(line: &Value) -> String {
    let word = |member: &str| line.get(member).and_then(Value::as_str).unwrap_or("-");
    let client = line.get("client").and_then(|client| client.get("name")).and_then(Value::as_str).unwrap_or("-");
    let members = ["time", "event", "tenant", "user", "tool", "outcome", "executed"].map(word);
    let [time, event, tenant, user, tool, outcome, executed] = members;
    row([time, event, tenant, user, tool, outcome, executed, client])
}

/// Lines are shown as they are read, so the columns are as wide as their usual content.
fn row(cells: [&str; 8]) -> String {
    let [time, event, tenant, user, tool, outcome, executed, client] = cells;
    format!("{time:24}  {event:8}  {tenant:12}  {user:24}  {tool:24}  {outcome:14}  {executed:8}  {client}")
}
