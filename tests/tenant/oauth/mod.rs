//! The root realm's OAuth 2.0 provider: which endpoint answers what. Follows RFC 6749 and the platform's answers.

mod authorize;
pub mod book;
mod device;
mod exchange;
mod grant;
mod pages;
mod pkce;
mod session;
mod settle;

use serde_json::{Map, Value, json};

use super::reply::{Outcome, Part, Refusal, Reply};
use super::request::Request;
use super::switches::Switches;
use book::Book;

/// The client that signs people in.
pub const LOGIN_CLIENT: &str = "AICMCPClient";

/// What every endpoint works on.
pub(super) struct Desk<'a> {
    /// Codes, tokens, devices, sessions.
    pub book: &'a mut Book,
    /// The switches.
    pub switches: &'a mut Switches,
    /// Scheme, host and port as the client named them.
    pub origin: String,
}

/// Answers a request below `/am/oauth2` or `/am/XUI`.
pub fn answer(book: &mut Book, switches: &mut Switches, origin: String, request: &Request) -> (Part, Reply) {
    let mut desk = Desk { book, switches, origin };
    let reply = route(&mut desk, request).unwrap_or_else(|refusal| *refusal);
    (Part::OAuth, reply)
}

fn route(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match (request.method.as_str(), request.route().as_slice()) {
        ("GET", ["am", "oauth2", "authorize"]) => authorize::by_browser(desk, request),
        ("POST", ["am", "oauth2", "authorize"]) => authorize::headless(desk, request),
        ("GET", ["am", "XUI"]) => session::page(desk, request),
        ("POST", ["am", "XUI"]) => session::sign_in(desk, request),
        ("POST", ["am", "oauth2", "access_token"]) => grant::answer(desk, request),
        ("POST", ["am", "oauth2", "device", "code"]) => device::start(desk, request),
        ("GET", ["am", "oauth2", "device", "user"]) => device::page(request),
        ("POST", ["am", "oauth2", "device", "user"]) => device::decide(desk, request),
        ("POST", ["am", "oauth2", "token", "revoke"]) => settle::revoke(desk, request),
        ("GET" | "POST", ["am", "oauth2", "userinfo"]) => settle::userinfo(desk, request),
        ("GET", ["am", "oauth2", ".well-known", "openid-configuration"]) => Ok(settle::discovery(desk)),
        (_, ["am", "oauth2", "access_token" | "authorize"] | ["am", "oauth2", "token", "revoke"]) => {
            Err(refuse(405, "invalid_request", "Method Not Allowed"))
        }
        _ => Err(refuse(404, "not_found", "The requested resource was not found")),
    }
}

/// Makes an OAuth error that ends a handler.
pub(super) fn refuse(status: u16, error: &str, description: &str) -> Refusal {
    Reply::oauth_error(status, error, description).into()
}

/// The refusal of a code that is unknown, used, expired or of another client or verifier.
pub(super) fn invalid_grant() -> Refusal {
    refuse(400, "invalid_grant", "The provided access grant is invalid, expired, or revoked.")
}

/// The refusal of an unknown client.
pub(super) fn invalid_client() -> Refusal {
    refuse(401, "invalid_client", "Client authentication failed")
}

/// Reads the form of a token, device or revocation request.
///
/// Errors: 400 for another content type, and for a repeated field (RFC 6749 §3.2).
pub(super) fn form(request: &Request) -> Result<super::request::Form, Refusal> {
    let form = request.form().ok_or_else(|| refuse(400, "invalid_request", "Invalid Content Type"))?;
    if form.repeats() {
        return Err(refuse(400, "invalid_request", "A parameter must not be repeated"));
    }
    Ok(form)
}

/// Names the fields of a form that are missing.
pub(super) fn require(form: &super::request::Form, fields: &[&str]) -> Result<(), Refusal> {
    let missing: Vec<&str> = fields.iter().copied().filter(|field| form.get(field).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(refuse(400, "invalid_request", &format!("Missing parameters: {}", missing.join(" "))))
}

/// Refuses scopes beyond a client's.
pub(super) fn check_scopes(asked: &[String], allowed: &std::collections::BTreeSet<String>) -> Result<(), Refusal> {
    if asked.is_empty() {
        return Err(refuse(400, "invalid_scope", "No scope requested and no default scope configured"));
    }
    let unknown: Vec<&str> = asked.iter().filter(|scope| !allowed.contains(*scope)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(refuse(400, "invalid_scope", &format!("Unknown/invalid scope(s): [{}]", unknown.join(", "))))
}

/// Builds a token answer.
///
/// Source: RFC 6749 §5.1.
/// Units: `expires_in` is one second less than the life, as the platform counts.
pub(super) fn token_answer(token: &str, scopes: &[String], life: u64) -> Map<String, Value> {
    let backwards: Vec<&str> = scopes.iter().rev().map(String::as_str).collect();
    let answer = json!({
        "access_token": token,
        "scope": backwards.join(" "),
        "token_type": "Bearer",
        "expires_in": life.saturating_sub(1),
    });
    answer.as_object().cloned().unwrap_or_default()
}
