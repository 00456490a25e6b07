//! Reads token answers, and carries oauth2's requests over our HTTP client so that oauth2 never sees a token.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth2::AsyncHttpClient;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{OAUTH_WITHIN, said};
use crate::http::{self, HeaderMap, Http, Method, OAUTH_LIMIT};
use crate::secret::Secret;

/// The longest life that a token is believed to have.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The life of a token whose answer does not say: it is used for the call at hand and little more.
const UNSAID_LIFE: Duration = Duration::from_secs(60);
/// What oauth2 is shown in a token's place.
const PLACEHOLDER: &str = "held";

/// A token endpoint's success.
pub(super) struct Answer {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    /// Seconds.
    pub(super) expires_in: Option<u64>,
    /// What was granted; absent means what was asked.
    pub(super) scope: Option<String>,
}

impl Answer {
    /// How long the access token lives.
    pub(super) fn lifetime(&self) -> Duration {
        self.expires_in.map_or(UNSAID_LIFE, Duration::from_secs).min(LONGEST_LIFE)
    }
}

/// A token endpoint's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) error: String,
    pub(super) description: String,
}

/// What an answer of a token endpoint is.
pub(super) enum Read {
    Granted(Answer),
    Refused(Refusal),
    Unreadable,
}

#[derive(Deserialize, Serialize)]
struct Members<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    access_token: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing)]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    token_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    scope: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    error_description: Option<Cow<'a, str>>,
}

/// Reads a token endpoint's answer. The status is not asked: AM answers a pending device with 403.
///
/// Source: RFC 6749 section 5.1 for success, 5.2 for refusal.
/// Shape: a JSON object in UTF-8 throughout; unknown members are ignored; a `token_type` other than Bearer is unreadable.
/// Units: `expires_in` is seconds.
pub(super) fn read(body: &[u8]) -> Read {
    let Ok(text) = std::str::from_utf8(body) else { return Read::Unreadable };
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else { return Read::Unreadable };
    let bearer = members.token_type.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    match (members.access_token, members.error) {
        (_, Some(error)) => Read::Refused(Refusal {
            error: error.into_owned(),
            description: members.error_description.map(Cow::into_owned).unwrap_or_default(),
        }),
        (Some(token), None) if bearer && fits_a_header(&token) => Read::Granted(Answer {
            access: Secret::copy_of(&token),
            refresh: members.refresh_token.map(|token| Secret::copy_of(&token)),
            expires_in: members.expires_in,
            scope: members.scope.map(Cow::into_owned),
        }),
        _ => Read::Unreadable,
    }
}

/// Source: RFC 6750 section 2.1, `b64token`, taken a little wider.
fn fits_a_header(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The words of an OAuth refusal, bounded and in one line.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (error, description) = (said(&self.error), said(&self.description));
        match description.is_empty() {
            true => write!(f, "{error}"),
            false => write!(f, "{description} ({error})"),
        }
    }
}

/// One OAuth endpoint as oauth2's HTTP client. Tokens are taken out of the answers on the way.
pub(super) struct Wire<'a> {
    http: &'a Http,
    endpoint: Url,
    polls: bool,
    taken: Mutex<Option<Answer>>,
}

impl<'a> Wire<'a> {
    /// The endpoint is the configuration's; what oauth2 has in its own URL is not used.
    pub(super) fn new(http: &'a Http, endpoint: Url) -> Self {
        Self { http, endpoint, polls: false, taken: Mutex::default() }
    }

    /// The same for polling: the error word counts, whatever the status, and a failing server is asked again later.
    ///
    /// Source: RFC 8628 section 3.5; AM answers a pending device with 403.
    pub(super) fn polling(http: &'a Http, endpoint: Url) -> Self {
        Self { polls: true, ..Self::new(http, endpoint) }
    }

    /// The tokens of the last successful answer.
    pub(super) fn take(&self) -> Option<Answer> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn exchange(&self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, http::Error> {
        let (parts, body) = request.into_parts();
        let reply = self.http.send(post(self.endpoint.clone(), parts.headers, body)).await?;
        let again = || http::Error::NoAnswer {
            host: self.endpoint.host_str().unwrap_or_default().to_owned(),
            cause: format!("status {}", reply.status),
        };
        let status = if self.polls { polled(reply.status, &reply.body).ok_or_else(again)? } else { reply.status };
        let (shown, answer) = hold_back(&reply.body);
        if answer.is_some() {
            *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        }
        let mut response = oauth2::HttpResponse::new(shown);
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).unwrap_or_default();
        Ok(response)
    }
}

