//! Gives scoped tokens to those who ask: from the cache, or by one exchange for all who ask at once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use aic_proto::refusal::{Failure, Kind};
use futures_util::FutureExt;

use super::keep::unseal;
use super::{Actor, BearerReply, Held, News};
use crate::clock::Moment;
use crate::config::Tenant;
use crate::oauth::{self, ExchangeError, Exchanged, Opener};
use crate::secret::{Bearer, Secret};
use crate::vault::machine::{self, By, Event, Generation};
use crate::vault::scoped;
use crate::vault::{Ended, Happening, Need, Scoped};

impl<O: Opener + Clone + 'static> Actor<O> {
    pub(super) async fn bearer(&mut self, scopes: Vec<String>, reply: BearerReply) {
        self.want(By::Call).await;
        match self.state.session().map(|session| session.generation) {
            Some(generation) => self.scoped(generation, scopes, reply),
            None => self.for_token.push((scopes, reply)),
        }
        self.serve_waiting();
    }

    pub(super) fn scoped(&mut self, generation: Generation, scopes: Vec<String>, reply: BearerReply) {
        let key = scoped::key(scopes);
        let found = self.tokens.as_ref().and_then(|tokens| tokens.scoped.find(&key, Moment::now()));
        if let Some((bearer, expires_in)) = found {
            let _ = reply.send(Ok(Scoped { bearer, user: self.user(), expires_in }));
            return;
        }
        let waiting = self.exchanging.entry(key.clone()).or_default();
        waiting.push(reply);
        if waiting.len() == 1 {
            self.exchange(generation, key);
        }
    }

    pub(super) fn exchange(&self, session: Generation, key: String) {
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

    pub(super) async fn exchanged(
        &mut self,
        session: Generation,
        key: String,
        outcome: Result<Exchanged, ExchangeError>,
    ) {
        let waiting = self.exchanging.remove(&key).unwrap_or_default();
        let current = self.state.session().filter(|current| current.generation == session).cloned();
        match (outcome, current) {
            (Ok(Exchanged { token, refresh, surplus: Some(scope), .. }), Some(_)) => {
                self.give_back_unused(token, refresh);
                let odd = ExchangeError::Odd(format!("AM granted the scope {scope}, which was not asked for"));
                refuse(waiting, &exchange_failure(&self.tenant, &odd));
            }
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
            (Ok(Exchanged { token, refresh, .. }), None) => {
                self.give_back_unused(token, refresh);
                self.again(&key, waiting).await;
            }
            (Err(_), None) => self.again(&key, waiting).await,
            (Err(error), Some(_)) => refuse(waiting, &exchange_failure(&self.tenant, &error)),
        }
    }

    /// Gives back what an exchange brought.
    fn give_back_unused(&self, token: Secret, refresh: Option<Secret>) {
        let acting = self.tokens.as_ref().map(|tokens| &tokens.acting_client);
        let client = acting.unwrap_or(&self.tenant.entry.exchange_client_id);
        self.give_back(client, refresh.into_iter().chain([token]));
    }

    pub(super) async fn hand_out(
        &mut self,
        session: Generation,
        key: String,
        exchanged: Exchanged,
        waiting: Vec<BearerReply>,
    ) {
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
            let _ = reply.send(Ok(Scoped { bearer: bearer.clone(), user: self.user(), expires_in: lifetime }));
        }
    }

    fn user(&self) -> Option<String> {
        self.state.session().and_then(|session| session.user.clone())
    }

    /// Those who waited for an exchange of a session that is gone want the next one.
    pub(super) async fn again(&mut self, key: &str, waiting: Vec<BearerReply>) {
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
    pub(super) async fn lost(&mut self, session: Generation, key: String, why: String) {
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

    pub(super) fn fresh_and_rejected(&self, words: &str) -> Failure {
        let message =
            format!("{} refuses to exchange the token of a sign-in that just succeeded: {words}", self.tenant.name);
        Failure::new(Kind::Denied, message).with_hint(
            "the tenant's exchange client must be allowed to act for the signed-in user: check exchange_client_id in the configuration and may_act at the tenant",
        )
    }
}

pub(super) fn refuse(waiting: Vec<BearerReply>, failure: &Failure) {
    for reply in waiting {
        let _ = reply.send(Err(Need::Refused(failure.clone())));
    }
}

pub(super) fn exchange_failure(tenant: &Tenant, error: &ExchangeError) -> Failure {
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
