//! Bodies of answers: whole, cut short, in drops, or endless.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Size of a drop.
const DROP_BYTES: usize = 16;

/// Size of a block of a huge body.
const BLOCK_BYTES: usize = 65_536;

/// How long the first half of a truncated body may take to leave before the connection ends.
const FLUSH: Duration = Duration::from_millis(50);

/// A body on its way.
#[derive(Debug)]
pub struct Shaped {
    rest: Bytes,
    length: u64,
    manner: Manner,
}

#[derive(Debug)]
enum Manner {
    Whole,
    Truncated(Option<Pin<Box<Sleep>>>),
    Slow(Duration, Pin<Box<Sleep>>),
    Huge(u64),
}

impl Shaped {
    /// A body that comes at once.
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len() as u64, rest: bytes.into(), manner: Manner::Whole }
    }

    /// A body of which only half comes.
    pub fn truncated(bytes: Vec<u8>) -> Self {
        let half = Bytes::from(bytes.iter().take(bytes.len() / 2).copied().collect::<Vec<u8>>());
        Self { length: (bytes.len() as u64).max(1), rest: half, manner: Manner::Truncated(None) }
    }

    /// A body that comes in drops.
    pub fn slow(bytes: Vec<u8>, pause: Duration) -> Self {
        Self { length: bytes.len() as u64, rest: bytes.into(), manner: Manner::Slow(pause, Box::pin(sleep(pause))) }
    }

    /// A body of so many letters.
    pub fn huge(length: u64) -> Self {
        Self { length, rest: Bytes::from(vec![b'x'; BLOCK_BYTES]), manner: Manner::Huge(length) }
    }

    fn next_block(rest: &Bytes, left: &mut u64) -> Option<Bytes> {
        let size = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
        *left -= size as u64;
        (size > 0).then(|| rest.slice(..size))
    }
}

impl Body for Shaped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let data = |bytes: Bytes| Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))));
        match &mut this.manner {
            Manner::Whole => data(std::mem::take(&mut this.rest)),
            Manner::Truncated(Some(flushed)) => {
                let cut = || Some(Err(io::Error::other("truncated by a fault")));
                flushed.as_mut().poll(cx).map(|()| cut())
            }
            Manner::Truncated(timer @ None) => {
                *timer = Some(Box::pin(sleep(FLUSH)));
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.rest)))))
            }
            Manner::Slow(pause, timer) => {
                if this.rest.is_empty() {
                    return Poll::Ready(None);
                }
                std::task::ready!(timer.as_mut().poll(cx));
                *timer = Box::pin(sleep_until(Instant::now() + *pause));
                let size = DROP_BYTES.min(this.rest.len());
                data(this.rest.split_to(size))
            }
            Manner::Huge(left) => data(Self::next_block(&this.rest, left).unwrap_or_default()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
