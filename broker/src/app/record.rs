//! Puts what happens to sessions on record and words it for the desktop.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::say;
use crate::audit::{Audit, Entry};
use crate::config::Tenant;
use crate::os::{Notice, Notifier};
use crate::vault::{Ended, Happening, Revoked, Witness};

/// Puts what happens to sessions on record and tells the desktop.
pub(super) struct Record {
    pub(super) audit: Arc<Audit>,
    pub(super) notifier: Notifier,
    pub(super) renew: mpsc::Sender<String>,
}

impl Witness for Record {
    fn happened(&self, tenant: &Tenant, event: &Happening) {
        if let Some(entry) = entry_of(tenant, event) {
            let _ = self.audit.append(&entry);
        }
        if let Some((title, text)) = notification(tenant, event) {
            let ends_soon = *event == Happening::EndsSoon;
            let button = ends_soon.then(|| ("Renew now", self.renew.clone(), tenant.name.clone()));
            self.notifier.show(Notice { title, text, button });
        }
        if let Happening::MemoryInstead(reason) = event {
            say(&format!("{}: the session is kept in memory only: {reason}", tenant.name));
        }
    }
}

fn entry_of(tenant: &Tenant, event: &Happening) -> Option<Entry> {
    let entry = |event: &'static str, user: &Option<String>, outcome: String| Entry {
        event,
        tenant: Some(tenant.name.clone()),
        user: user.clone(),
        outcome: Some(outcome),
        ..Entry::default()
    };
    match event {
        Happening::SignInNeeded | Happening::EndsSoon | Happening::MemoryInstead(_) => None,
        Happening::Exchanged { scopes } => {
            let scopes = scopes.split(' ').map(str::to_owned).collect();
            Some(Entry { scopes, ..entry("exchange", &None, "success".to_owned()) })
        }
        Happening::SignedIn { user, instead_of } => {
            let outcome = instead_of
                .as_ref()
                .map_or_else(|| "success".to_owned(), |before| format!("success, instead of {before}"));
            Some(entry("sign_in", user, outcome))
        }
        Happening::SignInFailed(failure) => Some(entry("sign_in", &None, failure.kind.word().to_owned())),
        Happening::Ended { user, how } => Some(entry("sign_out", user, ended(how).to_owned())),
    }
}

fn ended(how: &Ended) -> &'static str {
    match how {
        Ended::Expired => "expired",
        Ended::Rejected => "rejected by the tenant",
        Ended::Lost => "lost by the keychain",
        Ended::Replaced => "replaced by a new sign-in",
        Ended::SignedOut(Revoked::All) => "signed out, revoked",
        Ended::SignedOut(Revoked::NotAll(_)) => "signed out, not all revoked",
    }
}

/// The words of a notification: a host and a user, never a code or a URL with state.
fn notification(tenant: &Tenant, event: &Happening) -> Option<(String, String)> {
    let name = &tenant.name;
    match event {
        Happening::SignInNeeded => {
            Some((format!("Sign in to {name}"), format!("{} waits for you in the browser.", tenant.origin().host())))
        }
        Happening::EndsSoon => Some((
            format!("The session of {name} ends in 5 minutes"),
            "Renew it now, and no call has to wait for you later.".to_owned(),
        )),
        Happening::SignedIn { user, instead_of } => {
            let user = user.as_deref().unwrap_or("somebody");
            let changed = instead_of.as_ref().map_or(String::new(), |before| format!(" Until now it was {before}."));
            Some((format!("Signed in to {name}"), format!("AI clients act as {user}.{changed}")))
        }
        Happening::SignInFailed(_) => {
            Some((format!("Not signed in to {name}"), "The sign-in did not succeed. See: aic-broker status".to_owned()))
        }
        Happening::Ended { .. } | Happening::MemoryInstead(_) | Happening::Exchanged { .. } => None,
    }
}

/// Why the next call signs in anew.
pub(super) fn updated() -> Notice {
    let text = "Its sessions ended with the old program; the next call signs in anew.".to_owned();
    Notice { title: "aic-broker was updated".to_owned(), text, button: None }
}
