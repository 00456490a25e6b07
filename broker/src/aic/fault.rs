//! Says why a tool call did not succeed, and reads the tenant's error bodies.

use std::time::Duration;

use aic_proto::refusal::Kind;
use serde_json::Value;

use super::json;
use crate::http;
use crate::text::one_line;

/// The most of a tenant's error text that is passed on: enough for a policy error, too little to flood a model.
const MESSAGE_LIMIT: usize = 2_000;

/// Why a tool did not succeed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// An argument cannot be used; nothing was sent for it.
    #[error("{argument}: {reason}")]
    Invalid {
        /// Which.
        argument: String,
        /// Why.
        reason: String,
    },
    /// The tool itself refuses, from what it read.
    #[error("{message}")]
    Refused {
        /// `NotFound`, `Conflict`, `NotAllowed` or `InvalidArguments`.
        kind: Kind,
        /// What and why.
        message: String,
        /// What helps.
        hint: Option<String>,
    },
    /// The tenant answered with a failure.
    #[error("{0}")]
    Upstream(Box<Upstream>),
    /// The tenant answered 2xx with something that is not JSON.
    #[error("the tenant answered {status} with a body that is not JSON")]
    Unreadable {
        /// 2xx.
        status: u16,
        /// The tenant's transaction id.
        transaction_id: Option<String>,
    },
    /// Nothing left this process.
    #[error("{0}")]
    NotSent(String),
    /// The request may have arrived; no answer came.
    #[error("{0}")]
    NoAnswer(String),
    /// The call's time ran out.
    #[error("{0}")]
    TimedOut(String),
    /// The answer is too large to be read.
    #[error("{0}")]
    TooLarge(String),
    /// Another failure, with what it left behind and how to go on.
    #[error("{message} ({cause})")]
    Explained {
        /// What exists now.
        message: String,
        /// The call that completes or removes it.
        hint: String,
        /// What happened. Kind, status and transaction id are its own.
        cause: Box<Fault>,
    },
    /// Nobody is signed in any more.
    #[error("the session ended")]
    SignedOut,
    /// The broker refuses, or could not get a token: passed on as it is.
    #[error("{message}")]
    Broker {
        /// Its kind.
        kind: Kind,
        /// What happened.
        message: String,
        /// What helps.
        hint: Option<String>,
    },
}

impl Fault {
    /// An argument that cannot be used.
    pub fn invalid(argument: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { argument: argument.into(), reason: reason.into() }
    }

    /// A refusal by the tool itself.
    pub fn refused(kind: Kind, message: impl Into<String>) -> Self {
        Self::Refused { kind, message: message.into(), hint: None }
    }

    /// A refusal with what helps.
    pub fn refused_with(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { kind, message: message.into(), hint: Some(hint.into()) }
    }

    /// The same failure with what it left behind and how to go on.
    #[must_use]
    pub fn explained(self, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Explained { message: message.into(), hint: hint.into(), cause: Box::new(self) }
    }

    /// Whether the request certainly changed nothing: it never arrived, or the tenant refused it.
    pub fn changed_nothing(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::SignedOut | Self::Broker { .. } | Self::Invalid { .. })
            || self.status().is_some_and(|status| (400..500).contains(&status))
    }

    /// The tenant's status, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Explained { cause, .. } => cause.status(),
            Self::Upstream(upstream) => Some(upstream.status),
            Self::Unreadable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the tenant said 404.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// The failure as one line for a list of items: `{"error": …, "status": …}` is built from it.
    pub fn to_item(&self) -> Value {
        let mut item = serde_json::json!({ "error": self.to_string() });
        if let (Some(status), Some(object)) = (self.status(), item.as_object_mut()) {
            object.insert("status".to_owned(), status.into());
        }
        item
    }

    /// From what the HTTP client says.
    pub(super) fn from_http(error: &http::Error) -> Self {
        let text = error.to_string();
        match error {
            http::Error::NotSent { .. } => Self::NotSent(text),
            http::Error::NoAnswer { .. } => Self::NoAnswer(text),
            http::Error::TimedOut { .. } => Self::TimedOut(text),
            http::Error::TooLarge { .. } => Self::TooLarge(text),
        }
    }
}

