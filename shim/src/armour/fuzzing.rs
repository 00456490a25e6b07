//! Opens the reading of lines to the fuzz targets: the same code, without a process. No program calls it.

use rmcp::transport::Transport;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::{Lines, identifier};

/// How much may be written in answer to one conversation.
const ROOM: usize = 1 << 20;

/// Reads lines to their end: the messages that are handed on, as JSON, and what was written in answer to the others.
pub async fn converse(lines: &[u8]) -> (Vec<String>, Vec<u8>) {
    let (mut theirs, ours) = tokio::io::duplex(ROOM);
    let mut transport = Lines::new(lines, ours, CancellationToken::new());
    let mut found = Vec::new();
    while let Some(message) = transport.receive().await {
        found.push(serde_json::to_string(&message).unwrap_or_default());
    }
    drop(transport);
    let mut written = Vec::new();
    let _ = theirs.read_to_end(&mut written).await;
    (found, written)
}

/// The id that is found in the beginning of a bad line.
pub fn identifier(head: &[u8]) -> Option<Value> {
    identifier::find(head)
}
