//! Says where the broker's socket is. Pure: the user id and an override come in, a place comes out.

use std::path::{Path, PathBuf};

/// The name of the directory that the broker owns.
pub const DIRECTORY: &str = "aic-broker";
/// The socket's name inside it.
pub const SOCKET: &str = "broker.sock";
/// The name of the lock that says who owns the socket.
pub const LOCK: &str = "broker.lock";

/// Where Windows keeps its named pipes: a directory in which nobody can make a directory.
pub const PIPES: &str = r"\\.\pipe";

/// The directory that holds the socket and its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Absolute, 0700, owned by the user; on Windows [`PIPES`], or a directory that stands for a pipe of its own.
    pub directory: PathBuf,
}

impl Endpoint {
    /// The endpoint in a directory that the user names (`AIC_BROKER_RUNTIME_DIR`).
    #[must_use]
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Linux: `/run/user/<uid>` when it is a directory of that user, else `/tmp`.
    ///
    /// Source: the contract's section 3. The environment has no say, because editors strip it.
    #[must_use]
    pub fn on_linux(uid: u32, user_directory_is_there: bool) -> Self {
        match user_directory_is_there {
            true => Self::in_directory(PathBuf::from(format!("/run/user/{uid}")).join(DIRECTORY)),
            false => Self::in_directory(format!("/tmp/{DIRECTORY}-{uid}")),
        }
    }

    /// The socket's path.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// The lock's path.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.directory.join(LOCK)
    }

    /// Windows: the pipe of the user with this SID; a directory of its own has a pipe of its own.
    ///
    /// Source: the contract's section 3. Windows does not tell `C:\Run` from `c:/run`, so neither does the name.
    #[must_use]
    pub fn pipe(&self, sid: &str) -> String {
        let users = format!(r"{PIPES}\{DIRECTORY}-{sid}");
        if self.directory == Path::new(PIPES) {
            return users;
        }
        let spelled = self.directory.to_string_lossy().to_lowercase().replace('/', "\\");
        format!("{users}-{:016x}", digest(spelled.trim_end_matches('\\')))
    }
}

/// FNV-1a, 64 bits: both programs must come to the same name, in every release.
fn digest(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    text.bytes().fold(OFFSET, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Writes a SID as text.
///
/// Source: MS-DTYP 2.4.2.1 (text), 2.4.2.2 (bytes).
/// Shape: a revision, a count, six bytes of authority with the highest first, then `count` numbers with the lowest byte first.
#[must_use]
pub fn sid_text(bytes: &[u8]) -> Option<String> {
    let (&[revision, count], rest) = bytes.split_first_chunk()?;
    let (&[a, b, c, d, e, f], rest) = rest.split_first_chunk()?;
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let authority = match u32::try_from(authority) {
        Ok(small) => small.to_string(),
        Err(_) => format!("0x{authority:012X}"),
    };
    let (numbers, _) = rest.get(..4 * usize::from(count))?.as_chunks::<4>();
    let numbers: String = numbers.iter().map(|number| format!("-{}", u32::from_le_bytes(*number))).collect();
    Some(format!("S-{revision}-{authority}{numbers}"))
}

/// Why a directory may not hold the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Insecure {
    /// A symbolic link could lead anywhere.
    #[error("is a symbolic link")]
    Link,
    /// Something else has the name.
    #[error("is not a directory")]
    NotADirectory,
    /// Somebody else owns it.
    #[error("belongs to user id {0}")]
    Owner(u32),
    /// Others may enter it or write to it.
    #[error("has mode {0:04o}, and 0700 is needed")]
    Mode(u32),
    /// Somebody else could replace a directory above it.
    #[error("can be written by other users and has no sticky bit")]
    Writable,
}

/// What the file system says of one name, without following links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// It is a symbolic link.
    pub link: bool,
    /// It is a directory.
    pub directory: bool,
    /// The owner's user id.
    pub owner: u32,
    /// The permission bits, with the sticky bit.
    pub mode: u32,
}

