//! Takes away what brokers left in their directory, and the directory, unless a broker or a service manager is there.

use super::super::Cleared;
use super::{
    ARRIVING, Endpoint, Error, ErrorKind, Path, connect, fs, hold, io_error, judged, make_way, remove_leftover, user_id,
};
use crate::endpoint;

/// Clears the directory of its lock, of sockets that nobody listens on, and of these files.
///
/// The lock is held meanwhile and its name goes last: who opened it before finds that out and makes the place anew.
/// Errors: [`Error::Owned`] when a broker runs, [`Error::Insecure`] when the directory is not the user's alone.
pub async fn clear(endpoint: &Endpoint, files: &[&str]) -> Result<Cleared, Error> {
    let directory = &endpoint.directory;
    match judged(directory, |found| endpoint::judge_own(found, user_id())) {
        Err(Error::Absent) => return Ok(Cleared::WasGone),
        judged => judged?,
    }
    let _held = match hold(&endpoint.lock()) {
        Err(Error::Io { cause, .. }) if cause.kind() == ErrorKind::NotFound => return Ok(Cleared::WasGone),
        held => held?,
    };
    let Err(Error::Absent) = connect(endpoint).await else { return Ok(Cleared::Stays) };
    make_way(&endpoint.socket())?;
    remove_leftover(&endpoint.socket())?;
    remove_arriving(directory)?;
    files.iter().try_for_each(|file| remove_leftover(&directory.join(file)))?;
    remove_leftover(&endpoint.lock())?;
    Ok(fs::remove_dir(directory).map_or(Cleared::Stays, |()| Cleared::Removed))
}

/// Who makes a socket holds the lock, so none is being made.
fn remove_arriving(directory: &Path) -> Result<(), Error> {
    let found = fs::read_dir(directory).map_err(io_error("reading", directory))?;
    let arriving = found.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(ARRIVING));
    arriving.map(|entry| entry.path()).try_for_each(|path| remove_leftover(&path))
}
