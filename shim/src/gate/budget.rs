//! Divides the time of a call between the sign-in and the request to the tenant. Pure.

use std::time::Duration;

/// The longest a call waits for a sign-in: it leaves 15 s of the usual 55 s for the tenant.
///
/// Source: the contract's section 5.
const LONGEST_WAIT: Duration = Duration::from_secs(40);
/// What is kept for the tenant at most: log queries and fan-outs take some ten seconds.
const RESERVE: Duration = Duration::from_secs(15);
/// How long a sign-in by code is waited for when only progress messages show the code: not every client shows them.
pub(super) const WITH_PROGRESS_ONLY: Duration = Duration::from_secs(15);
/// What a tool that changes something must have left after a sign-in; with less it is not started, because a client
/// that gives up in the middle invites a second change.
pub(crate) const ENOUGH_FOR_A_CHANGE: Duration = Duration::from_secs(10);
/// What the broker is given less than the call, so that its own answer comes before this program's.
pub(crate) const MARGIN: Duration = Duration::from_millis(250);
/// How long after a call's end the broker's answer is still awaited.
pub(crate) const GRACE: Duration = Duration::from_millis(150);

/// How long a call may wait for a sign-in, counted from its arrival.
pub(crate) fn sign_in(answer_within: Duration) -> Duration {
    answer_within.saturating_sub(RESERVE.min(answer_within / 4)).min(LONGEST_WAIT)
}

/// Whether a tool may still be started after a sign-in.
pub(crate) fn may_start(read_only: bool, remaining: Duration) -> bool {
    read_only || remaining >= ENOUGH_FOR_A_CHANGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_time_is_kept_for_the_tenant() {
        let cases = [(3600.0, 40.0), (55.0, 40.0), (54.0, 40.5), (20.0, 15.0), (6.0, 4.5), (4.0, 3.0), (1.0, 0.75)];

        for (answer_within, wanted) in cases {
            let wanted = f64::min(wanted, 40.0);
            assert_eq!(sign_in(Duration::from_secs_f64(answer_within)), Duration::from_secs_f64(wanted));
        }
    }

    #[test]
    fn only_a_change_needs_time_left() {
        assert!(may_start(true, Duration::ZERO));
        assert!(may_start(false, Duration::from_secs(10)));
        assert!(!may_start(false, Duration::from_millis(9999)));
    }
}
