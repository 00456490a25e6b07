//! Judges the socket: its place, its mode, and who is at it.

use std::path::{Path, PathBuf};

use aic_proto::endpoint::{Endpoint, Insecure};
use aic_proto::hello::TurnedAway;

use super::finding::{Line, Name, quoted};
use super::reach::{Reach, is_too_long};

const CHECK: &str = "socket";

/// What was seen of the socket.
pub(super) struct Seen {
    /// The socket's path.
    pub(super) socket: PathBuf,
    /// What came of talking to it.
    pub(super) reach: Reach,
    /// The permission bits of the socket, where it has any.
    pub(super) mode: Option<u32>,
    /// Who holds the lock.
    pub(super) lock_holder: Option<u32>,
}

/// Looks at the files.
pub(super) fn look(endpoint: &Endpoint, reach: Reach) -> Seen {
    let socket = endpoint.socket();
    let mode = crate::os::mode_of(&socket);
    Seen { mode, lock_holder: crate::os::holder_of_lock(&endpoint.lock()), socket, reach }
}

/// Judges it.
pub(super) fn judge(seen: &Seen) -> Vec<Line> {
    let directory = seen.socket.parent().unwrap_or(&seen.socket);
    let found = |name, text: String, fix: String| vec![Line::found(CHECK, name, text, fix)];
    if is_too_long(&seen.socket) {
        let text = format!("{} is longer than the OS takes for a socket", seen.socket.display());
        return found(Name::SocketPathLong, text, "export AIC_BROKER_RUNTIME_DIR=/tmp/aic-\"$(id -u)\"".to_owned());
    }
    match &seen.reach {
        Reach::Insecure(place, reason) => vec![insecure(place, *reason, directory)],
        Reach::Stranger(uid) => found(
            Name::SocketForeign,
            format!("the process at {} belongs to user id {uid}; nothing was sent to it", seen.socket.display()),
            format!("rm {}", quoted(&seen.socket)),
        ),
        Reach::Refused(reason) => found(
            Name::SocketRefused,
            format!("{reason}; a sandbox around this shell or editor may forbid it"),
            format!("rm {}  # or allow this path in the sandbox's settings", quoted(&seen.socket)),
        ),
        Reach::Hanging(pid) => found(
            Name::BrokerHanging,
            format!("the broker{} accepts connections and does not answer", process(*pid)),
            end(*pid),
        ),
        Reach::TurnedAway(TurnedAway::Version { newest, .. }, pid) => found(
            Name::BrokerTurnedAway,
            format!("the broker{} speaks protocol {newest} at the newest, which this program does not", process(*pid)),
            end(*pid),
        ),
        Reach::TurnedAway(_, _) => vec![Line::fine(CHECK, "the broker is busy or about to leave")],
        Reach::Nobody => vec![nobody(seen)],
        Reach::Speaks(broker) => speaks(seen, broker.pid),
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or(String::new(), |pid| format!(" (pid {pid})"))
}

/// The signal that a stopped process cannot put off.
fn end(pid: Option<u32>) -> String {
    pid.map_or_else(|| "aic-broker stop".to_owned(), |pid| format!("kill -KILL {pid}"))
}

fn nobody(seen: &Seen) -> Line {
    match seen.lock_holder {
        Some(pid) => Line::found(
            CHECK,
            Name::BrokerLocked,
            format!("process {pid} holds the broker's lock and does not listen, so no broker can start"),
            end(Some(pid)),
        ),
        None => Line::fine(CHECK, format!("no broker runs; the first call starts one at {}", seen.socket.display())),
    }
}

fn speaks(seen: &Seen, pid: u32) -> Vec<Line> {
    match seen.mode {
        Some(mode) if mode & 0o777 != 0o600 => vec![Line::found(
            CHECK,
            Name::SocketOpen,
            format!("{} has mode {:04o}, and 0600 is right", seen.socket.display(), mode & 0o777),
            format!("chmod 600 {}", quoted(&seen.socket)),
        )],
        _ => vec![Line::fine(CHECK, format!("a broker (pid {pid}) answers at {}", seen.socket.display()))],
    }
}

fn insecure(place: &Path, reason: Insecure, directory: &Path) -> Line {
    let text = format!("{} {reason}", place.display());
    let path = quoted(place);
    let is_parent = place != directory;
    let (name, fix) = match reason {
        Insecure::Mode(_) => (Name::SocketDirectoryOpen, format!("chmod 700 {path}")),
        Insecure::Writable => (Name::SocketParentWritable, format!("chmod go-w {path}")),
        Insecure::Owner(_) if is_parent => (Name::SocketParentWritable, format!("sudo chown root {path}")),
        Insecure::Owner(_) => (Name::SocketDirectoryForeign, format!("sudo rm -r {path}")),
        Insecure::Link | Insecure::NotADirectory => (Name::SocketDirectoryNone, format!("mv {path} {path}.old")),
    };
    Line::found(CHECK, name, text, fix)
}

#[cfg(test)]
mod tests {
    use super::super::reach::Broker;
    use super::*;

    #[test]
    fn each_state_of_the_socket_has_its_finding_and_its_fix() {
        let insecure = |place: &str, reason| Reach::Insecure(place.into(), reason);
        let speaks =
            || Reach::Speaks(Box::new(Broker { version: "1".to_owned(), pid: 7, status: serde_json::Value::Null }));
        let long = format!("/{}/broker.sock", "x".repeat(90));
        let version = TurnedAway::Version { newest: 9, oldest: 8 };
        let cases = [
            ("/r/s", Reach::Nobody, None, None, None, ""),
            ("/r/s", Reach::Nobody, None, Some(8), Some(Name::BrokerLocked), "kill -KILL 8"),
            ("/r/s", speaks(), Some(0o600), Some(7), None, ""),
            ("/r/s", speaks(), Some(0o666), Some(7), Some(Name::SocketOpen), "chmod 600 /r/s"),
            ("/r/s", Reach::Hanging(Some(7)), Some(0o600), Some(7), Some(Name::BrokerHanging), "kill -KILL 7"),
            ("/r/s", Reach::TurnedAway(version, Some(7)), None, None, Some(Name::BrokerTurnedAway), "kill -KILL 7"),
            ("/r/s", Reach::TurnedAway(TurnedAway::Busy, Some(7)), None, None, None, ""),
            ("/r/s", Reach::Stranger(1), None, None, Some(Name::SocketForeign), "rm /r/s"),
            ("/r/s", Reach::Refused("no".to_owned()), None, None, Some(Name::SocketRefused), "sandbox"),
            (
                "/r/s",
                insecure("/r", Insecure::Mode(0o755)),
                None,
                None,
                Some(Name::SocketDirectoryOpen),
                "chmod 700 /r",
            ),
            ("/r/s", insecure("/r", Insecure::Owner(1)), None, None, Some(Name::SocketDirectoryForeign), "rm -r /r"),
            ("/r/s", insecure("/r", Insecure::Link), None, None, Some(Name::SocketDirectoryNone), "mv /r /r.old"),
            ("/r/s", insecure("/", Insecure::Writable), None, None, Some(Name::SocketParentWritable), "chmod go-w /"),
            ("/r/s", insecure("/", Insecure::Owner(1)), None, None, Some(Name::SocketParentWritable), "chown root /"),
            (long.as_str(), Reach::Nobody, None, None, Some(Name::SocketPathLong), "AIC_BROKER_RUNTIME_DIR"),
        ];

        for (socket, reach, mode, lock_holder, wanted, fix) in cases {
            let seen = Seen { socket: socket.into(), reach, mode, lock_holder };
            let line = judge(&seen).pop();
            assert_eq!(line.as_ref().and_then(|line| line.finding), wanted, "{:?}", seen.reach);
            assert!(line.and_then(|line| line.fix).unwrap_or_default().contains(fix), "{fix}");
        }
    }
}
