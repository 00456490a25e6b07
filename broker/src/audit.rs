//! Writes what was done, by whom, as a chain of lines that shows every change. Never a token, header, query, argument or body.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Moment;

/// The log's name in the state directory.
const LOG: &str = "audit.jsonl";
/// Where the newest number and hash are kept apart from the log.
const HEAD: &str = "audit.head";
/// The hash before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How much of the log's end is read to find its last line: lines are a few hundred bytes, the longest a few thousand.
const TAIL_BYTES: u64 = 1024 * 1024;

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

#[derive(Deserialize)]
struct Link {
    seq: u64,
    prev: String,
}

/// The newest number and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    seq: u64,
    hash: String,
}

/// The audit log of this broker.
pub struct Audit {
    chain: Mutex<Chain>,
}

struct Chain {
    directory: PathBuf,
    open: Option<Opened>,
}

struct Opened {
    log: File,
    kept: File,
    head: Head,
}

impl Audit {
    /// The log in this directory; it is opened at the first line, and anew after a failure.
    pub fn in_directory(directory: &Path) -> Self {
        Self { chain: Mutex::new(Chain { directory: directory.to_path_buf(), open: None }) }
    }

    /// Appends a line; an intent is on disk when this returns.
    ///
    /// Errors: it could not be written; the next attempt opens the files anew.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        chain.append(entry)
    }
}

impl Chain {
    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let still_named = |open: &Opened| crate::os::is_named(&open.log, &self.directory.join(LOG));
        let mut open = match self.open.take().filter(still_named) {
            Some(open) => open,
            None => Opened::at(&self.directory)?,
        };
        let seq = open.head.seq + 1;
        let line = Line { time: Moment::now().rfc3339_millis(), seq, prev: &open.head.hash, entry };
        let mut text = serde_json::to_vec(&line)?;
        let hash = hash_of(&text);
        text.push(b'\n');
        write_line(&mut open.log, &text, entry.event == "intent")?;
        open.head = Head { seq, hash };
        write_head(&mut open.kept, &open.head)?;
        self.open = Some(open);
        Ok(())
    }
}

/// Writes a whole line or none.
fn write_line(log: &mut File, text: &[u8], to_disk: bool) -> io::Result<()> {
    let before = log.seek(SeekFrom::End(0))?;
    let written = log.write_all(text).and_then(|()| if to_disk { log.sync_data() } else { Ok(()) });
    if written.is_err() {
        let _ = log.set_len(before);
    }
    written
}

fn write_head(kept: &mut File, head: &Head) -> io::Result<()> {
    kept.seek(SeekFrom::Start(0))?;
    kept.write_all(format!("{:020} {}\n", head.seq, head.hash).as_bytes())
}

impl Opened {
    /// Opens the log and goes on where it ends.
    fn at(directory: &Path) -> io::Result<Self> {
        let (log, kept) = open_files(directory)?;
        log.try_lock()
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another broker writes this audit log"))?;
        Ok(Self { log, kept, head: newest(directory)? })
    }
}

fn open_files(directory: &Path) -> io::Result<(File, File)> {
    crate::os::private_directory(directory)?;
    let log = crate::os::private_file(OpenOptions::new().create(true).append(true).read(true), &directory.join(LOG))?;
    let kept = crate::os::private_file(
        OpenOptions::new().create(true).truncate(false).read(true).write(true),
        &directory.join(HEAD),
    )?;
    Ok((log, kept))
}

/// The greater of what the log and its head say: a lost end stays visible as a break in the chain.
fn newest(directory: &Path) -> io::Result<Head> {
    let logged = last_line(&directory.join(LOG))?;
    let kept = read_head(&directory.join(HEAD));
    let beginning = Head { seq: 0, hash: BEGINNING.to_owned() };
    Ok([logged, kept].into_iter().flatten().max_by_key(|head| head.seq).unwrap_or(beginning))
}

fn last_line(log: &Path) -> io::Result<Option<Head>> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let last = tail.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
    Ok(last.and_then(|line| {
        serde_json::from_slice::<Link>(line).ok().map(|link| Head { seq: link.seq, hash: hash_of(line) })
    }))
}

fn read_head(kept: &Path) -> Option<Head> {
    let text = std::fs::read_to_string(kept).ok()?;
    let (seq, hash) = text.trim_end().split_once(' ')?;
    Some(Head { seq: seq.parse().ok()?, hash: hash.to_owned() })
}

