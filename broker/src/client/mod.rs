//! Serves one connected client: reads its requests, answers each exactly once.

mod arguments;
mod call;
mod control;
mod conversation;
mod errand;
mod fault;
mod registry;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use aic_proto::connection;
use aic_proto::hello::{Hello, NEWEST, OLDEST, Reply, Role, ShimHello, TurnedAway, Welcome, agree};
use aic_proto::refusal::{Failure, Kind};
use aic_proto::transport::{Peer, Stream};
use tokio::sync::{Notify, watch};

use crate::aic::Documents;
use crate::audit::{self, Audit};
use crate::clock::Moment;
use crate::config::{Config, Tenant, TenantError, resolve};
use crate::guard::Guard;
use crate::guard::repeat::Repeats;
use crate::http::Http;
use crate::keychain::Keychain;
use crate::oauth::Opener;
use crate::vault::Vault;

pub use registry::Registry;

/// What every client is served with.
pub struct Broker<O> {
    /// The configuration.
    pub config: Config,
    /// The HTTP client.
    pub http: Http,
    /// The sessions.
    pub vault: Vault<O>,
    /// The tenants' fitness.
    pub guard: Guard,
    /// The writes whose outcome is unknown.
    pub repeats: Repeats,
    /// The audit log.
    pub audit: Arc<Audit>,
    /// The keychain, for `status`.
    pub keychain: Keychain,
    /// The locks of whole documents.
    pub documents: Documents,
    /// Who is connected.
    pub registry: Registry,
    /// Whether all calls are paused.
    pub paused: AtomicBool,
    /// Told when somebody wants the broker to leave.
    pub leave: Notify,
    /// Set once it is leaving: no new call is taken.
    pub leaving: watch::Sender<bool>,
    /// Told when a client of another version says hello: this program may have been replaced.
    pub other_version: Notify,
    /// When it started.
    pub started: Moment,
    /// Seals what shims hand to their clients.
    pub state_key: [u8; 32],
}

impl<O> Broker<O> {
    /// Writes an audit line.
    ///
    /// Errors: why it could not be written.
    pub fn record(&self, entry: &audit::Entry) -> Result<(), String> {
        self.audit.append(entry).map_err(|error| error.to_string())
    }

    /// Whether no new call is taken.
    pub fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }

    /// Takes no new call from now on, and lets every shim know.
    pub fn begin_to_leave(&self) {
        self.leaving.send_replace(true);
    }
}

/// Who a connection belongs to.
pub struct Client {
    /// What is written in the audit log.
    pub label: audit::Client,
    /// What a shim said of itself; a command says nothing.
    pub shim: Option<ShimHello>,
    /// Its place in the registry.
    pub number: u64,
    /// The user as whom its last successful call was carried out.
    pub acted_as: Mutex<Option<String>>,
}

/// Serves a connection from its hello to its end. The caller bounds how many there are.
pub async fn serve<O: Opener + Clone + 'static>(broker: Arc<Broker<O>>, stream: Stream, peer: Peer) {
    let (mut reader, mut writer) = connection::split(stream);
    let Ok(hello) = connection::listen(&mut reader).await else { return };
    let reply = welcome(&broker, &hello);
    if connection::answer(&mut writer, &reply).await.is_err() || matches!(reply, Reply::TurnedAway(_)) {
        return;
    }
    let client = Arc::new(introduce(&broker, &hello.role, peer));
    conversation::hold(&broker, &client, reader, writer).await;
    broker.registry.leave(client.number);
}

fn welcome<O>(broker: &Broker<O>, hello: &Hello) -> Reply {
    if broker.is_leaving() {
        return Reply::TurnedAway(TurnedAway::Leaving);
    }
    if hello.program != env!("CARGO_PKG_VERSION") {
        broker.other_version.notify_one();
    }
    match agree((OLDEST, NEWEST), (hello.oldest, hello.newest)) {
        None => Reply::TurnedAway(TurnedAway::Version { newest: NEWEST, oldest: OLDEST }),
        Some(protocol) => Reply::Welcome(Welcome {
            protocol,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            state_key: broker.state_key,
        }),
    }
}

fn introduce<O>(broker: &Broker<O>, role: &Role, peer: Peer) -> Client {
    let shim = match role {
        Role::Shim(shim) => Some(shim.clone()),
        Role::Command => None,
    };
    let name = shim.as_ref().map_or("aic-broker", |shim| shim.client.as_str());
    let label =
        audit::Client { pid: peer.pid, executable: peer.pid.and_then(crate::os::program_of), name: presentable(name) };
    let tenant = shim.as_ref().map(|shim| tenant_label(broker, shim));
    let number = broker.registry.enter(label.clone(), tenant);
    Client { label, shim, number, acted_as: Mutex::default() }
}

fn tenant_label<O>(broker: &Broker<O>, shim: &ShimHello) -> String {
    let known = resolve(shim.tenant.as_deref(), &broker.config).map(|tenant| tenant.name);
    known.unwrap_or_else(|_| shim.tenant.as_deref().map(presentable).unwrap_or_default())
}

/// What a client gave as its tenant, fit for a log and a terminal: without user-info, control characters and surplus.
fn presentable(given: &str) -> String {
    let without_user = given.rsplit('@').next().unwrap_or_default();
    without_user.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The failure for a tenant that is not to be found.
fn no_tenant(error: &TenantError) -> Failure {
    let hint = match error {
        TenantError::None(_) => {
            "set AIC_BASE_URL (or --tenant) for aic-mcp, for example \"AIC_BASE_URL\": \"openam-acme-dev.id.forgerock.io\", or add [tenants.NAME] with base_url to config.toml"
        }
        TenantError::UnnamedLoopback(_) => {
            "add [tenants.NAME] with this base_url and environment = \"sandbox\" to config.toml"
        }
        TenantError::Address { .. } => {
            "give a host such as openam-acme-dev.id.forgerock.io, a URL, or a tenant's name from config.toml"
        }
    };
    Failure::new(Kind::TenantRefused, error.to_string()).with_hint(hint)
}

/// The tenant that a request means, fit to be signed in to.
///
/// Errors: `tenant_refused`.
fn tenant_for<O>(broker: &Broker<O>, named: Option<&str>) -> Result<Tenant, Failure> {
    let tenant = resolve(named, &broker.config).map_err(|error| no_tenant(&error))?;
    crate::guard::tier::before_sign_in(&tenant)?;
    Ok(tenant)
}
