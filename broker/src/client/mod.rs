//! Serves one connected client: reads its requests, answers each exactly once.

mod arguments;
mod call;
mod control;
mod fault;
mod registry;

use std::collections::HashMap;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aic_proto::connection;
use aic_proto::frame;
use aic_proto::hello::{Hello, NEWEST, OLDEST, Reply, Role, ShimHello, TurnedAway, Welcome, agree};
use aic_proto::message::{Answer, NotUnderstood, Outcome, RequestId, ToBroker, ToShim};
use aic_proto::refusal::{Failure, Kind};
use aic_proto::transport::{Peer, Stream};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use crate::aic::Documents;
use crate::audit::{self, Audit};
use crate::clock::Moment;
use crate::config::{Config, Tenant, TenantError, resolve};
use crate::guard::Guard;
use crate::http::Http;
use crate::keychain::Keychain;
use crate::oauth::Opener;
use crate::vault::Vault;

pub use registry::Registry;

/// How many calls of one client are under way at once: an editor runs a handful, a model in a loop more.
const CALLS_AT_ONCE: usize = 32;
/// How many requests of other kinds are under way at once.
const REQUESTS_AT_ONCE: usize = 64;
/// How many answers wait for a client that reads slowly; then its requests wait.
const ANSWERS_WAITING: usize = 32;

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
    /// Set once it is leaving.
    pub leaving: AtomicBool,
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
}

/// Who a connection belongs to.
pub struct Client {
    /// What is written in the audit log.
    pub label: audit::Client,
    /// What a shim said of itself; a command says nothing.
    pub shim: Option<ShimHello>,
    /// Its place in the registry.
    pub number: u64,
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
    let (answers, mut outgoing) = mpsc::channel::<ToShim>(ANSWERS_WAITING);
    let number = client.number;
    let reading = read(Arc::clone(&broker), client, reader, answers);
    let writing = async {
        while let Some(message) = outgoing.recv().await {
            let bytes = message.encode().or_else(|error| too_large(&message, &error).encode());
            match bytes {
                Ok(bytes) if frame::write(&mut writer, &bytes).await.is_ok() => {}
                _ => return,
            }
        }
    };
    tokio::join!(reading, writing);
    broker.registry.leave(number);
}

fn welcome<O>(broker: &Broker<O>, hello: &Hello) -> Reply {
    if broker.leaving.load(Ordering::Relaxed) {
        return Reply::TurnedAway(TurnedAway::Leaving);
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
    let label = audit::Client {
        pid: peer.pid,
        executable: peer.pid.and_then(crate::os::executable_of),
        name: name.chars().filter(|c| !c.is_control()).take(200).collect(),
    };
    let tenant = shim.as_ref().map(|shim| tenant_label(broker, shim));
    let number = broker.registry.enter(label.clone(), tenant);
    Client { label, shim, number }
}

fn tenant_label<O>(broker: &Broker<O>, shim: &ShimHello) -> String {
    let known = resolve(shim.tenant.as_deref(), &broker.config).map(|tenant| tenant.name);
    known.unwrap_or_else(|_| shim.tenant.clone().unwrap_or_default())
}

/// An answer that does not fit a frame becomes the failure that says so.
fn too_large(message: &ToShim, error: &frame::Error) -> ToShim {
    match message {
        ToShim::Answer(answer) => {
            let failure = Failure::new(Kind::Upstream, format!("the answer is too large to be passed on: {error}"));
            ToShim::Answer(Answer { id: answer.id, outcome: Outcome::Failure(failure) })
        }
        _ => ToShim::NotUnderstood(NotUnderstood { kind: 0 }),
    }
}

type Cancels = Arc<Mutex<HashMap<RequestId, oneshot::Sender<()>>>>;

async fn read<O, R>(broker: Arc<Broker<O>>, client: Arc<Client>, mut reader: R, answers: mpsc::Sender<ToShim>)
where
    O: Opener + Clone + 'static,
    R: tokio::io::AsyncRead + Unpin,
{
    let calls = Arc::new(Semaphore::new(CALLS_AT_ONCE));
    let others = Arc::new(Semaphore::new(REQUESTS_AT_ONCE));
    let cancels: Cancels = Arc::default();
    while let Ok(Some(message)) = connection::next_request(&mut reader).await {
        match message {
            ToBroker::Call(call) => {
                let Ok(place) = Arc::clone(&calls).try_acquire_owned() else {
                    let _ = answers.send(too_many(call.id)).await;
                    continue;
                };
                let (cancel, cancelled) = oneshot::channel();
                cancels.lock().unwrap_or_else(PoisonError::into_inner).insert(call.id, cancel);
                broker.registry.count_call(client.number);
                let (broker, client, answers, cancels) = (Arc::clone(&broker), Arc::clone(&client), answers.clone(), Arc::clone(&cancels));
                tokio::spawn(async move {
                    let id = call.id;
                    let answer = call::carry_out(&broker, &client, call, cancelled).await;
                    cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    let _ = answers.send(answer).await;
                    drop(place);
                });
            }
            ToBroker::Cancel(cancel) => drop(cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&cancel.id)),
            ToBroker::Unknown(kind) => drop(answers.send(ToShim::NotUnderstood(NotUnderstood { kind })).await),
            request => {
                let Ok(place) = Arc::clone(&others).acquire_owned().await else { return };
                let (broker, client, answers) = (Arc::clone(&broker), Arc::clone(&client), answers.clone());
                tokio::spawn(async move {
                    let answering = control::answer(&broker, &client, request);
                    let gone = answers.clone();
                    tokio::select! {
                        answer = answering => if let Some(answer) = answer { let _ = answers.send(answer).await; },
                        () = gone.closed() => {}
                    }
                    drop(place);
                });
            }
        }
    }
    cancels.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn too_many(id: RequestId) -> ToShim {
    let failure = Failure::new(Kind::RateLimited, format!("{CALLS_AT_ONCE} calls of this client are under way; this one was not sent"));
    ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure.with_hint("call again when some of them are answered")) })
}

/// The failure for a tenant that is not to be found.
fn no_tenant(error: &TenantError) -> Failure {
    let hint = match error {
        TenantError::None(_) => "set AIC_BASE_URL (or --tenant) for aic-mcp, for example \"AIC_BASE_URL\": \"openam-acme-dev.id.forgerock.io\", or add [tenants.NAME] with base_url to config.toml",
        TenantError::UnnamedLoopback(_) => "add [tenants.NAME] with this base_url and environment = \"sandbox\" to config.toml",
        TenantError::Address { .. } => "give a host such as openam-acme-dev.id.forgerock.io, a URL, or a tenant's name from config.toml",
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
