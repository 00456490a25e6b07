//! The socket between the two programs: one contract, one file an operating system.
//!
//! `interprocess` gives the socket; its name reclaiming is off, because the lock and not the file says who owns the name.

use std::io;
use std::path::PathBuf;

use crate::endpoint::{Insecure, Unfit};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as os;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as os;

pub use interprocess::local_socket::tokio::{Listener, Stream};
pub use os::{Claim, Handed, adopt, claim, clear, connect, endpoint, peer, user_id};

/// Who is at the other end: what the OS says, not what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The process that connected: a label, nothing is decided by it.
    pub pid: Option<u32>,
}

/// What became of the directory that brokers used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleared {
    /// There was none.
    WasGone,
    /// It is removed.
    Removed,
    /// Somebody listens there, or it holds something else.
    Stays,
}

/// Why there is no socket to listen on or to speak through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another broker of this user holds the lock.
    #[error("another aic-broker of this user is running (lock {0})")]
    Owned(PathBuf),
    /// Nobody listens.
    #[error("no aic-broker is running")]
    Absent,
    /// The place is not safe; nothing was created or sent.
    #[error("{place} {reason}")]
    Insecure {
        /// Which path.
        place: PathBuf,
        /// What is wrong with it.
        reason: Insecure,
    },
    /// The service manager handed over something else than the user's socket.
    #[error("the service manager handed over another socket than {place}: it {reason}")]
    Unfit {
        /// The socket that is needed.
        place: PathBuf,
        /// What is wrong with the one that came.
        reason: Unfit,
    },
    /// Another user is at the other end.
    #[error("the process at the socket belongs to user id {0}")]
    Stranger(u32),
    /// The OS refused.
    #[error("{doing} {place}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which path.
        place: PathBuf,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}
