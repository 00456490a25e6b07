//! The files of the log: one that grows, those that are full, the newest number and hash apart from them, a lock.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The file that grows.
pub(super) const LOG: &str = "audit.jsonl";
/// Full files are `audit-NUMBER.jsonl`, with the number of their last line in twenty digits.
const FULL: (&str, &str) = ("audit-", ".jsonl");
/// Where the newest number and hash are kept apart from the log.
const HEAD: &str = "audit.head";
/// Who holds it is the only one who writes.
const LOCK: &str = "audit.lock";
/// The hash before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The room that is kept for outcomes before a write is sent: the calls of a client at once have lines of half of it.
const FOR_OUTCOMES: u64 = 64 * 1024;
/// How much of a file's end is read to find its last lines: they are a few hundred bytes, the longest a few thousand.
const TAIL_BYTES: u64 = 1024 * 1024;

/// The newest number and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
}

impl Head {
    /// Before the first line.
    pub(super) fn beginning() -> Self {
        Self { seq: 0, hash: BEGINNING.to_owned() }
    }

    /// Of a line without its end; `None` when it is no audit line.
    fn of(line: &[u8]) -> Option<Self> {
        Link::read(line).map(|link| Self { seq: link.seq, hash: hash_of(line) })
    }
}

/// What chains a line to the one before it.
#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: String,
}

impl Link {
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn hash_of(line: &[u8]) -> String {
    Sha256::digest(line).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The log, opened for writing by its one writer.
pub(super) struct Opened {
    log: File,
    kept: File,
    lock: File,
    pub(super) head: Head,
    /// How long the file is that grows.
    pub(super) length: u64,
}

impl Opened {
    /// Opens the log and goes on where it ends.
    ///
    /// Errors: the files cannot be opened, or somebody else writes them.
    pub(super) fn at(directory: &Path) -> io::Result<Self> {
        crate::os::private_directory(directory)?;
        let lock = open(directory, LOCK)?;
        lock.try_lock()
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another broker writes this audit log"))?;
        let (mut log, kept) = (open_to_append(directory)?, open(directory, HEAD)?);
        // the greater of what log and head say: a lost end stays visible as a break in the chain
        let logged = last_in(&tail(directory)?).unwrap_or_else(Head::beginning);
        let head = read_head(directory).filter(|kept| kept.seq > logged.seq).unwrap_or_else(|| logged.clone());
        mend_end(&mut log, logged.seq < head.seq)?;
        let length = log.metadata()?.len();
        Ok(Self { log, kept, lock, head, length })
    }

    /// Whether the names still lead to these files.
    pub(super) fn is_named(&self, directory: &Path) -> bool {
        let named = |file, name| crate::os::is_named(file, &directory.join(name));
        named(&self.log, LOG) && named(&self.lock, LOCK)
    }

    /// Gives the full file its name and begins the next one.
    pub(super) fn begin_next(&mut self, directory: &Path) -> io::Result<()> {
        let name = format!("{}{:020}{}", FULL.0, self.head.seq, FULL.1);
        self.log.sync_data()?;
        std::fs::rename(directory.join(LOG), directory.join(name))?;
        self.log = open_to_append(directory)?;
        self.length = self.log.metadata()?.len();
        Ok(())
    }

    /// Writes a whole line or none, then the head.
    pub(super) fn append(&mut self, line: &[u8], head: Head, to_disk: bool) -> io::Result<()> {
        let before = self.log.seek(SeekFrom::End(0))?;
        if to_disk {
            crate::os::reserve(&self.log, before, FOR_OUTCOMES)?;
        }
        let written = self.log.write_all(line).and_then(|()| if to_disk { self.log.sync_data() } else { Ok(()) });
        if written.is_err() {
            let _ = self.log.set_len(before);
            return written;
        }
        self.length = before + line.len() as u64;
        self.kept.seek(SeekFrom::Start(0))?;
        self.kept.write_all(format!("{:020} {}\n", head.seq, head.hash).as_bytes())?;
        self.head = head;
        Ok(())
    }
}

fn open(directory: &Path, name: &str) -> io::Result<File> {
    let options = &mut OpenOptions::new();
    crate::os::private_file(options.create(true).truncate(false).read(true).write(true), &directory.join(name))
}

fn open_to_append(directory: &Path) -> io::Result<File> {
    crate::os::private_file(OpenOptions::new().create(true).append(true).read(true), &directory.join(LOG))
}

/// Ends the last line. Half a line that was never on record is taken away; what is left of a newer one stays to be seen.
fn mend_end(log: &mut File, newest_is_lost: bool) -> io::Result<()> {
    let (tail, length) = (tail_of(log)?, log.metadata()?.len());
    let torn = tail.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    match torn {
        [] => Ok(()),
        torn if newest_is_lost || Link::read(torn).is_some() => log.write_all(b"\n"),
        torn => log.set_len(length - u64::try_from(torn.len()).unwrap_or_default()),
    }
}

fn last_in(lines: &[u8]) -> Option<Head> {
    lines.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty()).find_map(Head::of)
}

/// The end of the log, over the border of two files where the newer one is short.
pub(super) fn tail(directory: &Path) -> io::Result<Vec<u8>> {
    let mut newest = full(directory)?.pop().into_iter().chain([directory.join(LOG)]);
    newest.try_fold(Vec::new(), |mut lines, file| match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(lines),
        opened => {
            lines.extend(tail_of(&mut opened?)?);
            Ok(lines)
        }
    })
}

fn tail_of(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

/// The full files, the oldest first.
pub(super) fn full(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_full(path)).collect();
    files.sort();
    Ok(files)
}

fn is_full(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix(FULL.0).and_then(|rest| rest.strip_suffix(FULL.1));
    number.is_some_and(|number| number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All files in their order, the growing one opened before the others are listed, so that none is missed or read twice.
pub(super) fn all(directory: &Path) -> io::Result<Vec<(String, File)>> {
    loop {
        let growing = match File::open(directory.join(LOG)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let named = |path: PathBuf| Ok((name(&path), File::open(path)?));
        let mut files = full(directory)?.into_iter().map(named).collect::<io::Result<Vec<_>>>()?;
        match growing {
            Some(file) if !crate::os::is_named(&file, &directory.join(LOG)) => {}
            growing => {
                files.extend(growing.map(|file| (LOG.to_owned(), file)));
                return Ok(files);
            }
        }
    }
}

/// What is kept apart from the log; `None` where nothing readable is.
pub(super) fn read_head(directory: &Path) -> Option<Head> {
    let text = std::fs::read_to_string(directory.join(HEAD)).ok()?;
    let (seq, hash) = text.trim_end().split_once(' ')?;
    Some(Head { seq: seq.parse().ok()?, hash: hash.to_owned() })
}

/// Whether a broker writes the log now.
pub(super) fn is_being_written(directory: &Path) -> bool {
    File::open(directory.join(LOCK)).is_ok_and(|lock| lock.try_lock_shared().is_err())
}
