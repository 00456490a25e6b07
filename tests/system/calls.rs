//! What the tests read from a tenant's ledger, and the calls that many of them make.

use aic_tests::harness::{Answer, Asked, Editor, status_with};
use aic_tests::tenant::Tenant;
use aic_tests::tenant::ledger::{Entry, TokenKind};
use serde_json::json;

/// How many token requests of a grant there were.
pub fn grants(tenant: &Tenant, grant: &str) -> usize {
    tenant.ledger().iter().filter(|entry| entry.is_grant(grant)).count()
}

/// The scopes of each exchange, in order of the words.
pub fn exchanged_scopes(tenant: &Tenant) -> Vec<String> {
    let ledger = tenant.ledger();
    let exchanges = ledger.iter().filter(|entry| entry.is_grant("token-exchange"));
    let mut scopes: Vec<String> = exchanges.filter_map(|entry| entry.form.get("scope").cloned()).collect();
    scopes.sort();
    scopes
}

/// How many requests to revoke a token there were.
pub fn revocations(tenant: &Tenant) -> usize {
    tenant.ledger().iter().filter(|entry| entry.path.ends_with("/token/revoke")).count()
}

/// The requests to the APIs.
pub fn api(tenant: &Tenant) -> Vec<Entry> {
    tenant.ledger().into_iter().filter(Entry::is_api).collect()
}

/// The requests to the APIs that were to change something.
pub fn writes(tenant: &Tenant) -> Vec<Entry> {
    api(tenant).into_iter().filter(|entry| entry.method != "GET").collect()
}

/// Whether a request carried a token that the tenant did not issue.
pub fn has_unknown_token(entry: &Entry) -> bool {
    entry.token.as_ref().is_some_and(|token| token.kind == TokenKind::Unknown)
}

/// An editor of another tenant than the first.
pub fn editor_of(tenant: &str) -> Asked {
    let variables = vec![("AIC_BASE_URL".to_owned(), Some(tenant.to_owned()))];
    Asked { variables, name: format!("editor of {tenant}"), ..Asked::default() }
}

/// A call that reads.
#[track_caller]
pub fn read(editor: &mut Editor) -> Answer {
    editor.call("getLogSources", json!({}))
}

/// The name and arguments of a call that writes once.
pub fn write() -> (&'static str, serde_json::Value) {
    ("setVariable", json!({"variableId": "esv-colour", "value": "green", "type": "string"}))
}

/// How many requests to write a variable arrived.
pub fn requests_to_variables(tenant: &Tenant) -> usize {
    writes(tenant).iter().filter(|entry| entry.path.contains("/variables/")).count()
}

/// The first URL in a text.
pub fn url_in(text: &str) -> Option<String> {
    let word = text.split_whitespace().find(|word| word.starts_with("http://"))?;
    text.contains(&format!("{word}\n")).then(|| word.to_owned())
}

/// Whether a text is a time of RFC 3339.
pub fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

/// Whether a token is a primary or a scoped one of this tenant.
pub fn kind_of(tenant: &Tenant, token: &str) -> Option<&'static str> {
    tenant.secrets().into_iter().find(|secret| secret.value == token).map(|secret| secret.what)
}

/// The tokens that this tenant issued and that still open something.
pub fn living_tokens(tenant: &Tenant) -> Vec<&'static str> {
    let door = format!("{}/am/oauth2/userinfo", tenant.base_url());
    let tokens = tenant.secrets().into_iter().filter(|secret| ["primary", "scoped"].contains(&secret.what));
    tokens
        .filter(|token| status_with(&door, &token.value).is_ok_and(|status| status == 200))
        .map(|token| token.what)
        .collect()
}

/// A parameter of a URL.
pub fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A tenant's session in a status.
pub fn session_of(status: &serde_json::Value, tenant: &str) -> serde_json::Value {
    let sessions = status["sessions"].as_array().cloned().unwrap_or_default();
    sessions.into_iter().find(|session| session["tenant"] == tenant).unwrap_or_default()
}
