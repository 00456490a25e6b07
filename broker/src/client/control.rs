//! Answers what is not a tool call: sign-ins, sign-outs, status, tokens, pauses.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aic_proto::message::{
    Ask, End, Failed, Logout, Paste, Pause, Pending, RequestId, SessionReport, SignIn, SignInEnded, SignInNeeded, Text,
    ToBroker, ToShim, TokenAnswer, TokenRequest, Wait,
};
use aic_proto::refusal::{Failure, Kind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::errand::Errand;
use super::{Broker, Client, fault, no_tenant, presentable, tenant_for};
use crate::aic::{Fault, Journal};
use crate::audit::Entry;
use crate::clock;
use crate::config::{Tenant, resolve};
use crate::guard::repeat::Fingerprint;
use crate::oauth::Opener;
use crate::secret::Secret;
use crate::vault::{self, By, Need, Report, Revoked, Started};

/// How long the look at a tenant may take before a token is handed out.
const LOOK_WITHIN: Duration = Duration::from_secs(20);

/// Answers a request; `None` where the protocol has no answer.
pub(super) async fn answer<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    request: ToBroker,
) -> Option<ToShim> {
    let (tool, named) = named_in(client, &request);
    let (id, outcome) = match request {
        ToBroker::SignIn(ask) => (ask.id, sign_in(broker, client, ask).await),
        ToBroker::Wait(ask) => (ask.id, wait(broker, client, ask).await),
        ToBroker::Decline(ask) => {
            decline(broker, client, ask).await;
            return None;
        }
        ToBroker::Paste(ask) => (ask.id, paste(broker, client, ask).await),
        ToBroker::SessionStatus(ask) => (ask.id, session_status(broker, client, ask.id).await),
        ToBroker::Status(ask) => {
            (ask.id, Ok(ToShim::Status(Text { id: ask.id, text: status(broker).await.to_string() })))
        }
        ToBroker::Logout(ask) => (ask.id, logout(broker, ask).await),
        ToBroker::Token(ask) => (ask.id, token(broker, client, ask).await),
        ToBroker::Pause(ask) => (ask.id, Ok(pause(broker, client, &ask))),
        ToBroker::Stop(ask) => {
            broker.leave.notify_one();
            (ask.id, Ok(ToShim::Done(ask)))
        }
        ToBroker::Call(_) | ToBroker::Cancel(_) | ToBroker::Unknown(_) => return None,
    };
    let word = match &outcome {
        Ok(ToShim::SignInNeeded(_)) => "login_required",
        Ok(_) => "success",
        Err(failure) => failure.kind.word(),
    };
    if tool.is_some() || outcome.is_err() {
        let event = if outcome.is_ok() { "call" } else { "refusal" };
        let entry = Entry {
            event,
            client: Some(client.label.clone()),
            tenant: named.as_deref().map(presentable),
            tool: tool.map(str::to_owned),
            outcome: Some(word.to_owned()),
            executed: Some("no"),
            ..Entry::default()
        };
        let _ = broker.record(&entry);
    }
    Some(outcome.unwrap_or_else(|failure| ToShim::Failed(Failed { id, failure })))
}

/// The tool that a shim's request stands for, and the tenant that a request names.
fn named_in(client: &Client, request: &ToBroker) -> (Option<&'static str>, Option<String>) {
    let of_connection = client.shim.as_ref().and_then(|shim| shim.tenant.clone());
    let tool = |name| client.shim.is_some().then_some(name);
    match request {
        ToBroker::SignIn(ask) => (tool("signIn"), ask.tenant.clone().or(of_connection)),
        ToBroker::SessionStatus(_) => (tool("getSessionStatus"), of_connection),
        ToBroker::Token(ask) => (None, Some(ask.tenant.clone())),
        ToBroker::Logout(ask) => (None, ask.tenant.clone()),
        _ => (None, of_connection),
    }
}

/// The tenant that a request of this client means: its own argument, else the connection's.
fn tenant<O>(broker: &Broker<O>, client: &Client, named: Option<&str>) -> Result<Tenant, Failure> {
    let of_connection = client.shim.as_ref().and_then(|shim| shim.tenant.as_deref());
    tenant_for(broker, named.or(of_connection))
}

async fn sign_in<O: Opener + Clone + 'static>(
    broker: &Broker<O>,
    client: &Client,
    ask: SignIn,
) -> Result<ToShim, Failure> {
    let tenant = tenant(broker, client, ask.tenant.as_deref())?;
    not_paused(broker)?;
    let (by, container) = match &client.shim {
        Some(shim) => (By::Call, shim.container),
        None => (By::Person, false),
    };
    if by == By::Person {
        broker.guard.forgive(&tenant);
    } else if let Some(failure) = broker.guard.refused(&tenant) {
        return Err(failure);
    }
    match broker.vault.sign_in(&tenant, ask.how, by, container).await {
        Ok(Started::SignedIn(report)) => Ok(ToShim::Session(session(ask.id, *report))),
        Ok(Started::Pending(pending)) => Ok(ToShim::SignInNeeded(SignInNeeded { id: ask.id, pending: *pending })),
        Err(Need::SignIn(pending)) => Ok(ToShim::SignInNeeded(SignInNeeded { id: ask.id, pending: *pending })),
        Err(Need::Refused(failure)) => Err(failure),
    }
}