/// The status that oauth2 is shown for a poll; `None` when the server fails and is asked again later.
pub(super) fn polled(status: u16, body: &[u8]) -> Option<u16> {
    match read(body) {
        Read::Refused(_) => Some(400),
        Read::Unreadable if status == 429 || status >= 500 => None,
        _ => Some(status),
    }
}

/// The body that oauth2 is shown, and the tokens that were taken out of it.
pub(super) fn hold_back(body: &[u8]) -> (Vec<u8>, Option<Answer>) {
    let Read::Granted(answer) = read(body) else { return (body.to_vec(), None) };
    let shown = Members {
        access_token: Some(PLACEHOLDER.into()),
        refresh_token: None,
        token_type: Some("Bearer".into()),
        expires_in: answer.expires_in,
        scope: answer.scope.clone().map(Cow::Owned),
        error: None,
        error_description: None,
    };
    (serde_json::to_vec(&shown).unwrap_or_default(), Some(answer))
}

/// A form request to an OAuth endpoint.
pub(super) fn post(endpoint: Url, headers: HeaderMap, body: Vec<u8>) -> http::Request {
    http::Request {
        method: Method::POST,
        url: endpoint,
        headers,
        body: Some(body),
        bearer: None,
        within: OAUTH_WITHIN,
        limit: OAUTH_LIMIT,
    }
}

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = http::Error;
    type Future = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, http::Error>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_answer_is_read_strictly() {
        let granted = |body: &str| matches!(read(body.as_bytes()), Read::Granted(_));
        let refused = |body: &str| matches!(read(body.as_bytes()), Read::Refused(_));

        assert!(granted(r#"{"access_token":"a.b","token_type":"Bearer","expires_in":3599,"new":[1]}"#));
        assert!(granted(r#"{"access_token":"a","token_type":"bearer"}"#));
        assert!(refused(r#"{"error_description":"no","error":"invalid_grant"}"#));
        assert!(refused(r#"{"error":"invalid_grant","access_token":"a","token_type":"Bearer"}"#));
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a b","token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":7,"token_type":"Bearer"}"#,
        ] {
            assert!(matches!(read(body.as_bytes()), Read::Unreadable), "{body}");
        }
        let not_utf_8 = b"{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"x\":\"\xe1\"}";
        assert!(matches!(read(not_utf_8), Read::Unreadable));
    }

    #[test]
    fn a_refusal_is_told_in_one_line() {
        let told = |error: &str, description: &str| {
            Refusal { error: error.to_owned(), description: description.to_owned() }.to_string()
        };

        assert_eq!(told("invalid_grant", "no\u{1b}[31m\nmore"), "no [31m more (invalid_grant)");
        assert_eq!(told("a\u{202e}\u{1b}b", ""), "a  b");
        assert_eq!(told(&"x".repeat(999), "").len(), 300);
    }

    #[test]
    fn oauth2_is_never_shown_a_token() {
        let granted = br#"{"access_token":"canary","refresh_token":"canary","token_type":"Bearer","scope":"s"}"#;

        let (shown, answer) = hold_back(granted);

        assert_eq!(shown, br#"{"access_token":"held","token_type":"Bearer","scope":"s"}"#);
        assert!(answer.is_some_and(|answer| answer.access.expose() == "canary"));
        assert!(matches!(hold_back(b"{}"), (shown, None) if shown == b"{}"));
    }

    #[test]
    fn a_poll_s_status_follows_what_the_body_says() {
        let cases: [(u16, &[u8], Option<u16>); 6] = [
            (403, br#"{"error":"authorization_pending"}"#, Some(400)),
            (500, br#"{"error":"slow_down"}"#, Some(400)),
            (429, b"", None),
            (500, b"<html>", None),
            (499, b"<html>", Some(499)),
            (200, br#"{"access_token":"a","token_type":"Bearer"}"#, Some(200)),
        ];

        for (status, body, wanted) in cases {
            assert_eq!(polled(status, body), wanted, "{status}");
        }
    }

    #[test]
    fn an_absurd_life_is_not_believed() {
        let life =
            |expires_in| Answer { access: Secret::copy_of("a"), refresh: None, expires_in, scope: None }.lifetime();

        assert_eq!(life(Some(3599)), Duration::from_secs(3599));
        assert_eq!(life(Some(u64::MAX)), LONGEST_LIFE);
        assert_eq!(life(None), UNSAID_LIFE);
    }
}
