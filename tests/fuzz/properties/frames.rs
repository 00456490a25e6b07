//! Frames of both directions and hellos: what is read is written the same, and no length is believed before its bytes are there.

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aic_proto::frame::{self, Error, Frame, HELLO_LIMIT, REPLY_LIMIT, REQUEST_LIMIT};
use aic_proto::hello::{Hello, Reply};
use aic_proto::message::{ToBroker, ToShim};

/// The first byte says which side reads; the rest is what arrives.
pub(super) fn hold(data: &[u8]) {
    match data.split_first() {
        Some((0, stream)) => each(stream, HELLO_LIMIT, Hello::decode, Hello::encode),
        Some((1, stream)) => each(stream, HELLO_LIMIT, Reply::decode, Reply::encode),
        Some((2, stream)) => each(stream, REQUEST_LIMIT, ToBroker::decode, ToBroker::encode),
        Some((_, stream)) => each(stream, REPLY_LIMIT, ToShim::decode, ToShim::encode),
        None => {}
    }
}

type Decode<M> = fn(&Frame) -> Result<M, Error>;
type Encode<M> = fn(&M) -> Result<Vec<u8>, Error>;

fn each<M: PartialEq + Debug>(mut stream: &[u8], limit: usize, decode: Decode<M>, encode: Encode<M>) {
    loop {
        let before = stream.len();
        match read(&mut stream, limit) {
            Ok(Some(frame)) => {
                assert_eq!(before - stream.len(), 4 + 2 + frame.body.len());
                if let Ok(message) = decode(&frame) {
                    comes_back(&message, &frame, limit, decode, encode);
                }
            }
            Ok(None) => return assert_eq!(before, 0),
            Err(Error::Length { announced, .. }) => return assert!(announced < 2 || announced > limit),
            Err(Error::Truncated) => return assert!(stream.is_empty()),
            Err(other) => panic!("{other:?} for bytes in memory"),
        }
    }
}

/// The frame that was read may be a later version's, with more fields, or write a number in more bytes than it needs.
fn comes_back<M: PartialEq + Debug>(message: &M, came: &Frame, limit: usize, decode: Decode<M>, encode: Encode<M>) {
    let bytes = encode(message).expect("what was read can be sent");
    let frame = read(&mut bytes.as_slice(), limit).expect("what was sent can be read").expect("a frame");

    assert_eq!(frame.kind, came.kind);
    assert!(frame.body.len() <= came.body.len());
    assert_eq!(decode(&frame).as_ref().ok(), Some(message));
    assert_eq!(encode(message).expect("it can be sent again"), bytes);
}

/// Reading from memory never waits.
fn read(stream: &mut &[u8], limit: usize) -> Result<Option<Frame>, Error> {
    match pin!(frame::read(stream, limit)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(read) => read,
        Poll::Pending => panic!("memory was waited for"),
    }
}
