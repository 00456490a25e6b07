//! Writes what was done, by whom, as a chain of lines that shows every change. Never a token, header, query, argument or body.

mod check;
mod doubts;
mod files;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::aside::aside;
use crate::clock::Moment;
use files::{Head, Opened, hash_of};

pub use check::{Broken, read, verify};
pub use doubts::in_doubt;

/// How long a file grows before the next one begins: it is read and searched at once.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// The event of a line that must be on disk before what it announces is done.
const INTENT: &str = "intent";

/// One line's content, besides time, number and hash.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Entry {
    /// `start`, `stop`, `sign_in`, `sign_out`, `call`, `intent`, `refusal`, `token`, `pause` or `resume`.
    pub event: &'static str,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// The tenant's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The signed-in user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Stands for the tool and its arguments in an intent, without holding them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The scopes of the token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
    /// The transaction id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// `success`, or the kind of failure; for other events what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// `no`, `yes` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executed: Option<&'static str>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Client {
    /// The process id.
    pub pid: Option<u32>,
    /// Its program.
    pub executable: Option<String>,
    /// What the MCP client calls itself.
    pub name: String,
}

/// One upstream request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The status, where an answer came.
    pub status: Option<u16>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// The audit log of this broker. Its files are never removed: they are evidence.
pub struct Audit {
    chain: Mutex<Chain>,
}

struct Chain {
    directory: PathBuf,
    largest: u64,
    open: Option<Opened>,
}

impl Audit {
    /// The log in this directory; it is opened at the first line, and anew after a failure.
    pub fn in_directory(directory: &Path) -> Self {
        Self::with_files_of(directory, LARGEST_FILE)
    }

    fn with_files_of(directory: &Path, largest: u64) -> Self {
        Self { chain: Mutex::new(Chain { directory: directory.to_path_buf(), largest, open: None }) }
    }

    /// Appends a line; an intent is on disk when this returns.
    ///
    /// Errors: it could not be written; the next attempt opens the files anew.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let write = || self.chain.lock().unwrap_or_else(PoisonError::into_inner).append(entry);
        // an intent waits for the disk
        if entry.event == INTENT { aside(write) } else { write() }
    }
}

impl Chain {
    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let still_named = |open: &Opened| open.is_named(&self.directory);
        let mut open = match self.open.take().filter(still_named) {
            Some(open) => open,
            None => Opened::at(&self.directory)?,
        };
        if open.length >= self.largest {
            open.begin_next(&self.directory)?;
        }
        let seq = open.head.seq + 1;
        let line = Line { time: Moment::now().rfc3339_millis(), seq, prev: &open.head.hash, entry };
        let mut text = serde_json::to_vec(&line)?;
        let hash = hash_of(&text);
        text.push(b'\n');
        open.append(&text, Head { seq, hash }, entry.event == INTENT)?;
        self.open = Some(open);
        Ok(())
    }
}
