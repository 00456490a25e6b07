//! Holds one client's conversation: each request in a task of its own, each answer once, everything bounded.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aic_proto::catalogue;
use aic_proto::connection::{self, Reader, Writer};
use aic_proto::frame;
use aic_proto::message::{Answer, Call, Failed, Leaving, NotUnderstood, Outcome, RequestId, ToBroker, ToShim};
use aic_proto::refusal::{Executed, Failure, Kind};
use aic_proto::transport::Stream;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Broker, Client, call, control, presentable};
use crate::audit::Entry;
use crate::oauth::Opener;

/// How many calls of one client are under way at once: an editor runs a handful, a model in a loop more.
const CALLS_AT_ONCE: usize = 32;
/// How many requests of other kinds are under way at once.
const REQUESTS_AT_ONCE: usize = 64;
/// How many answers wait for a client that reads slowly; then its tasks wait.
const ANSWERS_WAITING: usize = 32;
/// How long a client may take to read one answer before it is given up.
const READ_WITHIN: Duration = Duration::from_secs(30);

type Cancels = Arc<Mutex<HashMap<RequestId, oneshot::Sender<()>>>>;

struct Conversation<O> {
    broker: Arc<Broker<O>>,
    client: Arc<Client>,
    answers: mpsc::Sender<ToShim>,
    cancels: Cancels,
    calls: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

/// Serves requests until either side ends; what is under way then is withdrawn.
pub(super) async fn hold<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    reader: Reader<Stream>,
    writer: Writer<Stream>,
) {
    let (answers, outgoing) = mpsc::channel(ANSWERS_WAITING);
    let conversation = Conversation {
        broker: Arc::clone(broker),
        client: Arc::clone(client),
        answers,
        cancels: Cancels::default(),
        calls: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
        others: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
    };
    tokio::select! {
        () = conversation.read(reader) => {}
        () = write(writer, outgoing, READ_WITHIN) => {}
        never = conversation.tell_when_leaving() => match never {},
    }
    conversation.cancels.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Writes answers until there are no more, or the client takes longer than it may to read one.
async fn write<S: AsyncRead + AsyncWrite>(
    mut writer: Writer<S>,
    mut outgoing: mpsc::Receiver<ToShim>,
    read_within: Duration,
) {
    while let Some(message) = outgoing.recv().await {
        let Ok(bytes) = message.encode().or_else(|error| too_large(&message, &error).encode()) else { return };
        match tokio::time::timeout(read_within, frame::write(&mut writer, &bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

impl<O: Opener + Clone + 'static> Conversation<O> {
    async fn read(&self, mut reader: Reader<Stream>) {
        while let Ok(Some(message)) = connection::next_request(&mut reader).await {
            match message {
                ToBroker::Call(call) => match Arc::clone(&self.calls).try_acquire_owned() {
                    Ok(place) => self.call(call, place),
                    Err(_) => self.answer(too_many_calls(call.id)).await,
                },
                ToBroker::Cancel(cancel) => drop(self.take_cancel(cancel.id)),
                ToBroker::Unknown(kind) => self.answer(ToShim::NotUnderstood(NotUnderstood { kind })).await,
                request => match Arc::clone(&self.others).try_acquire_owned() {
                    Ok(place) => self.other(request, place),
                    Err(_) => self.answer(too_many_requests(request.id().unwrap_or_default())).await,
                },
            }
        }
    }

    /// A command asks one thing and goes; it is told nothing else.
    async fn tell_when_leaving(&self) -> Infallible {
        if self.client.shim.is_some() {
            let _ = self.broker.leaving.subscribe().wait_for(|leaving| *leaving).await;
            self.answer(ToShim::Leaving(Leaving { reason: "the broker is about to leave".to_owned() })).await;
        }
        std::future::pending().await
    }

    async fn answer(&self, message: ToShim) {
        let _ = self.answers.send(message).await;
    }

    fn take_cancel(&self, id: RequestId) -> Option<oneshot::Sender<()>> {
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// Remembers how the request can be withdrawn.
    fn withdrawable(&self, id: RequestId) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner).insert(id, cancel);
        cancelled
    }

    /// A call is answered whatever happens to it, also when it is withdrawn and when its task fails.
    fn call(&self, call: Call, place: OwnedSemaphorePermit) {
        let id = call.id;
        let cancelled = self.withdrawable(id);
        let (broker, client) = (Arc::clone(&self.broker), Arc::clone(&self.client));
        let (answers, cancels) = (self.answers.clone(), Arc::clone(&self.cancels));
        tokio::spawn(async move {
            let _under_way = broker.registry.begin_call();
            let tool = call.tool.clone();
            let work = AssertUnwindSafe(call::carry_out(&broker, &client, call, cancelled)).catch_unwind();
            let answer = work.await.unwrap_or_else(|_| broken(&broker, &client, id, &tool));
            cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            // a call that must wait for a sign-in is asked again and counts once
            if matches!(answer, ToShim::Answer(_)) {
                broker.registry.count_call(client.number);
            }
            shown(&broker, &client, &answer);
            let _ = answers.send(answer).await;
            drop(place);
        });
    }

    fn other(&self, request: ToBroker, place: OwnedSemaphorePermit) {
        let id = request.id().unwrap_or_default();
        let cancelled = self.withdrawable(id);
        let (broker, client) = (Arc::clone(&self.broker), Arc::clone(&self.client));
        let (answers, cancels) = (self.answers.clone(), Arc::clone(&self.cancels));
        tokio::spawn(async move {
            let answer = tokio::select! {
                answer = control::answer(&broker, &client, request) => answer,
                _ = cancelled => None,
            };
            cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            if let Some(answer) = answer {
                shown(&broker, &client, &answer);
                let _ = answers.send(answer).await;
            }
            drop(place);
        });
    }
}

/// Notes who is shown a sign-in: it goes on until the last of them declines.
fn shown<O>(broker: &Broker<O>, client: &Client, answer: &ToShim) {
    if let ToShim::SignInNeeded(needed) = answer {
        broker.registry.show(client.number, &needed.pending.flow);
    }
}

/// An answer that does not fit a frame becomes the failure that says so.
fn too_large(message: &ToShim, error: &frame::Error) -> ToShim {
    match message {
        ToShim::Answer(answer) => {
            let executed = match &answer.outcome {
                Outcome::Failure(failure) => failure.executed,
                Outcome::Success(_) => Executed::Unknown,
            };
            let failure = Failure::new(Kind::Upstream, format!("the answer is too large to be passed on: {error}"));
            ToShim::Answer(Answer { id: answer.id, outcome: Outcome::Failure(Failure { executed, ..failure }) })
        }
        _ => ToShim::NotUnderstood(NotUnderstood { kind: 0 }),
    }
}

/// A fault of our own in the middle of a call: a tool that changes things may have changed them.
fn broken<O>(broker: &Broker<O>, client: &Client, id: RequestId, tool: &str) -> ToShim {
    let reads = catalogue::find(tool).is_some_and(|tool| tool.hints.read_only);
    let executed = if reads { Executed::No } else { Executed::Unknown };
    let failure =
        Failure::new(Kind::Internal, "the broker failed while it carried out the call").with_hint("aic-broker audit");
    let _ = broker.record(&Entry {
        event: "call",
        client: Some(client.label.clone()),
        tool: Some(presentable(tool)),
        outcome: Some(failure.kind.word().to_owned()),
        executed: Some(executed.word()),
        ..Entry::default()
    });
    ToShim::Answer(Answer { id, outcome: Outcome::Failure(Failure { executed, ..failure }) })
}

fn too_many_calls(id: RequestId) -> ToShim {
    let message = format!("{CALLS_AT_ONCE} calls of this client are under way; this one was not sent");
    let failure = Failure::new(Kind::RateLimited, message).with_hint("call again when some of them are answered");
    ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure) })
}

