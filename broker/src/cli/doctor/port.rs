//! Judges the port that the browser is sent back to: free on both loopbacks, or held by whom.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use super::finding::{Line, Name};
use super::reach::Broker;

const CHECK: &str = "port";

/// What was seen of one port.
pub(super) struct Seen {
    /// The port.
    pub(super) port: u16,
    /// What the OS said.
    pub(super) state: State,
    /// Who holds it, as `name (pid 1)`.
    pub(super) holder: Option<String>,
    /// Whether a sign-in is under way, which holds it rightly.
    pub(super) signing_in: bool,
}

/// What the OS says of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Free on every loopback that there is.
    Free,
    /// Somebody has it.
    Taken,
    /// It is given to nobody.
    Refused(String),
}

/// Tries the port on both loopbacks and lets go of it at once.
pub(super) fn look(port: u16, broker: Option<&Broker>) -> Seen {
    let loopbacks = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let attempts = loopbacks.map(|loopback| TcpListener::bind((loopback, port)).map(drop));
    let state = attempts.iter().map(state_of).find(|state| *state != State::Free).unwrap_or(State::Free);
    let holder = (state == State::Taken).then(|| crate::os::holder_of_port(port)).flatten();
    Seen { port, state, holder, signing_in: broker.is_some_and(is_signing_in) }
}

fn state_of(attempt: &io::Result<()>) -> State {
    let no_such_loopback = |error: &io::Error| {
        error.kind() == ErrorKind::AddrNotAvailable
            || error.raw_os_error() == Some(crate::os::ADDRESS_FAMILY_NOT_SUPPORTED)
    };
    match attempt {
        Ok(()) => State::Free,
        Err(error) if no_such_loopback(error) => State::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse => State::Taken,
        Err(error) => State::Refused(error.to_string()),
    }
}

/// In the browser: one by a code holds no port.
fn is_signing_in(broker: &Broker) -> bool {
    let by_browser = |login: &serde_json::Value| login.get("user_code").is_none_or(serde_json::Value::is_null);
    let sessions = broker.status.get("sessions").and_then(serde_json::Value::as_array);
    sessions.is_some_and(|sessions| sessions.iter().any(|session| session.get("login").is_some_and(by_browser)))
}

/// Judges it.
pub(super) fn judge(seen: &Seen) -> Line {
    let port = seen.port;
    let without = "aic-broker login --paste  # needs no port";
    match &seen.state {
        State::Free => Line::fine(CHECK, format!("{port} is free on both loopbacks")),
        State::Taken if seen.signing_in => Line::fine(CHECK, format!("{port} is held by the sign-in under way")),
        State::Taken => {
            let holder = seen.holder.as_deref().unwrap_or("a program of another user");
            let fix = match pid_in(holder) {
                Some(pid) => format!("kill {pid}  # or: {without}"),
                None => without.to_owned(),
            };
            Line::found(CHECK, Name::PortTaken, format!("{port} is held by {holder}"), fix)
        }
        State::Refused(reason) => {
            Line::found(CHECK, Name::PortRefused, format!("the OS does not give port {port}: {reason}"), without)
        }
    }
}

fn pid_in(holder: &str) -> Option<u32> {
    holder.rsplit_once("(pid ")?.1.trim_end_matches(')').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_the_port_has_its_finding() {
        let node = Some("node (pid 412)");
        let cases = [
            (State::Free, None, false, None, ""),
            (State::Taken, node, false, Some(Name::PortTaken), "kill 412"),
            (State::Taken, None, false, Some(Name::PortTaken), "--paste"),
            (State::Taken, None, true, None, ""),
            (State::Refused("excluded".to_owned()), None, false, Some(Name::PortRefused), "--paste"),
        ];

        for (state, holder, signing_in, wanted, fix) in cases {
            let line = judge(&Seen { port: 3000, state, holder: holder.map(str::to_owned), signing_in });
            assert_eq!(line.finding, wanted);
            assert!(line.fix.unwrap_or_default().contains(fix), "{fix}");
        }
    }
}
