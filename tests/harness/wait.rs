//! Waits for what another process will do: the only place that sleeps.

use std::time::{Duration, Instant};

/// How long something may take that takes milliseconds on an idle machine; a loaded one is allowed its time.
pub const SOON: Duration = Duration::from_secs(20);
/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and gives it.
///
/// Errors: panics with `what` when the deadline passes.
pub fn eventually<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {} s: {what}", within.as_secs_f32());
        std::thread::sleep(LOOK_EVERY);
    }
}
