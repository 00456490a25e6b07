//! The tenant's socket: accepts connections, reads requests, applies faults, writes answers. The only file with hyper's server.

mod exchange;
mod shape;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::clock::Clock;
use super::faults::Fault;
use super::ledger::Entry;
use super::switches::Switches;
use super::world::World;

/// What all connections share. Locks are taken in the order of the fields and never held over a wait.
#[derive(Debug)]
pub struct Shared {
    /// The switches.
    pub switches: Mutex<Switches>,
    /// The faults to come.
    pub faults: Mutex<Vec<Fault>>,
    /// The state.
    pub world: Mutex<World>,
    /// Every request.
    pub ledger: Mutex<Vec<Entry>>,
    /// API requests in flight now.
    pub in_flight: AtomicUsize,
    /// The most API requests in flight at once.
    pub most_in_flight: AtomicUsize,
    /// Whether `/__sandbox/…` is served.
    pub control: bool,
    clock: Clock,
    connections: AtomicUsize,
}

impl Shared {
    /// Makes the shared state of a new tenant.
    pub fn new(switches: Switches, world: World, control: bool, clock: Clock) -> Self {
        Self {
            switches: Mutex::new(switches),
            faults: Mutex::new(Vec::new()),
            world: Mutex::new(world),
            ledger: Mutex::new(Vec::new()),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            control,
            clock,
            connections: AtomicUsize::new(0),
        }
    }

    /// Milliseconds since the tenant started.
    pub fn elapsed(&self) -> u64 {
        self.clock.elapsed()
    }

    /// The tenant's time, which a switch can set ahead.
    pub fn now(&self) -> SystemTime {
        self.clock.now(lock(&self.switches).clock_ahead_seconds)
    }
}

/// Locks; a thread that panicked while it held the lock was a test that failed anyway.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until the task is dropped; connections end with it.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(connection(stream, number, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection; a fault may ask that it ends with a reset.
async fn connection(stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        async move { exchange::answer(&shared, number, request, &reset).await }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = (&mut connection).await;
    if reset.load(Ordering::Relaxed) {
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// The error of a service that wants its connection cut.
#[derive(Debug)]
pub struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut by a fault")
    }
}

impl std::error::Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
