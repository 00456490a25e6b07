//! Holds the sessions: who is signed in to which tenant, and the tokens that come of it.

mod actor;
mod machine;
mod record;
mod scoped;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aic_proto::message::{End, How, Pending};
use aic_proto::refusal::{Failure, Kind};
use tokio::sync::{mpsc, oneshot};

use crate::config::{Origin, Tenant};
use crate::http::Http;
use crate::keychain::Keychain;
use crate::oauth::{Opener, Surroundings};
use crate::secret::{Bearer, Secret};

pub use machine::By;

/// How many requests one tenant's sessions may have waiting: every call of every client at once fits.
const MAILBOX: usize = 4096;

/// What the sessions stand on.
pub struct Parts<O> {
    /// The HTTP client.
    pub http: Http,
    /// Where primary tokens are kept.
    pub keychain: Keychain,
    /// How browsers are opened.
    pub opener: O,
    /// What the machine offers.
    pub around: Surroundings,
    /// How long a sign-in may take.
    pub login_timeout: Duration,
    /// Who is told of sign-ins and sign-outs.
    pub witness: Arc<dyn Witness>,
}

/// Is told what happens to sessions.
pub trait Witness: Send + Sync {
    /// Something happened.
    fn happened(&self, tenant: &Tenant, event: &Happening);
}

/// What happens to sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A person must sign in, and is shown where.
    SignInNeeded,
    /// Somebody signed in.
    SignedIn {
        /// Their user name.
        user: Option<String>,
        /// The user of the session before, when it was another.
        instead_of: Option<String>,
    },
    /// A sign-in did not succeed.
    SignInFailed(Failure),
    /// A session ended, and how.
    Ended {
        /// The user name.
        user: Option<String>,
        /// Why.
        how: Ended,
    },
    /// The session ends in a few minutes.
    EndsSoon,
    /// The keychain was to be used and could not be.
    MemoryInstead(String),
    /// A scoped token was exchanged.
    Exchanged {
        /// Its scopes.
        scopes: String,
    },
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By its own time.
    Expired,
    /// The tenant rejected its token.
    Rejected,
    /// The keychain lost its token.
    Lost,
    /// Somebody signed in anew before its end.
    Replaced,
    /// By a sign-out; what was revoked.
    SignedOut(Revoked),
}

/// What a sign-out could revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// All tokens.
    All,
    /// Not all, and why: they live out their short life.
    NotAll(String),
}

/// Why there is no token.
#[derive(Debug)]
pub enum Need {
    /// Somebody must sign in; the sign-in is under way.
    SignIn(Box<Pending>),
    /// There is none to be had, and signing in would not help now.
    Refused(Failure),
}

/// A sign-in that was asked for.
#[derive(Debug)]
pub enum Started {
    /// It is under way.
    Pending(Box<Pending>),
    /// Somebody is signed in already.
    SignedIn(Box<Report>),
}

/// How a tenant's session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The tenant's name.
    pub tenant: String,
    /// `signed_out`, `signing_in`, `signed_in` or `expired`.
    pub state: &'static str,
    /// The user name.
    pub user: Option<String>,
    /// The user of the session before, when it was another.
    pub instead_of: Option<String>,
    /// The end of the session, RFC 3339.
    pub expires_at: Option<String>,
    /// The sign-in under way.
    pub pending: Option<Pending>,
}

/// What is asked of one tenant's sessions.
enum Ask {
    Bearer { scopes: Vec<String>, reply: oneshot::Sender<Result<Scoped, Need>> },
    SignIn { how: How, by: By, container: bool, reply: oneshot::Sender<Result<Started, Need>> },
    Wait { flow: String, reply: oneshot::Sender<End> },
    Decline { flow: String },
    Paste { flow: String, url: Secret, reply: oneshot::Sender<bool> },
    DropScoped { serial: u64 },
    SignOut { reply: oneshot::Sender<Option<Revoked>> },
    Report { reply: oneshot::Sender<Report> },
}

/// A scoped token, whose it is, and how long it lives.
#[derive(Debug)]
pub struct Scoped {
    /// The token.
    pub bearer: Bearer,
    /// The signed-in user.
    pub user: Option<String>,
    /// What is left of it.
    pub expires_in: Duration,
}

