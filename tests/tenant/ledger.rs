//! What came in and how it was answered: the record that tests read. Never holds a token's value.

use std::collections::BTreeMap;

use serde::Serialize;

use super::request::Request;

/// Form fields whose value is a secret: the ledger keeps only that they were there.
const SECRET_FIELDS: [&str; 9] = [
    "code",
    "code_verifier",
    "subject_token",
    "actor_token",
    "device_code",
    "token",
    "password",
    "csrf",
    "client_secret",
];

/// Header fields that are never kept.
const SECRET_HEADERS: [&str; 2] = ["authorization", "cookie"];

/// What kind of token a request carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// From a sign-in.
    Primary,
    /// From a token exchange.
    Scoped,
    /// One that this tenant did not issue.
    Unknown,
}

/// The token that a request carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenUse {
    /// Its kind.
    pub kind: TokenKind,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Whether it was alive.
    pub alive: bool,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number, from 0.
    pub number: usize,
    /// The connection that it came on, from 0.
    pub connection: usize,
    /// Milliseconds since the tenant started, at arrival.
    pub arrived: u64,
    /// Milliseconds since the tenant started, when the answer was ready; none while it is not.
    pub answered: Option<u64>,
    /// The method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Header fields without credentials.
    pub headers: BTreeMap<String, String>,
    /// The token that came along.
    pub token: Option<TokenUse>,
    /// The fields of a form, secrets replaced by `(hidden)`.
    pub form: BTreeMap<String, String>,
    /// The body when it is no form.
    pub body: String,
    /// The status; none when no answer was sent.
    pub status: Option<u16>,
    /// Whether the tenant's data changed.
    pub changed: bool,
    /// What is wrong with this request in the eyes of a strict tenant.
    pub marks: Vec<String>,
}

impl Entry {
    /// Notes a request that just arrived.
    pub fn new(number: usize, connection: usize, arrived: u64, request: &Request) -> Self {
        let form = request.form();
        Self {
            number,
            connection,
            arrived,
            answered: None,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: open_headers(request),
            token: None,
            body: if form.is_some() { String::new() } else { String::from_utf8_lossy(&request.body).into_owned() },
            form: form.map(|form| form.0.into_iter().map(hide).collect()).unwrap_or_default(),
            status: None,
            changed: false,
            marks: Vec::new(),
        }
    }

    /// Tells whether this was a token request of that grant (its last word is enough).
    pub fn is_grant(&self, grant: &str) -> bool {
        self.form.get("grant_type").is_some_and(|word| word == grant || word.ends_with(&format!(":{grant}")))
    }

    /// Tells whether this went to one of the APIs.
    pub fn is_api(&self) -> bool {
        const APIS: [&str; 4] = ["/am/json/", "/openidm/", "/environment/", "/monitoring/"];
        APIS.iter().any(|api| self.path.starts_with(api)) && self.path != "/environment/info"
    }
}

fn open_headers(request: &Request) -> BTreeMap<String, String> {
    let open = |(name, _): &(&String, &String)| !SECRET_HEADERS.contains(&name.as_str());
    request.headers.iter().filter(open).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn hide((name, value): (String, String)) -> (String, String) {
    if SECRET_FIELDS.contains(&name.as_str()) { (name, "(hidden)".to_owned()) } else { (name, value) }
}
