//! What a test may set: where sources about the platform disagree, and what a tenant may do at its worst.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Body, Reply};

/// Scopes of the five APIs, which both MCP clients may have.
pub const API_SCOPES: [&str; 5] =
    ["fr:idm:*", "fr:idc:monitoring:*", "fr:idc:esv:update", "fr:idc:esv:read", "fr:am:*"];

/// How `authorize` behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorize {
    /// As the platform does.
    Normal,
    /// Answers a good request with `error=access_denied`.
    Deny,
    /// Comes back with another `state`.
    WrongState,
    /// Shows a page and never comes back.
    Never,
    /// Answers 400 with a page.
    BadRequest,
}

/// The `iss` parameter of the authorization response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Issuer {
    /// The tenant's own, with its port.
    Own,
    /// Left out.
    Absent,
    /// Another text.
    Text(String),
}

/// An answer given as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// The HTTP status.
    pub status: u16,
    /// A JSON document, or text when it is a string and `content_type` says so.
    #[serde(default)]
    pub body: Value,
    /// Content type; absent means JSON.
    #[serde(default)]
    pub content_type: Option<String>,
}

impl Canned {
    /// Makes a JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, body, content_type: None }
    }

    /// Makes the answer: a string with a content type goes out as text, null as no body.
    pub fn reply(&self) -> Reply {
        let body = match (&self.body, &self.content_type) {
            (Value::Null, _) => Body::Empty,
            (Value::String(text), Some(_)) => Body::Text(text.clone()),
            (value, _) => Body::Json(value.clone()),
        };
        let reply = Reply { body, ..Reply::empty(self.status) };
        match &self.content_type {
            Some(kind) => reply.with("content-type", kind),
            None => reply,
        }
    }
}

/// Everything that can be set. A list is used up from its front; empty means normal behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Who signs in with `auto_login` and with an approved device.
    pub user: String,
    /// `authorize` answers with a code at once.
    pub auto_login: bool,
    /// How `authorize` behaves.
    pub authorize: Authorize,
    /// The `iss` parameter.
    pub issuer: Issuer,
    /// Life of an authorization code. The provider's default.
    pub code_life_seconds: u64,
    /// Answers for the next redemptions of a code.
    pub code_answers: VecDeque<Canned>,
    /// Life of a primary token; `expires_in` says one second less.
    pub primary_life_seconds: u64,
    /// The primary token is no JWT.
    pub opaque_primary: bool,
    /// The primary token carries `may_act`.
    pub may_act: bool,
    /// The client that may exchange, named in `may_act`.
    pub exchange_client: String,
    /// A refresh token comes along.
    pub refresh_token: bool,
    /// Scopes that the login client may ask for.
    pub login_scopes: BTreeSet<String>,
    /// Scopes that the exchange client may ask for.
    pub exchange_scopes: BTreeSet<String>,
    /// Life of an exchanged token; `expires_in` says one second less.
    pub scoped_life_seconds: u64,
    /// Status of the one opaque refusal of an exchange.
    pub exchange_refusal_status: u16,
    /// Answers for the next exchanges.
    pub exchange_answers: VecDeque<Canned>,
    /// Status of `authorization_pending`: AM's documents say 403, RFC 8628 says 400.
    pub device_pending_status: u16,
    /// The polling interval; absent leaves it out of the answer (and polls count as RFC 8628's 5 s).
    pub device_interval_seconds: Option<u64>,
    /// Life of a device code.
    pub device_life_seconds: u64,
    /// `error` words for the next polls; `approved` approves.
    pub device_answers: VecDeque<String>,
    /// Every device is approved as soon as it asks.
    pub device_auto_approve: bool,
    /// `verification_uri_complete` is given.
    pub device_complete_uri: bool,
    /// Where the page for the code is; absent means with the tenant.
    pub device_page: Option<String>,
    /// The word after a refusal: AM's own, or RFC 8628's `access_denied`.
    pub device_declined_word: String,
    /// Status of `token/revoke`; only 200 revokes.
    pub revoke_status: u16,
    /// The answer of `/environment/info`.
    pub info: Canned,
    /// Time added to every request.
    pub latency_milliseconds: u64,
    /// How far the tenant's clock is ahead of the machine's.
    pub clock_ahead_seconds: i64,
    /// Answers carry `x-forgerock-transactionid`.
    pub transaction_id: bool,
    /// `_totalPagedResultsPolicy=EXACT` is honoured.
    pub exact_totals: bool,
    /// A full last page has a cookie, and the page after it is empty.
    pub cookie_on_full_last_page: bool,
    /// Cookies are percent-encoded in JSON.
    pub cookie_percent_encoded: bool,
    /// ESVs with `resource=1.0` are refused (end of life 2026-06-26).
    pub esv_version_1_refused: bool,
    /// Nodes and trees with `resource` 1.0 or 2.0 are refused (end of life 2027-07-01).
    pub nodes_version_1_refused: bool,
    /// How long a read of `config/managed` gives the document before the last write.
    pub managed_stale_seconds: u64,
    /// So many writes of `config/managed` are answered 200 and lost.
    pub managed_lost_writes: u32,
    /// `If-None-Match: *` on something that exists answers 200, as a racing cluster may.
    pub racing_create: bool,
    /// How long a restart takes.
    pub restart_seconds: u64,
    /// Everything under `/openidm` and `/am/json` answers 503 during a restart.
    pub restart_unavailable: bool,
    /// A refused tree lists the 14 attribute names of 2026 rather than the 8 of 2024.
    pub fourteen_tree_attributes: bool,
    /// Scripts have no `evaluatorVersion`.
    pub evaluator_version_absent: bool,
    /// `source` must be given to query logs.
    pub log_source_required: bool,
    /// `resultCount` of logs is a string.
    pub log_count_as_text: bool,
    /// Log payloads are plain text.
    pub log_payload_as_text: bool,
    /// Requests a minute to `/monitoring/logs*` before 429.
    pub logs_per_minute: u32,
    /// The 429 answer of logs; absent means JSON with `Retry-After` in seconds.
    pub logs_limited: Option<Canned>,
}

