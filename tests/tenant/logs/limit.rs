//! Counts requests a minute. Pure: time comes as an argument.

use std::time::SystemTime;

use crate::tenant::faults::RetryAfter;
use crate::tenant::reply::Reply;
use crate::tenant::switches::Switches;
use crate::tenant::times::epoch_seconds;

/// The window of the limit.
const WINDOW_SECONDS: u64 = 60;

/// The current window and how many requests it had.
#[derive(Debug, Default)]
pub struct Limit {
    window: u64,
    used: u32,
}

/// Where a request stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing {
    /// It is one too many.
    pub exceeded: bool,
    /// How many are left.
    pub remaining: u32,
    /// When the window ends, in seconds since 1970.
    pub reset_epoch: u64,
    /// The same as a wait.
    pub wait_seconds: u64,
}

impl Limit {
    /// Counts a request.
    pub fn count(&mut self, now: SystemTime, most: u32) -> Standing {
        let seconds = epoch_seconds(now);
        let window = seconds / WINDOW_SECONDS;
        if window != self.window {
            *self = Self { window, used: 0 };
        }
        self.used = self.used.saturating_add(1);
        let reset_epoch = (window + 1) * WINDOW_SECONDS;
        Standing {
            exceeded: self.used > most,
            remaining: most.saturating_sub(self.used),
            reset_epoch,
            wait_seconds: reset_epoch.saturating_sub(seconds),
        }
    }
}

/// Makes the 429 answer.
pub(super) fn refusal(switches: &Switches, standing: &Standing) -> Reply {
    let reply = switches
        .logs_limited
        .as_ref()
        .map_or_else(|| Reply::crest_error(429, "Too Many Requests"), |canned| canned.reply());
    reply.with("retry-after", &RetryAfter::Seconds(standing.wait_seconds).text(SystemTime::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_limit_holds_within_a_minute_and_starts_anew() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(6000 + seconds);
        let mut limit = Limit::default();

        let exceeded: Vec<bool> = [0, 1, 2, 61].map(|seconds: u64| limit.count(at(seconds), 2).exceeded).into();

        assert_eq!(exceeded, [false, false, true, false]);
        assert_eq!(limit.count(at(61), 2).wait_seconds, 59);
    }
}
