//! Keeps the primary token where the configuration wants it, and gives tokens back.

use std::sync::Arc;
use std::time::Duration;

use aic_proto::message::End;
use aic_proto::refusal::{Failure, Kind};

use super::{Actor, Held, Issued, Tokens};
use crate::config::Tenant;
use crate::oauth::{self, Opener};
use crate::secret::Secret;
use crate::vault::machine::{Event, Generation};
use crate::vault::record::{Belongs, SealingKey};
use crate::vault::scoped::Cache;
use crate::vault::{Happening, Parts, Revoked};

/// How long giving tokens back may take altogether.
const REVOKE_WITHIN: Duration = Duration::from_secs(3);

impl<O: Opener + Clone + 'static> Actor<O> {
    pub(super) async fn keep(&mut self, generation: Generation) {
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
        self.give_back(&self.tenant.entry.client_id, grant.refresh);
        let instead_of = self.last_user.take().filter(|user| grant.user.as_ref().is_some_and(|new| new != user));
        self.last_user.clone_from(&grant.user);
        let before = instead_of.clone();
        self.tokens =
            Some(Tokens { generation, held, acting_client: client, instead_of: before, scoped: Cache::default() });
        self.told(&Happening::SignedIn { user: grant.user.clone(), instead_of });
        self.end_waiting(End::SignedIn { user: grant.user });
    }

    /// Puts the token where the configuration wants it.
    ///
    /// Errors: the keychain is insisted on and does not take it; the token comes back with the reason.
    pub(super) async fn store(&mut self, token: Secret, generation: Generation) -> Result<Held, (Secret, String)> {
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
    pub(super) async fn seal(&self, token: &Secret, generation: Generation) -> Option<Result<(), String>> {
        let key = self.key.as_ref().filter(|_| self.parts.keychain.is_os())?;
        let record = match key.seal(token, belongs(&self.tenant, generation)) {
            Ok(record) => record,
            Err(reason) => return Some(Err(reason)),
        };
        let kept = self.parts.keychain.put(&account(&self.tenant), record).await;
        Some(kept.map_err(|trouble| trouble.to_string()))
    }

    /// Ends a sign-in whose token has no place. The future is boxed because this is a step within a step.
    pub(super) async fn not_kept(&mut self, generation: Generation, reason: &str) {
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

    pub(super) async fn forget(&mut self, generation: Generation, revoke: bool) {
        let Some(mut tokens) = self.tokens.take_if(|tokens| tokens.generation == generation) else { return };
        let primary = self.take_primary(&tokens).await;
        if revoke {
            let (parts, tenant) = (Arc::clone(&self.parts), self.tenant.clone());
            let all = issued(&mut tokens, &tenant, primary.ok());
            tokio::spawn(async move {
                revoke_all(&parts, &tenant, all).await;
                parts.http.forget_connections();
            });
        } else {
            self.parts.http.forget_connections();
        }
    }

    /// Takes the primary token out of wherever it is.
    pub(super) async fn take_primary(&self, tokens: &Tokens) -> Result<Arc<Secret>, String> {
        match &tokens.held {
            Held::Memory(secret) => Ok(Arc::clone(secret)),
            Held::Sealed => {
                let primary = unseal(&self.parts, &self.tenant, self.key.as_deref(), tokens.generation).await;
                let _ = self.parts.keychain.remove(&account(&self.tenant)).await;
                primary
            }
        }
    }

    pub(super) async fn revoke(&self, mut tokens: Tokens) -> Revoked {
        let (primary, lost) = match self.take_primary(&tokens).await {
            Ok(primary) => (Some(primary), None),
            Err(why) => (None, Some(why)),
        };
        let all = issued(&mut tokens, &self.tenant, primary);
        let revoked = revoke_all(&self.parts, &self.tenant, all).await;
        self.parts.http.forget_connections();
        lost.map_or(revoked, Revoked::NotAll)
    }

    /// Gives a single token back in the background; it ends by itself if that fails.
    pub(super) fn give_back(&self, client: &str, tokens: impl IntoIterator<Item = Secret>) {
        let all: Vec<Issued> = tokens.into_iter().map(|token| (client.to_owned(), Arc::new(token))).collect();
        let (parts, tenant) = (Arc::clone(&self.parts), self.tenant.clone());
        if !all.is_empty() {
            tokio::spawn(async move { revoke_all(&parts, &tenant, all).await });
        }
    }
}

pub(super) async fn unseal<O>(
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
pub(super) fn issued(tokens: &mut Tokens, tenant: &Tenant, primary: Option<Arc<Secret>>) -> Vec<Issued> {
    let acting = &tokens.acting_client;
    let scoped = tokens.scoped.take().into_iter().map(|token| (acting.clone(), token));
    scoped.chain(primary.map(|token| (tenant.entry.client_id.clone(), token))).collect()
}

pub(super) async fn revoke_all<O>(parts: &Parts<O>, tenant: &Tenant, tokens: Vec<Issued>) -> Revoked {
    let revoking = tokens.iter().map(|(client, token)| oauth::revoke(&parts.http, tenant, client, token));
    let revoking = futures_util::future::join_all(revoking);
    match tokio::time::timeout(REVOKE_WITHIN, revoking).await {
        Err(_) => Revoked::NotAll(format!("no answer within {} s", REVOKE_WITHIN.as_secs())),
        Ok(done) => done.into_iter().find_map(Result::err).map_or(Revoked::All, Revoked::NotAll),
    }
}

pub(super) fn account(tenant: &Tenant) -> String {
    tenant.origin().to_string()
}

pub(super) fn belongs(tenant: &Tenant, generation: Generation) -> Belongs<'_> {
    Belongs { origin: tenant.origin().url().as_str(), client_id: &tenant.entry.client_id, generation }
}
