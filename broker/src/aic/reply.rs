//! Reads an API's answer: JSON where it should be, nothing where nothing came.

use aic_proto::refusal::Kind;
use serde_json::{Map, Value};

use super::Fault;
use super::fault::Upstream;
use super::json::{self, Unread};
use crate::http;

/// A successful answer of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// 2xx.
    pub status: u16,
    /// The body; `Null` when it was empty.
    pub body: Value,
    /// `x-forgerock-transactionid`, where the tenant sent one.
    pub transaction_id: Option<String>,
    /// `etag` without its quotes.
    pub etag: Option<String>,
}

impl Reply {
    /// Reads an answer.
    ///
    /// Errors: [`Fault::Upstream`] for every status outside 2xx, [`Fault::Unreadable`] for a 2xx whose body is not JSON,
    /// [`Fault::TooLarge`] for one that holds too many values.
    pub(super) fn read(answer: &http::Reply) -> Result<Self, Fault> {
        refuse_failure(answer)?;
        let body = match answer.body.trim_ascii() {
            [] => Value::Null,
            text => json::read(text).map_err(|why| refused(why, answer))?,
        };
        let transaction_id = header(answer, "x-forgerock-transactionid");
        let etag = header(answer, "etag").map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
        Ok(Self { status: answer.status, body, transaction_id, etag })
    }

    /// A member that is text.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }

    /// The body as a document that is to be changed and written back.
    ///
    /// Errors: [`Fault::Refused`] when it is none: nothing may be written from it.
    pub fn document(&self) -> Result<Map<String, Value>, Fault> {
        let missing = || Fault::refused(Kind::Upstream, "the tenant's answer is not the document that was asked for");
        self.body.as_object().cloned().ok_or_else(missing)
    }

    /// The rows of a query's answer.
    pub fn rows(&self) -> &[Value] {
        self.body.get("result").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Takes an answer's body as the JSON text that it is, `null` where it is empty. A large one is not copied.
///
/// Errors: as [`Reply::read`].
pub(super) fn take_text(answer: &mut http::Reply) -> Result<String, Fault> {
    refuse_failure(answer)?;
    if answer.body.trim_ascii().is_empty() {
        return Ok(Value::Null.to_string());
    }
    let text = String::from_utf8(std::mem::take(&mut *answer.body)).map_err(|_| unreadable(answer))?;
    json::look_through(text.as_bytes()).map_err(|why| refused(why, answer))?;
    Ok(text)
}

fn refuse_failure(answer: &http::Reply) -> Result<(), Fault> {
    let transaction_id = || header(answer, "x-forgerock-transactionid");
    match answer.status {
        200..300 => Ok(()),
        status => Err(Fault::Upstream(Box::new(Upstream::read(status, &answer.body, transaction_id())))),
    }
}

fn refused(why: Unread, answer: &http::Reply) -> Fault {
    match why {
        Unread::Otherwise => unreadable(answer),
        Unread::TooMany => Fault::TooLarge("the tenant's answer holds more values than are read".to_owned()),
    }
}

fn unreadable(answer: &http::Reply) -> Fault {
    Fault::Unreadable { status: answer.status, transaction_id: header(answer, "x-forgerock-transactionid") }
}

fn header(answer: &http::Reply, name: &str) -> Option<String> {
    answer.headers.get(name)?.to_str().ok().map(str::to_owned)
}
