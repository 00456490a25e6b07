//! Gives tokens back. Follows RFC 7009.

use std::future::Future;
use std::pin::Pin;

use oauth2::basic::BasicClient;
use oauth2::{AccessToken, AsyncHttpClient, AuthType, ClientId, RevocationUrl, StandardRevocableToken};
use url::Url;
use zeroize::Zeroizing;

use super::token;
use crate::config::Tenant;
use crate::http::{self, Http};
use crate::secret::Secret;

/// What oauth2 writes in the token's place.
const PLACEHOLDER: &str = "held-token";
/// oauth2 insists on https; the request goes to the tenant's own endpoint, which is loopback http in tests.
const UNUSED_URL: &str = "https://unused.invalid/revoke";

/// Revokes a token.
///
/// Source: RFC 7009 section 2.1; a 200 also means that AM did not know the token (section 2.2).
/// Errors: what AM or the network says; the token then lives out its short life.
pub async fn revoke(http: &Http, tenant: &Tenant, client: &str, token: &Secret) -> Result<(), String> {
    let carrier = Carrier { http, endpoint: tenant.origin().at(tenant.entry.revoke_path.as_str()), token };
    let url = RevocationUrl::new(UNUSED_URL.to_owned()).map_err(|error| error.to_string())?;
    let client =
        BasicClient::new(ClientId::new(client.to_owned())).set_auth_type(AuthType::RequestBody).set_revocation_url(url);
    let placeholder = StandardRevocableToken::AccessToken(AccessToken::new(PLACEHOLDER.to_owned()));
    let request = client.revoke_token(placeholder).map_err(|error| error.to_string())?;
    request.request_async(&carrier).await.map_err(|error| match error {
        oauth2::RequestTokenError::Request(cause) => cause.to_string(),
        oauth2::RequestTokenError::ServerResponse(said) => format!("AM refused: {}", said.error()),
        _ => "AM's answer is no revocation answer".to_owned(),
    })
}

/// Puts the real token into oauth2's request on its way out.
struct Carrier<'a> {
    http: &'a Http,
    endpoint: Url,
    token: &'a Secret,
}

impl<'c> AsyncHttpClient<'c> for Carrier<'_> {
    type Error = http::Error;
    type Future = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, http::Error>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let reply = self.http.send(token::post(self.endpoint.clone(), parts.headers, self.fill(&body))).await?;
            let mut response = oauth2::HttpResponse::new(Vec::new());
            *response.status_mut() = oauth2::http::StatusCode::from_u16(reply.status).unwrap_or_default();
            Ok(response)
        })
    }
}

impl Carrier<'_> {
    fn fill(&self, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(body);
        let encoded: Zeroizing<String> =
            Zeroizing::new(url::form_urlencoded::byte_serialize(self.token.expose().as_bytes()).collect());
        text.replacen(PLACEHOLDER, &encoded, 1).into_bytes()
    }
}
