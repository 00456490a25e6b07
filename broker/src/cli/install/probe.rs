//! Starts what an entry names, as an editor would, and makes sure that an MCP server answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::edit::words;
use crate::clock::Moment;

/// How long the program may take for all its answers: it needs milliseconds.
const WITHIN: Duration = Duration::from_secs(10);
/// How many lines may wait to be read: two are asked for.
const LINES: usize = 8;

/// What an editor starts for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Started {
    line: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Started {
    /// Of an entry in any editor's form; a value that the editor fills in by itself is left out.
    fn of(entry: &Value) -> Self {
        let members = ["env", "environment"].into_iter().filter_map(|name| entry.get(name)?.as_object()).flatten();
        let named = members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Self {
            line: words(entry).into_iter().map(str::to_owned).collect(),
            variables: named.filter(|(_, value)| !value.contains('{')).collect(),
        }
    }
}

/// Tries entries, and each of what they start once.
#[derive(Debug, Default)]
pub(super) struct Probe {
    answered: Vec<(Started, usize)>,
}

impl Probe {
    /// Starts what an entry names, if that was not done yet; returns how many tools it lists.
    ///
    /// Errors: it cannot be started, does not answer, or answers something else.
    pub(super) fn try_out(&mut self, entry: &Value) -> Result<usize, String> {
        let started = Started::of(entry);
        if let Some((_, tools)) = self.answered.iter().find(|(known, _)| *known == started) {
            return Ok(*tools);
        }
        let tools = handshake(&started)?;
        self.answered.push((started, tools));
        Ok(tools)
    }
}

fn handshake(started: &Started) -> Result<usize, String> {
    let failed = |reason: String| format!("`{}` does not answer as an MCP server: {reason}", started.line.join(" "));
    let (program, arguments) = started.line.split_first().ok_or("the entry starts nothing")?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(started.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let told = converse(&mut child).map_err(failed);
    if told.is_err() {
        let _ = child.kill();
    }
    let _ = child.wait();
    told
}

fn converse(child: &mut Child) -> Result<usize, String> {
    let until = Moment::now().monotonic + WITHIN;
    let mut input = child.stdin.take().ok_or("it has no input")?;
    let lines = lines_of(child)?;
    say(
        &mut input,
        &json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "aic-broker install", "version": env!("CARGO_PKG_VERSION")}
            }
        }),
    )?;
    let opened = answer(&lines, 1, until)?;
    opened.pointer("/serverInfo/name").ok_or("it does not name itself")?;
    say(&mut input, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
    say(&mut input, &json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}))?;
    let listed = answer(&lines, 2, until)?;
    let tools = listed.get("tools").and_then(Value::as_array).ok_or("it lists no tools")?;
    Ok(tools.len())
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>, String> {
    let output = child.stdout.take().ok_or("it has no output")?;
    let (lines, read) = sync_channel(LINES);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    Ok(read)
}

fn say(input: &mut ChildStdin, message: &Value) -> Result<(), String> {
    writeln!(input, "{message}").map_err(|error| error.to_string())
}

fn answer(lines: &Receiver<String>, id: u64, until: Instant) -> Result<Value, String> {
    loop {
        let left = until.saturating_duration_since(Moment::now().monotonic);
        let line = lines.recv_timeout(left).map_err(|ended| match ended {
            RecvTimeoutError::Timeout => format!("nothing came within {} s", WITHIN.as_secs()),
            RecvTimeoutError::Disconnected => "it ended".to_owned(),
        })?;
        let message: Value = serde_json::from_str(&line).map_err(|_| "its answer is not JSON".to_owned())?;
        if message.get("id").and_then(Value::as_u64) == Some(id) {
            return message.get("result").cloned().ok_or_else(|| format!("it refuses: {message}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_entry_is_one_command_with_its_variables() {
        let cases = [
            (json!({"command": "m", "env": {"A": "b"}}), (vec!["m"], vec![("A", "b")])),
            (json!({"command": "m", "args": ["--x"], "env": {}}), (vec!["m", "--x"], vec![])),
            (json!({"command": ["m", "--x"], "environment": {"A": "b"}}), (vec!["m", "--x"], vec![("A", "b")])),
            (json!({"command": "m", "env": {"A": "${HOME}", "B": "{env:B}", "C": 1}}), (vec!["m"], vec![])),
            (json!("m"), (vec![], vec![])),
        ];

        for (entry, (line, variables)) in cases {
            let line = line.into_iter().map(str::to_owned).collect();
            let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(Started::of(&entry), Started { line, variables }, "{entry}");
        }
    }
}
