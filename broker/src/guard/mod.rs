//! Says whether a call may be made at all: by tenant, by tier, by policy.

pub mod policy;
pub mod repeat;
pub mod tier;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aic_proto::refusal::{Failure, Kind};

use crate::aic::{Api, Fault, Path, Request};
use crate::config::{Origin, Tenant};
use tier::Verdict;

/// What is known of the tenants that people signed in to.
#[derive(Default)]
pub struct Guard {
    /// The session in which each tenant was found to be fit.
    admitted: Mutex<HashMap<Origin, Arc<tokio::sync::Mutex<Option<u64>>>>>,
    /// Why tenants were refused for good.
    refused: Mutex<HashMap<Origin, Failure>>,
}

/// What a look at the tenant gave.
pub enum Admission {
    /// The call may go on.
    Admitted,
    /// It may not; nothing changes for the session.
    NotNow(Failure),
    /// It may not, and the session must end.
    Never(Failure),
}

impl Guard {
    fn admitted(&self, tenant: &Tenant) -> Arc<tokio::sync::Mutex<Option<u64>>> {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(admitted.entry(tenant.origin().clone()).or_default())
    }

    fn refusals(&self) -> MutexGuard<'_, HashMap<Origin, Failure>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why this tenant was refused after an earlier sign-in, if it was.
    pub fn refused(&self, tenant: &Tenant) -> Option<Failure> {
        self.refusals().get(tenant.origin()).cloned()
    }

    /// Forgets an earlier refusal: a person signs in anew and wants to know again.
    pub fn forgive(&self, tenant: &Tenant) {
        self.refusals().remove(tenant.origin());
    }

    /// Looks at the tenant once a session, before its first tool runs. Calls at the same time share the look.
    ///
    /// Source: the contract's section 8, rule 2.
    /// Errors: [`Fault`] when the look itself could not be made for want of a token.
    pub async fn admit(&self, tenant: &Tenant, session: u64, api: &Api) -> Result<Admission, Fault> {
        let admitted = self.admitted(tenant);
        let mut admitted = admitted.lock().await;
        if *admitted == Some(session) {
            return Ok(Admission::Admitted);
        }
        let looked = api.send(Request::get(Path::fixed("/environment/info"))).await;
        let info = match looked {
            Err(Fault::SignedOut) => return Err(Fault::SignedOut),
            Err(Fault::Broker { kind, message, hint }) => return Err(Fault::Broker { kind, message, hint }),
            other => other,
        };
        Ok(match tier::judge(&info, tenant) {
            Verdict::Fit => {
                *admitted = Some(session);
                Admission::Admitted
            }
            Verdict::Locked(failure) | Verdict::Unreachable(failure) => Admission::NotNow(failure),
            Verdict::Unfit(failure) => {
                self.refusals().insert(tenant.origin().clone(), failure.clone());
                Admission::Never(failure)
            }
        })
    }
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(Kind::TenantRefused, message)
}
