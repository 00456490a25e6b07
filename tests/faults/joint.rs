//! Joins two streams end to end and does at a byte what a plan says: the part that all proxies share.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::plan::{Break, Plan, Way};

/// How many bytes are read at once: more than any message here has.
pub(super) const PART_BYTES: usize = 64 * 1024;
/// How long the two sides may take to see the end before the connections are dropped.
const END_SEEN_WITHIN: Duration = Duration::from_millis(100);

/// A stream that can be broken.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Lets the other side see a reset, where there is such a thing, once this end is dropped.
    fn will_reset(&self);
}

impl Wire for TcpStream {
    fn will_reset(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Wire for UnixStream {
    fn will_reset(&self) {}
}

/// How much is broken at the moment, over all joints of a proxy.
#[derive(Debug, Default)]
pub(super) struct Tally {
    late: AtomicUsize,
    held: AtomicUsize,
}

impl Tally {
    /// Whether no rest of a message is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.late.load(Ordering::SeqCst) == 0
    }

    /// How many streams were stopped until now.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

/// A rest that is on its way, until it has arrived or its connection is dropped.
struct Late<'a>(&'a Tally);

impl<'a> Late<'a> {
    fn begin(tally: &'a Tally) -> Self {
        tally.late.fetch_add(1, Ordering::SeqCst);
        Self(tally)
    }
}

impl Drop for Late<'_> {
    fn drop(&mut self) {
        self.0.late.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Two streams that are one for those at their ends.
pub(super) struct Joint<S> {
    /// The side from which the bytes go up.
    pub(super) near: S,
    /// The side from which they come down.
    pub(super) far: S,
}

impl<S: Wire> Joint<S> {
    /// The next bytes of either side; `None` at the end.
    pub(super) async fn next(&mut self, up: &mut [u8], down: &mut [u8]) -> Option<(Way, usize)> {
        let (way, read) = tokio::select! {
            read = self.near.read(up) => (Way::Up, read),
            read = self.far.read(down) => (Way::Down, read),
        };
        read.ok().filter(|read| *read > 0).map(|read| (way, read))
    }

    /// Passes a part on, unless the plan's byte is in it; `before` bytes have passed that way. A plan that is done is
    /// taken away. Tells whether the connection goes on.
    ///
    /// Errors: a side is gone.
    pub(super) async fn pass(
        &mut self,
        (way, part): (Way, &mut [u8]),
        before: usize,
        plan: &mut Option<Plan>,
        tally: &Tally,
    ) -> io::Result<bool> {
        let Some(due) = plan.filter(|plan| plan.way == way && plan.at <= before + part.len()) else {
            return self.send(way, part).await.map(|()| true);
        };
        let at = due.at.saturating_sub(before);
        if let Break::Flip(bit) = due.what {
            // the byte after the last one is the next part's, if there is one
            if let Some(byte) = part.get_mut(at) {
                *byte ^= 1 << bit;
                *plan = None;
            }
            return self.send(way, part).await.map(|()| true);
        }
        let (before, after) = part.split_at(at);
        self.send(way, before).await?;
        match due.what {
            Break::Delay(_) | Break::Drip(_) => {
                *plan = None;
                let _late = Late::begin(tally);
                return self.send_late(way, after, due.what).await.map(|()| true);
            }
            Break::Stop => self.hold(tally).await,
            Break::Reset => [&self.near, &self.far].into_iter().for_each(Wire::will_reset),
            Break::Finish | Break::Flip(_) => self.end().await,
        }
        Ok(false)
    }

    async fn send_late(&mut self, way: Way, rest: &[u8], what: Break) -> io::Result<()> {
        match what {
            Break::Delay(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Break::Drip(microseconds) => {
                for byte in rest {
                    self.send(way, std::slice::from_ref(byte)).await?;
                    tokio::time::sleep(Duration::from_micros(microseconds)).await;
                }
                return Ok(());
            }
            _ => {}
        }
        self.send(way, rest).await
    }

    /// Writes to the side to which the way leads.
    ///
    /// Errors: it is gone.
    pub(super) async fn send(&mut self, way: Way, bytes: &[u8]) -> io::Result<()> {
        match way {
            Way::Up => self.far.write_all(bytes).await,
            Way::Down => self.near.write_all(bytes).await,
        }
    }

    /// Swallows everything until the near side gives up.
    async fn hold(&mut self, tally: &Tally) {
        tally.held.fetch_add(1, Ordering::SeqCst);
        let (mut up, mut down) = (vec![0; PART_BYTES], vec![0; PART_BYTES]);
        let mut far_open = true;
        loop {
            tokio::select! {
                read = self.near.read(&mut up) => if !matches!(read, Ok(1..)) { return },
                read = self.far.read(&mut down), if far_open => far_open = matches!(read, Ok(1..)),
            }
        }
    }

    /// Ends both streams in order: what was sent arrives, then the end.
    pub(super) async fn end(&mut self) {
        let _ = self.near.shutdown().await;
        let _ = self.far.shutdown().await;
        let mut drain = [0; 4096];
        let both = async {
            while matches!(self.near.read(&mut drain).await, Ok(1..)) {}
            while matches!(self.far.read(&mut drain).await, Ok(1..)) {}
        };
        let _ = tokio::time::timeout(END_SEEN_WITHIN, both).await;
    }
}