impl Default for Switches {
    fn default() -> Self {
        let scopes: BTreeSet<String> = API_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        Self {
            user: "admin@example.com".to_owned(),
            auto_login: false,
            authorize: Authorize::Normal,
            issuer: Issuer::Own,
            code_life_seconds: 120,
            code_answers: VecDeque::new(),
            primary_life_seconds: 3600,
            opaque_primary: false,
            may_act: true,
            exchange_client: "AICMCPExchangeClient".to_owned(),
            refresh_token: false,
            login_scopes: scopes.clone(),
            exchange_scopes: scopes,
            scoped_life_seconds: 900,
            exchange_refusal_status: 400,
            exchange_answers: VecDeque::new(),
            device_pending_status: 403,
            device_interval_seconds: Some(5),
            device_life_seconds: 300,
            device_answers: VecDeque::new(),
            device_auto_approve: false,
            device_complete_uri: true,
            device_page: None,
            device_declined_word: "authorization_declined".to_owned(),
            revoke_status: 200,
            info: Canned::json(200, development_info()),
            latency_milliseconds: 0,
            clock_ahead_seconds: 0,
            transaction_id: true,
            exact_totals: false,
            cookie_on_full_last_page: true,
            cookie_percent_encoded: false,
            esv_version_1_refused: false,
            nodes_version_1_refused: false,
            managed_stale_seconds: 0,
            managed_lost_writes: 0,
            racing_create: false,
            restart_seconds: 2,
            restart_unavailable: false,
            fourteen_tree_attributes: true,
            evaluator_version_absent: false,
            log_source_required: true,
            log_count_as_text: false,
            log_payload_as_text: false,
            logs_per_minute: 60,
            logs_limited: None,
        }
    }
}

impl Switches {
    /// Sets the switches that a JSON object names and leaves the others.
    ///
    /// Errors: a text naming the unknown or badly typed switch; nothing is set then.
    pub fn set(&mut self, changes: &Value) -> Result<(), String> {
        let mut all = serde_json::to_value(&*self).map_err(|error| error.to_string())?;
        let changes = changes.as_object().ok_or("switches are a JSON object")?;
        if let Some(known) = all.as_object_mut() {
            known.extend(changes.clone());
        }
        *self = serde_json::from_value(all).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// `/environment/info` of a mutable tenant.
fn development_info() -> Value {
    json!({
        "immutable": false, "locked": false, "tier": "other", "region": "us-central1", "backupRegion": "us-south1",
        "config_promotion_done": false, "placeholder_management": "CUSTOMER",
        "placeholder_management_migration_date": "", "ipAddresses": ["192.0.2.10"],
        "message_box_html": "", "message_box_title": "", "message_variant": "", "warning_message_html": "",
        "promotionTierInfo": {"tierDisplayName": "other", "tiers": ["other"],
                              "upperTierDisplayName": null, "lowerTierDisplayName": null}
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_part_is_set_and_the_rest_stays() {
        let mut switches = Switches::default();

        switches
            .set(&json!({"device_pending_status": 400, "issuer": {"text": "https://elsewhere.example.com"}}))
            .unwrap();

        assert_eq!(switches.device_pending_status, 400);
        assert_eq!(switches.scoped_life_seconds, 900);
    }

    #[test]
    fn an_unknown_switch_is_refused() {
        let mut switches = Switches::default();

        let error = switches.set(&json!({"no_such_switch": 1})).unwrap_err();

        assert!(error.contains("no_such_switch"), "{error}");
    }
}