async fn wait<O: Opener + Clone + 'static>(broker: &Broker<O>, client: &Client, ask: Wait) -> Result<ToShim, Failure> {
    for tenant in candidates(broker, client) {
        if let Some(end) = broker.vault.wait(&tenant, ask.flow.clone()).await {
            return Ok(ToShim::SignInEnded(SignInEnded { id: ask.id, end }));
        }
    }
    let none = Failure::new(Kind::LoginFailed, "there is no such sign-in any more").with_hint("call the tool again");
    Ok(ToShim::SignInEnded(SignInEnded { id: ask.id, end: End::Failed(none) }))
}

/// The tenants whose sign-in a client may mean: a shim's own, for a command all that are known.
fn candidates<O: Opener + Clone + 'static>(broker: &Broker<O>, client: &Client) -> Vec<Tenant> {
    match &client.shim {
        Some(_) => tenant(broker, client, None).into_iter().collect(),
        None => broker.vault.tenants(),
    }
}

/// One of those who were shown a sign-in declined; it ends with the last of them.
async fn decline<O: Opener + Clone + 'static>(broker: &Broker<O>, client: &Client, ask: Wait) {
    if !broker.registry.decline(client.number, &ask.flow) {
        return;
    }
    for tenant in candidates(broker, client) {
        broker.vault.decline(&tenant, ask.flow.clone()).await;
    }
}

async fn paste<O: Opener + Clone + 'static>(
    broker: &Broker<O>,
    client: &Client,
    ask: Paste,
) -> Result<ToShim, Failure> {
    for tenant in candidates(broker, client) {
        if broker.vault.paste(&tenant, ask.flow.clone(), Secret::copy_of(&ask.url)).await {
            return Ok(ToShim::Done(Ask { id: ask.id }));
        }
    }
    Err(Failure::new(Kind::LoginFailed, "no sign-in waits for a pasted URL").with_hint("aic-broker login --paste"))
}

async fn session_status<O: Opener + Clone + 'static>(
    broker: &Broker<O>,
    client: &Client,
    id: RequestId,
) -> Result<ToShim, Failure> {
    let named = client.shim.as_ref().and_then(|shim| shim.tenant.as_deref());
    let tenant = resolve(named, &broker.config).map_err(|error| no_tenant(&error))?;
    Ok(ToShim::Session(session(id, broker.vault.report(&tenant).await)))
}

fn session(id: RequestId, report: Report) -> SessionReport {
    SessionReport {
        id,
        tenant: report.tenant,
        state: report.state.to_owned(),
        user: report.user,
        expires_at: report.expires_at,
        pending: report.pending,
    }
}

async fn logout<O: Opener + Clone + 'static>(broker: &Broker<O>, ask: Logout) -> Result<ToShim, Failure> {
    let tenants = match &ask.tenant {
        None => broker.vault.tenants(),
        Some(named) => vec![resolve(Some(named), &broker.config).map_err(|error| no_tenant(&error))?],
    };
    let mut lines = Vec::new();
    for tenant in tenants {
        lines.push(match broker.vault.sign_out(&tenant).await {
            None => format!("{}: nobody was signed in", tenant.name),
            Some(Revoked::All) => format!("{}: signed out, all tokens revoked", tenant.name),
            Some(Revoked::NotAll(why)) => {
                format!("{}: signed out; not everything was revoked ({why}): what was not ends by itself", tenant.name)
            }
        });
    }
    if lines.is_empty() {
        lines.push("nobody was signed in".to_owned());
    }
    Ok(ToShim::LoggedOut(Text { id: ask.id, text: lines.join("\n") }))
}

