//! Tells apart why a tenant cannot be reached: each kind of failure has another remedy.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use rustls::CertificateError;

/// What stands between us and a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Its name has no address.
    Name,
    /// Nobody accepts the connection.
    Refused(String),
    /// The proxy does not accept the connection, or refuses to go on.
    Proxy(String),
    /// Its certificate comes from an authority that this machine does not know.
    UnknownAuthority,
    /// Its certificate is of another host.
    WrongHost,
    /// Its certificate has ended.
    Expired,
    /// Its certificate has not begun.
    NotYetValid,
    /// Any other failure of TLS, in its own words.
    Tls(String),
    /// It accepted the connection and said nothing.
    Silent,
    /// It said something that is not HTTP.
    Strange(String),
}

/// Finds the obstacle in a failure of the HTTP client.
pub(super) fn of(error: &reqwest::Error) -> Obstacle {
    if let Some(found) = causes(error).find_map(tls) {
        return found;
    }
    let cause = super::innermost(error);
    let texts = causes(error).map(ToString::to_string).collect::<Vec<_>>();
    match error.is_connect() {
        _ if error.is_timeout() => Obstacle::Silent,
        true if texts.iter().any(|text| text.contains("tunnel") || text.contains("proxy")) => Obstacle::Proxy(cause),
        true if texts.iter().any(|text| text.contains("dns error")) => Obstacle::Name,
        true => Obstacle::Refused(cause),
        false => Obstacle::Strange(cause),
    }
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| deeper(*error))
}

/// An IO error that holds another one gives that one's source as its own.
fn deeper<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn tls(error: &(dyn StdError + 'static)) -> Option<Obstacle> {
    Some(match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(reason) => certificate(reason),
        other => Obstacle::Tls(other.to_string()),
    })
}

fn certificate(reason: &CertificateError) -> Obstacle {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Obstacle::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Obstacle::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Obstacle::WrongHost,
        CertificateError::UnknownIssuer => Obstacle::UnknownAuthority,
        other => Obstacle::Tls(other.to_string()),
    }
}

/// The time that an answer was sent, by its own `Date`.
///
/// Source: RFC 9110 section 6.6.1.
pub fn date(headers: &super::HeaderMap) -> Option<SystemTime> {
    let text = headers.get("date")?.to_str().ok()?;
    let seconds = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}
