//! Accepts connections until the broker leaves. Only this user's processes get past the door.

use std::sync::Arc;
use std::time::Duration;

use aic_proto::transport::{self, Claim, Peer, Stream};
use interprocess::local_socket::traits::tokio::Listener as _;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::audit::Entry;
use crate::client::{self, Broker};
use crate::oauth::Opener;
use crate::os::Program;

/// How many connections there may be: far above any desktop, below what descriptors allow.
const CONNECTIONS: usize = 2048;
/// The pause after an accept that failed, for example for want of descriptors; it doubles up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a stranger is put on record at the most.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// How often the broker looks whether its program was replaced, when nobody of another version comes.
const LOOK_AT_PROGRAM_EVERY: Duration = Duration::from_secs(30);
/// How long a replaced broker goes on while calls are under way: until then one moment without any is the best one to leave.
const QUIET_WITHIN: Duration = Duration::from_secs(30);
/// How often the broker looks whether the socket's name still leads to it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why the broker stops listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Somebody asked it to.
    Asked,
    /// Nobody was connected for the time that sessions outlive their clients.
    Idle,
    /// The socket's name leads elsewhere.
    NameLost,
    /// Another program has the place of this one: the next broker is a newer one.
    Replaced,
}

/// Serves connections until there is a reason to stop.
pub async fn run<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    claim: &Claim,
    program: Option<&Program>,
) -> Reason {
    let reason = tokio::select! {
        never = accept(broker, claim) => match never {},
        () = broker.leave.notified() => Reason::Asked,
        () = idle(broker) => Reason::Idle,
        () = lost(claim) => Reason::NameLost,
        () = replaced(broker, program) => Reason::Replaced,
    };
    broker.begin_to_leave();
    reason
}

async fn accept<O: Opener + Clone + 'static>(broker: &Arc<Broker<O>>, claim: &Claim) -> std::convert::Infallible {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut pause = FIRST_PAUSE;
    let mut next_note = Instant::now();
    loop {
        match claim.listener.accept().await {
            Ok(stream) => {
                pause = FIRST_PAUSE;
                match transport::peer(&stream) {
                    Ok(peer) => admit(broker, stream, peer, &places),
                    Err(stranger) => note(broker, &stranger, &mut next_note),
                }
            }
            Err(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Puts a stranger on record, but not each of a flood.
fn note<O>(broker: &Broker<O>, stranger: &transport::Error, next_note: &mut Instant) {
    if Instant::now() >= *next_note {
        *next_note = Instant::now() + NOTE_EVERY;
        let _ = broker.record(&Entry { event: "refusal", outcome: Some(stranger.to_string()), ..Entry::default() });
    }
}

fn admit<O: Opener + Clone + 'static>(broker: &Arc<Broker<O>>, stream: Stream, peer: Peer, places: &Arc<Semaphore>) {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else { return };
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        client::serve(broker, stream, peer).await;
        drop(place);
    });
}

async fn idle<O>(broker: &Broker<O>) {
    let linger = broker.config.session_linger();
    let mut count = broker.registry.shims_connected();
    loop {
        let deadline = Instant::now() + linger;
        let connected = *count.borrow_and_update() > 0;
        match connected {
            true => drop(count.changed().await),
            false => {
                if tokio::time::timeout_at(deadline, count.changed()).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn lost(claim: &Claim) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        if !claim.still_named() {
            return;
        }
    }
}

/// A person who installs a newer release gets it at the next quiet moment.
async fn replaced<O>(broker: &Broker<O>, program: Option<&Program>) {
    let Some(program) = program else { return std::future::pending().await };
    let mut look = tokio::time::interval(LOOK_AT_PROGRAM_EVERY);
    while !program.was_replaced() {
        tokio::select! {
            _ = look.tick() => {}
            () = broker.other_version.notified() => {}
        }
    }
    let _ = tokio::time::timeout(QUIET_WITHIN, broker.registry.no_calls_under_way()).await;
}
