//! The device flow: shows a code and polls until the person has entered it. Follows RFC 8628, with PKCE.

use std::time::Duration;

use aic_proto::message::Shown;
use aic_proto::refusal::Failure;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponseType, PkceCodeChallenge, RequestTokenError,
    Scope, StandardDeviceAuthorizationResponse, TokenUrl,
};
use url::Url;

use super::token::Wire;
use super::{Grant, LOGIN_SCOPES, declined, failed, grant};
use crate::config::Tenant;
use crate::http::Http;

/// The longest that a device code is polled, whatever the tenant says.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// The longest `interval` that makes sense within that time.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// A device authorization under way.
pub(super) struct Device<'a> {
    http: &'a Http,
    tenant: &'a Tenant,
    details: StandardDeviceAuthorizationResponse,
    verifier: oauth2::PkceCodeVerifier,
    timeout: Duration,
}

impl<'a> Device<'a> {
    /// Asks for a device code.
    ///
    /// Source: RFC 8628 section 3.1, RFC 7636 section 4.3.
    /// Errors: AM refuses, cannot be reached, or names a page on another host (RFC 8628 section 5.4).
    pub(super) async fn begin(http: &'a Http, tenant: &'a Tenant, timeout: Duration) -> Result<Self, Failure> {
        let device = tenant.origin().at(tenant.entry.device_path.as_str());
        let client = BasicClient::new(ClientId::new(tenant.entry.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(device.clone()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = client
            .exchange_device_code()
            .add_scopes(LOGIN_SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("code_challenge", challenge.as_str().to_owned())
            .add_extra_param("code_challenge_method", "S256");
        let wire = Wire::new(http, device);
        let details: StandardDeviceAuthorizationResponse =
            request.request_async(&wire).await.map_err(|error| failed(tenant, words(&error)))?;
        match are_on_tenant(&details, tenant) {
            true if details.interval() > LONGEST_INTERVAL => {
                Err(failed(tenant, "the tenant asks for an absurd polling interval"))
            }
            true => Ok(Self { http, tenant, details, verifier, timeout }),
            false => Err(failed(tenant, "the tenant names a sign-in page on another host, which nobody should open")),
        }
    }

    /// What the person is shown.
    pub(super) fn shown(&self) -> Shown {
        Shown::Device {
            uri: self.details.verification_uri().to_string(),
            uri_complete: self.details.verification_uri_complete().map(|uri| uri.secret().clone()),
            user_code: self.details.user_code().secret().clone(),
        }
    }

    /// How long the code can be entered.
    pub(super) fn expires_in(&self) -> Duration {
        self.details.expires_in().min(LONGEST).min(self.timeout)
    }

    /// Polls until the person is done. `interval`, `slow_down` and `authorization_pending` are oauth2's work.
    ///
    /// Source: RFC 8628 sections 3.4 and 3.5.
    /// Errors: declined, expired, or what AM says.
    pub(super) async fn finish(self) -> Result<Grant, Failure> {
        let token_path = self.tenant.origin().at(self.tenant.entry.token_path.as_str());
        let client = BasicClient::new(ClientId::new(self.tenant.entry.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(token_path.clone()));
        let wire = Wire::polling(self.http, token_path);
        let polling = client
            .exchange_device_access_token(&self.details)
            .add_extra_param("code_verifier", self.verifier.secret().clone())
            .request_async(&wire, tokio::time::sleep, Some(self.expires_in()));
        let outcome = tokio::time::timeout(self.expires_in(), polling).await;
        match (outcome, wire.take()) {
            (Ok(Ok(_)), Some(answer)) => Ok(grant(answer)),
            (Ok(Err(error)), _) => Err(ended(self.tenant, &error)),
            (Err(_), _) => Err(expired(self.tenant)),
            (Ok(Ok(_)), None) => Err(failed(self.tenant, "the answer holds no token")),
        }
    }
}

fn are_on_tenant(details: &StandardDeviceAuthorizationResponse, tenant: &Tenant) -> bool {
    let complete = details.verification_uri_complete().map(|uri| uri.secret().as_str());
    [Some(details.verification_uri().as_str()), complete].into_iter().flatten().all(|page| is_on_tenant(page, tenant))
}

fn is_on_tenant(page: &str, tenant: &Tenant) -> bool {
    Url::parse(page).is_ok_and(|url| {
        url.origin() == tenant.origin().url().origin() && url.username().is_empty() && url.password().is_none()
    })
}

type PollError = RequestTokenError<crate::http::Error, oauth2::DeviceCodeErrorResponse>;

/// Where the person declined.
const ON_THE_PAGE: &str = "on the sign-in page";
/// OpenAM's own word for RFC 8628's `access_denied`.
const DECLINED_BY_OPENAM: &str = "authorization_declined";

fn ended(tenant: &Tenant, error: &PollError) -> Failure {
    let RequestTokenError::ServerResponse(said) = error else { return failed(tenant, words(error)) };
    match said.error() {
        DeviceCodeErrorResponseType::AccessDenied => declined(tenant, ON_THE_PAGE),
        DeviceCodeErrorResponseType::ExpiredToken => expired(tenant),
        DeviceCodeErrorResponseType::Basic(other) if other.as_ref() == DECLINED_BY_OPENAM => {
            declined(tenant, ON_THE_PAGE)
        }
        _ => failed(tenant, words(error)),
    }
}

fn expired(tenant: &Tenant) -> Failure {
    failed(tenant, "nobody entered the code before it expired")
}

/// What an OAuth error says, without URLs and bodies.
pub(super) fn words<T: oauth2::ErrorResponse + std::fmt::Display>(
    error: &RequestTokenError<crate::http::Error, T>,
) -> String {
    match error {
        RequestTokenError::ServerResponse(said) => said.to_string(),
        RequestTokenError::Request(cause) => cause.to_string(),
        RequestTokenError::Parse(..) => "AM's answer is no OAuth answer".to_owned(),
        RequestTokenError::Other(text) => text.clone(),
    }
}
