//! Keeps sealed records in the OS's keychain, on a thread of its own, with a deadline for every call.

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use tokio::sync::oneshot;

use crate::config;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod os;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod os;
#[cfg(windows)]
#[path = "windows.rs"]
mod os;

/// The keychain of this OS.
pub const NAME: &str = os::NAME;

/// Whether the keychain is locked; nobody is asked for a password. On a thread of its own, which is left to itself when it is late.
///
/// Errors: [`Trouble::Absent`] where there is none, [`Trouble::Hanging`] when it does not answer in time.
pub async fn is_locked(within: Duration) -> Result<bool, Trouble> {
    let (reply, answer) = oneshot::channel();
    let spawned =
        std::thread::Builder::new().name("keychain".to_owned()).spawn(move || drop(reply.send(os::is_locked())));
    match spawned {
        Err(error) => Err(Trouble::Failed(error.to_string())),
        Ok(_) => match tokio::time::timeout(within, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => Err(Trouble::Hanging),
        },
    }
}

/// How long one call may take: a locked or hanging keychain must not hold a sign-in (the contract's section 10).
pub const WITHIN: Duration = Duration::from_secs(2);
/// How many calls may wait for the thread: each tenant has at most one or two.
const QUEUE: usize = 64;

/// Why a record could not be kept, read or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no keychain here.
    #[error("there is no keychain: {0}")]
    Absent(String),
    /// It is locked, or its owner dismissed the question.
    #[error("the keychain is locked")]
    Locked,
    /// It did not answer in time.
    #[error("the keychain did not answer within {} s", WITHIN.as_secs())]
    Hanging,
    /// It holds no such record.
    #[error("the keychain does not hold the record any more")]
    Missing,
    /// Anything else.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

type Job = Box<dyn FnOnce(&Shelf) + Send>;

/// The keychain of this broker.
#[derive(Clone)]
pub struct Keychain(Option<Arc<Thread>>);

struct Thread {
    jobs: SyncSender<Job>,
    required: bool,
    state: Mutex<Result<(), Trouble>>,
}

/// What the thread works with; the store is built anew after a failure, since a keychain may start later than we do.
struct Shelf {
    service: String,
    store: Mutex<Option<Arc<CredentialStore>>>,
}

impl Keychain {
    /// Memory only.
    pub fn memory() -> Self {
        Self(None)
    }

    /// Starts the keychain's thread and removes what an earlier process left under this service name.
    pub fn start(choice: config::Keychain, container: bool, service: String) -> Self {
        if container || choice == config::Keychain::Memory {
            return Self::memory();
        }
        let (jobs, waiting) = sync_channel::<Job>(QUEUE);
        let shelf = Shelf { service, store: Mutex::default() };
        let thread = Arc::new(Thread { jobs, required: choice == config::Keychain::Os, state: Mutex::new(Ok(())) });
        let noted = Arc::clone(&thread);
        let spawned = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
            let first = shelf.remove_leftovers();
            *noted.state.lock().unwrap_or_else(PoisonError::into_inner) = first;
            drop(noted);
            while let Ok(job) = waiting.recv() {
                job(&shelf);
            }
        });
        Self(spawned.is_ok().then_some(thread))
    }

    /// Whether records go to the OS's keychain.
    pub fn is_os(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the configuration insists on the OS's keychain: memory will not do then.
    pub fn is_required(&self) -> bool {
        self.0.as_ref().is_some_and(|thread| thread.required)
    }

    /// The backend's name and its state, for `status --json`.
    pub fn status(&self) -> (&'static str, String) {
        match &self.0 {
            None => ("memory", "ok".to_owned()),
            Some(thread) => {
                let state = thread.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
                (os::NAME, state.map_or_else(|trouble| trouble.to_string(), |()| "ok".to_owned()))
            }
        }
    }

    /// Keeps a record. One that could not be kept is kept by no late keychain either.
    ///
    /// Errors: see [`Trouble`]; after [`WITHIN`] it is [`Trouble::Hanging`].
    pub async fn put(&self, account: &str, record: Vec<u8>) -> Result<(), Trouble> {
        let (account, late) = (account.to_owned(), account.to_owned());
        let kept = self.call(move |shelf| shelf.put(&account, &record)).await;
        if let (Err(_), Some(thread)) = (&kept, &self.0) {
            let _ = thread.jobs.try_send(Box::new(move |shelf| drop(shelf.remove(&late))));
        }
        kept
    }

    /// Reads a record.
    ///
    /// Errors: as [`Keychain::put`].
    pub async fn get(&self, account: &str) -> Result<Vec<u8>, Trouble> {
        let account = account.to_owned();
        self.call(move |shelf| shelf.get(&account)).await
    }

    /// Removes a record; one that is not there is no trouble.
    ///
    /// Errors: as [`Keychain::put`].
    pub async fn remove(&self, account: &str) -> Result<(), Trouble> {
        let account = account.to_owned();
        self.call(move |shelf| shelf.remove(&account)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let Some(thread) = &self.0 else { return Err(Trouble::Absent("memory was chosen".to_owned())) };
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |shelf| drop(reply.send(work(shelf))));
        let outcome = match thread.jobs.try_send(job) {
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Trouble::Hanging),
            Ok(()) => match tokio::time::timeout(WITHIN, answer).await {
                Ok(Ok(done)) => done,
                Ok(Err(_)) | Err(_) => Err(Trouble::Hanging),
            },
        };
        let state = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        *thread.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        outcome
    }
}

