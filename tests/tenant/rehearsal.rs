//! Drives a tenant in memory, without a socket: what the tests of the families stand on.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use url::form_urlencoded;

use super::ledger::TokenKind;
use super::oauth::book::Token;
use super::reply::Body;
use super::switches::Switches;
use super::world::{Answered, World};

/// A tenant, its switches and a clock that stands.
pub(super) struct Rehearsal {
    pub(super) world: World,
    pub(super) switches: Switches,
    pub(super) now: SystemTime,
    token: String,
}

/// An answer that is easy to compare.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) changed: bool,
}

impl Heard {
    pub(super) fn message(&self) -> &str {
        self.body.get("message").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn error(&self) -> &str {
        self.body.get("error").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a parameter of the redirect.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let location = self.headers.get("location")?;
        let query = location.split_once('?')?.1;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

impl Rehearsal {
    /// Makes a tenant with a token for all APIs.
    pub(super) fn new() -> Self {
        let now = UNIX_EPOCH + Duration::from_secs(1_780_000_000);
        let mut world = World::new(vec!["http://localhost:3000".to_owned()], now);
        let scopes = ["fr:idm:*", "fr:am:*", "fr:idc:esv:*", "fr:idc:monitoring:*"].map(str::to_owned).to_vec();
        let token = Token {
            kind: TokenKind::Scoped,
            scopes,
            user: "admin@example.com".to_owned(),
            may_act: None,
            expires: now + Duration::from_secs(1_000_000),
            dead: false,
        };
        let token = world.book.issue("scoped", None, token);
        Self { world, switches: Switches::default(), now, token }
    }

    /// Sends a request with the all-purpose token; header fields as `name: value` lines.
    pub(super) fn send(&mut self, method: &str, target: &str, headers: &[&str], body: Option<Value>) -> Heard {
        let bearer = format!("authorization: Bearer {}", self.token);
        let mut all = vec![bearer.as_str(), "content-type: application/json"];
        all.extend(headers);
        self.raw(method, target, &all, body.map(|body| body.to_string()).unwrap_or_default())
    }

    /// Sends a form without a token.
    pub(super) fn form(&mut self, target: &str, fields: &[(&str, &str)]) -> Heard {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.raw("POST", target, &["content-type: application/x-www-form-urlencoded"], body)
    }

    /// Sends a request as it stands.
    pub(super) fn raw(&mut self, method: &str, target: &str, headers: &[&str], body: String) -> Heard {
        let pairs = headers.iter().map(|line| line.split_once(": ").unwrap());
        let mut headers: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.insert("host".to_owned(), "127.0.0.1:8080".to_owned());
        let request = super::request::Request::new(method, target, headers, body.into_bytes(), self.now);
        let Answered { reply, .. } = self.world.answer(&mut self.switches, &request);
        let body = match &reply.body {
            Body::Empty => Value::Null,
            Body::Json(value) => value.clone(),
            Body::Text(text) => json!(text),
        };
        Heard { status: reply.status, body, headers: reply.headers.into_iter().collect(), changed: reply.changed }
    }

    pub(super) fn get(&mut self, target: &str) -> Heard {
        self.send("GET", target, &[], None)
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}
