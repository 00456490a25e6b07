//! Writes and reads points in time as the product parts do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Writes RFC 3339 in UTC with microseconds, as `/environment/*` does.
pub fn rfc3339(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Writes an HTTP date.
///
/// Source: RFC 9110 §5.6.7.
pub fn http_date(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads an ISO 8601 time with its zone.
pub fn read(text: &str) -> Option<SystemTime> {
    text.parse::<Timestamp>().ok().and_then(|at| SystemTime::try_from(at).ok())
}

/// Returns seconds since 1970.
pub fn epoch_seconds(at: SystemTime) -> u64 {
    since_epoch(at).as_secs()
}

/// Returns milliseconds since 1970.
pub fn epoch_milliseconds(at: SystemTime) -> u64 {
    u64::try_from(since_epoch(at).as_millis()).unwrap_or_default()
}

fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_platform_writes_them() {
        let at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);

        assert_eq!(rfc3339(at), "2023-11-14T22:13:20.250000Z");
        assert_eq!(http_date(at), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(read("2023-11-14T22:13:20.25Z"), Some(at));
        assert_eq!(read("2023-11-14"), None);
    }
}