/// All sessions. One task a tenant owns that tenant's.
pub struct Vault<O> {
    parts: Arc<Parts<O>>,
    tenants: Mutex<HashMap<Origin, (Tenant, mpsc::Sender<Ask>)>>,
}

impl<O: Opener + Clone + 'static> Vault<O> {
    /// Builds an empty vault: whoever starts a broker signs in anew.
    pub fn new(parts: Parts<O>) -> Self {
        Self { parts: Arc::new(parts), tenants: Mutex::default() }
    }

    /// A token with these scopes.
    ///
    /// Errors: [`Need::SignIn`] with the sign-in that was started or joined.
    pub async fn bearer(&self, tenant: &Tenant, scopes: &[&str]) -> Result<Scoped, Need> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.ask(tenant, |reply| Ask::Bearer { scopes, reply }).await.unwrap_or_else(|| Err(Need::Refused(gone())))
    }

    /// Starts or joins a sign-in.
    ///
    /// Errors: [`Need::Refused`] when none can be started now.
    pub async fn sign_in(&self, tenant: &Tenant, how: How, by: By, container: bool) -> Result<Started, Need> {
        let asked = self.ask(tenant, |reply| Ask::SignIn { how, by, container, reply }).await;
        asked.unwrap_or_else(|| Err(Need::Refused(gone())))
    }

    /// Waits for the end of a sign-in; `None` when there is no such one. The caller bounds how long.
    pub async fn wait(&self, tenant: &Tenant, flow: String) -> Option<End> {
        self.ask(tenant, |reply| Ask::Wait { flow, reply }).await
    }

    /// Everybody who was shown a sign-in declined it.
    pub async fn decline(&self, tenant: &Tenant, flow: String) {
        let _ = self.mailbox(tenant).send(Ask::Decline { flow }).await;
    }

    /// Hands a pasted URL to the sign-in that waits for it; `false` when none does.
    pub async fn paste(&self, tenant: &Tenant, flow: String, url: Secret) -> bool {
        self.ask(tenant, |reply| Ask::Paste { flow, url, reply }).await.unwrap_or(false)
    }

    /// Forgets a scoped token that the tenant rejected.
    pub async fn drop_scoped(&self, tenant: &Tenant, bearer: &Bearer) {
        let _ = self.mailbox(tenant).send(Ask::DropScoped { serial: bearer.serial }).await;
    }

    /// Ends a tenant's session and gives its tokens back; `None` when nobody was signed in.
    pub async fn sign_out(&self, tenant: &Tenant) -> Option<Revoked> {
        self.ask(tenant, |reply| Ask::SignOut { reply }).await.flatten()
    }

    /// How a tenant's session stands.
    pub async fn report(&self, tenant: &Tenant) -> Report {
        let unknown = || Report {
            tenant: tenant.name.clone(),
            state: "signed_out",
            user: None,
            instead_of: None,
            expires_at: None,
            pending: None,
        };
        match self.known(tenant) {
            true => self.ask(tenant, |reply| Ask::Report { reply }).await.unwrap_or_else(unknown),
            false => unknown(),
        }
    }

    /// The tenants that anybody asked for since the start, by name.
    pub fn tenants(&self) -> Vec<Tenant> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Tenant> = tenants.values().map(|(tenant, _)| tenant.clone()).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn known(&self, tenant: &Tenant) -> bool {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).contains_key(tenant.origin())
    }

    fn mailbox(&self, tenant: &Tenant) -> mpsc::Sender<Ask> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || (tenant.clone(), actor::start(Arc::clone(&self.parts), tenant.clone()));
        let known = tenants.entry(tenant.origin().clone()).or_insert_with(start);
        if known.1.is_closed() {
            *known = start();
        }
        known.1.clone()
    }

    async fn ask<T>(&self, tenant: &Tenant, build: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.mailbox(tenant).send(build(reply)).await.ok()?;
        answer.await.ok()
    }
}

/// The characters of a scoped token, for the one answer that hands it out: `aic-broker token`.
pub fn hand_out(scoped: &Scoped) -> String {
    scoped.bearer.secret().expose().to_owned()
}

fn gone() -> Failure {
    Failure::new(Kind::BrokerUnavailable, "the broker is about to leave").with_hint("aic-broker status")
}
