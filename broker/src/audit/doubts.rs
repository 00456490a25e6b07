//! Finds the writes that may have been made: an intent without its call, or a call whose outcome is unknown.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::files::tail;

/// A write of an earlier broker that may have been made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InDoubt {
    /// When its intent was put on record, RFC 3339.
    pub time: String,
    /// The tenant's name.
    pub tenant: String,
    /// The tool.
    pub tool: String,
    /// What stands for tool and arguments.
    pub fingerprint: String,
    /// What was sent with it.
    pub transaction_id: String,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    transaction_id: Option<String>,
    executed: Option<String>,
}

/// The writes in doubt at the end of the log, the oldest first.
///
/// Errors: the log cannot be read.
pub fn in_doubt(directory: &Path) -> io::Result<Vec<InDoubt>> {
    let mut found = Vec::<InDoubt>::new();
    for line in tail(directory)?.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<Event>(line) else { continue };
        match (event.event.as_str(), event.executed.as_deref()) {
            ("intent", _) => found.extend(serde_json::from_slice::<InDoubt>(line)),
            ("call", Some("yes" | "no")) => {
                // an answered repeat answers for those before it
                let of_call = |doubt: &&InDoubt| Some(&doubt.transaction_id) == event.transaction_id.as_ref();
                let answered: Vec<String> =
                    found.iter().filter(of_call).map(|doubt| doubt.fingerprint.clone()).collect();
                found.retain(|doubt| !answered.contains(&doubt.fingerprint));
            }
            _ => {}
        }
    }
    Ok(found)
}
