//! The token endpoint and the authorization code grant. Follows RFC 6749 §4.1.3 and §5.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::book::{Token, claims};
use super::{
    Desk, LOGIN_CLIENT, device, exchange, form, invalid_client, invalid_grant, pkce, refuse, require, token_answer,
};
use crate::tenant::ledger::TokenKind;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::{Form, Request};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_OLD: &str = "http://oauth.net/grant_type/device/1.0";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Answers a token request.
///
/// Source: RFC 6749 §5.2: client first, then its right to the grant, then the grant itself.
pub fn answer(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    let form = form(request)?;
    require(&form, &["grant_type"])?;
    let client = client(&form, request).ok_or_else(invalid_client)?;
    let grant = form.get("grant_type").unwrap_or_default();
    let login = client == LOGIN_CLIENT;
    if !login && client != desk.switches.exchange_client {
        return Err(invalid_client());
    }
    match grant {
        "authorization_code" if login => redeem(desk, &form, request),
        DEVICE | DEVICE_OLD if login => device::poll(desk, &form, request),
        EXCHANGE if !login => exchange::answer(desk, &form, &client, request),
        "authorization_code" | DEVICE | DEVICE_OLD | EXCHANGE => {
            Err(refuse(400, "unauthorized_client", "The client is not authorized to use this grant type"))
        }
        _ => Err(refuse(400, "unsupported_grant_type", &format!("Grant type is not supported: {grant}"))),
    }
}

/// Returns the client's name from the form or from a Basic header with an empty password.
///
/// Source: RFC 6749 §2.3.1. Both clients are public: a password is refused.
fn client(form: &Form, request: &Request) -> Option<String> {
    let Some(basic) = request.header("authorization") else {
        return form.get("client_secret").is_none().then(|| form.get("client_id").map(str::to_owned)).flatten();
    };
    let pair = STANDARD.decode(basic.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.strip_suffix(':').map(str::to_owned)
}

fn redeem(desk: &mut Desk<'_>, form: &Form, request: &Request) -> Outcome {
    if let Some(answer) = desk.switches.code_answers.pop_front() {
        return Ok(answer.reply());
    }
    require(form, &["code", "redirect_uri"])?;
    let verifier = form.get("code_verifier").unwrap_or_default();
    desk.book.remember("code verifier", verifier);
    let name = form.get("code").unwrap_or_default();
    let code = desk.book.codes.get(name).cloned().ok_or_else(invalid_grant)?;
    if let Some(token) = &code.redeemed {
        // RFC 6749 §4.1.2: a code that comes twice was stolen, so what it gave ends.
        desk.book.tokens.entry(token.clone()).and_modify(|token| token.dead = true);
        return Err(invalid_grant());
    }
    let fits = code.client == LOGIN_CLIENT
        && form.get("redirect_uri") == Some(code.redirect_uri.as_str())
        && request.at < code.expires
        && pkce::matches(verifier, &code.challenge);
    if !fits {
        desk.book.codes.remove(name);
        return Err(invalid_grant());
    }
    let (reply, token) = primary(desk, &code.user, &code.scopes, request);
    desk.book.codes.entry(name.to_owned()).and_modify(|code| code.redeemed = Some(token));
    Ok(reply)
}

/// Issues a primary token and its answer.
pub fn primary(desk: &mut Desk<'_>, user: &str, scopes: &[String], request: &Request) -> (Reply, String) {
    let life = desk.switches.primary_life_seconds;
    let issuer = format!("{}/am/oauth2", desk.origin);
    let mut claims = claims(&issuer, user, LOGIN_CLIENT, scopes, request.at, life);
    let may_act = desk.switches.may_act.then(|| desk.switches.exchange_client.clone());
    if let (Some(client), Some(members)) = (&may_act, claims.as_object_mut()) {
        members.insert("may_act".to_owned(), json!({"client_id": client}));
    }
    let token = Token {
        kind: TokenKind::Primary,
        scopes: scopes.to_vec(),
        user: user.to_owned(),
        may_act,
        expires: request.at + Duration::from_secs(life),
        dead: false,
    };
    let claims = (!desk.switches.opaque_primary).then_some(claims);
    let value = desk.book.issue("primary", claims, token);
    let mut answer = token_answer(&value, scopes, life);
    if desk.switches.refresh_token {
        answer.insert("refresh_token".to_owned(), Value::String(desk.book.secret("refresh")));
    }
    (Reply::json(200, Value::Object(answer)), value)
}

/// The refusal of a missing or foreign verifier.
pub fn check_verifier(desk: &mut Desk<'_>, form: &Form, challenge: Option<&str>) -> Result<(), Refusal> {
    let verifier = form.get("code_verifier").unwrap_or_default();
    desk.book.remember("code verifier", verifier);
    let fits = challenge.is_none_or(|challenge| pkce::matches(verifier, challenge));
    fits.then_some(()).ok_or_else(invalid_grant)
}
