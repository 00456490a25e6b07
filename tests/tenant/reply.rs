//! One answer before it is put on the wire, and the error envelopes of each product part.

use serde_json::{Value, json};

/// Which part of the product answers: decides the header fields that come with every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// OAuth endpoints.
    OAuth,
    /// AM's REST API.
    Am,
    /// IDM.
    Idm,
    /// `/environment/*`.
    Environment,
    /// The front gateway: `/environment/info`, `/monitoring/*`.
    Gateway,
    /// An edge filter or the container, before any product part.
    Edge,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No body.
    Empty,
    /// A JSON document.
    Json(Value),
    /// Text; its content type is among the header fields.
    Text(String),
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header fields beyond those of the part.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// Whether the tenant's data changed.
    pub changed: bool,
}

/// An answer that ends a handler early.
pub type Refusal = Box<Reply>;

/// What a handler gives back.
pub type Outcome = Result<Reply, Refusal>;

impl Reply {
    /// Makes a JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body), changed: false }
    }

    /// Makes an answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty, changed: false }
    }

    /// Makes an HTML answer.
    pub fn html(status: u16, page: String) -> Self {
        let reply = Self { body: Body::Text(page), ..Self::empty(status) };
        reply.with("content-type", "text/html;charset=UTF-8").with("x-frame-options", "SAMEORIGIN")
    }

    /// Makes a redirect.
    pub fn redirect(location: &str) -> Self {
        Self::empty(302).with("location", location)
    }

    /// Makes a CREST error.
    ///
    /// Shape: `{"code","reason","message"}`, as AM and IDM answer.
    pub fn crest_error(status: u16, message: &str) -> Self {
        Self::json(status, json!({"code": status, "reason": reason(status), "message": message}))
    }

    /// Makes an error of `/environment/*`, which has no `reason`.
    pub fn environment_error(status: u16, message: &str) -> Self {
        Self::json(status, json!({"code": status, "message": message}))
    }

    /// Makes an error of an OAuth endpoint.
    ///
    /// Source: RFC 6749 §5.2.
    pub fn oauth_error(status: u16, error: &str, description: &str) -> Self {
        Self::json(status, json!({"error_description": description, "error": error}))
    }

    /// Adds a header field, in place of one of the same name.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says that the tenant's data changed.
    #[must_use]
    pub fn changing(mut self) -> Self {
        self.changed = true;
        self
    }

    /// Returns a header field that the handler set.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Empty => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Text(text) => text.clone().into_bytes(),
        }
    }
}

/// Returns the words of a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