/// Hands out a scoped token of a session; the tenant is looked at as before a tool.
async fn token<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    ask: TokenRequest,
) -> Result<ToShim, Failure> {
    if client.shim.is_some() {
        return Err(Failure::new(Kind::NotAllowed, "a shim gets no tokens"));
    }
    not_paused(broker)?;
    let tenant = tenant_for(broker, Some(&ask.tenant))?;
    if let Some(failure) = broker.guard.refused(&tenant) {
        return Err(failure);
    }
    let scopes: Vec<&str> = ask.scopes.iter().map(String::as_str).collect();
    let report = broker.vault.report(&tenant).await;
    if report.state != "signed_in" {
        return Err(Failure::new(Kind::LoginRequired, format!("nobody is signed in to {}", tenant.name))
            .with_hint(format!("aic-broker login --tenant {}", tenant.name)));
    }
    let outcome = match look_at(broker, client, &tenant, &ask.scopes).await? {
        Some(pending) => Err(Need::SignIn(Box::new(pending))),
        None => broker.vault.bearer(&tenant, &scopes).await,
    };
    let word = if outcome.is_ok() { "handed out" } else { "refused" };
    let entry = Entry {
        event: "token",
        client: Some(client.label.clone()),
        tenant: Some(tenant.name.clone()),
        user: report.user,
        scopes: ask.scopes.clone(),
        outcome: Some(word.to_owned()),
        ..Entry::default()
    };
    broker.record(&entry).map_err(|reason| {
        Failure::new(
            Kind::NotAllowed,
            format!("no token was handed out, because the audit log cannot be written: {reason}"),
        )
    })?;
    match outcome {
        Ok(scoped) => Ok(ToShim::Token(TokenAnswer {
            id: ask.id,
            expires_in: scoped.expires_in.as_secs(),
            scope: scopes.join(" "),
            access_token: vault::hand_out(&scoped),
        })),
        Err(Need::SignIn(pending)) => Ok(ToShim::SignInNeeded(SignInNeeded { id: ask.id, pending: *pending })),
        Err(Need::Refused(failure)) => Err(failure),
    }
}

/// Looks at the tenant as before a tool; `Some` is the sign-in that is needed after all.
///
/// Errors: the tenant is not fit, or no token is to be had.
async fn look_at<O: Opener + Clone + 'static>(
    broker: &Arc<Broker<O>>,
    client: &Arc<Client>,
    tenant: &Tenant,
    scopes: &[String],
) -> Result<Option<Pending>, Failure> {
    let transaction_id = clock::uuid().map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
    let errand = Errand {
        broker: Arc::clone(broker),
        client: Arc::clone(client),
        tool: "aic-broker token",
        scopes: scopes.into(),
        fingerprint: Fingerprint::default(),
        tenant: tenant.clone(),
        transaction_id,
        journal: Journal::default(),
        pending: Arc::default(),
        first: Arc::default(),
    };
    let api = errand.api(Instant::now() + LOOK_WITHIN);
    match errand.admit_tenant(&api).await {
        Ok(fit) => fit.map(|_| None),
        Err(Fault::SignedOut) => Ok(errand.take_pending()),
        Err(fault) => Err(fault::failure(fault, &errand.journal.entries(), &errand.transaction_id)),
    }
}

fn pause<O>(broker: &Broker<O>, client: &Client, ask: &Pause) -> ToShim {
    broker.paused.store(ask.paused, Ordering::Relaxed);
    let event = if ask.paused { "pause" } else { "resume" };
    let _ = broker.record(&Entry { event, client: Some(client.label.clone()), ..Entry::default() });
    ToShim::Done(Ask { id: ask.id })
}

fn not_paused<O>(broker: &Broker<O>) -> Result<(), Failure> {
    match broker.paused.load(Ordering::Relaxed) {
        false => Ok(()),
        true => Err(Failure::new(Kind::NotAllowed, "all calls are paused by the user of this machine")
            .with_hint("aic-broker resume")),
    }
}

/// What `aic-broker status --json` shows (the contract's section 7).
async fn status<O: Opener + Clone + 'static>(broker: &Broker<O>) -> Value {
    let mut sessions = Vec::new();
    for tenant in broker.vault.tenants() {
        sessions.push(session_json(&broker.vault.report(&tenant).await));
    }
    let clients: Vec<Value> = broker
        .registry
        .shims()
        .into_iter()
        .map(|client| {
            json!({
                "pid": client.label.pid,
                "executable": client.label.executable,
                "name": client.label.name,
                "tenant": client.tenant,
                "connected_at": client.since.rfc3339(),
                "calls": client.calls,
            })
        })
        .collect();
    let (backend, state) = broker.keychain.status();
    json!({
        "running": true,
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": aic_proto::hello::NEWEST,
        "pid": std::process::id(),
        "started_at": broker.started.rfc3339(),
        "paused": broker.paused.load(Ordering::Relaxed),
        "keychain": {"backend": backend, "state": state},
        "sessions": sessions,
        "clients": clients,
    })
}

fn session_json(report: &Report) -> Value {
    use aic_proto::message::Shown;
    let mut session = json!({
        "tenant": report.tenant,
        "state": report.state,
        "user": report.user,
        "expires_at": report.expires_at,
    });
    if let (Some(before), Some(object)) = (&report.instead_of, session.as_object_mut()) {
        object.insert("instead_of".to_owned(), json!(before));
    }
    if let (Some(pending), Some(object)) = (&report.pending, session.as_object_mut()) {
        let (url, user_code) = match &pending.shown {
            Shown::Browser { url, .. } => (url, None),
            Shown::Device { uri, uri_complete, user_code } => (uri_complete.as_ref().unwrap_or(uri), Some(user_code)),
        };
        let login = json!({"url": url, "user_code": user_code, "expires_at": pending.expires_at});
        object.insert("login".to_owned(), login);
    }
    session
}