/// Judges the directory that holds the socket.
///
/// Errors: the first thing that is wrong with it.
pub fn judge_own(found: Found, uid: u32) -> Result<(), Insecure> {
    judge_kind(found)?;
    match (found.owner == uid, found.mode & 0o777) {
        (false, _) => Err(Insecure::Owner(found.owner)),
        (true, 0o700) => Ok(()),
        (true, mode) => Err(Insecure::Mode(mode)),
    }
}

/// Judges a directory above it: nobody else may be able to rename what is below.
///
/// Errors: the first thing that is wrong with it.
pub fn judge_parent(found: Found, uid: u32) -> Result<(), Insecure> {
    judge_kind(found)?;
    let sticky = found.mode & 0o1000 != 0;
    match found {
        Found { owner, .. } if owner != uid && owner != 0 => Err(Insecure::Owner(owner)),
        Found { mode, .. } if mode & 0o022 != 0 && !sticky => Err(Insecure::Writable),
        _ => Ok(()),
    }
}

/// Why a socket that was handed over is not the user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nobody can connect to it.
    #[error("does not listen for streams")]
    Deaf,
    /// It is no socket of a file.
    #[error("has no name in the file system")]
    Nameless,
    /// It has another name.
    #[error("is {0}")]
    Elsewhere(PathBuf),
    /// Something else has its name by now.
    #[error("has lost its name to something that is no socket")]
    Replaced,
    /// Its file is somebody else's.
    #[error("belongs to user id {0}")]
    Owner(u32),
    /// Others may connect.
    #[error("has mode {0:04o}, and 0600 is needed")]
    Mode(u32),
}

/// What the OS says of a socket that was handed over, and of the file under the name that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// It takes connections that are streams.
    pub listens: bool,
    /// The name that it was given.
    pub path: Option<PathBuf>,
    /// The file is a socket.
    pub is_socket: bool,
    /// The file's owner.
    pub owner: u32,
    /// The file's permission bits.
    pub mode: u32,
}

/// Judges a socket that a service manager hands over.
///
/// Errors: the first thing that is wrong with it.
pub fn judge_socket(found: &Socket, expected: &Path, uid: u32) -> Result<(), Unfit> {
    match found {
        Socket { listens: false, .. } => Err(Unfit::Deaf),
        Socket { path: None, .. } => Err(Unfit::Nameless),
        Socket { path: Some(path), .. } if path != expected => Err(Unfit::Elsewhere(path.clone())),
        Socket { is_socket: false, .. } => Err(Unfit::Replaced),
        Socket { owner, .. } if *owner != uid => Err(Unfit::Owner(*owner)),
        Socket { mode, .. } if *mode != 0o600 => Err(Unfit::Mode(*mode)),
        _ => Ok(()),
    }
}

fn judge_kind(found: Found) -> Result<(), Insecure> {
    match found {
        Found { link: true, .. } => Err(Insecure::Link),
        Found { directory: false, .. } => Err(Insecure::NotADirectory),
        _ => Ok(()),
    }
}

