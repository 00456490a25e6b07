//! Opens the judgements on foreign bytes to the fuzz targets: the same code, without a socket. No program calls it.

use std::sync::Arc;

use aic_proto::message::Shown;
use aic_proto::refusal::Failure;
use oauth2::{DeviceCodeErrorResponse, RequestTokenError, StandardDeviceAuthorizationResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::authorize::{Expected, Redirect};
use super::{callback, exchange, job, polling, token};
use crate::config::Tenant;
use crate::http;
use crate::secret::Secret;

/// A redirect that was taken for the end of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirected {
    /// With this code.
    Code(String),
    /// As a refusal, told in these words.
    Refused(String),
}

/// What a request to the redirect port comes to; `None` when it changes nothing.
pub async fn requested(
    tenant: &Tenant,
    state: &str,
    stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Option<Redirected> {
    let (found, mut arrivals) = mpsc::channel(1);
    let state = Arc::new(Secret::copy_of(state));
    let browser = callback::serve_one(stream, tenant.clone(), state, found);
    let sign_in = async {
        let arrived = arrivals.recv().await?;
        let _ = arrived.page.send(String::new());
        taken(tenant, arrived.redirect)
    };
    tokio::join!(browser, sign_in).1
}

/// What a pasted URL comes to.
pub fn pasted(tenant: &Tenant, state: &str, url: &str) -> Option<Redirected> {
    let expected = Expected { tenant, state: &Secret::copy_of(state) };
    taken(tenant, job::judge_pasted(&Secret::copy_of(url), &expected))
}

fn taken(tenant: &Tenant, redirect: Redirect) -> Option<Redirected> {
    match redirect {
        Redirect::Code(code) => Some(Redirected::Code(code.expose().to_owned())),
        Redirect::Refused { error, description } => {
            Some(Redirected::Refused(job::refused(tenant, &error, &description).message))
        }
        Redirect::NotOurs => None,
    }
}

/// What a token endpoint's answer to an exchange comes to.
///
/// Errors: what is told of it.
pub fn exchanged(status: u16, body: &[u8], scopes: &[&str]) -> Result<String, String> {
    let reply = http::Reply { status, headers: http::HeaderMap::new(), body: Zeroizing::new(body.to_vec()) };
    match exchange::judge(&reply, scopes) {
        Ok(exchanged) => exchanged.surplus.map_or_else(|| Ok(exchanged.token.expose().to_owned()), Err),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// What oauth2 is shown of a token endpoint's answer, and the token that was held back.
pub fn held_back(body: &[u8]) -> (Vec<u8>, Option<String>) {
    let (shown, answer) = token::hold_back(body);
    (shown, answer.map(|answer| answer.access.expose().to_owned()))
}

/// What a person is shown for a device endpoint's answer; `None` when it is no such answer.
///
/// Errors: what is told of it.
pub fn device(tenant: &Tenant, body: &[u8]) -> Option<Result<Shown, Failure>> {
    let details: StandardDeviceAuthorizationResponse = serde_json::from_slice(body).ok()?;
    Some(polling::judge(&details, tenant).map(|()| polling::shown(&details)))
}

/// How a poll's refusal ends a sign-in; `None` when it is none.
pub fn poll_refused(tenant: &Tenant, body: &[u8]) -> Option<Failure> {
    let refusal: DeviceCodeErrorResponse = serde_json::from_slice(body).ok()?;
    Some(polling::ended(tenant, &RequestTokenError::ServerResponse(refusal)))
}
