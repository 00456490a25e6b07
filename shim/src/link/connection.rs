//! One connection and the requests on it: each has a number, and its answer finds it by that number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aic_proto::connection::{Reader, Writer, next_reply};
use aic_proto::frame;
use aic_proto::hello::Welcome;
use aic_proto::message::{Cancel, RequestId, ToBroker, ToShim};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// How many frames wait to be written: one request and one withdrawal for each call that may be in flight.
const OUTBOX: usize = 64;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    /// The broker was gone before the request was handed over: nothing happened.
    #[error("aic-broker was gone")]
    Unsent,
    /// The broker went after the request was handed over.
    #[error("aic-broker went away before it answered")]
    Unanswered,
    /// The request is larger than a frame may be; nothing was sent.
    #[error("the arguments are larger than the broker accepts")]
    TooLarge,
}

/// A connection after its hello.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Seals what goes to the MCP client and comes back.
    pub(crate) state_key: [u8; 32],
    outbox: mpsc::Sender<Outgoing>,
    waiting: Arc<Waiting>,
    retired: Arc<AtomicBool>,
    next: AtomicU64,
}

/// A frame to be written; the request that it carries where it is answered.
#[derive(Debug)]
struct Outgoing {
    request: Option<RequestId>,
    frame: Vec<u8>,
}

/// The requests without an answer; `None` once the connection has ended.
#[derive(Debug)]
struct Waiting(Mutex<Option<HashMap<RequestId, Waiter>>>);

/// Who waits for an answer, and whether the broker may have the request.
#[derive(Debug)]
struct Waiter {
    answer: oneshot::Sender<Result<ToShim, Lost>>,
    handed_over: bool,
}

impl Connection {
    /// Begins to read and to write.
    pub(crate) fn begin<S>(reader: Reader<S>, writer: Writer<S>, welcome: Welcome) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let (outbox, inbox) = mpsc::channel(OUTBOX);
        tokio::spawn(write(writer, inbox, waiting.clone()));
        let retired = Arc::<AtomicBool>::default();
        tokio::spawn(read(reader, waiting.clone(), retired.clone()));
        Self { state_key: welcome.state_key, outbox, waiting, retired, next: AtomicU64::new(1) }
    }

    /// Whether the broker is still there and takes new requests, as far as anyone has noticed.
    pub(crate) fn lives(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && self.waiting.lock().is_some()
    }

    /// The broker takes no new request; what is under way is still answered.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Sends a request and waits for its answer. Dropping the future withdraws the request.
    ///
    /// Errors: [`Lost`] says whether the broker may have it.
    pub(crate) async fn request(&self, build: impl FnOnce(RequestId) -> ToBroker) -> Result<ToShim, Lost> {
        if !self.lives() {
            return Err(Lost::Unsent);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = build(id).encode().map_err(|_| Lost::TooLarge)?;
        let answer = self.waiting.enter(id).ok_or(Lost::Unsent)?;
        let mut awaited = Awaited { id, connection: self, sent: false };
        self.outbox.send(Outgoing { request: Some(id), frame }).await.map_err(|_| Lost::Unsent)?;
        awaited.sent = true;
        answer.await.unwrap_or(Err(Lost::Unanswered))
    }

    /// Sends a message that is not answered.
    pub(crate) async fn tell(&self, build: impl FnOnce(RequestId) -> ToBroker) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if let Ok(frame) = build(id).encode() {
            let _ = self.outbox.send(Outgoing { request: None, frame }).await;
        }
    }
}

/// Takes a request off the list when nobody waits for it any more, and withdraws it when it was not answered.
struct Awaited<'a> {
    id: RequestId,
    connection: &'a Connection,
    sent: bool,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let unanswered = self.connection.waiting.leave(self.id).is_some();
        if unanswered
            && self.sent
            && let Ok(frame) = ToBroker::Cancel(Cancel { id: self.id }).encode()
        {
            let _ = self.connection.outbox.try_send(Outgoing { request: None, frame });
        }
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<RequestId, Waiter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, id: RequestId) -> Option<oneshot::Receiver<Result<ToShim, Lost>>> {
        let (answer, receiver) = oneshot::channel();
        self.lock().as_mut()?.insert(id, Waiter { answer, handed_over: false });
        Some(receiver)
    }

    fn leave(&self, id: RequestId) -> Option<Waiter> {
        self.lock().as_mut()?.remove(&id)
    }

    /// Notes whether the broker may have a request; `None` once the connection has ended and nothing may be written.
    fn mark(&self, id: Option<RequestId>, handed_over: bool) -> Option<()> {
        let mut waiting = self.lock();
        let all = waiting.as_mut()?;
        if let Some(waiter) = id.and_then(|id| all.get_mut(&id)) {
            waiter.handed_over = handed_over;
        }
        Some(())
    }

    /// Tells every request whether the broker may have it: half a frame is none.
    fn end(&self) {
        for waiter in self.lock().take().into_iter().flat_map(HashMap::into_values) {
            let lost = if waiter.handed_over { Lost::Unanswered } else { Lost::Unsent };
            let _ = waiter.answer.send(Err(lost));
        }
    }
}

