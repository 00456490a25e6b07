//! Token exchange. Follows RFC 8693 §2 and the platform's one opaque refusal.

use std::time::Duration;

use serde_json::{Value, json};

use super::book::{Token, claims};
use super::{Desk, check_scopes, refuse, require, token_answer};
use crate::tenant::ledger::TokenKind;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::{Form, Request};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Answers a token exchange of an acting client.
///
/// Scopes are checked against the acting client's own; they may be wider than the subject's.
/// Errors: the opaque refusal for a subject token that is dead, forged, or does not name the client.
pub fn answer(desk: &mut Desk<'_>, form: &Form, client: &str, request: &Request) -> Outcome {
    if let Some(answer) = desk.switches.exchange_answers.pop_front() {
        return Ok(answer.reply());
    }
    require(form, &["subject_token", "subject_token_type"])?;
    let user = subject(desk, form, client, request)?;
    let scopes = form.scopes();
    check_scopes(&scopes, &desk.switches.exchange_scopes)?;
    let life = desk.switches.scoped_life_seconds;
    let issuer = format!("{}/am/oauth2", desk.origin);
    let mut claims = claims(&issuer, &user, client, &scopes, request.at, life);
    if let Some(members) = claims.as_object_mut() {
        members.insert("act".to_owned(), json!({"client_id": client}));
    }
    let token = Token {
        kind: TokenKind::Scoped,
        scopes: scopes.clone(),
        user,
        may_act: None,
        expires: request.at + Duration::from_secs(life),
        dead: false,
    };
    let value = desk.book.issue("scoped", Some(claims), token);
    let mut answer = token_answer(&value, &scopes, life);
    answer.insert("issued_token_type".to_owned(), Value::String(ACCESS_TOKEN.to_owned()));
    Ok(Reply::json(200, Value::Object(answer)))
}

/// Returns the user of a subject token that this client may act for.
fn subject(desk: &Desk<'_>, form: &Form, client: &str, request: &Request) -> Result<String, Refusal> {
    let asked = form.get("requested_token_type").unwrap_or(ACCESS_TOKEN);
    let types_fit = form.get("subject_token_type") == Some(ACCESS_TOKEN) && asked == ACCESS_TOKEN;
    let token = form.get("subject_token").and_then(|token| desk.book.tokens.get(token));
    let usable = |token: &&Token| token.alive(request.at) && token.may_act.as_deref() == Some(client);
    let token = token.filter(usable).filter(|_| types_fit);
    token
        .map(|token| token.user.clone())
        .ok_or_else(|| refuse(desk.switches.exchange_refusal_status, "invalid_request", "Invalid token exchange."))
}
