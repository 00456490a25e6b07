//! Reads the time and chance. The only file that asks the machine for either.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// One moment on both clocks: the monotonic one, and the wall clock, which also counts a suspended machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// For what takes time.
    pub monotonic: Instant,
    /// For what ends at a date.
    pub wall: SystemTime,
}

impl Moment {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clocks")]
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// Reads a time in RFC 3339.
    pub fn read(text: &str) -> Option<SystemTime> {
        let seconds = text.parse::<Timestamp>().ok()?.as_second();
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    /// A moment of the wall clock, to be shown.
    pub fn of(wall: SystemTime) -> Self {
        Self { wall, ..Self::now() }
    }

    /// This moment and so much more, on both clocks.
    pub fn plus(self, more: Duration) -> Self {
        Self { monotonic: self.monotonic + more, wall: self.wall + more }
    }

    /// An earlier moment by its RFC 3339 text; `None` when it is none, lies ahead, or too far back to be counted.
    pub fn before(self, text: &str) -> Option<Self> {
        let since_1970 = u64::try_from(text.parse::<Timestamp>().ok()?.as_millisecond()).ok()?;
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(since_1970);
        let ago = self.wall.duration_since(wall).ok()?;
        Some(Self { monotonic: self.monotonic.checked_sub(ago)?, wall })
    }

    /// Whether this moment has come on either clock: a clock that was set, or a machine that slept, ends a token early, never late.
    pub fn has_come(self, now: Self) -> bool {
        now.monotonic >= self.monotonic || now.wall >= self.wall
    }

    /// What is left until this moment, by the clock that is nearer to it.
    pub fn left(self, now: Self) -> Duration {
        let wall = self.wall.duration_since(now.wall).unwrap_or_default();
        self.monotonic.saturating_duration_since(now.monotonic).min(wall)
    }

    /// The wall clock as RFC 3339 in UTC, to the second.
    pub fn rfc3339(self) -> String {
        Timestamp::try_from(self.wall).map(|time| format!("{time:.0}")).unwrap_or_default()
    }

    /// The wall clock as RFC 3339 in UTC, to the millisecond.
    pub fn rfc3339_millis(self) -> String {
        Timestamp::try_from(self.wall).map(|time| format!("{time:.3}")).unwrap_or_default()
    }
}

/// Bytes that nobody can guess, from the OS.
///
/// Errors: the OS has none; nothing that needs them may go on then.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// 128 random bits as hexadecimal text.
///
/// Errors: as [`random`].
pub fn random_id() -> Result<String, getrandom::Error> {
    Ok(random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A random UUID (version 4), for transaction ids and new nodes.
///
/// Source: RFC 9562 section 5.4.
/// Errors: as [`random`].
pub fn uuid() -> Result<String, getrandom::Error> {
    let bits = u128::from_be_bytes(random()?);
    let marked = bits & !(0xF000 << 64) & !(0b11 << 62) | (0x4000 << 64) | (0b10 << 62);
    let hex = format!("{marked:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_come_when_either_clock_says_so() {
        let now = Moment::now();
        let later = now.plus(Duration::from_secs(10));
        let slept = Moment { wall: now.wall + Duration::from_secs(11), ..now };
        let set_back = Moment { wall: now.wall - Duration::from_secs(3600), ..now.plus(Duration::from_secs(11)) };

        assert!(!later.has_come(now));
        assert!(later.has_come(slept));
        assert!(later.has_come(set_back));
        assert_eq!(later.left(slept), Duration::ZERO);
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let one = uuid().unwrap_or_default();

        assert_eq!(one.len(), 36);
        assert_eq!(one.as_bytes().get(14), Some(&b'4'), "{one}");
        assert!(one.as_bytes().get(19).is_some_and(|byte| b"89ab".contains(byte)), "{one}");
    }
}