impl Shelf {
    fn store(&self) -> Result<Arc<CredentialStore>, Trouble> {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = held.as_ref() {
            return Ok(Arc::clone(store));
        }
        let store = os::store().map_err(|error| Trouble::Absent(cause(&error)))?;
        Ok(Arc::clone(held.insert(store)))
    }

    /// Runs one piece of work; a store that failed is built anew next time.
    fn with<T>(&self, work: impl FnOnce(&Arc<CredentialStore>) -> Result<T, Error>) -> Result<T, Trouble> {
        let store = self.store()?;
        work(&store).map_err(|error| {
            let trouble = trouble(&error);
            if trouble != Trouble::Missing {
                *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            trouble
        })
    }

    fn put(&self, account: &str, record: &[u8]) -> Result<(), Trouble> {
        let parts: Vec<&[u8]> = record.chunks(os::LARGEST_ITEM - 1).collect();
        let count = u8::try_from(parts.len()).map_err(|_| Trouble::Failed("the record is too large".to_owned()))?;
        for (number, part) in parts.iter().enumerate() {
            let item = [&[count], *part].concat();
            self.with(|store| self.entry(store, account, number)?.set_secret(&item))?;
        }
        Ok(())
    }

    fn get(&self, account: &str) -> Result<Vec<u8>, Trouble> {
        let mut record = Vec::new();
        let mut number = 0;
        loop {
            let item = self.with(|store| self.entry(store, account, number)?.get_secret())?;
            let (count, part) = item.split_first().ok_or(Trouble::Missing)?;
            record.extend_from_slice(part);
            number += 1;
            if number >= usize::from(*count) {
                return Ok(record);
            }
        }
    }

    fn remove(&self, account: &str) -> Result<(), Trouble> {
        for number in 0.. {
            match self.with(|store| self.entry(store, account, number)?.delete_credential()) {
                Ok(()) => {}
                Err(Trouble::Missing) => break,
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    fn remove_leftovers(&self) -> Result<(), Trouble> {
        let wanted = HashMap::from([("service", self.service.as_str())]);
        let left = match self.with(|store| store.search(&wanted)) {
            Err(Trouble::Missing) => Vec::new(),
            found => found?,
        };
        for entry in left {
            match entry.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => {}
                Err(error) => return Err(trouble(&error)),
            }
        }
        Ok(())
    }

    fn entry(&self, store: &Arc<CredentialStore>, account: &str, number: usize) -> Result<Entry, Error> {
        match number {
            0 => store.build(&self.service, account, None),
            number => store.build(&self.service, &format!("{account} part {number}"), None),
        }
    }
}

fn trouble(error: &Error) -> Trouble {
    match error {
        Error::NoEntry => Trouble::Missing,
        Error::NoStorageAccess(_) => Trouble::Locked,
        Error::NoDefaultStore => Trouble::Absent("none is set".to_owned()),
        other => Trouble::Failed(cause(other)),
    }
}

/// An error's text without what the item holds: some of keyring's variants carry the secret.
fn cause(error: &Error) -> String {
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "it holds something else".to_owned(),
        other => other.to_string(),
    }
}
