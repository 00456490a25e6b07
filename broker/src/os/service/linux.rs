//! systemd's ways. Source: sd_listen_fds(3), sd_notify(3); `SYSTEMD_EXEC_PID` in systemd.exec(5).

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use rustix::io::{FdFlags, fcntl_setfd};

use super::Service;

/// `SD_LISTEN_FDS_START`.
const FIRST: RawFd = 3;
/// What concerns this process alone.
const VARIABLES: [&str; 7] =
    ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

pub(super) fn take() -> Result<Service, String> {
    let variable = |name: &str| std::env::var(name).ok();
    let own = std::process::id();
    let handed = is_handed(own, variable("LISTEN_PID").as_deref(), variable("LISTEN_FDS").as_deref())?;
    let socket =
        handed.then(first).transpose().map_err(|error| format!("the socket of the service manager: {error}"))?;
    let ear = std::env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty()).map(Ear);
    let is_unit = variable("SYSTEMD_EXEC_PID").is_some_and(|pid| pid == own.to_string());
    VARIABLES.iter().for_each(|name| forget(name));
    Ok(Service { socket, ear, is_unit })
}

/// Whether one socket was handed to the process `own`; what was meant for a parent is not for it.
fn is_handed(own: u32, pid: Option<&str>, count: Option<&str>) -> Result<bool, String> {
    match (pid.and_then(|pid| pid.parse().ok()) == Some(own), count) {
        (false, _) | (true, None | Some("0")) => Ok(false),
        (true, Some("1")) => Ok(true),
        (true, Some(many)) => Err(format!("the service manager handed over {many} sockets, and one is needed")),
    }
}

/// The first descriptor that was handed over, closed to children.
#[allow(unsafe_code)]
fn first() -> io::Result<OwnedFd> {
    // SAFETY: the number is looked at for the length of one call, which refuses one that is not open.
    fcntl_setfd(unsafe { BorrowedFd::borrow_raw(FIRST) }, FdFlags::CLOEXEC)?;
    // SAFETY: it is open, it was given to this process, and nothing else here owns it: files that this process opens get
    // other numbers while it is open.
    Ok(unsafe { OwnedFd::from_raw_fd(FIRST) })
}

#[allow(unsafe_code)]
#[expect(clippy::disallowed_methods, reason = "before there is a second thread; a child must not believe them")]
fn forget(name: &str) {
    // SAFETY: the process has one thread until its runtime starts, which is later.
    unsafe { std::env::remove_var(name) };
}

/// Where the manager listens for words.
#[derive(Debug)]
pub(super) struct Ear(OsString);

impl Ear {
    pub(super) fn tell(&self, lines: &str) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        match self.0.as_bytes().strip_prefix(b"@") {
            Some(name) => socket.send_to_addr(lines.as_bytes(), &SocketAddr::from_abstract_name(name)?)?,
            None => socket.send_to(lines.as_bytes(), Path::new(&self.0))?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn only_one_socket_for_this_process_is_taken() {
        let cases = [
            (None, None, Some(false)),
            (Some("7"), Some("1"), Some(true)),
            (Some("7"), Some("0"), Some(false)),
            (Some("7"), None, Some(false)),
            (Some("8"), Some("1"), Some(false)),
            (Some("8"), Some("2"), Some(false)),
            (Some("7"), Some("2"), None),
            (Some("7"), Some("x"), None),
            (Some("x"), Some("1"), Some(false)),
        ];

        for (pid, count, wanted) in cases {
            assert_eq!(is_handed(7, pid, count).ok(), wanted, "{pid:?} {count:?}");
        }
    }

    #[test]
    fn the_manager_hears_by_a_path_and_by_a_name_without_a_file() {
        let directory = std::env::temp_dir().join(format!("aic-ear-{}", std::process::id()));
        let name = format!("aic-ear-{}", std::process::id());
        let by_path = UnixDatagram::bind(&directory).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();

        for (ear, place) in [(&by_path, directory.clone().into_os_string()), (&by_name, format!("@{name}").into())] {
            Ear(place).tell("READY=1").unwrap();
            let mut heard = [0; 16];
            assert_eq!(ear.recv(&mut heard).map(|length| heard[..length].to_vec()).unwrap(), b"READY=1");
        }
        std::fs::remove_file(directory).unwrap();
    }
}
