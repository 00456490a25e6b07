//! Decides how to come to a broker: connect again, start one, or give up. Pure: what was seen comes in, a step comes out.

use std::time::Duration;

/// How long a broker may take to listen before the search is given up: it starts in tens of milliseconds, and a slow
/// disk or a hundred of them at once cost seconds, never ten.
pub(crate) const SEARCH: Duration = Duration::from_secs(10);
/// The first pause between two attempts: a broker that is already starting needs about this long.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// The longest pause, so that a person never notices the waiting itself.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// When a broker that yielded to another one is started again: the other one was leaving, and it has left by now.
const START_AGAIN: Duration = Duration::from_secs(1);

/// What an attempt to reach the broker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nobody listens.
    Absent,
    /// Somebody is there but does not serve now: leaving, or gone before a word.
    Passing,
    /// What is there can never be used.
    Unusable(String),
}

/// What became of the broker that this process started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Started {
    /// None was started.
    Not,
    /// It runs.
    Running,
    /// It left to another broker that owns the socket, so long ago.
    Yielded(Duration),
    /// It could not run.
    Failed(String),
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Pause, then connect again.
    Pause(Duration),
    /// Start a broker, then connect again.
    Start,
    /// Tell the caller why there is no broker.
    GiveUp(String),
}

/// The next step, after `attempts` failed attempts that took `searched` in all.
pub(crate) fn next(sight: &Sight, started: &Started, attempts: u32, searched: Duration, allowed: Duration) -> Step {
    match (sight, started) {
        (Sight::Unusable(reason), _) | (Sight::Absent, Started::Failed(reason)) => Step::GiveUp(reason.clone()),
        _ if searched >= allowed => Step::GiveUp(too_late(sight, allowed)),
        (Sight::Absent, Started::Not) => Step::Start,
        (Sight::Absent, Started::Yielded(ago)) if *ago >= START_AGAIN => Step::Start,
        _ => Step::Pause(pause(attempts)),
    }
}

fn too_late(sight: &Sight, allowed: Duration) -> String {
    let what = match sight {
        Sight::Passing => "listens and did not answer",
        Sight::Absent | Sight::Unusable(_) => "did not begin to listen",
    };
    format!("aic-broker {what} within {} s", allowed.as_secs().max(1))
}

fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.min(16)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_started_once_and_waited_for() {
        let failed = || Started::Failed("bad configuration".into());
        let foreign = || Sight::Unusable("the socket belongs to user id 7".into());
        let seconds = Duration::from_secs;
        let late = |what| Step::GiveUp(format!("aic-broker {what} within 10 s"));
        let cases = [
            (Sight::Absent, Started::Not, 0, Step::Start),
            (Sight::Absent, Started::Running, 0, Step::Pause(Duration::from_millis(2))),
            (Sight::Absent, Started::Running, 9, Step::Pause(Duration::from_millis(50))),
            (Sight::Absent, Started::Yielded(seconds(0)), 0, Step::Pause(Duration::from_millis(50))),
            (Sight::Absent, Started::Yielded(seconds(1)), 0, Step::Start),
            (Sight::Absent, failed(), 0, Step::GiveUp("bad configuration".into())),
            (Sight::Passing, Started::Not, 0, Step::Pause(Duration::from_millis(50))),
            (Sight::Passing, failed(), 0, Step::Pause(Duration::from_millis(50))),
            (foreign(), Started::Not, 0, Step::GiveUp("the socket belongs to user id 7".into())),
            (foreign(), Started::Running, 0, Step::GiveUp("the socket belongs to user id 7".into())),
            (Sight::Absent, Started::Running, 10, late("did not begin to listen")),
            (Sight::Passing, Started::Not, 10, late("listens and did not answer")),
        ];

        for (sight, started, searched, wanted) in cases {
            let attempts = if wanted == Step::Pause(Duration::from_millis(2)) { 0 } else { 20 };
            let found = next(&sight, &started, attempts, seconds(searched), SEARCH);
            assert_eq!(found, wanted, "{sight:?} {started:?}");
        }
    }

    #[test]
    fn the_pauses_double_up_to_the_longest() {
        let pauses: Vec<u128> = (0..8).map(|attempts| pause(attempts).as_millis()).collect();

        assert_eq!(pauses, [2, 4, 8, 16, 32, 50, 50, 50]);
    }
}
