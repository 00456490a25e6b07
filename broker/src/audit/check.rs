//! Reads the log, over all its files and while it grows, and says whether it is whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::files::{Head, LOG, Link, all, hash_of, is_being_written, read_head};

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A line is no audit line.
    #[error("{0} is not an audit line: it was changed or cut")]
    Line(Place),
    /// A line does not follow the one before it.
    #[error(
        "{place} (number {found}) does not follow number {before}: a line was changed, removed or moved, or a file is missing"
    )]
    Chain {
        /// Where.
        place: Place,
        /// Its number.
        found: u64,
        /// The number of the line before it.
        before: u64,
    },
    /// The last lines are gone.
    #[error(
        "the log ends with number {found}, and number {kept} was written: the last lines were removed, changed, or lost with the machine's power"
    )]
    End {
        /// In the log.
        found: u64,
        /// In the head.
        kept: u64,
    },
    /// Nothing says where the log ends.
    #[error(
        "audit.head, which holds the newest number and hash, is missing or cannot be read: lines may be missing at the end"
    )]
    Head,
}

/// One line of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Counted from one.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} of {}", self.line, self.file)
    }
}

/// Checks the whole chain, the last lines included; gives the number of lines. A line that is being written is left out.
///
/// Errors: the first thing that is wrong.
pub fn verify(directory: &Path) -> Result<u64, Broken> {
    let unreadable = |error: io::Error| Broken::Unreadable(format!("{}: {error}", directory.join(LOG).display()));
    let kept = read_head(directory);
    let mut head = Head::beginning();
    let mut passed_kept = false;
    for (file, opened) in all(directory).map_err(unreadable)? {
        for (number, line) in lines(opened).enumerate() {
            let place = || Place { file: file.clone(), line: number + 1 };
            match line.map_err(unreadable)? {
                Text::Whole(line) => head = follow(&head, &place, &line)?,
                Text::Torn if file == LOG && is_being_written(directory) => {}
                Text::Torn => return Err(Broken::Line(place())),
            }
            passed_kept |= kept.as_ref() == Some(&head);
        }
    }
    match kept {
        Some(kept) if !passed_kept => Err(Broken::End { found: head.seq, kept: kept.seq }),
        // the head of the first line may be about to be written
        None if head.seq > 1 => Err(Broken::Head),
        _ => Ok(head.seq),
    }
}

fn follow(before: &Head, place: &impl Fn() -> Place, line: &[u8]) -> Result<Head, Broken> {
    let link = Link::read(line).ok_or_else(|| Broken::Line(place()))?;
    match link.seq == before.seq + 1 && link.prev == before.hash {
        true => Ok(Head { seq: link.seq, hash: hash_of(line) }),
        false => Err(Broken::Chain { place: place(), found: link.seq, before: before.seq }),
    }
}

/// Reads the log's lines, the oldest first.
///
/// Errors: the log cannot be read.
pub fn read(directory: &Path, mut keep: impl FnMut(&str)) -> io::Result<()> {
    for (_, file) in all(directory)? {
        for line in lines(file) {
            if let Text::Whole(line) = line? {
                keep(&String::from_utf8_lossy(&line));
            }
        }
    }
    Ok(())
}

enum Text {
    Whole(Vec<u8>),
    /// Without its end: cut, or being written.
    Torn,
}

fn lines(file: File) -> impl Iterator<Item = io::Result<Text>> {
    let mut reader = BufReader::new(file);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) if line.pop_if(|last| *last == b'\n').is_some() => Some(Ok(Text::Whole(line))),
            Ok(_) => Some(Ok(Text::Torn)),
            Err(error) => Some(Err(error)),
        }
    })
}
