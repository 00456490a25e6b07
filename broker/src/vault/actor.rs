//! Carries out what the machine decides for one tenant. One task owns the state, the tokens and the waiting callers.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use aic_proto::message::{End, How, Pending};
use aic_proto::refusal::{Failure, Kind};
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::machine::{self, By, Effect, Event, Generation, Session, State, Why};
use super::record::{Belongs, SealingKey};
use super::scoped::{self, Cache};
use super::{Ask, Ended, Happening, MAILBOX, Need, Parts, Report, Revoked, Scoped, Started};
use crate::clock::{self, Moment};
use crate::config::Tenant;
use crate::oauth::{self, ExchangeError, Exchanged, Grant, Job, Opener, Surroundings};
use crate::secret::{Bearer, Secret};

/// How long giving tokens back may take altogether.
const REVOKE_WITHIN: Duration = Duration::from_secs(3);
/// How long the actor sleeps when nothing is going to change by itself.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What tasks of the actor report back.
enum News {
    Shown(Generation, Pending),
    Ended(Generation, Result<Grant, Failure>),
    Exchanged { session: Generation, key: String, outcome: Result<Exchanged, ExchangeError> },
    Lost { session: Generation, key: String, why: String },
}

/// A token with the client that it was issued to, which alone may give it back (RFC 7009 section 2.1).
type Issued = (String, Arc<Secret>);

type BearerReply = oneshot::Sender<Result<Scoped, Need>>;

/// Where the primary token is.
enum Held {
    Memory(Arc<Secret>),
    /// In the keychain, sealed.
    Sealed,
}

/// The tokens of the session.
struct Tokens {
    generation: Generation,
    held: Held,
    acting_client: String,
    scoped: Cache,
}

struct Actor<O> {
    parts: Arc<Parts<O>>,
    tenant: Tenant,
    state: State,
    generation: Generation,
    serial: u64,
    key: Option<Arc<SealingKey>>,
    tokens: Option<Tokens>,
    granted: HashMap<Generation, Grant>,
    how: (How, bool),
    running: Option<(AbortHandle, mpsc::Sender<Secret>)>,
    last_user: Option<String>,
    for_token: Vec<(Vec<String>, BearerReply)>,
    for_screen: Vec<oneshot::Sender<Result<Started, Need>>>,
    for_end: Vec<oneshot::Sender<End>>,
    exchanging: HashMap<String, Vec<BearerReply>>,
    /// The sign-in under way, else the last one.
    flow: String,
    last_end: Option<End>,
    news: mpsc::Sender<News>,
}

/// Starts the task of one tenant. It ends when nobody holds its mailbox any more.
pub(super) fn start<O: Opener + Clone + 'static>(parts: Arc<Parts<O>>, tenant: Tenant) -> mpsc::Sender<Ask> {
    let (mailbox, asks) = mpsc::channel(MAILBOX);
    let (news, heard) = mpsc::channel(MAILBOX);
    let actor = Actor {
        parts,
        tenant,
        state: State::SignedOut(Why::Ended),
        generation: 0,
        serial: 0,
        key: SealingKey::new().ok().map(Arc::new),
        tokens: None,
        granted: HashMap::new(),
        how: (How::Auto, false),
        running: None,
        last_user: None,
        for_token: Vec::new(),
        for_screen: Vec::new(),
        for_end: Vec::new(),
        exchanging: HashMap::new(),
        flow: String::new(),
        last_end: None,
        news,
    };
    tokio::spawn(actor.run(asks, heard));
    mailbox
}