/// A failure that the tenant answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream {
    /// The HTTP status.
    pub status: u16,
    /// The tenant's own words, bounded, in one line; empty when it said nothing readable.
    pub message: String,
    /// `detail` of a CREST error, for example the failed policies.
    pub detail: Option<Value>,
    /// The tenant's transaction id.
    pub transaction_id: Option<String>,
    /// `Retry-After`, where the tenant gave one.
    pub retry_after: Option<Duration>,
}

impl Upstream {
    /// Reads an error body: CREST, `/environment` without `reason`, OAuth, plain text, HTML or nothing.
    ///
    /// Source: the error envelopes of AM, IDM, the environment APIs and the edge.
    pub fn read(status: u16, body: &[u8], transaction_id: Option<String>) -> Self {
        let parsed = json::read(body.trim_ascii()).ok();
        let message = match &parsed {
            Some(value) => words(value),
            None => plain(body),
        };
        let detail = parsed.and_then(|value| value.get("detail").cloned()).filter(|detail| !detail.is_null());
        Self { status, message: clean(&message), detail, transaction_id, retry_after: None }
    }

    /// What kind of failure the status stands for.
    pub fn kind(&self) -> Kind {
        match self.status {
            401 | 403 => Kind::Denied,
            404 => Kind::NotFound,
            409 | 412 => Kind::Conflict,
            429 => Kind::RateLimited,
            _ => Kind::Upstream,
        }
    }
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the tenant answered {}", self.status)?;
        match self.message.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.message),
        }?;
        match &self.detail {
            Some(detail) => write!(f, " ({})", clean(&detail.to_string())),
            None => Ok(()),
        }
    }
}

fn words(value: &Value) -> String {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    let said = member("message").or_else(|| member("error_description")).or_else(|| member("error"));
    said.or_else(|| member("reason")).map_or_else(|| value.to_string(), str::to_owned)
}

fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.trim_start().starts_with('<') {
        true => "an HTML page".to_owned(),
        false => text.trim().to_owned(),
    }
}

/// One bounded line: it reaches terminals, logs and models.
fn clean(text: &str) -> String {
    one_line(text, MESSAGE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_body_gives_one_line() {
        let cases: [(u16, &str, &str); 8] = [
            (
                404,
                r#"{"code":404,"reason":"Not Found","message":"No such thing"}"#,
                "the tenant answered 404: No such thing",
            ),
            (
                404,
                "{\"code\":404,\"message\":\"The variable does not exist\"}\n",
                "the tenant answered 404: The variable does not exist",
            ),
            (400, r#"{"error_description":"bad scope","error":"invalid_scope"}"#, "the tenant answered 400: bad scope"),
            (403, "<!doctype html><html>403 Forbidden</html>", "the tenant answered 403: an HTML page"),
            (403, "Forbidden", "the tenant answered 403: Forbidden"),
            (500, "", "the tenant answered 500"),
            (400, "a\u{1b}[31mb\nc\u{202e}", "the tenant answered 400: a [31mb c"),
            (
                403,
                r#"{"code":403,"message":"Policy","detail":{"result":false}}"#,
                r#"the tenant answered 403: Policy ({"result":false})"#,
            ),
        ];

        for (status, body, wanted) in cases {
            assert_eq!(Upstream::read(status, body.as_bytes(), None).to_string(), wanted);
        }
    }

    #[test]
    fn a_refused_request_changed_nothing() {
        let answered = |status| Fault::Upstream(Box::new(Upstream::read(status, b"", None)));
        let cases = [
            (answered(403), true),
            (answered(412).explained("half of it", "do the rest"), true),
            (answered(500), false),
            (Fault::NotSent(String::new()), true),
            (Fault::NoAnswer(String::new()), false),
            (Fault::TimedOut(String::new()), false),
            (Fault::Unreadable { status: 200, transaction_id: None }, false),
        ];

        for (fault, wanted) in cases {
            assert_eq!(fault.changed_nothing(), wanted, "{fault:?}");
        }
    }

    #[test]
    fn a_status_has_its_kind() {
        let cases = [
            (400, Kind::Upstream),
            (401, Kind::Denied),
            (403, Kind::Denied),
            (404, Kind::NotFound),
            (409, Kind::Conflict),
            (412, Kind::Conflict),
            (422, Kind::Upstream),
            (429, Kind::RateLimited),
            (500, Kind::Upstream),
        ];

        for (status, wanted) in cases {
            assert_eq!(Upstream::read(status, b"", None).kind(), wanted, "{status}");
        }
    }
}
