//! Judges the way to each tenant: name, proxy, connection, TLS, clock. Sends no token and signs nobody in.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::finding::{Line, Name, quoted};
use crate::clock::Moment;
use crate::config::Tenant;
use crate::http::{self, Http, Obstacle};

const CHECK: &str = "network";
/// How long one tenant may take to say something.
const WITHIN: Duration = Duration::from_secs(3);
/// How long its name may take to be found.
const NAME_WITHIN: Duration = Duration::from_secs(2);
/// How far the clocks may differ: the broker's own margin for a token's end is of this size.
const SKEW: Duration = Duration::from_secs(60);

/// What was seen of one tenant.
pub(super) struct Seen {
    /// Its name.
    pub(super) name: String,
    /// Its host with its port.
    pub(super) authority: String,
    /// Whether a proxy is in between.
    pub(super) proxied: bool,
    /// What came of asking for its headers: the time that it has.
    pub(super) answer: Result<Option<SystemTime>, Obstacle>,
    /// The time here.
    pub(super) now: SystemTime,
}

/// Asks a tenant for its headers.
pub(super) async fn look(http: &Http, tenant: &Tenant, proxied: bool) -> Seen {
    let answer = match proxied || has_address(tenant).await {
        true => http.look(tenant.origin().at("/"), WITHIN).await.map(|headers| http::date(&headers)),
        false => Err(Obstacle::Name),
    };
    Seen { proxied, name: tenant.name.clone(), authority: tenant.origin().authority(), answer, now: Moment::now().wall }
}

/// Whether the host's name leads anywhere; a proxy would find that out by itself.
async fn has_address(tenant: &Tenant) -> bool {
    let port = tenant.origin().url().port_or_known_default().unwrap_or_default();
    let host = tenant.origin().host().trim_matches(['[', ']']).to_owned();
    let found = tokio::time::timeout(NAME_WITHIN, tokio::net::lookup_host((host, port))).await;
    found.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()))
}

/// Judges it.
pub(super) fn judge(seen: &Seen, file: &Path) -> Line {
    let obstacle = match &seen.answer {
        Ok(time) => return clock(seen, *time),
        Err(obstacle) => obstacle,
    };
    let host = &seen.authority;
    let edit = |what: &str| format!("${{EDITOR:-vi}} {}  # {what}", quoted(file));
    let certificate = || format!("openssl s_client -connect {} -servername {}", with_port(host), without_port(host));
    let (name, text, fix) = match obstacle {
        Obstacle::Proxy(reason) | Obstacle::Refused(reason) if seen.proxied => proxy(reason, edit),
        Obstacle::Proxy(reason) => proxy(reason, edit),
        Obstacle::Name if seen.proxied => proxy("its name has no address", edit),
        Obstacle::Name => (
            Name::NameUnknown,
            "the host has no address".to_owned(),
            edit(&format!("is {host} right in base_url? else: getent hosts {}", without_port(host))),
        ),
        Obstacle::Refused(reason) => {
            (Name::Unreachable, reason.clone(), edit(&format!("is {host} right in base_url?")))
        }
        Obstacle::UnknownAuthority => (
            Name::TlsUnknownAuthority,
            "its certificate comes from an authority that this machine does not know, such as a company's".to_owned(),
            edit("ca_file = \"/path/of/the/authority.pem\""),
        ),
        Obstacle::WrongHost => (
            Name::TlsWrongHost,
            "its certificate is of another host: base_url is wrong, or something sits in between".to_owned(),
            edit("base_url with the name in the certificate") + "; see: " + &certificate(),
        ),
        Obstacle::Expired => (
            Name::TlsExpired,
            format!("its certificate has ended by this machine's clock, {}", Moment::of(seen.now).rfc3339()),
            format!("{SET_CLOCK}; if the clock is right, the tenant needs a new one: {}", certificate()),
        ),
        Obstacle::NotYetValid => (
            Name::TlsNotYetValid,
            format!("its certificate has not begun by this machine's clock, {}", Moment::of(seen.now).rfc3339()),
            SET_CLOCK.to_owned(),
        ),
        Obstacle::Tls(reason) | Obstacle::Strange(reason) => (
            Name::TlsFailed,
            format!("what answers is no HTTPS server: {reason}"),
            edit("is the port in base_url right?"),
        ),
        Obstacle::Silent => (
            Name::Silent,
            format!("nothing came within {} s", WITHIN.as_secs()),
            edit("does this network need proxy = \"http://host:port\"?"),
        ),
    };
    Line::found(CHECK, name, format!("{} ({host}): {text}", seen.name), fix)
}