/// The directories above `directory`, the outermost first.
pub fn parents(directory: &Path) -> Vec<&Path> {
    let mut above: Vec<&Path> = directory.ancestors().skip(1).collect();
    above.reverse();
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: Found = Found { link: false, directory: true, owner: 1000, mode: 0o700 };

    #[test]
    fn the_place_follows_the_user_id_alone() {
        assert_eq!(Endpoint::on_linux(1000, true).socket(), Path::new("/run/user/1000/aic-broker/broker.sock"));
        assert_eq!(Endpoint::on_linux(7, false).socket(), Path::new("/tmp/aic-broker-7/broker.sock"));
        assert_eq!(Endpoint::on_linux(7, false).lock(), Path::new("/tmp/aic-broker-7/broker.lock"));
    }

    #[test]
    fn a_directory_of_its_own_has_a_pipe_of_its_own() {
        let cases = [
            (PIPES, r"\\.\pipe\aic-broker-S-1-5-21-7"),
            (r"C:\Run", r"\\.\pipe\aic-broker-S-1-5-21-7-3a7f29d5b7f24e29"),
            ("c:/run/", r"\\.\pipe\aic-broker-S-1-5-21-7-3a7f29d5b7f24e29"),
            (r"C:\Other", r"\\.\pipe\aic-broker-S-1-5-21-7-e4d351a49e4d73fe"),
        ];

        for (directory, wanted) in cases {
            assert_eq!(Endpoint::in_directory(directory).pipe("S-1-5-21-7"), wanted, "{directory}");
        }
    }

    #[test]
    fn a_sid_is_written_as_windows_writes_it() {
        let cases: [(&[u8], Option<&str>); 6] = [
            (&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0], Some("S-1-5-18")),
            (&[1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xe9, 3, 0, 0x80], Some("S-1-5-21-2147484649")),
            (&[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 9, 9], Some("S-1-5-18")),
            (&[1, 0, 1, 0, 0, 0, 0, 0], Some("S-1-0x010000000000")),
            (&[1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0], None),
            (&[1], None),
        ];

        for (bytes, wanted) in cases {
            assert_eq!(sid_text(bytes).as_deref(), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn only_a_private_directory_of_the_user_holds_the_socket() {
        let cases = [
            (DIRECTORY, Ok(())),
            (Found { link: true, ..DIRECTORY }, Err(Insecure::Link)),
            (Found { directory: false, ..DIRECTORY }, Err(Insecure::NotADirectory)),
            (Found { owner: 0, ..DIRECTORY }, Err(Insecure::Owner(0))),
            (Found { mode: 0o755, ..DIRECTORY }, Err(Insecure::Mode(0o755))),
            (Found { mode: 0o1777, ..DIRECTORY }, Err(Insecure::Mode(0o777))),
        ];

        for (found, wanted) in cases {
            assert_eq!(judge_own(found, 1000), wanted, "{found:?}");
        }
    }

    #[test]
    fn the_directories_above_come_outermost_first() {
        assert_eq!(parents(Path::new("/run/user/7")), [Path::new("/"), Path::new("/run"), Path::new("/run/user")]);
        assert!(parents(Path::new("/")).is_empty());
    }

    #[test]
    fn only_the_user_s_own_socket_is_taken_over() {
        let right = || Socket { listens: true, path: Some("/r/s".into()), is_socket: true, owner: 1000, mode: 0o600 };
        let cases = [
            (right(), Ok(())),
            (Socket { listens: false, ..right() }, Err(Unfit::Deaf)),
            (Socket { path: None, ..right() }, Err(Unfit::Nameless)),
            (Socket { path: Some("/r/t".into()), ..right() }, Err(Unfit::Elsewhere("/r/t".into()))),
            (Socket { is_socket: false, ..right() }, Err(Unfit::Replaced)),
            (Socket { owner: 0, ..right() }, Err(Unfit::Owner(0))),
            (Socket { mode: 0o666, ..right() }, Err(Unfit::Mode(0o666))),
        ];

        for (found, wanted) in cases {
            assert_eq!(judge_socket(&found, Path::new("/r/s"), 1000), wanted, "{found:?}");
        }
    }

    #[test]
    fn nobody_else_may_rename_what_is_below() {
        let cases = [
            (DIRECTORY, Ok(())),
            (Found { owner: 0, mode: 0o755, ..DIRECTORY }, Ok(())),
            (Found { owner: 0, mode: 0o1777, ..DIRECTORY }, Ok(())),
            (Found { owner: 0, mode: 0o777, ..DIRECTORY }, Err(Insecure::Writable)),
            (Found { owner: 1001, mode: 0o755, ..DIRECTORY }, Err(Insecure::Owner(1001))),
            (Found { link: true, ..DIRECTORY }, Err(Insecure::Link)),
        ];

        for (found, wanted) in cases {
            assert_eq!(judge_parent(found, 1000), wanted, "{found:?}");
        }
    }
}
