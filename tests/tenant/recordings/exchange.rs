//! Reads a recording and sends its request to a tenant.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aic_tests::tenant::Tenant;
use aic_tests::tenant::ledger::TokenKind;
use aic_tests::tenant::oauth::book::Token;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::form_urlencoded;

/// Header fields of a recorded request that are sent again.
const SENT_HEADERS: [&str; 5] =
    ["accept-api-version", "content-type", "if-match", "if-none-match", "x-forgerock-transactionid"];

/// One recorded exchange.
pub(crate) struct Recording {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) request: Value,
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// The recording cut the body short.
    pub(crate) truncated: bool,
    query: Vec<(String, String)>,
    request_headers: BTreeMap<String, String>,
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Recording {
    pub(crate) fn read(file: &Path) -> Self {
        let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let (request, response) = (&all["request"], &all["response"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = |value: &Value| {
            let members = value.as_object().into_iter().flatten();
            members.map(|(name, value)| (name.to_lowercase(), text(value))).collect::<BTreeMap<_, _>>()
        };
        let query = request["query"].as_array().into_iter().flatten();
        Self {
            method: text(&request["method"]),
            path: text(&request["path"]),
            request: request["body"].clone(),
            status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
            headers: headers(&response["headers"]),
            body: response["body"].clone(),
            truncated: response.get("truncated").is_some(),
            query: query.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            request_headers: headers(&request["headers"]),
        }
    }

    fn target(&self) -> String {
        let path = self.path.replace(' ', "%20");
        if self.query.is_empty() {
            return path;
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("{path}?{query}")
    }

    fn body_text(&self) -> String {
        match (&self.request, self.request.get("form")) {
            (Value::Null, _) => String::new(),
            (Value::String(text), _) => text.clone(),
            (_, Some(form)) => {
                let pairs = form.as_object().into_iter().flatten();
                let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
                form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
            }
            (value, None) => value.to_string(),
        }
    }
}

/// Gives the tenant a token with these scopes.
pub(crate) fn token(tenant: &Tenant, scopes: &[&str]) -> String {
    let token = Token {
        kind: TokenKind::Scoped,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        user: "admin@example.com".to_owned(),
        may_act: None,
        expires: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX)),
        dead: false,
    };
    tenant.with(|world| world.book.issue("scoped", None, token))
}

/// Sends a recording's request and reads the answer.
pub(crate) async fn send(tenant: &Tenant, recording: &Recording, token: &str) -> Answer {
    let body = recording.body_text();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n",
        recording.method,
        recording.target(),
        tenant.port(),
        body.len()
    );
    for name in SENT_HEADERS {
        if let Some(value) = recording.request_headers.get(name) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let mut stream = TcpStream::connect(("127.0.0.1", tenant.port())).await.unwrap();
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    parse(&String::from_utf8(answer).unwrap())
}

fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()))
    };
    Answer { status, headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(), body }
}
