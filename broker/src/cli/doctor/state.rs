//! Judges the state directory: writable, with room, and its audit log whole.

use std::io;
use std::path::{Path, PathBuf};

use super::finding::{Line, Name, quoted};
use crate::audit::{self, Broken};

const CHECK: &str = "audit";
/// Room for a day's audit lines and a daemon's log.
const ROOM_BYTES: u64 = 8 * 1024 * 1024;

/// What was seen.
pub(super) struct Seen {
    /// The state directory.
    pub(super) directory: PathBuf,
    /// Whether something can be written there.
    pub(super) writable: Result<(), String>,
    /// How much room its disk has.
    pub(super) room_bytes: Option<u64>,
    /// How many lines the log has, all of them in order.
    pub(super) audit: Result<u64, Broken>,
}

/// Looks; writes a file of a few bytes and removes it.
pub(super) fn look(directory: &Path) -> Seen {
    Seen {
        directory: directory.to_owned(),
        writable: try_to_write(directory).map_err(|error| error.to_string()),
        room_bytes: nearest(directory).and_then(|place| crate::os::room_bytes(&place)),
        audit: audit::verify(directory),
    }
}

/// The directory, or what it will be made in.
fn nearest(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().find(|place| place.exists()).map(Path::to_owned)
}

/// Where it is not there yet, the broker makes it, and this tries no more than that it could.
fn try_to_write(directory: &Path) -> io::Result<()> {
    let place = nearest(directory).ok_or(io::ErrorKind::NotFound)?;
    if !place.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is not a directory", place.display())));
    }
    let probe = place.join(format!(".aic-broker-doctor.{}", std::process::id()));
    let written = std::fs::write(&probe, [b'x'; 4096]);
    let removed = std::fs::remove_file(&probe);
    match written {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(()),
        written => written.and(removed),
    }
}

/// Judges it.
pub(super) fn judge(seen: &Seen) -> Vec<Line> {
    let directory = quoted(&seen.directory);
    let mut lines = Vec::new();
    if let Err(reason) = &seen.writable {
        let text = format!("{}: {reason}; writes are refused until it can be written", seen.directory.display());
        let fix = format!("mv {directory} {directory}.old  # or give it back: sudo chown -R \"$(id -u)\" {directory}");
        return vec![Line::found(CHECK, Name::StateUnwritable, text, fix)];
    }
    if let Some(room) = seen.room_bytes.filter(|room| *room < ROOM_BYTES) {
        let text = format!("the disk of {} has {} KiB left", seen.directory.display(), room / 1024);
        lines.push(Line::found(
            CHECK,
            Name::DiskFull,
            text,
            format!("du -xah {directory} | sort -h | tail  # free 8 MiB"),
        ));
    }
    match &seen.audit {
        Err(broken) => {
            let aside = quoted(&seen.directory.join("broken-audit"));
            let fix = format!("mkdir -p {aside} && mv {directory}/audit* {aside}/  # keeps it for a closer look");
            lines.push(Line::found(CHECK, Name::AuditBroken, broken.to_string(), fix));
        }
        Ok(count) => lines.push(Line::fine(CHECK, format!("whole, {count} lines, in {}", seen.directory.display()))),
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_the_directory_has_its_finding() {
        let broken = || Err(Broken::Head);
        let cases = [
            (Ok(()), None, Ok(3), vec![None]),
            (Ok(()), Some(ROOM_BYTES), Ok(3), vec![None]),
            (Ok(()), Some(ROOM_BYTES - 1), Ok(3), vec![Some(Name::DiskFull), None]),
            (Ok(()), None, broken(), vec![Some(Name::AuditBroken)]),
            (Err("no".to_owned()), Some(0), broken(), vec![Some(Name::StateUnwritable)]),
        ];

        for (writable, room_bytes, audit, wanted) in cases {
            let seen = Seen { directory: "/s".into(), writable, room_bytes, audit };
            assert_eq!(judge(&seen).iter().map(|line| line.finding).collect::<Vec<_>>(), wanted);
        }
    }
}
