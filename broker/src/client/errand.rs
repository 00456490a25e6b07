//! Stands for one call towards the tenant: where its tokens come from, where its intents go, whether the tenant is fit.

use std::sync::{Arc, Mutex, PoisonError};

use aic_proto::message::Pending;
use aic_proto::refusal::{Failure, Kind};
use tokio::time::Instant;

use super::{Broker, Client};
use crate::aic::{self, Api, Fault, Journal, Later};
use crate::audit::{Entry, Request};
use crate::config::Tenant;
use crate::guard::Admission;
use crate::guard::repeat::Fingerprint;
use crate::oauth::Opener;
use crate::secret::Bearer;
use crate::vault::{Need, Scoped};

/// One call's errand. Clones stand for the same call.
pub(super) struct Errand<O> {
    pub(super) broker: Arc<Broker<O>>,
    pub(super) client: Arc<Client>,
    /// What is written in the audit log as the tool.
    pub(super) tool: &'static str,
    pub(super) scopes: Arc<[String]>,
    pub(super) fingerprint: Fingerprint,
    pub(super) tenant: Tenant,
    pub(super) transaction_id: String,
    pub(super) journal: Journal,
    /// The sign-in that the call must wait for, once it is known.
    pub(super) pending: Arc<Mutex<Option<Pending>>>,
    /// The token with which the tenant was looked at, for the call's first request.
    pub(super) first: Arc<Mutex<Option<Bearer>>>,
}

impl<O> Clone for Errand<O> {
    fn clone(&self) -> Self {
        Self {
            broker: Arc::clone(&self.broker),
            client: Arc::clone(&self.client),
            tool: self.tool,
            scopes: Arc::clone(&self.scopes),
            fingerprint: self.fingerprint.clone(),
            tenant: self.tenant.clone(),
            transaction_id: self.transaction_id.clone(),
            journal: self.journal.clone(),
            pending: Arc::clone(&self.pending),
            first: Arc::clone(&self.first),
        }
    }
}

impl<O: Opener + Clone + 'static> Errand<O> {
    /// The way to the tenant.
    pub(super) fn api(&self, deadline: Instant) -> Api {
        Api::new(aic::Parts {
            origin: self.tenant.origin().url().clone(),
            http: self.broker.http.clone(),
            caller: Box::new(self.clone()),
            transaction_id: self.transaction_id.clone(),
            deadline,
            documents: self.broker.documents.clone(),
            journal: self.journal.clone(),
        })
    }

    /// Makes sure of the tenant before anything of a session reaches it; gives the user as whom the call is made.
    ///
    /// Errors: the outer one for want of a token, the inner one when the tenant is not fit, now or ever.
    pub(super) async fn admit_tenant(&self, api: &Api) -> Result<Result<Option<String>, Failure>, Fault> {
        let Scoped { bearer, user, .. } = self.scoped().await?;
        let session = bearer.session;
        self.first.lock().unwrap_or_else(PoisonError::into_inner).replace(bearer);
        match self.broker.guard.admit(&self.tenant, session, api).await? {
            Admission::Admitted => Ok(Ok(user)),
            Admission::NotNow(failure) => Ok(Err(failure)),
            Admission::Never(failure) => {
                self.broker.vault.sign_out(&self.tenant).await;
                Ok(Err(failure))
            }
        }
    }

    /// The sign-in that the call must wait for.
    pub(super) fn take_pending(&self) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn token(&self, refused: Option<Bearer>) -> Result<Bearer, Fault> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (refused, first) {
            (None, Some(first)) => return Ok(first),
            (None, None) => {}
            (Some(refused), _) => self.broker.vault.drop_scoped(&self.tenant, &refused).await,
        }
        Ok(self.scoped().await?.bearer)
    }

    async fn scoped(&self) -> Result<Scoped, Fault> {
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        match self.broker.vault.bearer(&self.tenant, &scopes).await {
            Ok(scoped) => Ok(scoped),
            Err(Need::SignIn(pending)) => {
                *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(*pending);
                Err(Fault::SignedOut)
            }
            Err(Need::Refused(Failure { kind, message, hint, .. })) => Err(Fault::Broker { kind, message, hint }),
        }
    }
}

impl<O: Opener + Clone + 'static> aic::Caller for Errand<O> {
    fn bearer(&self, refused: Option<Bearer>) -> Later<'_, Result<Bearer, Fault>> {
        Box::pin(self.token(refused))
    }

    fn about_to_write(&self, method: &str, path: &str) -> Result<(), Fault> {
        let entry = Entry {
            event: "intent",
            client: Some(self.client.label.clone()),
            tenant: Some(self.tenant.name.clone()),
            tool: Some(self.tool.to_owned()),
            fingerprint: Some(self.fingerprint.as_str().to_owned()),
            requests: vec![Request { method: method.to_owned(), path: path.to_owned(), status: None }],
            transaction_id: Some(self.transaction_id.clone()),
            ..Entry::default()
        };
        self.broker.record(&entry).map_err(|reason| Fault::Broker {
            kind: Kind::NotAllowed,
            message: format!("nothing was changed, because the audit log cannot be written: {reason}"),
            hint: Some("aic-broker status".to_owned()),
        })
    }
}
