//! The Unix socket: a private directory, a lock held for life, a socket that appears only when it listens.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};

use super::{Error, Peer};
use crate::endpoint::{self, Endpoint, Found, Insecure};

mod adopt;
mod clear;

pub use adopt::{Handed, adopt};
pub use clear::clear;

/// How often a place is made anew that somebody clears away meanwhile: `uninstall` alone does, and not in a row.
const ATTEMPTS: usize = 8;
/// What a socket is called before it listens; the process's number follows.
const ARRIVING: &str = ".broker.sock.";

/// The user whose broker this is.
#[must_use]
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Where this user's socket is, unless `override_directory` names another directory.
#[must_use]
pub fn endpoint(override_directory: Option<PathBuf>) -> Endpoint {
    match override_directory {
        Some(directory) => Endpoint::in_directory(directory),
        None => of_user(user_id()),
    }
}

#[cfg(not(target_os = "macos"))]
fn of_user(uid: u32) -> Endpoint {
    let user_directory = PathBuf::from(format!("/run/user/{uid}"));
    let is_there = fs::symlink_metadata(&user_directory).is_ok_and(|found| found.is_dir() && found.uid() == uid);
    Endpoint::on_linux(uid, is_there)
}

/// The Darwin user's temporary directory, which `getconf` reads from `confstr(_CS_DARWIN_USER_TEMP_DIR)`.
#[cfg(target_os = "macos")]
fn of_user(uid: u32) -> Endpoint {
    let asked = std::process::Command::new("/usr/bin/getconf").arg("DARWIN_USER_TEMP_DIR").output();
    let place = asked.ok().and_then(|done| String::from_utf8(done.stdout).ok()).map(|text| PathBuf::from(text.trim()));
    match place.filter(|place| place.is_absolute()) {
        Some(place) => Endpoint::in_directory(fs::canonicalize(&place).unwrap_or(place).join(endpoint::DIRECTORY)),
        None => Endpoint::in_directory(format!("/private/tmp/{}-{uid}", endpoint::DIRECTORY)),
    }
}

/// The ownership of the socket's name. Ends with the process, or when dropped.
#[derive(Debug)]
pub struct Claim {
    /// Where connections arrive.
    pub listener: Listener,
    socket: PathBuf,
    identity: (u64, u64),
    /// Whether this process gave the name, and takes it away.
    is_ours: bool,
    _lock: File,
}

impl Claim {
    /// Whether the name still leads to this socket.
    #[must_use]
    pub fn still_named(&self) -> bool {
        identity(&self.socket).is_ok_and(|found| found == self.identity)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_ours && self.still_named() {
            let _ = fs::remove_file(&self.socket);
        }
    }
}

/// Becomes the one owner of the user's socket.
///
/// Errors: [`Error::Owned`] when another process holds the lock, [`Error::Insecure`] when the place is not safe.
pub fn claim(endpoint: &Endpoint) -> Result<Claim, Error> {
    let lock = hold_in(endpoint)?;
    let socket = endpoint.socket();
    make_way(&socket)?;
    let arriving = endpoint.directory.join(format!("{ARRIVING}{}", std::process::id()));
    let listener = listen(&arriving)?;
    fs::set_permissions(&arriving, fs::Permissions::from_mode(0o600)).map_err(io_error("securing", &arriving))?;
    let identity = identity(&arriving).map_err(io_error("looking at", &arriving))?;
    fs::rename(&arriving, &socket).map_err(io_error("naming", &socket))?;
    Ok(Claim { listener, socket, identity, is_ours: true, _lock: lock })
}

/// Holds the lock in a safe directory. Nobody clears the directory away while the lock is held, so it is judged then, too.
fn hold_in(endpoint: &Endpoint) -> Result<File, Error> {
    for _ in 0..ATTEMPTS {
        create(&endpoint.directory)?;
        match check(&endpoint.directory).and_then(|()| hold(&endpoint.lock())) {
            Err(Error::Absent) => {}
            Err(Error::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => {}
            held => return held.and_then(|lock| check(&endpoint.directory).map(|()| lock)),
        }
    }
    Err(Error::Owned(endpoint.lock()))
}

/// A name can replace any other but a directory's: an empty one is removed, and what is in another is somebody's.
fn make_way(socket: &Path) -> Result<(), Error> {
    match fs::remove_dir(socket) {
        Err(cause) if !matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(io_error("clearing", socket)(cause))
        }
        _ => Ok(()),
    }
}

