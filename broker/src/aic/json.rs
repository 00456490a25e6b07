//! Reads a tenant's JSON, unless it holds so many values that it would take a multiple of its size. Pure.

use serde::de::IgnoredAny;
use serde_json::Value;

/// The most marks that begin or part values: a document of the largest size has as many, and needs 70 MB at the worst.
/// Without it, sixteen megabytes of empty objects become seven hundred.
const MARKS: usize = 256 * 1024;
/// The most of them in a text that is only handed on, where a part costs a place and no tree: 42 MB at the worst.
const MARKS_HANDED_ON: usize = 1024 * 1024;

/// Why a text is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not JSON.
    Otherwise,
    /// It holds more values than are read.
    TooMany,
}

/// Reads one document.
///
/// Errors: see [`Unread`]; marks within texts count, too.
pub(super) fn read(text: &[u8]) -> Result<Value, Unread> {
    bounded(text, MARKS)?;
    serde_json::from_slice(text).map_err(|_| Unread::Otherwise)
}

/// Looks through one document that is only handed on.
///
/// Errors: as [`read`].
pub(super) fn look_through(text: &[u8]) -> Result<(), Unread> {
    bounded(text, MARKS_HANDED_ON)?;
    serde_json::from_slice(text).map(|IgnoredAny| ()).map_err(|_| Unread::Otherwise)
}

fn bounded(text: &[u8], most: usize) -> Result<(), Unread> {
    match text.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count() {
        marks if marks > most => Err(Unread::TooMany),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_values_as_marks_are_read_and_no_more() {
        let list = |count: usize| format!("[{}1]", "1,".repeat(count - 1));

        assert_eq!(read(list(MARKS).as_bytes()).map(|list| list.as_array().map(Vec::len)), Ok(Some(MARKS)));
        assert_eq!(read(list(MARKS + 1).as_bytes()), Err(Unread::TooMany));
        assert_eq!(look_through(list(MARKS_HANDED_ON).as_bytes()), Ok(()));
        assert_eq!(look_through(list(MARKS_HANDED_ON + 1).as_bytes()), Err(Unread::TooMany));
        for given in [b"[1".as_slice(), b"[1]]", b""] {
            assert_eq!((read(given).is_err(), look_through(given)), (true, Err(Unread::Otherwise)));
        }
    }
}
