//! One request as it arrived, with the ways to read it. Touches no socket and no clock.

use std::collections::BTreeMap;
use std::time::SystemTime;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

use super::reply::{Refusal, Reply};

/// A request that was read to its end.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, upper case.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The path's segments, decoded, without an empty last one.
    pub segments: Vec<String>,
    /// The query's pairs, decoded as a servlet does (`+` is a space), in order.
    pub query: Vec<(String, String)>,
    /// Header fields by lower case name; repeated ones joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: Vec<u8>,
    /// The tenant's time at arrival.
    pub at: SystemTime,
}

impl Request {
    /// Builds a request from what the wire gave.
    pub fn new(method: &str, target: &str, headers: BTreeMap<String, String>, body: Vec<u8>, at: SystemTime) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            segments: segments(path),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body,
            at,
        }
    }

    /// Returns the segments as one slice pattern's subject.
    pub fn route(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Returns the first query value of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the `_action`, or nothing.
    pub fn action(&self) -> Option<&str> {
        self.query("_action")
    }

    /// Returns a header field's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the `resource` part of `Accept-API-Version`.
    pub fn resource_version(&self) -> Option<&str> {
        let parts = self.header("accept-api-version")?.split(',');
        parts.filter_map(|part| part.trim().strip_prefix("resource=")).next()
    }

    /// Returns the bearer token.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Returns a cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
    }

    /// Reads the body as JSON in the manner of CREST.
    ///
    /// Errors: 400 for another content type or a text that is no JSON.
    pub fn json(&self) -> Result<Value, Refusal> {
        let kind = self.header("content-type").unwrap_or("application/json");
        let bare = kind.split(';').next().unwrap_or_default().trim();
        if !bare.eq_ignore_ascii_case("application/json") {
            let text = format!(
                "The request could not be processed because it specified the content-type '{kind}' \
                 when only the content-type 'application/json' is supported"
            );
            return Err(Reply::crest_error(400, &text).into());
        }
        serde_json::from_slice(&self.body).map_err(|_| {
            Reply::crest_error(400, "The request could not be processed because the provided content is not valid JSON")
                .into()
        })
    }

    /// Reads the body as a form; nothing when it is none.
    pub fn form(&self) -> Option<Form> {
        let kind = self.header("content-type")?.split(';').next()?.trim();
        let is_form = kind.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        is_form.then(|| Form(form_urlencoded::parse(&self.body).into_owned().collect()))
    }
}

/// The fields of a form or of a query.
#[derive(Debug, Clone, Default)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// Returns the first value of that name that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Tells whether a parameter comes more than once, which RFC 6749 §3.1 forbids.
    pub fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (key, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == key))
    }

    /// Returns the words of the `scope` field.
    pub fn scopes(&self) -> Vec<String> {
        self.get("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    }
}

fn segments(path: &str) -> Vec<String> {
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    path.trim_start_matches('/').trim_end_matches('/').split('/').map(decode).collect()
}

/// Tells whether a path hides a separator, which the servlet container refuses.
pub fn hides_separator(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains("%2f") || lower.contains("%5c") || lower.split('/').any(|part| part == ".." || part == "%2e%2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_and_decoded() {
        let target = "/openidm/ui/theme/?realm=alpha&_queryFilter=name%20eq+%22a%22";
        let request = Request::new("get", target, BTreeMap::new(), Vec::new(), SystemTime::UNIX_EPOCH);

        assert_eq!(request.route(), ["openidm", "ui", "theme"]);
        assert_eq!(request.query("_queryFilter"), Some("name eq \"a\""));
        assert_eq!(request.method, "GET");
    }

    #[test]
    fn hidden_separators_are_seen() {
        let cases = [("/a/b", false), ("/a%2Fb", true), ("/a/../b", true), ("/a%5cb", true), ("/a..b", false)];
        for (path, hidden) in cases {
            assert_eq!(hides_separator(path), hidden, "{path}");
        }
    }
}
