//! A service manager, played: listens in the broker's place, starts it at a connection, hears its words, starts it again.
//!
//! Source: sd_listen_fds(3), sd_notify(3).

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use super::command::Running;
use super::wait::{SOON, eventually};
use super::world::World;

/// The broker finds the socket, which comes as standard input, as the first descriptor that is handed over.
const HANDING_OVER: &str = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=broker exec \"$@\" 3<&0 0</dev/null";

/// The manager of one world's broker.
pub struct Manager {
    socket: PathBuf,
    listener: UnixListener,
    ear: UnixDatagram,
    ear_at: PathBuf,
}

impl Manager {
    /// Listens at the world's socket.
    pub fn of(world: &World) -> Self {
        let (socket, ear_at) = (world.place.socket(), world.place.root.join("notify"));
        let listener = listen(&socket, 0o600);
        let ear = UnixDatagram::bind(&ear_at).unwrap();
        ear.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, listener, ear, ear_at }
    }

    /// Waits for a connection and starts the broker for it.
    #[track_caller]
    pub fn activate(&self, world: &World) -> Running {
        eventually(SOON, "somebody connects", || self.has_visitor().then_some(()));
        self.hand_over(world, self.listener())
    }

    /// The socket, to be handed over.
    pub fn listener(&self) -> OwnedFd {
        self.listener.try_clone().unwrap().into()
    }

    /// Whether a connection waits.
    pub fn has_visitor(&self) -> bool {
        let mut listener = [PollFd::new(&self.listener, PollFlags::IN)];
        poll(&mut listener, Some(&Duration::ZERO.try_into().unwrap())).unwrap() > 0
    }

    /// Starts the broker with a descriptor.
    pub fn hand_over(&self, world: &World, handed: OwnedFd) -> Running {
        self.hand_over_by(world, handed, HANDING_OVER)
    }

    /// Starts the broker with a descriptor as standard input of a shell line.
    pub fn hand_over_by(&self, world: &World, handed: OwnedFd, line: &str) -> Running {
        let mut command = world.serve_in(line);
        command.env("NOTIFY_SOCKET", &self.ear_at);
        Running::start_on(command, Stdio::from(handed))
    }

    /// The next word of the broker.
    #[track_caller]
    pub fn heard(&self) -> String {
        let mut words = [0; 4096];
        let length = self.ear.recv(&mut words).expect("a word in time");
        String::from_utf8_lossy(&words[..length]).into_owned()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

/// Listens at a path, with this mode.
pub fn listen(path: &Path, mode: u32) -> UnixListener {
    let listener = UnixListener::bind(path).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    listener
}
