//! Starts what an entry names, as an editor would, and makes sure that an MCP server answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::editors::Server;
use crate::clock::Moment;

/// How long the program may take for all its answers: it needs milliseconds.
const WITHIN: Duration = Duration::from_secs(10);
/// How many lines may wait to be read: two are asked for.
const LINES: usize = 8;

/// Opens a conversation with the program and lists its tools; returns how many there are.
///
/// Errors: it cannot be started, does not answer, or answers something else.
pub(super) fn handshake(server: &Server) -> Result<usize, String> {
    let failed = |reason: String| format!("{} does not answer as an MCP server: {reason}", server.command);
    let mut child = Command::new(&server.command)
        .env("AIC_BASE_URL", &server.tenant)
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
        let line = lines.recv_timeout(left).map_err(|_| format!("nothing came within {} s", WITHIN.as_secs()))?;
        let message: Value = serde_json::from_str(&line).map_err(|_| "its answer is not JSON".to_owned())?;
        if message.get("id").and_then(Value::as_u64) == Some(id) {
            return message.get("result").cloned().ok_or_else(|| format!("it refuses: {message}"));
        }
    }
}
