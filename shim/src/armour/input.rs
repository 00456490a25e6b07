//! Reads lines of a bounded length and notices the end of the input.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio_util::sync::CancellationToken;

use super::identifier;

/// The longest line: a frame to the broker holds as much, and no tool's arguments come near it.
pub(crate) const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// How much room is kept for the next line: one large line must not cost its size for ever.
const ROOM_KEPT: usize = 64 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A whole line, without its end.
    Line(Vec<u8>),
    /// A line longer than [`LONGEST_LINE`]: its beginning. The rest is dropped as it arrives.
    TooLong(Vec<u8>),
    /// The end of the input, or its failure.
    End,
}

/// The lines of an input.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    dropping: bool,
    ended: CancellationToken,
}

impl<R: AsyncRead + Unpin> Input<R> {
    /// `ended` is cancelled as soon as the input ends, so that handlers can stop before rmcp asks them to.
    pub(super) fn new(reader: R, ended: CancellationToken) -> Self {
        Self { reader: BufReader::with_capacity(ROOM_KEPT, reader), line: Vec::new(), dropping: false, ended }
    }

    /// Reads on. Dropping the future loses nothing: a begun line is kept for the next call.
    pub(super) async fn next(&mut self) -> Read {
        loop {
            let available = match self.reader.fill_buf().await {
                Ok(available) if !available.is_empty() => available,
                _ => {
                    self.ended.cancel();
                    return Read::End;
                }
            };
            let newline = available.iter().position(|byte| *byte == b'\n');
            let taken = newline.map_or(available.len(), |place| place + 1);
            if !self.dropping {
                self.line.extend_from_slice(available.get(..newline.unwrap_or(taken)).unwrap_or_default());
            }
            self.reader.consume(taken);
            if let Some(read) = self.judge(newline.is_some()) {
                return read;
            }
        }
    }

    fn judge(&mut self, complete: bool) -> Option<Read> {
        if self.dropping {
            self.dropping = !complete;
            return None;
        }
        if self.line.len() > LONGEST_LINE {
            self.dropping = !complete;
            let mut head = std::mem::take(&mut self.line);
            head.truncate(identifier::HEAD);
            return Some(Read::TooLong(head));
        }
        complete.then(|| Read::Line(std::mem::take(&mut self.line)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    async fn all(text: &[u8]) -> Vec<Read> {
        let ended = CancellationToken::new();
        let mut input = Input::new(text, ended.clone());
        let mut found = Vec::new();
        loop {
            match input.next().await {
                Read::End => break,
                read => found.push(read),
            }
        }
        assert!(ended.is_cancelled());
        found
    }

    #[tokio::test]
    async fn lines_come_one_by_one_and_a_cut_one_is_dropped() {
        let wanted = [b"one".to_vec(), Vec::new(), b"two\r".to_vec()].map(Read::Line);

        assert_eq!(all(b"one\n\ntwo\r\nthr").await, wanted);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_told_once_and_the_next_one_is_read() {
        let mut text = vec![b'x'; LONGEST_LINE + 200_000];
        text.extend_from_slice(b"\nnext\n");

        let found = all(&text).await;

        assert_eq!(found.len(), 2);
        assert!(matches!(&found[0], Read::TooLong(head) if head.len() == identifier::HEAD));
        assert_eq!(found[1], Read::Line(b"next".to_vec()));
    }

    #[tokio::test]
    async fn the_longest_line_is_read() {
        let mut text = vec![b'x'; LONGEST_LINE];
        text.push(b'\n');

        assert!(matches!(&all(&text).await[..], [Read::Line(line)] if line.len() == LONGEST_LINE));
    }
}
