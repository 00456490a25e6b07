//! Reads the machine's clocks: the tenant's only file that does.

use std::time::{Duration, Instant, SystemTime};

/// The tenant's clocks: calendar time, and time since its start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Returns calendar time, so many seconds ahead of the machine's.
    pub fn now(self, ahead_seconds: i64) -> SystemTime {
        let span = Duration::from_secs(ahead_seconds.unsigned_abs());
        if ahead_seconds < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
    }

    /// Returns milliseconds since the start.
    pub fn elapsed(self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
