//! Exchanges the primary token for one with the scopes of one tool. Follows RFC 8693.

use std::time::Duration;

use url::form_urlencoded::Serializer;

use super::said;
use super::token::{self, Read};
use crate::clock::Moment;
use crate::config::Tenant;
use crate::http::{self, HeaderMap, HeaderName, HeaderValue, Http};
use crate::secret::Secret;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// How often an exchange is tried after a connection failure, 429 or 5xx: a token has no side effect that matters.
const TRIES: u32 = 3;
/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The pause before the second try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(150);

/// A scoped token.
pub struct Exchanged {
    /// The token.
    pub token: Secret,
    /// How long it lives.
    pub lifetime: Duration,
    /// A refresh token that nobody asked for: it is revoked and dropped.
    pub refresh: Option<Secret>,
    /// A scope that AM granted and nobody asked for: then nothing of this is used, and all of it is given back.
    pub surplus: Option<String>,
}

/// Why there is no scoped token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeError {
    /// The primary token is dead: somebody must sign in.
    Rejected(String),
    /// AM refuses this exchange for another reason: signing in would not help.
    Refused(String),
    /// AM granted more than was asked, or something unreadable.
    Odd(String),
    /// AM says 429, and how long it asks to wait.
    Limited(Option<Duration>),
    /// AM cannot be reached, or fails.
    Unreachable(String),
}

/// Exchanges.
///
/// Source: RFC 8693 section 2.1. Shape: no actor token, no audience, no client authentication.
/// Errors: see [`ExchangeError`]; 401 and 400 `invalid_grant` or `invalid_request` mean a dead primary token, since AM
/// answers one opaque `invalid_request` for it.
pub async fn exchange(
    http: &Http,
    tenant: &Tenant,
    primary: &Secret,
    client: &str,
    scopes: &[&str],
) -> Result<Exchanged, ExchangeError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match once(http, tenant, primary, client, scopes).await {
            Err(ExchangeError::Limited(Some(wait))) if wait > LONGEST_WAIT => {
                return Err(ExchangeError::Limited(Some(wait)));
            }
            Err(ExchangeError::Limited(Some(wait))) => tokio::time::sleep(wait.max(pause)).await,
            Err(ExchangeError::Unreachable(_) | ExchangeError::Limited(None)) => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause *= 2;
    }
    once(http, tenant, primary, client, scopes).await
}

async fn once(
    http: &Http,
    tenant: &Tenant,
    primary: &Secret,
    client: &str,
    scopes: &[&str],
) -> Result<Exchanged, ExchangeError> {
    let endpoint = tenant.origin().at(tenant.entry.token_path.as_str());
    let request = token::post(endpoint, form_headers(), form(primary, client, scopes));
    let reply = http.send(request).await.map_err(|error| ExchangeError::Unreachable(error.to_string()))?;
    judge(&reply, scopes)
}

fn form(primary: &Secret, client: &str, scopes: &[&str]) -> Vec<u8> {
    let room = primary.expose().len() * 3 + 1024;
    let mut form = Serializer::new(String::with_capacity(room));
    form.append_pair("grant_type", GRANT)
        .append_pair("subject_token", primary.expose())
        .append_pair("subject_token_type", ACCESS_TOKEN)
        .append_pair("requested_token_type", ACCESS_TOKEN)
        .append_pair("scope", &scopes.join(" "))
        .append_pair("client_id", client);
    form.finish().into_bytes()
}

/// The headers of a form request.
pub(super) fn form_headers() -> HeaderMap {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(HeaderName::from_static("content-type"), form), (HeaderName::from_static("accept"), json)])
}

pub(super) fn judge(reply: &http::Reply, scopes: &[&str]) -> Result<Exchanged, ExchangeError> {
    let status = |what: &str| format!("{what} (status {})", reply.status);
    match (reply.status, token::read(&reply.body)) {
        (200, Read::Granted(answer)) => Ok(Exchanged {
            surplus: surplus(answer.scope.as_deref(), scopes).map(said),
            lifetime: answer.lifetime(),
            token: answer.access,
            refresh: answer.refresh,
        }),
        (429, _) => Err(ExchangeError::Limited(http::retry_after(&reply.headers, Moment::now().wall))),
        (500.., _) => Err(ExchangeError::Unreachable(status("AM failed"))),
        (401, Read::Refused(refusal)) => Err(ExchangeError::Rejected(refusal.to_string())),
        (401, _) => Err(ExchangeError::Rejected(status("AM refused the token"))),
        (400, Read::Refused(refusal)) if matches!(refusal.error.as_str(), "invalid_grant" | "invalid_request") => {
            Err(ExchangeError::Rejected(refusal.to_string()))
        }
        (_, Read::Refused(refusal)) => Err(ExchangeError::Refused(refusal.to_string())),
        _ => Err(ExchangeError::Odd(status("AM's answer is no token answer"))),
    }
}

fn surplus<'a>(granted: Option<&'a str>, asked: &[&str]) -> Option<&'a str> {
    granted?.split_ascii_whitespace().find(|scope| !asked.contains(scope))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn answer(status: u16, body: &str) -> http::Reply {
        http::Reply { status, headers: HeaderMap::new(), body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    #[test]
    fn an_answer_says_whether_signing_in_helps() {
        type Wanted = fn(&Result<Exchanged, ExchangeError>) -> bool;
        let cases: [(u16, &str, Wanted); 11] = [
            (200, r#"{"access_token":"t","token_type":"Bearer","scope":"a"}"#, |done| {
                matches!(done, Ok(Exchanged { surplus: None, .. }))
            }),
            (200, r#"{"access_token":"t","token_type":"Bearer"}"#, |done| {
                matches!(done, Ok(Exchanged { surplus: None, .. }))
            }),
            (
                200,
                r#"{"access_token":"t","token_type":"Bearer","scope":"a b"}"#,
                |done| matches!(done, Ok(Exchanged { surplus: Some(scope), .. }) if scope == "b"),
            ),
            (400, r#"{"error":"invalid_request"}"#, |done| matches!(done, Err(ExchangeError::Rejected(_)))),
            (400, r#"{"error":"invalid_grant"}"#, |done| matches!(done, Err(ExchangeError::Rejected(_)))),
            (401, "", |done| matches!(done, Err(ExchangeError::Rejected(_)))),
            (400, r#"{"error":"invalid_scope"}"#, |done| matches!(done, Err(ExchangeError::Refused(_)))),
            (403, "<html>", |done| matches!(done, Err(ExchangeError::Odd(_)))),
            (429, "", |done| matches!(done, Err(ExchangeError::Limited(None)))),
            (500, "oops", |done| matches!(done, Err(ExchangeError::Unreachable(_)))),
            (200, "oops", |done| matches!(done, Err(ExchangeError::Odd(_)))),
        ];

        for (status, body, wanted) in cases {
            assert!(wanted(&judge(&answer(status, body), &["a"])), "{status} {body}");
        }
    }

    #[test]
    fn what_am_says_steers_nobody() {
        for body in
            [r#"{"error":"\u001b]8;;x\u0007"}"#, r#"{"access_token":"t","token_type":"Bearer","scope":"a \u001b[2J"}"#]
        {
            let text = match judge(&answer(200, body), &["a"]) {
                Err(ExchangeError::Refused(text)) | Ok(Exchanged { surplus: Some(text), .. }) => text,
                other => format!("\n{:?}", other.err()),
            };
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
