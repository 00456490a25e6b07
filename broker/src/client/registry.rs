//! Knows who is connected.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::audit;
use crate::clock::Moment;

/// One connected client.
#[derive(Debug, Clone)]
pub struct Connected {
    /// Process, program and name.
    pub label: audit::Client,
    /// The tenant of a shim; `None` for a command.
    pub tenant: Option<String>,
    /// Since when.
    pub since: Moment,
    /// How many tool calls it made.
    pub calls: u64,
}

/// All connected clients.
pub struct Registry {
    clients: Mutex<(u64, BTreeMap<u64, Connected>)>,
    count: watch::Sender<usize>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { clients: Mutex::default(), count: watch::Sender::new(0) }
    }
}

impl Registry {
    /// A client has come; gives its number.
    pub fn enter(&self, label: audit::Client, tenant: Option<String>) -> u64 {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.0 += 1;
        let number = clients.0;
        clients.1.insert(number, Connected { label, tenant, since: Moment::now(), calls: 0 });
        self.count.send_replace(clients.1.len());
        number
    }

    /// A client has gone.
    pub fn leave(&self, number: u64) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.1.remove(&number);
        self.count.send_replace(clients.1.len());
    }

    /// A client made a tool call.
    pub fn count_call(&self, number: u64) {
        if let Some(client) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).1.get_mut(&number) {
            client.calls += 1;
        }
    }

    /// The shims, the oldest first.
    pub fn shims(&self) -> Vec<Connected> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.1.values().filter(|client| client.tenant.is_some()).cloned().collect()
    }

    /// How many are connected, as it changes.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }
}
