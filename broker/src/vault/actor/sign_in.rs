//! Starts sign-ins, hears how they end, and signs out.

use std::panic::AssertUnwindSafe;

use aic_proto::message::{End, How};
use aic_proto::refusal::{Failure, Kind};
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{Actor, News};
use crate::clock::{self, Moment};
use crate::oauth::{self, Grant, Job, Opener, Surroundings};
use crate::secret::Secret;
use crate::vault::machine::{By, Event, Generation};
use crate::vault::{Ended, Happening, Need, Revoked, Started};

impl<O: Opener + Clone + 'static> Actor<O> {
    pub(super) async fn sign_in(
        &mut self,
        how: How,
        by: By,
        container: bool,
        reply: oneshot::Sender<Result<Started, Need>>,
    ) {
        if self.state.login().is_none() {
            self.how = (how, container);
        }
        self.want(by).await;
        self.for_screen.push(reply);
        self.serve_waiting();
    }

    pub(super) async fn want(&mut self, by: By) {
        self.happen(Event::Wanted(by)).await;
    }

    pub(super) fn begin(&mut self, generation: Generation) {
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

    pub(super) async fn granted(&mut self, generation: Generation, grant: Grant) {
        let expires_at = Moment::now().plus(grant.expires_in);
        let user = grant.user.clone();
        self.granted.insert(generation, grant);
        self.happen(Event::Granted { generation, user, expires_at }).await;
    }

    pub(super) async fn failed(&mut self, generation: Generation, failure: Failure) {
        let concerns = self.state.login().is_some_and(|login| login.generation == generation);
        if concerns {
            self.told(&Happening::SignInFailed(failure.clone()));
            self.end_waiting(End::Failed(failure.clone()));
            self.running = None;
        }
        self.happen(Event::Failed(generation, failure)).await;
    }

    pub(super) fn wait(&mut self, flow: String, reply: oneshot::Sender<End>) {
        self.for_end.retain(|reply| !reply.is_closed());
        match (flow == self.flow, &self.last_end) {
            (true, None) => self.for_end.push(reply),
            (true, Some(end)) => drop(reply.send(end.clone())),
            (false, _) => drop(reply),
        }
    }

    pub(super) async fn decline(&mut self, flow: &str) {
        let login = self.state.login().filter(|_| flow == self.flow);
        let Some(generation) = login.map(|login| login.generation) else { return };
        let failure = Failure::new(Kind::LoginDeclined, format!("the sign-in to {} was declined", self.tenant.name));
        self.told(&Happening::SignInFailed(failure.clone()));
        self.end_waiting(End::Failed(failure.clone()));
        self.happen(Event::Declined(generation, failure)).await;
    }

    pub(super) fn paste(&self, flow: &str, url: Secret) -> bool {
        let waits = self.state.login().is_some() && flow == self.flow;
        self.running.as_ref().filter(|_| waits).is_some_and(|(_, paste)| paste.try_send(url).is_ok())
    }

    pub(super) async fn sign_out(&mut self) -> Option<Revoked> {
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
}

pub(super) fn no_such_sign_in() -> Failure {
    Failure::new(Kind::LoginFailed, "there is no such sign-in any more").with_hint("call the tool again")
}
