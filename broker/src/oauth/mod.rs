//! Signs a person in and gets scoped tokens: one file an RFC section.

mod authorize;
mod callback;
mod claims;
mod device;
mod exchange;
pub mod fuzzing;
mod job;
mod navigation;
mod page;
mod polling;
mod revoke;
mod token;

use std::time::Duration;

use aic_proto::refusal::{Failure, Kind};

use callback::{Loopback, PortTaken};
pub use exchange::{ExchangeError, Exchanged, exchange};
pub use job::{Job, Opener, Surroundings, choose};
pub use revoke::revoke;

use crate::config::Tenant;
use crate::secret::Secret;
use crate::text::one_line;

/// The scopes of a sign-in: what the tools of the catalogue need, and no more.
///
/// Source: the existing server asks for the same five, in this order.
pub const LOGIN_SCOPES: [&str; 5] =
    ["fr:idm:*", "fr:idc:monitoring:*", "fr:idc:esv:update", "fr:idc:esv:read", "fr:am:*"];
/// How long one request to an OAuth endpoint may take.
const OAUTH_WITHIN: Duration = Duration::from_secs(20);
/// The most of AM's own words that is passed on: a sentence or two.
const WORDS_LIMIT: usize = 300;

/// What a sign-in returned.
pub struct Grant {
    /// The primary token.
    pub access: Secret,
    /// A refresh token that nobody asked for: it is revoked and dropped.
    pub refresh: Option<Secret>,
    /// How long the primary token lives.
    pub expires_in: Duration,
    /// The user name, where the token says it.
    pub user: Option<String>,
    /// The client that `may_act` names, where it does.
    pub acting_client: Option<String>,
}

/// Builds a grant from a token answer.
fn grant(answer: token::Answer) -> Grant {
    let claims = claims::read(&answer.access);
    Grant {
        expires_in: answer.lifetime(),
        user: claims.user,
        acting_client: claims.acting_client,
        access: answer.access,
        refresh: answer.refresh,
    }
}

/// The path of the issuer: the authorize path without its last segment.
///
/// Source: AM's `iss` is the OAuth base, `https://host:443/am/oauth2`.
fn issuer_path(tenant: &Tenant) -> &str {
    tenant.entry.authorize_path.as_str().rsplit_once('/').map_or("", |(base, _)| base)
}

/// AM's own words, as one line for a person and a model.
fn said(words: &str) -> String {
    one_line(words, WORDS_LIMIT)
}

/// The person, or AM for them, said no; a model must not ask again by itself.
fn declined(tenant: &Tenant, words: &str) -> Failure {
    Failure::new(Kind::LoginDeclined, format!("the sign-in to {} was declined: {words}", tenant.name))
        .with_hint("do not retry unless the user asks")
}

fn failed(tenant: &Tenant, what: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::LoginFailed, format!("the sign-in to {} failed: {what}", tenant.name))
        .with_hint(format!("aic-broker login --tenant {}", tenant.name))
}