async fn write<S: AsyncWrite>(mut writer: Writer<S>, mut inbox: mpsc::Receiver<Outgoing>, waiting: Arc<Waiting>) {
    while let Some(Outgoing { request, frame }) = inbox.recv().await {
        if waiting.mark(request, true).is_none() {
            break;
        }
        if frame::write(&mut writer, &frame).await.is_err() {
            let _ = waiting.mark(request, false);
            break;
        }
    }
    waiting.end();
}

async fn read<S: AsyncRead + AsyncWrite>(mut reader: Reader<S>, waiting: Arc<Waiting>, retired: Arc<AtomicBool>) {
    while let Ok(Some(message)) = next_reply(&mut reader).await {
        if matches!(message, ToShim::Leaving(_)) {
            retired.store(true, Ordering::Relaxed);
        }
        let waiter = answered(&message).and_then(|id| waiting.leave(id));
        if let Some(waiter) = waiter {
            let _ = waiter.answer.send(Ok(message));
        }
    }
    waiting.end();
}

/// Which request a message answers; a late or unknown one answers nothing.
fn answered(message: &ToShim) -> Option<RequestId> {
    match message {
        ToShim::Answer(message) => Some(message.id),
        ToShim::SignInNeeded(message) => Some(message.id),
        ToShim::SignInEnded(message) => Some(message.id),
        ToShim::Session(message) => Some(message.id),
        ToShim::Done(message) => Some(message.id),
        ToShim::Failed(message) => Some(message.id),
        ToShim::Status(message) | ToShim::LoggedOut(message) => Some(message.id),
        ToShim::Token(message) => Some(message.id),
        ToShim::NotUnderstood(_) | ToShim::Leaving(_) | ToShim::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use aic_proto::connection::{next_request, split};
    use aic_proto::message::{Ask, Leaving, SessionReport};
    use tokio::io::DuplexStream;

    use super::*;

    fn pair() -> (Connection, Reader<DuplexStream>, Writer<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (reader, writer) = split(ours);
        let welcome = Welcome { protocol: 1, program: "0".into(), pid: 1, state_key: [0; 32] };
        let (their_reader, their_writer) = split(theirs);
        (Connection::begin(reader, writer, welcome), their_reader, their_writer)
    }

    fn report(id: RequestId) -> ToShim {
        let (tenant, state) = (format!("t{id}"), "signed_out".to_owned());
        ToShim::Session(SessionReport { id, tenant, state, user: None, expires_at: None, pending: None })
    }

    #[tokio::test]
    async fn answers_find_their_requests_in_any_order() {
        let (connection, mut reader, mut writer) = pair();
        let broker = async {
            for _ in 0..2 {
                next_request(&mut reader).await.unwrap().unwrap();
            }
            for message in [report(9), ToShim::Unknown(999), report(2), report(1)] {
                frame::write(&mut writer, &message.encode().unwrap()).await.unwrap();
            }
        };

        let ask = || connection.request(|id| ToBroker::SessionStatus(Ask { id }));
        let (first, second, ()) = tokio::join!(ask(), ask(), broker);

        assert_eq!((first, second), (Ok(report(1)), Ok(report(2))));
    }

    #[tokio::test]
    async fn a_broker_that_dies_ends_all_requests() {
        let (connection, mut reader, writer) = pair();
        let broker = async {
            next_request(&mut reader).await.unwrap();
            drop((reader, writer));
        };

        let (answer, ()) = tokio::join!(connection.request(|id| ToBroker::SessionStatus(Ask { id })), broker);

        assert_eq!(answer, Err(Lost::Unanswered));
        assert!(!connection.lives());
        assert_eq!(connection.request(|id| ToBroker::SessionStatus(Ask { id })).await, Err(Lost::Unsent));
    }

    #[tokio::test]
    async fn a_broker_that_leaves_answers_what_it_has_and_gets_nothing_more() {
        let (connection, mut reader, mut writer) = pair();
        let leaving = ToShim::Leaving(Leaving { reason: "its program was replaced".into() });
        let broker = async {
            next_request(&mut reader).await.unwrap();
            for message in [leaving, report(1)] {
                frame::write(&mut writer, &message.encode().unwrap()).await.unwrap();
            }
        };

        let (answer, ()) = tokio::join!(connection.request(|id| ToBroker::SessionStatus(Ask { id })), broker);

        assert_eq!(answer, Ok(report(1)));
        assert!(!connection.lives());
        assert_eq!(connection.request(|id| ToBroker::SessionStatus(Ask { id })).await, Err(Lost::Unsent));
    }

    #[tokio::test]
    async fn a_request_to_a_broker_that_is_gone_unnoticed_was_never_sent() {
        let (connection, reader, writer) = pair();
        drop((reader, writer));

        let answer = connection.request(|id| ToBroker::SessionStatus(Ask { id })).await;

        assert_eq!(answer, Err(Lost::Unsent));
    }

    #[tokio::test]
    async fn a_dropped_request_is_withdrawn() {
        let (connection, mut reader, _writer) = pair();

        {
            let asked = std::pin::pin!(connection.request(|id| ToBroker::SessionStatus(Ask { id })));
            tokio::select! { _ = asked => panic!("nobody answers"), got = next_request(&mut reader) => { got.unwrap(); } }
        }

        assert_eq!(next_request(&mut reader).await.unwrap(), Some(ToBroker::Cancel(Cancel { id: 1 })));
    }
}
