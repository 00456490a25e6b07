//! Carries out what the machine decides for one tenant. One task owns the state, the tokens and the waiting callers.

mod keep;
mod sign_in;
mod tokens;
mod waiting;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aic_proto::message::{End, How, Pending};
use aic_proto::refusal::Failure;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::clock::Moment;
use crate::config::Tenant;
use crate::oauth::{ExchangeError, Exchanged, Grant, Opener};
use crate::secret::Secret;
use crate::vault::machine::{self, Effect, Event, Generation, State, Why};
use crate::vault::record::SealingKey;
use crate::vault::scoped::Cache;
use crate::vault::{Ask, Ended, Happening, MAILBOX, Need, Parts, Scoped, Started};

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
    /// The user of the session before, when it was another.
    instead_of: Option<String>,
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
pub(in crate::vault) fn start<O: Opener + Clone + 'static>(parts: Arc<Parts<O>>, tenant: Tenant) -> mpsc::Sender<Ask> {
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

    fn told(&self, event: &Happening) {
        self.parts.witness.happened(&self.tenant, event);
    }
}
