//! Builds the authorize URL and judges what comes back to the redirect URI. Touches no socket. Follows RFC 6749 section 4.1, RFC 7636 and RFC 9207.

use std::sync::Arc;

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use url::Url;

use super::{LOGIN_SCOPES, issuer_path};
use crate::config::Tenant;
use crate::secret::Secret;

/// What one browser sign-in must find again in its redirect.
pub(super) struct Attempt {
    /// What the browser opens. It is no credential.
    pub(super) url: Url,
    /// Ties the redirect to this sign-in: 256 bits, used once.
    pub(super) state: Arc<Secret>,
    /// Proves that who redeems the code is who asked for it.
    pub(super) verifier: PkceCodeVerifier,
}

impl Attempt {
    /// Starts an attempt with fresh `state` and `code_verifier`.
    ///
    /// Source: RFC 6749 section 4.1.1, RFC 7636 section 4.3 (S256).
    /// Errors: the configured addresses cannot be part of a URL.
    pub(super) fn new(tenant: &Tenant) -> Result<Self, String> {
        let address = tenant.origin().at(tenant.entry.authorize_path.as_str());
        let redirect =
            RedirectUrl::new(tenant.entry.redirect_uri.as_str().to_owned()).map_err(|error| error.to_string())?;
        let client = BasicClient::new(ClientId::new(tenant.entry.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(address))
            .set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state) = client
            .authorize_url(|| CsrfToken::new_random_len(32))
            .add_scopes(LOGIN_SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Self { url, state: Arc::new(Secret::copy_of(state.secret())), verifier })
    }
}

/// What a redirect must match.
pub(super) struct Expected<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) state: &'a Secret,
}

/// What a request to the redirect URI is.
pub(super) enum Redirect {
    /// The awaited one, with its code.
    Code(Secret),
    /// AM's refusal, in its own words.
    Refused {
        /// `error`.
        error: String,
        /// `error_description`.
        description: String,
    },
    /// Something else: it is answered and changes nothing.
    NotOurs,
}

/// Judges a redirect's query.
///
/// Source: RFC 6749 sections 4.1.2 and 10.12 (state), RFC 9207 section 2.4 (iss), RFC 9700 section 4.5.
/// Shape: a repeated parameter is never ours.
pub(super) fn judge(query: &str, expected: &Expected<'_>) -> Redirect {
    let Some([state, code, error, description, iss]) =
        single(query, ["state", "code", "error", "error_description", "iss"])
    else {
        return Redirect::NotOurs;
    };
    let ours = state.is_some_and(|state| same(state.as_bytes(), expected.state.expose().as_bytes()));
    let issuer_fits = iss.is_none_or(|iss| is_issuer(&iss, expected.tenant));
    match (ours && issuer_fits, code, error) {
        (true, Some(code), None) if !code.is_empty() => Redirect::Code(Secret::copy_of(&code)),
        (true, None, Some(error)) => Redirect::Refused { error, description: description.unwrap_or_default() },
        _ => Redirect::NotOurs,
    }
}

/// The values of these parameters, each given at most once.
fn single<const N: usize>(query: &str, names: [&str; N]) -> Option<[Option<String>; N]> {
    let mut values = [const { None }; N];
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = names.iter().position(|wanted| *wanted == name);
        if let Some(slot) = place.and_then(|place| values.get_mut(place))
            && slot.replace(value.into_owned()).is_some()
        {
            return None;
        }
    }
    Some(values)
}

/// Compares without telling by its time where the difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0_u8, |all, (left, right)| all | (left ^ right));
    one.len() == other.len() && difference == 0
}

/// AM writes its issuer with `:443`; the same issuer without the port is accepted too, and nothing else.
fn is_issuer(iss: &str, tenant: &Tenant) -> bool {
    let origin = tenant.origin();
    let url = origin.url();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let path = issuer_path(tenant);
    iss == format!("{origin}{path}") || iss == format!("{}://{host}:{port}{path}", url.scheme())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{Config, resolve};

    fn tenant() -> Tenant {
        resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap()
    }

    #[test]
    fn the_authorize_url_has_what_am_expects() {
        let attempt = Attempt::new(&tenant()).unwrap();
        let value =
            |name: &str| attempt.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());

        assert!(attempt.url.as_str().starts_with("https://openam-acme-dev.id.forgerock.io/am/oauth2/authorize?"));
        assert_eq!(value("response_type").as_deref(), Some("code"));
        assert_eq!(value("client_id").as_deref(), Some("AICMCPClient"));
        assert_eq!(value("redirect_uri").as_deref(), Some("http://localhost:3000"));
        assert_eq!(value("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(value("code_challenge").unwrap().len(), 43);
        assert_eq!(value("state").as_deref(), Some(attempt.state.expose()));
        assert_eq!(value("scope").unwrap().split(' ').count(), LOGIN_SCOPES.len());
    }

    #[test]
    fn only_the_awaited_redirect_is_ours() {
        let (tenant, state) = (tenant(), Secret::copy_of("good-state"));
        let expected = Expected { tenant: &tenant, state: &state };
        let issuer = "https%3A%2F%2Fopenam-acme-dev.id.forgerock.io%3A443%2Fam%2Foauth2";
        let ours = [
            "code=c&state=good-state".to_owned(),
            format!("code=c&state=good-state&iss={issuer}&client_id=AICMCPClient"),
            format!("code=c&state=good-state&iss={}", issuer.replace("%3A443", "")),
        ];
        let strange = [
            "",
            "code=c",
            "code=c&state=bad",
            "code=c&state=good-stat",
            "code=c&state=food-statd",
            "code=c&state=good-stata",
            "code=c&state=good-state2",
            "state=good-state",
            "code=&state=good-state",
            "code=c&code=d&state=good-state",
            "code=c&state=good-state&state=good-state",
            "code=c&error=x&state=good-state",
            "error=access_denied",
            "error=access_denied&state=bad",
            "code=c&state=good-state&iss=https://evil.example/am/oauth2",
            "code=c&state=good-state&iss=https://openam-acme-dev.id.forgerock.io/am/oauth2/",
            "error=access_denied&state=good-state&iss=https://evil.example",
        ];

        for query in ours {
            assert!(matches!(judge(&query, &expected), Redirect::Code(_)), "{query}");
        }
        for query in strange {
            assert!(matches!(judge(query, &expected), Redirect::NotOurs), "{query}");
        }
        assert!(matches!(judge("error=access_denied&state=good-state", &expected), Redirect::Refused { .. }));
    }
}