fn too_many_requests(id: RequestId) -> ToShim {
    let message = format!("{REQUESTS_AT_ONCE} requests of this client are under way");
    ToShim::Failed(Failed { id, failure: Failure::new(Kind::RateLimited, message) })
}

#[cfg(test)]
mod tests {
    use aic_proto::message::{Ask, Success};

    use super::*;

    #[tokio::test]
    async fn a_client_that_does_not_read_its_answers_is_given_up() {
        const ROOM: usize = 64;
        let (ours, _unread) = tokio::io::duplex(ROOM);
        let (answers, outgoing) = mpsc::channel(ANSWERS_WAITING);
        let (_reader, writer) = connection::split(ours);

        let pours = async { while answers.send(ToShim::Done(Ask { id: 7 })).await.is_ok() {} };
        tokio::join!(write(writer, outgoing, Duration::from_millis(20)), pours);
    }

    #[test]
    fn an_answer_that_does_not_fit_says_so_and_what_is_known_of_its_call() {
        let success = Success { text: None, structured: None, transaction_id: None, warning: None };
        let failure = Failure { executed: Executed::Yes, ..Failure::new(Kind::Upstream, "a page") };
        let error = frame::Error::Length { announced: 9, limit: 8 };

        for (outcome, wanted) in
            [(Outcome::Success(success), Executed::Unknown), (Outcome::Failure(failure), Executed::Yes)]
        {
            let told = too_large(&ToShim::Answer(Answer { id: 7, outcome }), &error);
            let says_so = matches!(&told, ToShim::Answer(Answer { id: 7, outcome: Outcome::Failure(failure) })
                if failure.executed == wanted && failure.message.ends_with("at most 8 are accepted"));
            assert!(says_so, "{told:?}");
        }
    }
}
