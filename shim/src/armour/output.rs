//! Writes whole lines, whoever stops waiting for them.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The output. What a writer left behind when it stopped waiting is written by the next one, so lines never mix.
#[derive(Debug)]
pub(super) struct Output<W> {
    writer: Option<W>,
    lines: Vec<u8>,
    written: usize,
}

impl<W: AsyncWrite + Unpin> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer: Some(writer), lines: Vec::new(), written: 0 }
    }

    /// Adds a line to what is to be written.
    ///
    /// Errors: `InvalidData` when the message cannot be JSON.
    pub(super) fn add(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mark = self.lines.len();
        if let Err(cause) = serde_json::to_writer(&mut self.lines, message) {
            self.lines.truncate(mark);
            return Err(io::Error::new(io::ErrorKind::InvalidData, cause));
        }
        self.lines.push(b'\n');
        Ok(())
    }

    /// Writes all that was added.
    ///
    /// Errors: `NotConnected` after [`Output::close`], else the writer's own.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        while let Some(rest) = self.lines.get(self.written..).filter(|rest| !rest.is_empty()) {
            match writer.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => self.written += more,
            }
        }
        (self.lines, self.written) = (Vec::new(), 0);
        writer.flush().await
    }

    pub(super) fn close(&mut self) {
        self.writer = None;
    }
}