impl<O: Opener + Clone + 'static> Actor<O> {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut heard: mpsc::Receiver<News>) {
        loop {
            let pause = self.state.next_change().map_or(IDLE, |change| change.left(Moment::now()));
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(ask) => self.answer(ask).await,
                    None => return,
                },
                Some(news) = heard.recv() => self.hear(news).await,
                () = tokio::time::sleep(pause) => self.happen(Event::Looked).await,
            }
        }
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Bearer { scopes, reply } => self.bearer(scopes, reply).await,
            Ask::SignIn { how, by, container, reply } => self.sign_in(how, by, container, reply).await,
            Ask::Wait { flow, reply } => self.wait(flow, reply),
            Ask::Decline { flow } => self.decline(&flow).await,
            Ask::Paste { flow, url, reply } => drop(reply.send(self.paste(&flow, url))),
            Ask::DropScoped { serial } => {
                if let Some(tokens) = &mut self.tokens {
                    tokens.scoped.drop_serial(serial);
                }
            }
            Ask::SignOut { reply } => {
                let revoked = self.sign_out().await;
                let _ = reply.send(revoked);
                self.serve_waiting();
            }
            Ask::Report { reply } => {
                self.happen(Event::Looked).await;
                let _ = reply.send(self.report());
            }
        }
    }

    async fn hear(&mut self, news: News) {
        match news {
            News::Shown(generation, pending) => {
                self.told(&Happening::SignInNeeded);
                self.happen(Event::Shown(generation, pending)).await;
            }
            News::Ended(generation, Ok(grant)) => self.granted(generation, grant).await,
            News::Ended(generation, Err(failure)) => self.failed(generation, failure).await,
            News::Exchanged { session, key, outcome } => self.exchanged(session, key, outcome).await,
            News::Lost { session, key, why } => self.lost(session, key, why).await,
        }
        self.serve_waiting();
    }

    // -- asking for tokens ---------------------------------------------------------------

    async fn bearer(&mut self, scopes: Vec<String>, reply: BearerReply) {
        self.want(By::Call).await;
        match self.state.session().map(|session| session.generation) {
            Some(generation) => self.scoped(generation, scopes, reply),
            None => self.for_token.push((scopes, reply)),
        }
        self.serve_waiting();
    }

    fn scoped(&mut self, generation: Generation, scopes: Vec<String>, reply: BearerReply) {
        let key = scoped::key(scopes);
        let found = self.tokens.as_ref().and_then(|tokens| tokens.scoped.find(&key, Moment::now()));
        if let Some((bearer, expires_in)) = found {
            let _ = reply.send(Ok(Scoped { bearer, expires_in }));
            return;
        }
        let waiting = self.exchanging.entry(key.clone()).or_default();
        waiting.push(reply);
        if waiting.len() == 1 {
            self.exchange(generation, key);
        }
    }

    fn exchange(&self, session: Generation, key: String) {
        let Some(tokens) = &self.tokens else { return };
        let (parts, tenant, news) = (Arc::clone(&self.parts), self.tenant.clone(), self.news.clone());
        let client = tokens.acting_client.clone();
        let held = match &tokens.held {
            Held::Memory(secret) => Some(Arc::clone(secret)),
            Held::Sealed => None,
        };
        let sealing = self.key.clone();
        tokio::spawn(async move {
            let primary = match held {
                Some(secret) => Ok(secret),
                None => unseal(&parts, &tenant, sealing.as_deref(), session).await,
            };
            let told = match primary {
                Err(why) => News::Lost { session, key, why },
                Ok(primary) => {
                    let scopes: Vec<&str> = key.split(' ').collect();
                    let exchange = oauth::exchange(&parts.http, &tenant, &primary, &client, &scopes);
                    let outcome = AssertUnwindSafe(exchange).catch_unwind().await;
                    let outcome =
                        outcome.unwrap_or_else(|_| Err(ExchangeError::Odd("a fault of the broker's own".to_owned())));
                    News::Exchanged { session, key, outcome }
                }
            };
            let _ = news.send(told).await;
        });
    }

    async fn exchanged(&mut self, session: Generation, key: String, outcome: Result<Exchanged, ExchangeError>) {
        let waiting = self.exchanging.remove(&key).unwrap_or_default();
        let current = self.state.session().filter(|current| current.generation == session).cloned();
        match (outcome, current) {
            (Ok(exchanged), Some(_)) => self.hand_out(session, key, exchanged, waiting).await,
            (Err(ExchangeError::Rejected(words)), Some(current))
                if machine::is_fresh_and_unproven(&current, Moment::now()) =>
            {
                refuse(waiting, &self.fresh_and_rejected(&words));
            }
            (Err(ExchangeError::Rejected(_)), Some(_)) => {
                self.told(&Happening::Ended { user: self.last_user.clone(), how: Ended::Rejected });
                self.happen(Event::Rejected(session)).await;
                self.again(&key, waiting).await;
            }
            (Ok(exchanged), None) => {
                let late = [Some(exchanged.token), exchanged.refresh];
                self.give_back(&self.tenant.entry.exchange_client_id, late.into_iter().flatten());
                self.again(&key, waiting).await;
            }
            (Err(_), None) => self.again(&key, waiting).await,
            (Err(error), Some(_)) => refuse(waiting, &exchange_failure(&self.tenant, &error)),
        }
    }

    async fn hand_out(&mut self, session: Generation, key: String, exchanged: Exchanged, waiting: Vec<BearerReply>) {
        self.happen(Event::Proven(session)).await;
        self.serial += 1;
        let (token, lifetime) = (Arc::new(exchanged.token), exchanged.lifetime);
        let bearer = Bearer::new(Arc::clone(&token), self.serial, session);
        if let Some(tokens) = &mut self.tokens {
            tokens.scoped.keep(key.clone(), bearer.clone(), token, lifetime, Moment::now());
        }
        self.told(&Happening::Exchanged { scopes: key });
        if let Some(tokens) = &self.tokens {
            self.give_back(&tokens.acting_client, exchanged.refresh);
        }
        for reply in waiting {
            let _ = reply.send(Ok(Scoped { bearer: bearer.clone(), expires_in: lifetime }));
        }
    }

    /// Those who waited for an exchange of a session that is gone want the next one.
    async fn again(&mut self, key: &str, waiting: Vec<BearerReply>) {
        for reply in waiting.into_iter().filter(|reply| !reply.is_closed()) {
            let scopes = key.split(' ').map(str::to_owned).collect();
            self.for_token.push((scopes, reply));
        }
        self.for_token.retain(|(_, reply)| !reply.is_closed());
        if !self.for_token.is_empty() {
            self.want(By::Call).await;
        }
    }

    /// The keychain lost the token: the session cannot go on, and the next one stays in memory where that is allowed.
    async fn lost(&mut self, session: Generation, key: String, why: String) {
        let waiting = self.exchanging.remove(&key).unwrap_or_default();
        if self.state.session().is_none_or(|current| current.generation != session) {
            return self.again(&key, waiting).await;
        }
        self.told(&Happening::Ended { user: self.last_user.clone(), how: Ended::Lost });
        if !self.parts.keychain.is_required() {
            self.told(&Happening::MemoryInstead(why));
            self.key = None;
        }
        self.happen(Event::Rejected(session)).await;
        self.again(&key, waiting).await;
    }

    // -- signing in ----------------------------------------------------------------------

    async fn sign_in(&mut self, how: How, by: By, container: bool, reply: oneshot::Sender<Result<Started, Need>>) {
        if self.state.login().is_none() {
            self.how = (how, container);
        }
        self.want(by).await;
        self.for_screen.push(reply);
        self.serve_waiting();
    }

    async fn want(&mut self, by: By) {
        self.happen(Event::Wanted(by)).await;
    }

    fn begin(&mut self, generation: Generation) {
        let (how, container) = std::mem::replace(&mut self.how, (How::Auto, false));
        let around = Surroundings { container: container || self.parts.around.container, ..self.parts.around };
        self.flow = clock::random_id().unwrap_or_default();
        self.last_end = None;
        let job = Job {
            flow: self.flow.clone(),
            tenant: self.tenant.clone(),
            way: oauth::choose(how, self.tenant.entry.login, around),
            timeout: self.parts.login_timeout,
            http: self.parts.http.clone(),
            opener: self.parts.opener.clone(),
        };
        let (shown, screen) = oneshot::channel();
        let (paste, pasted) = mpsc::channel(1);
        let news = self.news.clone();
        let task = tokio::spawn(async move {
            let told = news.clone();
            let telling = async move {
                if let Ok(pending) = screen.await {
                    let _ = told.send(News::Shown(generation, pending)).await;
                }
            };
            let (outcome, ()) = tokio::join!(AssertUnwindSafe(job.run(shown, pasted)).catch_unwind(), telling);
            let own_fault = || Failure::new(Kind::Internal, "the sign-in failed by a fault of the broker's own");
            let outcome = outcome.unwrap_or_else(|_| Err(own_fault()));
            let _ = news.send(News::Ended(generation, outcome)).await;
        });
        self.running = Some((task.abort_handle(), paste));
    }

    async fn granted(&mut self, generation: Generation, grant: Grant) {
        let expires_at = Moment::now().plus(grant.expires_in);
        let user = grant.user.clone();
        self.granted.insert(generation, grant);
        self.happen(Event::Granted { generation, user, expires_at }).await;
    }

    async fn failed(&mut self, generation: Generation, failure: Failure) {
        let concerns = self.state.login().is_some_and(|login| login.generation == generation);
        if concerns {
            self.told(&Happening::SignInFailed(failure.clone()));
            self.end_waiting(End::Failed(failure.clone()));
            self.running = None;
        }
        self.happen(Event::Failed(generation, failure)).await;
    }

    fn wait(&mut self, flow: String, reply: oneshot::Sender<End>) {
        self.for_end.retain(|reply| !reply.is_closed());
        match (flow == self.flow, &self.last_end) {
            (true, None) => self.for_end.push(reply),
            (true, Some(end)) => drop(reply.send(end.clone())),
            (false, _) => drop(reply.send(End::Failed(no_such_sign_in()))),
        }
    }

    async fn decline(&mut self, flow: &str) {
        self.for_end.retain(|reply| !reply.is_closed());
        let nobody_else_waits = self.for_end.len() <= 1;
        let login = self.state.login().filter(|_| flow == self.flow && nobody_else_waits);
        let Some(generation) = login.map(|login| login.generation) else { return };
        let failure = Failure::new(Kind::LoginDeclined, format!("the sign-in to {} was declined", self.tenant.name));
        self.told(&Happening::SignInFailed(failure.clone()));
        self.end_waiting(End::Failed(failure.clone()));
        self.happen(Event::Declined(generation, failure)).await;
    }

    fn paste(&self, flow: &str, url: Secret) -> bool {
        let waits = self.state.login().is_some() && flow == self.flow;
        self.running.as_ref().filter(|_| waits).is_some_and(|(_, paste)| paste.try_send(url).is_ok())
    }

    async fn sign_out(&mut self) -> Option<Revoked> {
        let user = self.state.session().map(|session| session.user.clone());
        let tokens = self.tokens.take();
        let ended = Failure::new(Kind::LoginFailed, "the sign-in was ended by a sign-out");
        if self.state.login().is_some() {
            self.told(&Happening::SignInFailed(ended.clone()));
        }
        self.end_waiting(End::Failed(ended));
        self.happen(Event::SignedOut).await;
        let user = user?;
        let revoked = match tokens {
            Some(tokens) => self.revoke(tokens).await,
            None => Revoked::All,
        };
        self.told(&Happening::Ended { user, how: Ended::SignedOut(revoked.clone()) });
        Some(revoked)
    }

    // -- the machine ---------------------------------------------------------------------

    async fn happen(&mut self, event: Event) {
        let before = std::mem::replace(&mut self.state, State::SignedOut(Why::Ended));
        let user = before.session().and_then(|session| session.user.clone());
        let by_time = !matches!(event, Event::Rejected(_) | Event::NotKept(..));
        let by_grant = matches!(event, Event::Granted { .. });
        let (state, effects) = machine::step(before, event, self.generation + 1, Moment::now());
        self.state = state;
        if by_time && effects.iter().any(|effect| matches!(effect, Effect::Forget(_))) {
            self.told(&Happening::Ended { user: user.clone(), how: Ended::Expired });
        }
        if by_grant && effects.iter().any(|effect| matches!(effect, Effect::Revoke(_))) {
            self.told(&Happening::Ended { user, how: Ended::Replaced });
        }
        for effect in effects {
            self.carry_out(effect).await;
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Begin(generation) => {
                self.generation = generation;
                self.begin(generation);
            }
            Effect::Stop(_) => {
                if let Some((task, _)) = self.running.take() {
                    task.abort();
                }
            }
            Effect::Keep(generation) => self.keep(generation).await,
            Effect::EndsSoon => self.told(&Happening::EndsSoon),
            Effect::Forget(generation) | Effect::Revoke(generation) => {
                self.forget(generation, matches!(effect, Effect::Revoke(_))).await
            }
            Effect::Discard(generation) => {
                if let Some(grant) = self.granted.remove(&generation) {
                    self.give_back(
                        &self.tenant.entry.client_id,
                        [Some(grant.access), grant.refresh].into_iter().flatten(),
                    );
                }
            }
        }
    }

    async fn keep(&mut self, generation: Generation) {
        let Some(grant) = self.granted.remove(&generation) else { return };
        self.running = None;
        let client = grant.acting_client.unwrap_or_else(|| self.tenant.entry.exchange_client_id.clone());
        let held = match self.store(grant.access, generation).await {
            Ok(held) => held,
            Err((access, reason)) => {
                self.give_back(&self.tenant.entry.client_id, grant.refresh.into_iter().chain([access]));
                return self.not_kept(generation, &reason).await;
            }
        };
        self.tokens = Some(Tokens { generation, held, acting_client: client, scoped: Cache::default() });
        self.give_back(&self.tenant.entry.client_id, grant.refresh);
        let instead_of = self.last_user.take().filter(|user| grant.user.as_ref().is_some_and(|new| new != user));
        self.last_user.clone_from(&grant.user);
        self.told(&Happening::SignedIn { user: grant.user.clone(), instead_of });
        self.end_waiting(End::SignedIn { user: grant.user });
    }

    /// Puts the token where the configuration wants it.
    ///
    /// Errors: the keychain is insisted on and does not take it; the token comes back with the reason.
    async fn store(&mut self, token: Secret, generation: Generation) -> Result<Held, (Secret, String)> {
        let keychain = &self.parts.keychain;
        match (self.seal(&token, generation).await, keychain.is_required()) {
            (Some(Ok(())), _) => Ok(Held::Sealed),
            (None, false) => Ok(Held::Memory(Arc::new(token))),
            (None, true) => Err((token, "the OS gave no key to seal it with".to_owned())),
            (Some(Err(reason)), true) => Err((token, reason)),
            (Some(Err(reason)), false) => {
                self.told(&Happening::MemoryInstead(reason));
                Ok(Held::Memory(Arc::new(token)))
            }
        }
    }

    /// Seals the token into the keychain; none where there is nothing to seal it with or to put it in.
    async fn seal(&self, token: &Secret, generation: Generation) -> Option<Result<(), String>> {
        let key = self.key.as_ref().filter(|_| self.parts.keychain.is_os())?;
        let record = match key.seal(token, belongs(&self.tenant, generation)) {
            Ok(record) => record,
            Err(reason) => return Some(Err(reason)),
        };
        let kept = self.parts.keychain.put(&account(&self.tenant), record).await;
        Some(kept.map_err(|trouble| trouble.to_string()))
    }

    /// Ends a sign-in whose token has no place. The future is boxed because this is a step within a step.
    async fn not_kept(&mut self, generation: Generation, reason: &str) {
        let name = &self.tenant.name;
        let message = format!("the sign-in to {name} failed: keychain = \"os\" is configured, and {reason}");
        let hint = format!(
            "unlock or start the keychain, then: aic-broker login --tenant {name}\nor keep sessions in memory: keychain = \"auto\" in config.toml"
        );
        let failure = Failure::new(Kind::LoginFailed, message).with_hint(hint);
        self.told(&Happening::SignInFailed(failure.clone()));
        self.end_waiting(End::Failed(failure.clone()));
        Box::pin(self.happen(Event::NotKept(generation, failure))).await;
    }

    async fn forget(&mut self, generation: Generation, revoke: bool) {
        let Some(mut tokens) = self.tokens.take_if(|tokens| tokens.generation == generation) else { return };
        let primary = self.take_primary(&tokens).await;
        if revoke {
            let (parts, tenant) = (Arc::clone(&self.parts), self.tenant.clone());
            let all = issued(&mut tokens, &tenant, primary.ok());
            tokio::spawn(async move { revoke_all(&parts, &tenant, all).await });
        }
    }

    /// Takes the primary token out of wherever it is.
    async fn take_primary(&self, tokens: &Tokens) -> Result<Arc<Secret>, String> {
        match &tokens.held {
            Held::Memory(secret) => Ok(Arc::clone(secret)),
            Held::Sealed => {
                let primary = unseal(&self.parts, &self.tenant, self.key.as_deref(), tokens.generation).await;
                let _ = self.parts.keychain.remove(&account(&self.tenant)).await;
                primary
            }
        }
    }

    // -- giving tokens back --------------------------------------------------------------

    async fn revoke(&self, mut tokens: Tokens) -> Revoked {
        let (primary, lost) = match self.take_primary(&tokens).await {
            Ok(primary) => (Some(primary), None),
            Err(why) => (None, Some(why)),
        };
        let all = issued(&mut tokens, &self.tenant, primary);
        let revoked = revoke_all(&self.parts, &self.tenant, all).await;
        lost.map_or(revoked, Revoked::NotAll)
    }

    /// Gives a single token back in the background; it ends by itself if that fails.
    fn give_back(&self, client: &str, tokens: impl IntoIterator<Item = Secret>) {
        let all: Vec<Issued> = tokens.into_iter().map(|token| (client.to_owned(), Arc::new(token))).collect();
        let (parts, tenant) = (Arc::clone(&self.parts), self.tenant.clone());
        if !all.is_empty() {
            tokio::spawn(async move { revoke_all(&parts, &tenant, all).await });
        }
    }

    // -- those who wait ------------------------------------------------------------------

    /// Answers everybody for whom the state now has an answer.
    fn serve_waiting(&mut self) {
        match self.standing() {
            Standing::Soon => {}
            Standing::SignedIn(generation) => {
                for reply in std::mem::take(&mut self.for_screen) {
                    let _ = reply.send(Ok(Started::SignedIn(Box::new(self.report()))));
                }
                for (scopes, reply) in std::mem::take(&mut self.for_token) {
                    self.scoped(generation, scopes, reply);
                }
            }
            Standing::Screen(pending) => {
                for reply in std::mem::take(&mut self.for_screen) {
                    let _ = reply.send(Ok(Started::Pending(Box::new(pending.clone()))));
                }
                for (_, reply) in std::mem::take(&mut self.for_token) {
                    let _ = reply.send(Err(Need::SignIn(Box::new(pending.clone()))));
                }
            }
            Standing::Refused(failure) => {
                for reply in std::mem::take(&mut self.for_screen) {
                    let _ = reply.send(Err(Need::Refused(failure.clone())));
                }
                refuse(std::mem::take(&mut self.for_token).into_iter().map(|(_, reply)| reply).collect(), &failure);
            }
        }
    }

    fn standing(&self) -> Standing {
        match &self.state {
            State::SignedIn(session) | State::Renewing(session, _) => Standing::SignedIn(session.generation),
            State::SigningIn(login) => login.pending.clone().map_or(Standing::Soon, Standing::Screen),
            State::SignedOut(Why::Failed { failure, until }) => Standing::Refused(resting(failure, *until)),
            State::SignedOut(_) => Standing::Refused(no_such_sign_in()),
        }
    }

    fn end_waiting(&mut self, end: End) {
        for reply in std::mem::take(&mut self.for_end) {
            let _ = reply.send(end.clone());
        }
        self.last_end = Some(end);
    }

    fn report(&self) -> Report {
        let session: Option<&Session> = self.state.session();
        Report {
            tenant: self.tenant.name.clone(),
            state: self.state.word(),
            user: session.and_then(|session| session.user.clone()),
            expires_at: session.map(|session| session.expires_at.rfc3339()),
            pending: self.state.login().and_then(|login| login.pending.clone()),
        }
    }

    fn told(&self, event: &Happening) {
        self.parts.witness.happened(&self.tenant, event);
    }

    fn fresh_and_rejected(&self, words: &str) -> Failure {
        let message =
            format!("{} refuses to exchange the token of a sign-in that just succeeded: {words}", self.tenant.name);
        Failure::new(Kind::Denied, message).with_hint(
            "the tenant's exchange client must be allowed to act for the signed-in user: check exchange_client_id in the configuration and may_act at the tenant",
        )
    }
}