fn hash_of(line: &[u8]) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A line is no audit line.
    #[error("line {0} is not an audit line")]
    Line(usize),
    /// A line does not follow the one before it.
    #[error("line {line} (number {seq}) does not follow the line before it: a line was changed, removed or moved")]
    Chain {
        /// Counted from one.
        line: usize,
        /// Its number.
        seq: u64,
    },
    /// The last lines are gone.
    #[error("the log ends with number {found}, and number {kept} was written: the last lines were removed or changed")]
    End {
        /// In the log.
        found: u64,
        /// In the head.
        kept: u64,
    },
}

/// Checks the whole chain, the last lines included; gives the number of lines.
///
/// Errors: the first thing that is wrong.
pub fn verify(directory: &Path) -> Result<u64, Broken> {
    let unreadable = |error: io::Error| Broken::Unreadable(format!("{}: {error}", directory.join(LOG).display()));
    let kept = read_head(&directory.join(HEAD));
    let file = match File::open(directory.join(LOG)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && kept.is_none() => return Ok(0),
        opened => opened.map_err(unreadable)?,
    };
    let mut head = Head { seq: 0, hash: BEGINNING.to_owned() };
    let mut passed_kept = kept.is_none();
    for (number, line) in BufReader::new(file).split(b'\n').enumerate() {
        head = follow(&head, number + 1, &line.map_err(unreadable)?)?;
        passed_kept |= kept.as_ref() == Some(&head);
    }
    match kept {
        Some(kept) if !passed_kept => Err(Broken::End { found: head.seq, kept: kept.seq }),
        _ => Ok(head.seq),
    }
}

fn follow(before: &Head, number: usize, line: &[u8]) -> Result<Head, Broken> {
    let link: Link = serde_json::from_slice(line).map_err(|_| Broken::Line(number))?;
    match link.seq == before.seq + 1 && link.prev == before.hash {
        true => Ok(Head { seq: link.seq, hash: hash_of(line) }),
        false => Err(Broken::Chain { line: number, seq: link.seq }),
    }
}

/// Reads the log's lines, the oldest first; `keep` sees each as JSON.
///
/// Errors: the log cannot be read.
pub fn read(directory: &Path, mut keep: impl FnMut(&str)) -> io::Result<()> {
    let file = match File::open(directory.join(LOG)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    for line in BufReader::new(file).lines() {
        keep(&line?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn world() -> PathBuf {
        let place = std::env::temp_dir().join(format!("aic-audit-{}", crate::clock::random_id().unwrap()));
        let audit = Audit::in_directory(&place);
        for event in ["start", "sign_in", "call", "stop"] {
            audit.append(&Entry { event, ..Entry::default() }).unwrap();
        }
        place
    }

    fn rewrite(place: &Path, change: impl FnOnce(&mut Vec<String>)) {
        let log = place.join(LOG);
        let mut lines: Vec<String> = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    }

    #[test]
    fn an_untouched_log_is_whole_also_after_a_restart() {
        let place = world();

        Audit::in_directory(&place).append(&Entry { event: "start", ..Entry::default() }).unwrap();

        assert_eq!(verify(&place), Ok(5));
        std::fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn every_change_is_found() {
        type Change = fn(&mut Vec<String>);
        let cases: [(Change, Broken); 4] = [
            (|lines| lines[1] = lines[1].replace("sign_in", "sign_on"), Broken::Chain { line: 3, seq: 3 }),
            (|lines| drop(lines.remove(1)), Broken::Chain { line: 2, seq: 3 }),
            (|lines| lines.swap(1, 2), Broken::Chain { line: 2, seq: 3 }),
            (|lines| drop(lines.pop()), Broken::End { found: 3, kept: 4 }),
        ];

        for (change, wanted) in cases {
            let place = world();
            rewrite(&place, change);
            assert_eq!(verify(&place), Err(wanted));
            std::fs::remove_dir_all(place).unwrap();
        }
    }

    #[test]
    fn a_changed_last_line_is_found() {
        let place = world();

        rewrite(&place, |lines| lines[3] = lines[3].replace("stop", "step"));

        assert_eq!(verify(&place), Err(Broken::End { found: 4, kept: 4 }));
        std::fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_lost_end_stays_visible() {
        let place = world();
        rewrite(&place, |lines| drop(lines.pop()));

        Audit::in_directory(&place).append(&Entry { event: "start", ..Entry::default() }).unwrap();

        assert_eq!(verify(&place), Err(Broken::Chain { line: 4, seq: 5 }));
        std::fs::remove_dir_all(place).unwrap();
    }
}
