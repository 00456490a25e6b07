//! Describes one request to a tenant's API, before it has a host or a token.

use serde_json::Value;

use super::Path;
use super::path::encode_query;
use crate::http::Method;

/// One request. Whether it changes anything follows from the method, unless [`Request::that_reads`] says otherwise.
#[derive(Debug, Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: Path,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) writes: bool,
}

impl Request {
    fn new(method: Method, path: Path, body: Option<Value>) -> Self {
        let writes = method != Method::GET;
        Self { method, path, query: Vec::new(), headers: Vec::new(), body, writes }
    }

    /// A read.
    pub fn get(path: Path) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// A POST with a JSON body.
    pub fn post(path: Path, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    /// A PUT with a JSON body.
    pub fn put(path: Path, body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body))
    }

    /// A PATCH with a JSON body.
    pub fn patch(path: Path, body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body))
    }

    /// A DELETE.
    pub fn delete(path: Path) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Adds a query parameter; both sides are encoded.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a query parameter when there is a value.
    #[must_use]
    pub fn query_opt(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Asks for an API version, for example `protocol=2.1,resource=3.0`.
    #[must_use]
    pub fn version(self, version: &'static str) -> Self {
        self.header("accept-api-version", version)
    }

    /// Changes only the revision that was read, or `*`.
    #[must_use]
    pub fn if_match(self, revision: impl Into<String>) -> Self {
        self.header("if-match", revision)
    }

    /// Creates only what is not there yet.
    #[must_use]
    pub fn if_none_match_any(self) -> Self {
        self.header("if-none-match", "*")
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that this POST is an action that only reads (`schema`, `template`, `listOutcomes`, …): it may be repeated.
    #[must_use]
    pub fn that_reads(mut self) -> Self {
        self.writes = false;
        self
    }

    /// The path with its query, as it is sent.
    pub(super) fn target(&self) -> String {
        let mut target = self.path.as_str().to_owned();
        for (number, (name, value)) in self.query.iter().enumerate() {
            target.push(if number == 0 { '?' } else { '&' });
            target.push_str(&encode_query(name));
            target.push('=');
            target.push_str(&encode_query(value));
        }
        target
    }
}