/// What those who wait can be told.
enum Standing {
    Soon,
    SignedIn(Generation),
    Screen(Pending),
    Refused(Failure),
}

async fn unseal<O>(
    parts: &Parts<O>,
    tenant: &Tenant,
    key: Option<&SealingKey>,
    generation: Generation,
) -> Result<Arc<Secret>, String> {
    let record = parts.keychain.get(&account(tenant)).await.map_err(|trouble| trouble.to_string())?;
    let opened = key.and_then(|key| key.open(&record, belongs(tenant, generation)));
    opened.map(Arc::new).ok_or_else(|| "the keychain's record was changed by somebody else".to_owned())
}

/// All tokens of a session, each with its client.
fn issued(tokens: &mut Tokens, tenant: &Tenant, primary: Option<Arc<Secret>>) -> Vec<Issued> {
    let acting = &tokens.acting_client;
    let scoped = tokens.scoped.take().into_iter().map(|token| (acting.clone(), token));
    scoped.chain(primary.map(|token| (tenant.entry.client_id.clone(), token))).collect()
}

async fn revoke_all<O>(parts: &Parts<O>, tenant: &Tenant, tokens: Vec<Issued>) -> Revoked {
    let revoking = tokens.iter().map(|(client, token)| oauth::revoke(&parts.http, tenant, client, token));
    let revoking = futures_util::future::join_all(revoking);
    match tokio::time::timeout(REVOKE_WITHIN, revoking).await {
        Err(_) => Revoked::NotAll(format!("no answer within {} s", REVOKE_WITHIN.as_secs())),
        Ok(done) => done.into_iter().find_map(Result::err).map_or(Revoked::All, Revoked::NotAll),
    }
}

