//! The device flow: shows a code and polls until the person has entered it. Follows RFC 8628, with PKCE.

use std::time::Duration;

use aic_proto::message::Shown;
use aic_proto::refusal::Failure;
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, DeviceAuthorizationUrl, PkceCodeChallenge, Scope, StandardDeviceAuthorizationResponse, TokenUrl,
};

use super::token::Wire;
use super::{Grant, LOGIN_SCOPES, failed, grant, polling};
use crate::config::Tenant;
use crate::http::Http;

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
            request.request_async(&wire).await.map_err(|error| failed(tenant, polling::words(&error)))?;
        polling::judge(&details, tenant)?;
        Ok(Self { http, tenant, details, verifier, timeout })
    }

    /// What the person is shown.
    pub(super) fn shown(&self) -> Shown {
        polling::shown(&self.details)
    }

    /// How long the code can be entered.
    pub(super) fn expires_in(&self) -> Duration {
        polling::within(&self.details, self.timeout)
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
            (Ok(Err(error)), _) => Err(polling::ended(self.tenant, &error)),
            (Err(_), _) => Err(polling::expired(self.tenant)),
            (Ok(Ok(_)), None) => Err(failed(self.tenant, "the answer holds no token")),
        }
    }
}
