//! Decides the life of one tenant's session. Pure: an event and a moment come in, a state and effects come out.

use std::time::Duration;

use aic_proto::message::Pending;
use aic_proto::refusal::Failure;

use crate::clock::Moment;

/// How long after a failed or refused sign-in no call opens another browser (the contract's section 5).
pub(super) const REST: Duration = Duration::from_secs(30);
/// A session whose very first exchange is rejected this soon is not dead: signing in again would end the same way.
const FRESH: Duration = Duration::from_secs(60);

/// How long before its end a session says so, once: time to renew it without losing a call.
const SOON: Duration = Duration::from_secs(5 * 60);

/// Numbers sign-ins, and the sessions that come of them. A result of an older one changes nothing.
pub(super) type Generation = u64;

/// One tenant's session.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// Nobody is signed in.
    SignedOut(Why),
    /// Nobody is, and somebody is about to.
    SigningIn(Login),
    /// Somebody is signed in.
    SignedIn(Session),
    /// Somebody is, and signs in anew meanwhile.
    Renewing(Session, Login),
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Why {
    /// Nobody tried, or they signed out.
    Ended,
    /// The session ended by its own time.
    Expired,
    /// A sign-in failed; calls start no other until the rest is over.
    Failed {
        /// When calls may start another.
        until: Moment,
        /// What happened.
        failure: Failure,
    },
}

/// A sign-in under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Login {
    pub(super) generation: Generation,
    /// What the person is shown, once it is known.
    pub(super) pending: Option<Pending>,
}

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    pub(super) generation: Generation,
    pub(super) user: Option<String>,
    pub(super) since: Moment,
    pub(super) expires_at: Moment,
    /// Whether an exchange ever succeeded.
    pub(super) proven: bool,
    /// When it says that it ends soon; `None` once it has, or where it is too short for it.
    pub(super) speaks_at: Option<Moment>,
}

/// Who wants a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A tool call: a model may repeat it in a loop.
    Call,
    /// A person at a command line: they know what they do.
    Person,
    /// A person who renews a session before it ends.
    Renewal,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    Wanted(By),
    Shown(Generation, Pending),
    Granted {
        generation: Generation,
        user: Option<String>,
        expires_at: Moment,
    },
    Failed(Generation, Failure),
    /// What was granted cannot be kept where the configuration insists on keeping it.
    NotKept(Generation, Failure),
    Proven(Generation),
    Rejected(Generation),
    /// Everybody who was shown it declined.
    Declined(Generation, Failure),
    SignedOut,
    /// Time has passed.
    Looked,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Start the sign-in of this generation.
    Begin(Generation),
    /// Stop it.
    Stop(Generation),
    /// Drop the tokens of this session: they are dead.
    Forget(Generation),
    /// Give the tokens of this session back.
    Revoke(Generation),
    /// Keep what was granted: its generation is the session's now.
    Keep(Generation),
    /// A grant came too late: give it back.
    Discard(Generation),
    /// Tell the person that the session ends soon.
    EndsSoon,
}

impl State {
    /// The session, if somebody is signed in.
    pub(super) fn session(&self) -> Option<&Session> {
        match self {
            Self::SignedIn(session) | Self::Renewing(session, _) => Some(session),
            Self::SignedOut(_) | Self::SigningIn(_) => None,
        }
    }

    /// The sign-in under way.
    pub(super) fn login(&self) -> Option<&Login> {
        match self {
            Self::SigningIn(login) | Self::Renewing(_, login) => Some(login),
            Self::SignedOut(_) | Self::SignedIn(_) => None,
        }
    }

    /// The word of `status --json`.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::SignedOut(Why::Expired) => "expired",
            Self::SignedOut(_) => "signed_out",
            Self::SigningIn(_) => "signing_in",
            Self::SignedIn(_) | Self::Renewing(..) => "signed_in",
        }
    }

    /// When something changes by itself.
    pub(super) fn next_change(&self) -> Option<Moment> {
        self.session().map(|session| session.speaks_at.unwrap_or(session.expires_at))
    }
}

/// Whether a rejected exchange means that signing in again would end the same way.
pub(super) fn is_fresh_and_unproven(session: &Session, now: Moment) -> bool {
    !session.proven && !session.since.plus(FRESH).has_come(now)
}

/// Takes one step. `next` numbers the sign-in that this step may start.
pub(super) fn step(state: State, event: Event, next: Generation, now: Moment) -> (State, Vec<Effect>) {
    let (state, mut effects) = pass_time(state, now);
    let (state, more) = take(state, event, next, now);
    effects.extend(more);
    (state, effects)
}

fn pass_time(state: State, now: Moment) -> (State, Vec<Effect>) {
    match state {
        State::SignedIn(session) if speaks(&session, now) => {
            (State::SignedIn(Session { speaks_at: None, ..session }), vec![Effect::EndsSoon])
        }
        State::SignedIn(session) if session.expires_at.has_come(now) => {
            (State::SignedOut(Why::Expired), vec![Effect::Forget(session.generation)])
        }
        State::Renewing(session, login) if session.expires_at.has_come(now) => {
            (State::SigningIn(login), vec![Effect::Forget(session.generation)])
        }
        other => (other, Vec::new()),
    }
}

