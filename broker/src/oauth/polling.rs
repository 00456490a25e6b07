//! Judges what a device endpoint says, and how polling it ends. Pure. Follows RFC 8628.

use std::time::Duration;

use aic_proto::message::Shown;
use aic_proto::refusal::Failure;
use oauth2::{
    DeviceCodeErrorResponse, DeviceCodeErrorResponseType, ErrorResponse, RequestTokenError,
    StandardDeviceAuthorizationResponse,
};
use url::Url;

use super::{declined, failed, said};
use crate::config::Tenant;
use crate::http;
use crate::text::steers;

/// The longest that a device code is polled, whatever the tenant says.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// The longest `interval` that makes sense within that time.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// The longest code that a person can be asked to type, in bytes.
const LONGEST_CODE: usize = 64;

/// How long a code can be entered.
pub(super) fn within(details: &StandardDeviceAuthorizationResponse, timeout: Duration) -> Duration {
    details.expires_in().min(LONGEST).min(timeout)
}

/// Judges what the person is to be shown.
///
/// Source: RFC 8628 sections 5.4 (the page) and 6.1 (the code).
/// Errors: a page on another host, texts that would steer their reader, an interval in which nobody finishes.
pub(super) fn judge(details: &StandardDeviceAuthorizationResponse, tenant: &Tenant) -> Result<(), Failure> {
    let (page, code) = (details.verification_uri().as_str(), details.user_code().secret().as_str());
    let complete = details.verification_uri_complete().map_or(page, |uri| uri.secret().as_str());
    let refuse = |why: &str| Err(failed(tenant, why));
    if !is_on_tenant(page, tenant) || !is_on_tenant(complete, tenant) {
        return refuse("the tenant names a sign-in page on another host, which nobody should open");
    }
    if code.len() > LONGEST_CODE || [page, complete, code].concat().chars().any(steers) {
        return refuse("the tenant names a code or a page that cannot be shown as it is");
    }
    if details.interval() > LONGEST_INTERVAL {
        return refuse("the tenant asks for an absurd polling interval");
    }
    Ok(())
}

fn is_on_tenant(page: &str, tenant: &Tenant) -> bool {
    Url::parse(page).is_ok_and(|url| {
        url.origin() == tenant.origin().url().origin() && url.username().is_empty() && url.password().is_none()
    })
}

/// What the person is shown.
pub(super) fn shown(details: &StandardDeviceAuthorizationResponse) -> Shown {
    Shown::Device {
        uri: details.verification_uri().to_string(),
        uri_complete: details.verification_uri_complete().map(|uri| uri.secret().clone()),
        user_code: details.user_code().secret().clone(),
    }
}

type PollError = RequestTokenError<http::Error, DeviceCodeErrorResponse>;

/// Where the person declined.
const ON_THE_PAGE: &str = "on the sign-in page";
/// OpenAM's own word for RFC 8628's `access_denied`.
const DECLINED_BY_OPENAM: &str = "authorization_declined";

/// How a poll's refusal ends the sign-in.
pub(super) fn ended(tenant: &Tenant, error: &PollError) -> Failure {
    let RequestTokenError::ServerResponse(refusal) = error else { return failed(tenant, words(error)) };
    match refusal.error() {
        DeviceCodeErrorResponseType::AccessDenied => declined(tenant, ON_THE_PAGE),
        DeviceCodeErrorResponseType::ExpiredToken => expired(tenant),
        DeviceCodeErrorResponseType::Basic(other) if other.as_ref() == DECLINED_BY_OPENAM => {
            declined(tenant, ON_THE_PAGE)
        }
        _ => failed(tenant, words(error)),
    }
}

/// Nobody finished in time.
pub(super) fn expired(tenant: &Tenant) -> Failure {
    failed(tenant, "nobody entered the code before it expired")
}

