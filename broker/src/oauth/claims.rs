//! Reads what a primary token says of its user and of who may act for them. Nothing is decided by it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::text::steers;

/// What is read of a token.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// The user name.
    pub(super) user: Option<String>,
    /// `may_act.client_id`.
    pub(super) acting_client: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    user_name: Option<String>,
    subname: Option<String>,
    sub: Option<String>,
    may_act: Option<MayAct>,
}

#[derive(Deserialize)]
struct MayAct {
    client_id: Option<String>,
}

/// Reads a JWT's payload without checking its signature: the token came from the tenant itself.
///
/// Source: RFC 7519 section 3; `may_act` RFC 8693 section 4.4. Clients must take AM's tokens as opaque, so every
/// failure gives no claims.
pub(super) fn read(token: &Secret) -> Claims {
    let payload =
        token.expose().split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).map(Zeroizing::new);
    let parsed = payload.and_then(|bytes| serde_json::from_slice::<Payload>(&bytes).ok());
    parsed.map_or_else(Claims::default, |payload| Claims {
        user: payload.user_name.or(payload.subname).or(payload.sub).filter(|name| presentable(name)),
        acting_client: payload.may_act.and_then(|may_act| may_act.client_id).filter(|name| presentable(name)),
    })
}

/// A name that may stand in a page, a terminal and the audit log.
fn presentable(name: &str) -> bool {
    !name.is_empty() && name.len() <= 256 && !name.chars().any(steers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> Secret {
        Secret::copy_of(&format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn a_token_says_who_and_who_may_act() {
        let whole = jwt(r#"{"sub":"id","subname":"ada@example.com","may_act":{"client_id":"Exchange"}}"#);
        let cases = [
            (whole, Some("ada@example.com"), Some("Exchange")),
            (jwt(r#"{"sub":"id"}"#), Some("id"), None),
            (jwt("not json"), None, None),
            (jwt("{\"sub\":\"a\\u001bb\"}"), None, None),
            (jwt("{\"sub\":\"a\\u202eb\"}"), None, None),
            (Secret::copy_of("opaque"), None, None),
            (Secret::copy_of("a.!!.c"), None, None),
        ];

        for (token, user, acting) in cases {
            let claims = read(&token);
            assert_eq!((claims.user.as_deref(), claims.acting_client.as_deref()), (user, acting));
        }
    }
}
