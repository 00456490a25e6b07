//! The sandbox tenant: a strict simulated PingOne Advanced Identity Cloud on loopback.
//!
//! It refuses what the platform refuses and is never bent to make a tool pass. Where sources about the platform
//! disagree there is a switch. Every request is in its ledger; every secret that it issues carries its canary.

mod am;
mod chance;
mod clock;
mod control;
mod crest;
mod environment;
pub mod faults;
mod gate;
mod headers;
mod idm;
pub mod ledger;
mod logs;
pub mod oauth;
mod options;
pub mod program;
#[cfg(test)]
mod rehearsal;
mod reply;
mod request;
pub mod switches;
#[cfg(test)]
mod tests;
mod times;
mod wire;
pub mod world;

pub use options::{Options, REDIRECT_URI};

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use clock::Clock;
use faults::Fault;
use ledger::{Entry, TokenKind};
use oauth::book::Secret;
use switches::Switches;
use wire::{Shared, lock};
use world::World;

/// A running tenant; it stops when it is dropped.
#[derive(Debug)]
pub struct Tenant {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    port: u16,
}

impl Tenant {
    /// Starts a tenant on 127.0.0.1, on the current runtime.
    ///
    /// Errors: the port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let port = listener.local_addr()?.port();
        let clock = Clock::start();
        let world = World::new(options.redirect_uris, clock.now(options.switches.clock_ahead_seconds));
        let shared = Arc::new(Shared::new(options.switches, world, options.control, clock));
        let task = tokio::spawn(wire::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, task, port })
    }

    /// Returns the tenant's address, `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Locks the switches for change; do not hold it over a wait.
    pub fn switches(&self) -> MutexGuard<'_, Switches> {
        lock(&self.shared.switches)
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Returns every request so far.
    pub fn ledger(&self) -> Vec<Entry> {
        lock(&self.shared.ledger).clone()
    }

    /// How many requests there were.
    pub fn ledger_length(&self) -> usize {
        lock(&self.shared.ledger).len()
    }

    /// Returns the requests from this number on.
    pub fn ledger_after(&self, number: usize) -> Vec<Entry> {
        lock(&self.shared.ledger).iter().skip(number).cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn clear_ledger(&self) {
        lock(&self.shared.ledger).clear();
        self.shared.most_in_flight.store(0, Ordering::Relaxed);
    }

    /// Returns the most API requests that were in flight at once.
    pub fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::Relaxed)
    }

    /// Returns the marker that every issued secret carries.
    pub fn canary(&self) -> String {
        lock(&self.shared.world).book.canary.clone()
    }

    /// Returns every secret that was issued or seen.
    pub fn secrets(&self) -> Vec<Secret> {
        lock(&self.shared.world).book.secrets.clone()
    }

    /// Ends all primary tokens.
    pub fn kill_primary_tokens(&self) {
        lock(&self.shared.world).book.kill(TokenKind::Primary);
    }

    /// Ends all scoped tokens.
    pub fn kill_scoped_tokens(&self) {
        lock(&self.shared.world).book.kill(TokenKind::Scoped);
    }

    /// Approves all devices that wait, as the configured user.
    pub fn approve_devices(&self) {
        let user = lock(&self.shared.switches).user.clone();
        lock(&self.shared.world).book.approve_devices(&user);
    }

    /// Gives access to the whole state.
    pub fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        work(&mut lock(&self.shared.world))
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.task.abort();
    }
}