fn listen(path: &Path) -> Result<Listener, Error> {
    let failed = io_error("listening on", path);
    remove_leftover(path)?;
    let name = path.to_fs_name::<GenericFilePath>().map_err(&failed)?;
    ListenerOptions::new().name(name).reclaim_name(false).create_tokio().map_err(failed)
}

fn remove_leftover(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(io_error("clearing", path)(cause)),
        _ => Ok(()),
    }
}

/// Holds the lock that the name leads to. Who takes the name away holds the lock, too: of two who opened different files,
/// one finds that the name does not lead to its own.
///
/// Errors: [`Error::Owned`] when somebody else holds it.
fn hold(path: &Path) -> Result<File, Error> {
    for _ in 0..ATTEMPTS {
        let lock = lock(path)?;
        if is_named(&lock, path) {
            return Ok(lock);
        }
    }
    Err(Error::Owned(path.to_path_buf()))
}

fn lock(path: &Path) -> Result<File, Error> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(nofollow)
        .open(path)
        .map_err(io_error("opening", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Owned(path.to_path_buf())),
        Err(TryLockError::Error(cause)) => Err(io_error("locking", path)(cause)),
    }
}

fn is_named(file: &File, path: &Path) -> bool {
    file.metadata().is_ok_and(|own| identity(path).is_ok_and(|named| named == (own.dev(), own.ino())))
}

/// Connects to the user's broker, if there is one, and makes sure that it is the user's.
///
/// Errors: [`Error::Absent`] when nobody listens, [`Error::Stranger`] when somebody else does.
pub async fn connect(endpoint: &Endpoint) -> Result<Stream, Error> {
    check(&endpoint.directory)?;
    let socket = endpoint.socket();
    let failed = io_error("connecting to", &socket);
    let name = socket.as_path().to_fs_name::<GenericFilePath>().map_err(&failed)?;
    let stream = Stream::connect(name).await.map_err(|cause| match cause.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Error::Absent,
        _ => failed(cause),
    })?;
    peer(&stream)?;
    Ok(stream)
}

/// Who is at the other end.
///
/// Errors: [`Error::Stranger`] unless it is this user; the superuser is a stranger too.
pub fn peer(stream: &Stream) -> Result<Peer, Error> {
    let credentials = stream.peer_creds().map_err(io_error("asking who is at", Path::new(endpoint::SOCKET)))?;
    match credentials.euid() {
        Some(uid) if uid == user_id() => Ok(Peer { pid: credentials.pid().and_then(|pid| u32::try_from(pid).ok()) }),
        other => Err(Error::Stranger(other.unwrap_or(u32::MAX))),
    }
}

fn create(directory: &Path) -> Result<(), Error> {
    match DirBuilder::new().recursive(false).mode(0o700).create(directory) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => create_with_parents(directory),
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(io_error("creating", directory)(cause)),
        _ => Ok(()),
    }
}

fn create_with_parents(directory: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io_error("creating", directory))
}

fn check(directory: &Path) -> Result<(), Error> {
    let uid = user_id();
    for parent in endpoint::parents(directory) {
        judged(parent, |found| endpoint::judge_parent(found, uid))?;
    }
    judged(directory, |found| endpoint::judge_own(found, uid))
}

fn judged(place: &Path, judge: impl Fn(Found) -> Result<(), Insecure>) -> Result<(), Error> {
    judge(look(place)?).map_err(|reason| Error::Insecure { place: place.to_path_buf(), reason })
}

fn look(path: &Path) -> Result<Found, Error> {
    let found = fs::symlink_metadata(path).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => Error::Absent,
        _ => io_error("looking at", path)(cause),
    })?;
    let kind = found.file_type();
    Ok(Found { link: kind.is_symlink(), directory: kind.is_dir(), owner: found.uid(), mode: found.mode() & 0o7777 })
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

fn io_error(doing: &'static str, place: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let place = place.to_path_buf();
    move |cause| Error::Io { doing, place: place.clone(), cause }
}