fn proxy(reason: &str, edit: impl Fn(&str) -> String) -> (Name, String, String) {
    let text = format!("the proxy cannot be used, or does not let it through: {reason}");
    (Name::ProxyFailed, text, edit("correct proxy, or remove the line"))
}

/// No request can be made at all.
pub(super) fn no_client(reason: &str, file: &Path) -> Line {
    let fix = format!("${{EDITOR:-vi}} {}  # correct proxy, or remove the line", quoted(file));
    Line::found(CHECK, Name::ProxyFailed, reason, fix)
}

fn clock(seen: &Seen, time: Option<SystemTime>) -> Line {
    let Some(time) = time else {
        return Line::fine(CHECK, format!("{} ({}) answers, without a date", seen.name, seen.authority));
    };
    let (word, by) = match seen.now.duration_since(time) {
        Ok(ahead) => ("ahead of", ahead),
        Err(behind) => ("behind", behind.duration()),
    };
    match by > SKEW {
        true => Line::found(
            CHECK,
            Name::ClockWrong,
            format!("this machine's clock is {} s {word} that of {} ({})", by.as_secs(), seen.name, seen.authority),
            SET_CLOCK,
        ),
        false => Line::fine(CHECK, format!("{} ({}) answers, and the clocks agree", seen.name, seen.authority)),
    }
}

fn without_port(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

fn with_port(authority: &str) -> String {
    if authority.contains(':') { authority.to_owned() } else { format!("{authority}:443") }
}

#[cfg(target_os = "linux")]
const SET_CLOCK: &str = "sudo timedatectl set-ntp true";
#[cfg(target_os = "macos")]
const SET_CLOCK: &str = "sudo sntp -sS time.apple.com";
#[cfg(windows)]
const SET_CLOCK: &str = "w32tm /resync";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_obstacle_has_its_finding() {
        let text = || "no".to_owned();
        let cases = [
            (Obstacle::Name, Name::NameUnknown),
            (Obstacle::Refused(text()), Name::Unreachable),
            (Obstacle::Proxy(text()), Name::ProxyFailed),
            (Obstacle::UnknownAuthority, Name::TlsUnknownAuthority),
            (Obstacle::WrongHost, Name::TlsWrongHost),
            (Obstacle::Expired, Name::TlsExpired),
            (Obstacle::NotYetValid, Name::TlsNotYetValid),
            (Obstacle::Tls(text()), Name::TlsFailed),
            (Obstacle::Strange(text()), Name::TlsFailed),
            (Obstacle::Silent, Name::Silent),
        ];

        for (obstacle, wanted) in cases {
            let line = judge(&seen(Err(obstacle)), Path::new("/c"));
            assert_eq!(line.finding, Some(wanted));
            assert!(line.text.contains("dev (dev.example.com)"), "{}", line.text);
        }
    }

    fn seen(answer: Result<Option<SystemTime>, Obstacle>) -> Seen {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        Seen { name: "dev".to_owned(), authority: "dev.example.com".to_owned(), proxied: false, answer, now }
    }

    #[test]
    fn a_clock_may_differ_by_a_minute() {
        let cases: [(Option<u64>, Option<Name>); 6] = [
            (None, None),
            (Some(1_000_000), None),
            (Some(1_000_060), None),
            (Some(1_000_061), Some(Name::ClockWrong)),
            (Some(999_940), None),
            (Some(999_939), Some(Name::ClockWrong)),
        ];

        for (seconds, wanted) in cases {
            let time = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(judge(&seen(Ok(time)), Path::new("/c")).finding, wanted, "{seconds:?}");
        }
    }
}
