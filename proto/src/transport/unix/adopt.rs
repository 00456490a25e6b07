//! Takes over the socket on which a service manager listens for the user's broker.
//!
//! Source: systemd.socket(5), sd_listen_fds(3); launchd.plist(5), `Sockets`. The manager keeps the name: it is not removed here.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::local_socket::tokio::Listener;
use interprocess::os::unix::uds_local_socket::tokio::Listener as UnixSocket;
use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;
use tokio::time::{Instant, sleep};

use super::{Claim, Error, fs, hold, identity, io, io_error, judged, user_id};
use crate::endpoint::{self, Endpoint, Socket};

/// What a service manager hands over.
pub type Handed = OwnedFd;

/// How long the lock is waited for: a broker that lost the name to the service manager notices that within five seconds
/// and signs out within ten.
const LOCK_WITHIN: Duration = Duration::from_secs(20);
/// The pause between two attempts at the lock.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Becomes the one owner of the user's socket, which is open already.
///
/// The directories above are not judged: the manager chose the place, and within a user namespace their owner has no name.
/// Errors: [`Error::Unfit`] when it is another socket, [`Error::Insecure`] when its directory is not safe,
/// [`Error::Owned`] when another broker keeps the lock.
pub async fn adopt(endpoint: &Endpoint, handed: Handed) -> Result<Claim, Error> {
    judged(&endpoint.directory, |found| endpoint::judge_own(found, user_id()))?;
    let socket = endpoint.socket();
    let failed = io_error("taking over", &socket);
    let handed = UnixListener::from(handed);
    endpoint::judge_socket(&look_at(&handed, &socket).map_err(&failed)?, &socket, user_id())
        .map_err(|reason| Error::Unfit { place: socket.clone(), reason })?;
    let lock = hold_when_free(&endpoint.lock()).await?;
    let identity = identity(&socket).map_err(&failed)?;
    let listener = UnixSocket::try_from(OwnedFd::from(handed)).map_err(&failed)?;
    Ok(Claim { listener: Listener::from(listener), socket, identity, is_ours: false, _lock: lock })
}

async fn hold_when_free(lock: &Path) -> Result<File, Error> {
    let deadline = Instant::now() + LOCK_WITHIN;
    loop {
        match hold(lock) {
            Err(Error::Owned(_)) if Instant::now() < deadline => sleep(TRY_EVERY).await,
            held => return held,
        }
    }
}

/// What is no socket, or no socket of a file, has no path.
fn look_at(handed: &UnixListener, expected: &Path) -> io::Result<Socket> {
    use std::os::unix::fs::MetadataExt;
    let listens = socket_type(handed).is_ok_and(|kind| kind == SocketType::STREAM) && takes_connections(handed);
    let path = handed.local_addr().ok().and_then(|address| address.as_pathname().map(PathBuf::from));
    let found = fs::symlink_metadata(expected)?;
    let is_socket = found.file_type().is_socket();
    Ok(Socket { listens, path, is_socket, owner: found.uid(), mode: found.mode() & 0o777 })
}

#[cfg(not(target_os = "macos"))]
fn takes_connections(handed: &UnixListener) -> bool {
    rustix::net::sockopt::socket_acceptconn(handed).unwrap_or_default()
}

/// macOS does not tell: launchd hands over what listens, so it is enough that nobody is at the other end.
#[cfg(target_os = "macos")]
fn takes_connections(handed: &UnixListener) -> bool {
    rustix::net::getpeername(handed).is_err()
}
