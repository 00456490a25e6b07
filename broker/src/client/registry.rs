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
    /// The sign-in that it was shown last and did not decline.
    shown: Option<String>,
}

/// All connected clients.
pub struct Registry {
    clients: Mutex<(u64, BTreeMap<u64, Connected>)>,
    shims: watch::Sender<usize>,
    under_way: watch::Sender<usize>,
}

impl Default for Registry {
    fn default() -> Self {
        Self { clients: Mutex::default(), shims: watch::Sender::new(0), under_way: watch::Sender::new(0) }
    }
}

impl Registry {
    /// A client has come; gives its number.
    pub fn enter(&self, label: audit::Client, tenant: Option<String>) -> u64 {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.0 += 1;
        let number = clients.0;
        clients.1.insert(number, Connected { label, tenant, since: Moment::now(), calls: 0, shown: None });
        self.shims.send_replace(shims_in(&clients.1));
        number
    }

    /// A client has gone.
    pub fn leave(&self, number: u64) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.1.remove(&number);
        self.shims.send_replace(shims_in(&clients.1));
    }

    /// A client made a tool call.
    pub fn count_call(&self, number: u64) {
        if let Some(client) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).1.get_mut(&number) {
            client.calls += 1;
        }
    }

    /// A client is shown a sign-in.
    pub fn show(&self, number: u64, flow: &str) {
        if let Some(client) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).1.get_mut(&number) {
            client.shown = Some(flow.to_owned());
        }
    }

    /// A client declined a sign-in; whether nobody else is left who was shown it.
    pub fn decline(&self, number: u64, flow: &str) -> bool {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.1.get_mut(&number) {
            client.shown.take_if(|shown| shown == flow);
        }
        !clients.1.values().any(|client| client.shown.as_deref() == Some(flow))
    }

    /// The shims, the oldest first.
    pub fn shims(&self) -> Vec<Connected> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.1.values().filter(|client| client.tenant.is_some()).cloned().collect()
    }

    /// How many shims are connected, as it changes; commands come and go and keep nobody's session.
    pub fn shims_connected(&self) -> watch::Receiver<usize> {
        self.shims.subscribe()
    }

    /// A call has begun; it is under way until what is returned is dropped.
    pub fn begin_call(&self) -> UnderWay<'_> {
        self.under_way.send_modify(|count| *count += 1);
        UnderWay(self)
    }

    /// Waits until no call is under way. The caller bounds how long.
    pub async fn no_calls_under_way(&self) {
        let _ = self.under_way.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// A call under way.
pub struct UnderWay<'a>(&'a Registry);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count = count.saturating_sub(1));
    }
}

fn shims_in(clients: &BTreeMap<u64, Connected>) -> usize {
    clients.values().filter(|client| client.tenant.is_some()).count()
}
