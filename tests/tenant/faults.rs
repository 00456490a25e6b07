//! Things that go wrong on the wire, and which requests they hit. Touches no socket.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::request::Request;
use super::switches::Canned;

/// How a `Retry-After` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date so many seconds ahead.
    Date(u64),
}

impl RetryAfter {
    /// Writes the header field's value.
    ///
    /// Source: RFC 9110 §10.2.3.
    pub fn text(self, now: SystemTime) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(ahead) => super::times::http_date(now + std::time::Duration::from_secs(ahead)),
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// The connection is reset before the request is processed.
    ResetBefore,
    /// The request is processed and the connection reset without an answer.
    ResetAfter,
    /// The request is processed; half of the answer's body comes, then the end.
    Truncated,
    /// No answer comes, and nothing is processed.
    Hang,
    /// The answer comes late.
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// The body comes in drops.
    Slow {
        /// The pause before each 16 bytes.
        milliseconds: u64,
    },
    /// A body of so many bytes comes in place of the answer's.
    Huge {
        /// Its size.
        bytes: u64,
    },
    /// The request is sent elsewhere and not processed.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to.
        location: String,
    },
    /// Another answer is given.
    Reply {
        /// The answer.
        answer: Canned,
        /// Its `Retry-After`.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// Whether the request is processed all the same.
        #[serde(default)]
        processed: bool,
    },
}

/// One fault and the requests that it hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths (with their query) that contain this text.
    #[serde(default)]
    pub path: String,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How often it happens.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub kind: Kind,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Makes a fault that hits the next request whose path contains the text.
    pub fn once(path: &str, kind: Kind) -> Self {
        Self { method: None, path: path.to_owned(), skip: 0, times: once(), kind }
    }

    fn hits(&self, request: &Request, target: &str) -> bool {
        let method = self.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method));
        method && target.contains(&self.path)
    }
}

/// Takes the fault that hits this request, if any, and counts it.
pub fn take(faults: &mut Vec<Fault>, request: &Request, target: &str) -> Option<Kind> {
    let at = faults.iter().position(|fault| fault.times > 0 && fault.hits(request, target))?;
    let fault = faults.get_mut(at)?;
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    fault.times -= 1;
    let kind = fault.kind.clone();
    faults.retain(|fault| fault.times > 0);
    Some(kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_fault_waits_for_its_turn_and_is_used_up() {
        let request = Request::new("PUT", "/a/b", BTreeMap::new(), Vec::new(), SystemTime::UNIX_EPOCH);
        let mut faults = vec![Fault { skip: 1, ..Fault::once("/b", Kind::Hang) }];

        let taken: Vec<bool> = (0..3).map(|_| take(&mut faults, &request, "/a/b").is_some()).collect();

        assert_eq!(taken, [false, true, false]);
        assert!(faults.is_empty());
    }
}
