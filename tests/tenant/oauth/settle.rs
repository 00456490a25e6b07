//! Revocation, user information and discovery. Follows RFC 7009 and OpenID Connect Core §5.3.

use serde_json::{Value, json};

use super::{Desk, LOGIN_CLIENT, form, invalid_client, refuse, require};
use crate::tenant::reply::{Outcome, Reply};
use crate::tenant::request::Request;

/// Ends a token.
///
/// Source: RFC 7009 §2.1, §2.2: an unknown token is no error.
pub fn revoke(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let form = form(request)?;
    require(&form, &["token", "client_id"])?;
    let client = form.get("client_id").unwrap_or_default();
    if client != LOGIN_CLIENT && client != desk.switches.exchange_client {
        return Err(invalid_client());
    }
    let status = desk.switches.revoke_status;
    if status != 200 {
        return Err(refuse(status, "server_error", "The token cannot be revoked"));
    }
    let token = form.get("token").unwrap_or_default().to_owned();
    desk.book.tokens.entry(token).and_modify(|token| token.dead = true);
    Ok(Reply::json(200, json!({})))
}

/// Says whose a token is.
pub fn userinfo(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let token = request.bearer().and_then(|bearer| desk.book.tokens.get(bearer));
    let token = token.filter(|token| token.alive(request.at));
    let token = token.ok_or_else(|| {
        refuse(401, "invalid_token", "The access token provided is expired, revoked, malformed, or invalid")
    })?;
    Ok(Reply::json(200, json!({"sub": token.user, "subname": token.user})))
}

/// The provider's metadata; the device endpoint is not in it, as on the platform.
pub fn discovery(desk: &Desk<'_>) -> Reply {
    let issuer = format!("{}/am/oauth2", desk.origin);
    let endpoint = |name: &str| Value::String(format!("{issuer}/{name}"));
    Reply::json(
        200,
        json!({
            "issuer": issuer,
            "authorization_endpoint": endpoint("authorize"),
            "token_endpoint": endpoint("access_token"),
            "revocation_endpoint": endpoint("token/revoke"),
            "userinfo_endpoint": endpoint("userinfo"),
            "jwks_uri": endpoint("connect/jwk_uri"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
            "subject_types_supported": ["public"],
            "authorization_response_iss_parameter_supported": true,
        }),
    )
}
