//! Turns messages into length-prefixed frames. The only file that names bincode, whose upstream has ended.
//!
//! A frame is `length: u32 big endian` (of what follows), `kind: u16 big endian`, `body: bincode 2, standard configuration`.
//! A reader ignores bytes after the fields that it knows, so a later version may append fields.

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most that a hello or its answer may hold: names and versions, nothing more.
pub const HELLO_LIMIT: usize = 4 * 1024;
/// The most that a message to the broker may hold: an MCP line is cut at 16 MiB, and its arguments are part of it.
pub const REQUEST_LIMIT: usize = 16 * 1024 * 1024;
/// The most that an answer may hold: an upstream body is cut at 16 MiB, and it travels as text beside its structure.
pub const REPLY_LIMIT: usize = 40 * 1024 * 1024;
/// What is reserved before any byte of a body has arrived, whatever length it announces.
const FIRST_RESERVE: usize = 16_384;
const KIND_BYTES: usize = 2;
/// What decoding a body no longer than [`HELLO_LIMIT`] may reserve: bincode counts eight bytes for a number sent as one.
const SMALL_RESERVE: usize = HELLO_LIMIT * 8;

/// One frame as it arrived: its kind number and its undecoded body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The message's number in [`crate::message`].
    pub kind: u16,
    /// The bincode body.
    pub body: Vec<u8>,
}

/// Why a frame could not be read or written: in each case the connection is broken and must end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The announced length is outside what this side accepts; nothing of it was read.
    #[error("a frame announces {announced} bytes, and at most {limit} are accepted")]
    Length {
        /// What the peer announced.
        announced: usize,
        /// What is accepted here.
        limit: usize,
    },
    /// The stream ended inside a frame.
    #[error("the connection ended inside a frame")]
    Truncated,
    /// The body is not the message that its kind promises.
    #[error("a frame of kind {0} holds something else")]
    Malformed(u16),
    /// The socket failed.
    #[error("the socket failed")]
    Io(#[from] std::io::Error),
}

/// Reads one frame; `None` is a clean end between two frames.
///
/// Errors: [`Error::Length`] before anything is reserved, [`Error::Truncated`] when the stream ends early.
pub async fn read<R: AsyncRead + Unpin>(reader: &mut R, limit: usize) -> Result<Option<Frame>, Error> {
    let Some(announced) = read_length(reader).await? else { return Ok(None) };
    if !(KIND_BYTES..=limit).contains(&announced) {
        return Err(Error::Length { announced, limit });
    }
    let kind = reader.read_u16().await.map_err(ended)?;
    let wanted = announced - KIND_BYTES;
    let mut body = Vec::with_capacity(wanted.min(FIRST_RESERVE));
    reader.take(wanted as u64).read_to_end(&mut body).await?;
    if body.len() < wanted {
        return Err(Error::Truncated);
    }
    Ok(Some(Frame { kind, body }))
}

async fn read_length<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<usize>, Error> {
    let mut prefix = [0_u8; 4];
    if reader.read(&mut prefix[..1]).await? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut prefix[1..]).await.map_err(ended)?;
    Ok(Some(u32::from_be_bytes(prefix) as usize))
}

fn ended(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Truncated,
        _ => Error::Io(error),
    }
}

/// Writes one frame in one call, so that no other task's frame can come between.
///
/// Errors: [`Error::Length`] when the message is larger than `limit`; nothing was written then.
pub async fn write<W: AsyncWrite + Unpin>(writer: &mut W, frame: &[u8]) -> Result<(), Error> {
    writer.write_all(frame).await?;
    Ok(writer.flush().await?)
}

/// Builds the bytes of a frame.
///
/// Errors: [`Error::Length`] when it would be larger than `limit`.
pub fn encode<M: Serialize>(kind: u16, message: &M, limit: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0_u8; 4];
    bytes.extend_from_slice(&kind.to_be_bytes());
    bincode::serde::encode_into_std_write(message, &mut bytes, bincode::config::standard())
        .map_err(|_| Error::Malformed(kind))?;
    let announced = bytes.len() - 4;
    let prefix =
        u32::try_from(announced).ok().filter(|_| announced <= limit).ok_or(Error::Length { announced, limit })?;
    if let Some(place) = bytes.first_chunk_mut() {
        *place = prefix.to_be_bytes();
    }
    Ok(bytes)
}

/// Reads a frame's body as the message that its kind stands for; surplus bytes are a later version's fields.
///
/// Errors: [`Error::Malformed`] when the body is not such a message.
pub fn decode<M: DeserializeOwned>(frame: &Frame) -> Result<M, Error> {
    let decoded = match frame.body.len() {
        ..=HELLO_LIMIT => decode_within::<M, SMALL_RESERVE>(&frame.body),
        _ => decode_within::<M, REPLY_LIMIT>(&frame.body),
    };
    decoded.ok_or(Error::Malformed(frame.kind))
}

/// bincode reserves the length that a text announces before it looks whether so much is there, unless a limit stops it.
fn decode_within<M: DeserializeOwned, const LIMIT: usize>(body: &[u8]) -> Option<M> {
    let bounded = bincode::config::standard().with_limit::<LIMIT>();
    bincode::serde::decode_from_slice(body, bounded).ok().map(|(message, _)| message)
}
