//! One connection after its hello: messages in, messages out. Works over any byte stream.

use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, ReadHalf, WriteHalf};

use crate::frame;
use crate::hello::{Hello, Reply, TurnedAway, Welcome};
use crate::message::{ToBroker, ToShim};

/// How long either side waits for the other's hello: both are on one machine and have nothing to do before it.
pub const HELLO_WITHIN: Duration = Duration::from_secs(2);

/// How long the rest of a frame may take once it has begun: half a frame must not be kept for ever.
pub const FRAME_WITHIN: Duration = Duration::from_secs(10);

/// Why no conversation came about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream broke, or brought something that is not ours.
    #[error(transparent)]
    Frame(#[from] frame::Error),
    /// The peer said nothing in time.
    #[error("the other side was silent for {} s", HELLO_WITHIN.as_secs())]
    Silent,
    /// The peer left before its hello.
    #[error("the other side left before its hello")]
    Gone,
    /// The broker does not speak with this client.
    #[error("aic-broker turns this program away: {0}")]
    TurnedAway(TurnedAway),
}

/// The reading half of a stream, with a buffer so that a frame costs one system call.
pub type Reader<S> = BufReader<ReadHalf<S>>;
/// The writing half of a stream.
pub type Writer<S> = WriteHalf<S>;

/// Splits a stream into its halves.
pub fn split<S: AsyncRead + AsyncWrite>(stream: S) -> (Reader<S>, Writer<S>) {
    let (reader, writer) = tokio::io::split(stream);
    (BufReader::new(reader), writer)
}

/// The client's side of the hello.
///
/// Errors: [`Error::TurnedAway`] with the broker's reason, [`Error::Silent`] after [`HELLO_WITHIN`].
pub async fn greet<S: AsyncRead + AsyncWrite>(
    reader: &mut Reader<S>,
    writer: &mut Writer<S>,
    hello: &Hello,
) -> Result<Welcome, Error> {
    frame::write(writer, &hello.encode()?).await?;
    let frame = first_frame(reader).await?;
    match Reply::decode(&frame)? {
        Reply::Welcome(welcome) => Ok(welcome),
        Reply::TurnedAway(reason) => Err(Error::TurnedAway(reason)),
    }
}

/// Reads the client's hello; the broker answers with [`answer`].
///
/// Errors: [`Error::Silent`] after [`HELLO_WITHIN`], [`Error::Frame`] for a stranger's bytes.
pub async fn listen<S: AsyncRead + AsyncWrite>(reader: &mut Reader<S>) -> Result<Hello, Error> {
    let frame = first_frame(reader).await?;
    Ok(Hello::decode(&frame)?)
}

/// Sends the broker's first frame.
///
/// Errors: [`Error::Frame`] when the peer is gone.
pub async fn answer<S: AsyncRead + AsyncWrite>(writer: &mut Writer<S>, reply: &Reply) -> Result<(), Error> {
    Ok(frame::write(writer, &reply.encode()?).await?)
}

async fn first_frame<R: AsyncRead + Unpin>(reader: &mut R) -> Result<frame::Frame, Error> {
    match tokio::time::timeout(HELLO_WITHIN, frame::read(reader, frame::HELLO_LIMIT)).await {
        Err(_) => Err(Error::Silent),
        Ok(read) => read?.ok_or(Error::Gone),
    }
}

/// Reads the next message to the broker; `None` is the end.
///
/// Errors: any [`frame::Error`] ends the connection.
pub async fn next_request<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Option<ToBroker>, frame::Error> {
    let frame = next_frame(reader, frame::REQUEST_LIMIT).await?;
    frame.map(|frame| ToBroker::decode(&frame)).transpose()
}

/// Reads the next message to the client; `None` is the end.
///
/// Errors: any [`frame::Error`] ends the connection.
pub async fn next_reply<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Option<ToShim>, frame::Error> {
    let frame = next_frame(reader, frame::REPLY_LIMIT).await?;
    frame.map(|frame| ToShim::decode(&frame)).transpose()
}

/// Waits for a frame to begin for as long as it takes, and then for its rest no longer than [`FRAME_WITHIN`].
async fn next_frame<R: AsyncBufRead + Unpin>(
    reader: &mut R,
    limit: usize,
) -> Result<Option<frame::Frame>, frame::Error> {
    if reader.fill_buf().await?.is_empty() {
        return Ok(None);
    }
    tokio::time::timeout(FRAME_WITHIN, frame::read(reader, limit)).await.unwrap_or(Err(frame::Error::Truncated))
}