fn speaks(session: &Session, now: Moment) -> bool {
    !session.expires_at.has_come(now) && session.speaks_at.is_some_and(|moment| moment.has_come(now))
}

/// When a session of this length says that it ends soon; one that is hardly longer than the notice never does.
pub(super) fn speaks_at(since: Moment, expires_at: Moment) -> Option<Moment> {
    let life = expires_at.left(since);
    (life > SOON * 2).then(|| since.plus(life - SOON))
}

fn take(state: State, event: Event, next: Generation, now: Moment) -> (State, Vec<Effect>) {
    match event {
        Event::Wanted(by) => wanted(state, by, next, now),
        Event::Shown(generation, pending) => (shown(state, generation, pending), Vec::new()),
        Event::Granted { generation, user, expires_at } => {
            let speaks_at = speaks_at(now, expires_at);
            granted(state, Session { generation, user, since: now, expires_at, proven: false, speaks_at })
        }
        Event::Failed(generation, failure) => (failed(state, generation, failure, now), Vec::new()),
        Event::Declined(generation, failure) => declined(state, generation, failure, now),
        Event::NotKept(generation, failure) => (not_kept(state, generation, failure, now), Vec::new()),
        Event::Proven(generation) => (proven(state, generation), Vec::new()),
        Event::Rejected(generation) => rejected(state, generation),
        Event::SignedOut => signed_out(state),
        Event::Looked => (state, Vec::new()),
    }
}

fn wanted(state: State, by: By, next: Generation, now: Moment) -> (State, Vec<Effect>) {
    let login = Login { generation: next, pending: None };
    match (state, by) {
        (State::SignedOut(Why::Failed { until, failure }), By::Call) if !until.has_come(now) => {
            (State::SignedOut(Why::Failed { until, failure }), Vec::new())
        }
        (State::SignedOut(_), _) => (State::SigningIn(login), vec![Effect::Begin(next)]),
        (State::SignedIn(session), By::Renewal) => (State::Renewing(session, login), vec![Effect::Begin(next)]),
        (other, _) => (other, Vec::new()),
    }
}

fn shown(state: State, generation: Generation, pending: Pending) -> State {
    let show = |login: Login| match login.generation == generation {
        true => Login { pending: Some(pending), ..login },
        false => login,
    };
    match state {
        State::SigningIn(login) => State::SigningIn(show(login)),
        State::Renewing(session, login) => State::Renewing(session, show(login)),
        other => other,
    }
}

fn granted(state: State, new: Session) -> (State, Vec<Effect>) {
    let keep = Effect::Keep(new.generation);
    match state {
        State::SigningIn(login) if login.generation == new.generation => (State::SignedIn(new), vec![keep]),
        State::Renewing(old, login) if login.generation == new.generation => {
            (State::SignedIn(new), vec![Effect::Revoke(old.generation), keep])
        }
        other => (other, vec![Effect::Discard(new.generation)]),
    }
}

fn failed(state: State, generation: Generation, failure: Failure, now: Moment) -> State {
    match state {
        State::SigningIn(login) if login.generation == generation => {
            State::SignedOut(Why::Failed { until: now.plus(REST), failure })
        }
        State::Renewing(session, login) if login.generation == generation => State::SignedIn(session),
        other => other,
    }
}

fn declined(state: State, generation: Generation, failure: Failure, now: Moment) -> (State, Vec<Effect>) {
    match state.login().is_some_and(|login| login.generation == generation) {
        true => (failed(state, generation, failure, now), vec![Effect::Stop(generation)]),
        false => (state, Vec::new()),
    }
}

fn not_kept(state: State, generation: Generation, failure: Failure, now: Moment) -> State {
    match state {
        State::SignedIn(session) if session.generation == generation => {
            State::SignedOut(Why::Failed { until: now.plus(REST), failure })
        }
        other => other,
    }
}

fn proven(state: State, generation: Generation) -> State {
    let prove = |session: Session| Session { proven: session.proven || session.generation == generation, ..session };
    match state {
        State::SignedIn(session) => State::SignedIn(prove(session)),
        State::Renewing(session, login) => State::Renewing(prove(session), login),
        other => other,
    }
}

fn rejected(state: State, generation: Generation) -> (State, Vec<Effect>) {
    match state {
        State::SignedIn(session) if session.generation == generation => {
            (State::SignedOut(Why::Ended), vec![Effect::Forget(generation)])
        }
        State::Renewing(session, login) if session.generation == generation => {
            (State::SigningIn(login), vec![Effect::Forget(generation)])
        }
        other => (other, Vec::new()),
    }
}

fn signed_out(state: State) -> (State, Vec<Effect>) {
    let effects = match &state {
        State::SignedOut(_) => Vec::new(),
        State::SigningIn(login) => vec![Effect::Stop(login.generation)],
        State::SignedIn(session) => vec![Effect::Revoke(session.generation)],
        State::Renewing(session, login) => vec![Effect::Stop(login.generation), Effect::Revoke(session.generation)],
    };
    (State::SignedOut(Why::Ended), effects)
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
