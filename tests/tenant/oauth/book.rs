//! Everything the provider has issued: codes, tokens, devices, sessions. Touches no clock: time comes as an argument.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::tenant::chance;
use crate::tenant::ledger::{TokenKind, TokenUse};
use crate::tenant::times::epoch_seconds;

/// Idle life of a browser's session.
const SESSION_LIFE: Duration = Duration::from_secs(30 * 60);

/// A secret that was issued or seen, for tests that search for leaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// What it is.
    pub what: &'static str,
    /// Its characters.
    pub value: String,
}

/// One issued token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Primary or scoped.
    pub kind: TokenKind,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Whose it is.
    pub user: String,
    /// The client that may exchange it.
    pub may_act: Option<String>,
    /// When it ends.
    pub expires: SystemTime,
    /// Whether it was revoked.
    pub dead: bool,
}

impl Token {
    /// Tells whether the token is good now.
    pub fn alive(&self, now: SystemTime) -> bool {
        !self.dead && now < self.expires
    }
}

/// One authorization code.
#[derive(Debug, Clone)]
pub struct Code {
    /// The client that asked.
    pub client: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The S256 challenge.
    pub challenge: String,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// Who signed in.
    pub user: String,
    /// When it ends.
    pub expires: SystemTime,
    /// The token that it was redeemed for.
    pub redeemed: Option<String>,
}

/// What became of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nobody decided yet.
    Pending,
    /// This user approved.
    Approved(String),
    /// The user refused.
    Denied,
}

/// One device that waits.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the user types.
    pub user_code: String,
    /// The client that asked.
    pub client: String,
    /// The S256 challenge, if one was sent.
    pub challenge: Option<String>,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: SystemTime,
    /// The last poll.
    pub polled: Option<SystemTime>,
    /// What the user said.
    pub decision: Decision,
}

/// Everything that was issued.
#[derive(Debug, Default)]
pub struct Book {
    /// The marker in every secret of this run.
    pub canary: String,
    /// The login client's redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Tokens by their characters.
    pub tokens: HashMap<String, Token>,
    /// Codes by their characters.
    pub codes: HashMap<String, Code>,
    /// Devices by device code.
    pub devices: HashMap<String, Device>,
    /// Every secret so far.
    pub secrets: Vec<Secret>,
    /// Name of the session cookie: each tenant has its own.
    pub cookie_name: String,
    sessions: HashMap<String, (String, SystemTime)>,
}

impl Book {
    /// Makes an empty book.
    pub fn new(redirect_uris: Vec<String>) -> Self {
        let canary = format!("CANARY{}", chance::hex::<6>());
        Self { canary, redirect_uris, cookie_name: chance::hex::<8>(), ..Self::default() }
    }

    /// Makes a secret with the marker in it, and remembers it.
    pub fn secret(&mut self, what: &'static str) -> String {
        let value = format!("{}-{}-{}", what.replace(' ', "-"), self.canary, chance::word());
        self.remember(what, &value);
        value
    }

    /// Remembers a secret that a client made.
    pub fn remember(&mut self, what: &'static str, value: &str) {
        if !value.is_empty() && !self.secrets.iter().any(|secret| secret.value == value) {
            self.secrets.push(Secret { what, value: value.to_owned() });
        }
    }

    /// Issues a token whose characters are a JWT (or an opaque word) and remembers it.
    pub fn issue(&mut self, what: &'static str, claims: Option<Value>, token: Token) -> String {
        let tail = self.secret(what);
        let value = claims.map_or_else(|| tail.clone(), |claims| jwt(&claims, &tail));
        self.remember(what, &value);
        self.tokens.insert(value.clone(), token);
        value
    }

    /// Says what a bearer token is worth, for the ledger.
    pub fn token_use(&self, bearer: &str, now: SystemTime) -> TokenUse {
        match self.tokens.get(bearer) {
            Some(token) => TokenUse { kind: token.kind, scopes: token.scopes.clone(), alive: token.alive(now) },
            None => TokenUse { kind: TokenKind::Unknown, scopes: Vec::new(), alive: false },
        }
    }

    /// Ends all tokens of a kind.
    pub fn kill(&mut self, kind: TokenKind) {
        self.tokens.values_mut().filter(|token| token.kind == kind).for_each(|token| token.dead = true);
    }

    /// Approves all devices that wait.
    pub fn approve_devices(&mut self, user: &str) {
        let waiting = self.devices.values_mut().filter(|device| device.decision == Decision::Pending);
        waiting.for_each(|device| device.decision = Decision::Approved(user.to_owned()));
    }

    /// Opens a browser's session.
    pub fn open_session(&mut self, user: &str, now: SystemTime) -> String {
        let value = self.secret("session");
        self.sessions.insert(value.clone(), (user.to_owned(), now + SESSION_LIFE));
        value
    }

    /// Returns the user of a live session.
    pub fn session_user(&self, value: &str, now: SystemTime) -> Option<&str> {
        self.sessions.get(value).filter(|(_, ends)| now < *ends).map(|(user, _)| user.as_str())
    }
}

/// Builds the claims of an access token.
pub fn claims(issuer: &str, user: &str, audience: &str, scopes: &[String], now: SystemTime, life: u64) -> Value {
    let issued = epoch_seconds(now);
    json!({
        "iss": issuer, "sub": user, "subname": user, "aud": audience, "tokenName": "access_token",
        "token_type": "Bearer", "scope": scopes, "iat": issued, "nbf": issued, "exp": issued + life,
        "expires_in": life, "realm": "/", "jti": chance::word(),
    })
}

fn jwt(claims: &Value, tail: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{tail}", part(&json!({"typ": "JWT", "alg": "none"})), part(claims))
}
