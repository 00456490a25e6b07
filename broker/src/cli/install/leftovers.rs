//! Ends the broker and takes away what it left where its socket is; says what stays.

use std::fs;
use std::time::Duration;

use aic_proto::transport::{self, Cleared, Error};
use tokio::time::{Instant, sleep};

use super::super::link::{self, to_its_end};
use super::super::session::{STOPPED, leave};
use super::{Failure, code, is_service_enabled, say};
use crate::audit;
use crate::clock::Moment;
use crate::config::Places;
use crate::guard::repeat::{KEY, is_held_back};

/// How long the lock is waited for.
const LOCK_WITHIN: Duration = Duration::from_secs(5);
/// The pause between two attempts at the lock.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Clears the broker's directory. The audit log and the daemon's own log stay: they are the user's.
///
/// Errors: a broker cannot be told to leave, or the directory cannot be cleared; that somebody holds the lock is only said.
pub(super) fn clear(places: &Places, dry_run: bool) -> Result<(), Failure> {
    let failed = |reason: String| (code::FAILED, reason);
    // where a manager of all users listens, a connection would make it start a broker
    if is_service_enabled() {
        return Ok(());
    }
    if dry_run {
        if places.endpoint.directory.exists() {
            tell(&format!("would be ended, and what it left removed: {}", places.endpoint.directory.display()));
        }
        return Ok(());
    }
    to_its_end(end(places)).and_then(|ended| ended).map_err(failed)?;
    let _ = fs::remove_dir(&places.state);
    if places.state.exists() {
        say(&format!("{:<14}  stay: {}", "logs", places.state.display()));
    }
    Ok(())
}

async fn end(places: &Places) -> Result<(), String> {
    match leave(places).await {
        Ok(()) => tell(STOPPED),
        Err(link::Error::Absent | link::Error::Passing(_)) => {}
        Err(error) => return Err(format!("the broker cannot be ended: {error}")),
    }
    let in_doubt = is_any_write_in_doubt(places);
    let files: &[&str] = if in_doubt { &[] } else { &[KEY] };
    let cleared = clear_when_free(places, files).await;
    tell(&match (cleared, places.endpoint.directory.display()) {
        (Ok(Cleared::WasGone), _) => return Ok(()),
        (Ok(Cleared::Removed), directory) => format!("removed: {directory}"),
        (Ok(Cleared::Stays), directory) if in_doubt => {
            format!(
                "stays, because a write is in doubt and its repeat is known by it: {directory}; uninstall again in ten minutes"
            )
        }
        (Ok(Cleared::Stays), directory) => format!("stays, because something else is there: {directory}"),
        (Err(Error::Owned(_)), directory) => format!("stays, because a broker holds its lock: {directory}"),
        (Err(error), _) => return Err(error.to_string()),
    });
    Ok(())
}

/// A broker that was told to leave gives up its lock a moment after its last answer.
async fn clear_when_free(places: &Places, files: &[&str]) -> Result<Cleared, Error> {
    let deadline = Instant::now() + LOCK_WITHIN;
    loop {
        match transport::clear(&places.endpoint, files).await {
            Err(Error::Owned(_)) if Instant::now() < deadline => sleep(TRY_EVERY).await,
            cleared => return cleared,
        }
    }
}

/// Whether the next broker needs the key to know the repeat of a write.
fn is_any_write_in_doubt(places: &Places) -> bool {
    let now = Moment::now();
    let held_back = |time: &str| now.before(time).is_some_and(|at| is_held_back(at, now));
    audit::in_doubt(&places.state).is_ok_and(|doubts| doubts.iter().any(|doubt| held_back(&doubt.time)))
}

fn tell(text: &str) {
    say(&format!("{:<14}  {text}", "broker"));
}