/// What an OAuth error says, without URLs and bodies.
pub(super) fn words<T: ErrorResponse + std::fmt::Display>(error: &RequestTokenError<http::Error, T>) -> String {
    match error {
        RequestTokenError::ServerResponse(refusal) => said(&refusal.to_string()),
        RequestTokenError::Request(cause) => cause.to_string(),
        RequestTokenError::Parse(..) => "AM's answer is no OAuth answer".to_owned(),
        RequestTokenError::Other(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aic_proto::refusal::Kind;

    use super::*;
    use crate::config::{Config, resolve};

    const PAGE: &str = "https://openam-acme-dev.id.forgerock.io/device";

    fn tenant() -> Tenant {
        resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap()
    }

    fn details(page: &str, complete: Option<&str>, code: &str, interval: u64) -> StandardDeviceAuthorizationResponse {
        let answer = serde_json::json!({
            "device_code": "d", "user_code": code, "verification_uri": page, "verification_uri_complete": complete,
            "expires_in": 300, "interval": interval,
        });
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn a_person_is_only_sent_to_the_tenant_and_shown_what_can_be_typed() {
        let complete = format!("{PAGE}?user_code=ACDE");
        let (longest, longer) = ("A".repeat(LONGEST_CODE), "A".repeat(LONGEST_CODE + 1));
        let (other, absurd, steering) = ("another host", "absurd", "cannot be shown");
        let cases = [
            (details(PAGE, None, "ACDE-FGHJ", 5), None),
            (details(PAGE, Some(&complete), &longest, 60), None),
            (details("https://evil.example/device", Some(&complete), "A", 5), Some(other)),
            (details(PAGE, Some("https://evil.example/device"), "A", 5), Some(other)),
            (details("http://openam-acme-dev.id.forgerock.io/device", None, "A", 5), Some(other)),
            (details("https://openam-acme-dev.id.forgerock.io:8443/", None, "A", 5), Some(other)),
            (details("https://u@openam-acme-dev.id.forgerock.io/", None, "A", 5), Some(other)),
            (details("https://:p@openam-acme-dev.id.forgerock.io/", None, "A", 5), Some(other)),
            (details(PAGE, Some("no URL"), "A", 5), Some(other)),
            (details(PAGE, None, &longer, 5), Some(steering)),
            (details(PAGE, None, "A\u{1b}[2J", 5), Some(steering)),
            (details(&format!("{PAGE}\n"), None, "A", 5), Some(steering)),
            (details(PAGE, Some(&format!("{PAGE}\u{202e}")), "A", 5), Some(steering)),
            (details(PAGE, None, "A", 61), Some(absurd)),
        ];

        for (details, wanted) in cases {
            let refusal = judge(&details, &tenant()).err();
            let told = refusal.as_ref().map(|failure| failure.message.as_str());
            assert_eq!(told.is_some(), wanted.is_some(), "{details:?}: {told:?}");
            assert!(told.unwrap_or_default().contains(wanted.unwrap_or_default()), "{details:?}: {told:?}");
        }
    }

    #[test]
    fn the_code_and_its_pages_are_shown_as_they_came() {
        let complete = format!("{PAGE}?user_code=ACDE");

        let shown = shown(&details(PAGE, Some(&complete), "ACDE", 5));

        let (uri, user_code) = (PAGE.to_owned(), "ACDE".to_owned());
        assert_eq!(shown, Shown::Device { uri, uri_complete: Some(complete), user_code });
    }

    #[test]
    fn a_code_is_polled_no_longer_than_it_lives_and_the_sign_in_may_take() {
        let details = |expires_in: u64| -> StandardDeviceAuthorizationResponse {
            let answer = serde_json::json!({
                "device_code": "d", "user_code": "A", "verification_uri": PAGE, "expires_in": expires_in,
            });
            serde_json::from_value(answer).unwrap()
        };

        for (expires_in, timeout, wanted) in [(300, 400, 300), (300, 200, 200), (3600, 3600, 600)] {
            let found = within(&details(expires_in), Duration::from_secs(timeout));
            assert_eq!(found, Duration::from_secs(wanted), "{expires_in} {timeout}");
        }
    }

    #[test]
    fn a_poll_ends_as_the_tenant_says() {
        let refusal = |body: &str| PollError::ServerResponse(serde_json::from_str(body).unwrap());
        let no_answer = http::Error::NotSent { host: "h".to_owned(), cause: "refused".to_owned() };
        let cases = [
            (refusal(r#"{"error":"access_denied"}"#), Kind::LoginDeclined, "on the sign-in page"),
            (refusal(r#"{"error":"authorization_declined"}"#), Kind::LoginDeclined, "on the sign-in page"),
            (refusal(r#"{"error":"expired_token"}"#), Kind::LoginFailed, "before it expired"),
            (refusal(r#"{"error":"server_error","error_description":"a\nb"}"#), Kind::LoginFailed, "server_error: a b"),
            (PollError::Request(no_answer), Kind::LoginFailed, "cannot connect to h"),
            (PollError::Other("odd".to_owned()), Kind::LoginFailed, "odd"),
        ];

        for (error, kind, wanted) in cases {
            let failure = ended(&tenant(), &error);
            assert_eq!(failure.kind, kind, "{error:?}");
            assert!(failure.message.contains(wanted), "{failure:?}");
        }
    }
}
