//! Answers those who wait, as soon as the state has an answer for them.

use aic_proto::message::{End, Pending};
use aic_proto::refusal::Failure;

use super::Actor;
use super::sign_in::no_such_sign_in;
use super::tokens::refuse;
use crate::clock::Moment;
use crate::oauth::Opener;
use crate::vault::machine::{self, Generation, Session, State, Why};
use crate::vault::{Need, Report, Started};

/// What those who wait can be told.
pub(super) enum Standing {
    Soon,
    SignedIn(Generation),
    Screen(Pending),
    Refused(Failure),
}

impl<O: Opener + Clone + 'static> Actor<O> {
    /// Answers everybody for whom the state now has an answer.
    pub(super) fn serve_waiting(&mut self) {
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

    pub(super) fn standing(&self) -> Standing {
        match &self.state {
            State::SignedIn(session) | State::Renewing(session, _) => Standing::SignedIn(session.generation),
            State::SigningIn(login) => login.pending.clone().map_or(Standing::Soon, Standing::Screen),
            State::SignedOut(Why::Failed { failure, until }) => Standing::Refused(resting(failure, *until)),
            State::SignedOut(_) => Standing::Refused(no_such_sign_in()),
        }
    }

    pub(super) fn end_waiting(&mut self, end: End) {
        for reply in std::mem::take(&mut self.for_end) {
            let _ = reply.send(end.clone());
        }
        self.last_end = Some(end);
    }

    pub(super) fn report(&self) -> Report {
        let session: Option<&Session> = self.state.session();
        Report {
            tenant: self.tenant.name.clone(),
            state: self.state.word(),
            user: session.and_then(|session| session.user.clone()),
            instead_of: self.tokens.as_ref().and_then(|tokens| tokens.instead_of.clone()),
            expires_at: session.map(|session| session.expires_at.rfc3339()),
            pending: self.state.login().and_then(|login| login.pending.clone()),
        }
    }
}

pub(super) fn resting(failure: &Failure, until: Moment) -> Failure {
    let left = until.left(Moment::now()).as_secs();
    let mut told = failure.clone();
    if left > 0 && left + 1 < machine::REST.as_secs() {
        told.message.push_str(&format!("; calls start no new sign-in for another {left} s"));
    }
    told
}
