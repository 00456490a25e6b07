//! Reads a tenant's JSON, unless it holds so many values that it would take a multiple of its size. Pure.

use serde_json::Value;

/// The most marks that begin or part values: a document of the largest size has as many, and needs 70 MB at the worst.
/// Without it, sixteen megabytes of empty objects become seven hundred.
const MARKS: usize = 256 * 1024;

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
    match holds_too_many(text) {
        false => serde_json::from_slice(text).map_err(|_| Unread::Otherwise),
        true => Err(Unread::TooMany),
    }
}

/// Whether a text holds more values than are read.
pub(super) fn holds_too_many(text: &[u8]) -> bool {
    text.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count() > MARKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_values_as_marks_are_read_and_no_more() {
        let list = |count: usize| format!("[{}1]", "1,".repeat(count - 1));

        assert_eq!(read(list(MARKS).as_bytes()).map(|list| list.as_array().map(Vec::len)), Ok(Some(MARKS)));
        assert_eq!(read(list(MARKS + 1).as_bytes()), Err(Unread::TooMany));
        assert_eq!(read(b"[1"), Err(Unread::Otherwise));
    }
}