fn account(tenant: &Tenant) -> String {
    tenant.origin().to_string()
}

fn belongs(tenant: &Tenant, generation: Generation) -> Belongs<'_> {
    Belongs { origin: tenant.origin().url().as_str(), client_id: &tenant.entry.client_id, generation }
}

fn refuse(waiting: Vec<BearerReply>, failure: &Failure) {
    for reply in waiting {
        let _ = reply.send(Err(Need::Refused(failure.clone())));
    }
}

fn resting(failure: &Failure, until: Moment) -> Failure {
    let left = until.left(Moment::now()).as_secs();
    let mut told = failure.clone();
    if left > 0 && left + 1 < machine::REST.as_secs() {
        told.message.push_str(&format!("; calls start no new sign-in for another {left} s"));
    }
    told
}

fn no_such_sign_in() -> Failure {
    Failure::new(Kind::LoginFailed, "there is no such sign-in any more").with_hint("call the tool again")
}

fn exchange_failure(tenant: &Tenant, error: &ExchangeError) -> Failure {
    let name = &tenant.name;
    match error {
        ExchangeError::Refused(words) => Failure::new(Kind::Denied, format!("{name} refused a scoped token: {words}")),
        ExchangeError::Rejected(words) => {
            Failure::new(Kind::LoginRequired, format!("{name} rejected the session: {words}"))
        }
        ExchangeError::Odd(words) => Failure::new(Kind::Upstream, format!("{name}: {words}")),
        ExchangeError::Limited(_) => {
            Failure::new(Kind::RateLimited, format!("{name} limits token exchanges: try again later"))
        }
        ExchangeError::Unreachable(words) => {
            Failure::new(Kind::Unreachable, format!("no scoped token from {name}: {words}"))
                .with_hint("aic-broker doctor")
        }
    }
}
