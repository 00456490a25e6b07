//! Carries MCP over lines so that no line goes without an answer.
//!
//! rmcp's own transport drops what it cannot parse without a word, and its service ends at a notification that comes
//! before the first request. Here a bad line is answered, and such a notification is dropped.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex as ShortMutex, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::identifier;
use super::input::{Input, LONGEST_LINE, Read};
use super::output::Output;

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

/// MCP messages, one a line.
pub(crate) struct Lines<R, W> {
    input: Input<R>,
    output: Arc<Mutex<Output<W>>>,
    refusal: Option<Value>,
    opened: bool,
    in_flight: Arc<InFlight>,
}

/// The ids of requests without an answer.
#[derive(Debug, Default)]
struct InFlight(ShortMutex<HashSet<RequestId>>);

impl InFlight {
    fn enter(&self, id: &RequestId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone())
    }

    fn leave(&self, id: &RequestId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Lines<R, W> {
    /// Reads from `reader` and writes to `writer`; `ended` is cancelled when the input ends.
    pub(crate) fn new(reader: R, writer: W, ended: CancellationToken) -> Self {
        Self {
            input: Input::new(reader, ended),
            output: Arc::new(Mutex::new(Output::new(writer))),
            refusal: None,
            opened: false,
            in_flight: Arc::default(),
        }
    }

    /// Writes a refusal that is due. One at a time, and nothing is read meanwhile, so a flood of bad lines waits.
    async fn refuse(&mut self) -> io::Result<()> {
        if self.refusal.is_none() {
            return Ok(());
        }
        let mut output = self.output.lock().await;
        if let Some(refusal) = self.refusal.as_mut().filter(|refusal| !refusal.is_null()) {
            output.add(&refusal.take())?;
        }
        output.write().await?;
        self.refusal = None;
        Ok(())
    }

    fn admit(&mut self, message: RxJsonRpcMessage<RoleServer>) -> Option<RxJsonRpcMessage<RoleServer>> {
        match &message {
            JsonRpcMessage::Request(request) => {
                self.opened = self.opened || opens(&request.request);
                if !self.in_flight.enter(&request.id) {
                    let id = serde_json::to_value(&request.id).unwrap_or_default();
                    self.refusal = Some(refusal(INVALID_REQUEST, "a request with this id is in flight", id));
                    return None;
                }
            }
            // rmcp sends no answer to a request that the client withdrew
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.in_flight.leave(id);
                }
            }
            _ => {}
        }
        let request = matches!(message, JsonRpcMessage::Request(_));
        (self.opened || request).then_some(message)
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        match &message {
            JsonRpcMessage::Response(response) => self.in_flight.leave(&response.id),
            JsonRpcMessage::Error(error) => error.id.iter().for_each(|id| self.in_flight.leave(id)),
            _ => {}
        }
        let output = self.output.clone();
        async move {
            let mut output = output.lock().await;
            output.add(&message)?;
            output.write().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.refuse().await.ok()?;
            let message = match self.input.next().await {
                Read::End => return None,
                Read::TooLong(head) => Err(Some(too_long(&head))),
                Read::Line(line) => understand(&line),
            };
            match message {
                Ok(message) => {
                    if let Some(message) = self.admit(message) {
                        return Some(message);
                    }
                }
                Err(refusal) => self.refusal = refusal,
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.close();
        Ok(())
    }
}

/// Whether a request fixes the era, so that rmcp bears notifications from now on.
fn opens(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        other => {
            let meta = other.get_meta();
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}

/// Reads a line; the error is what to answer, if anything.
fn understand(line: &[u8]) -> Result<RxJsonRpcMessage<RoleServer>, Option<Value>> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Err(None);
    }
    serde_json::from_slice(line).map_err(|_| complain(line))
}

fn complain(line: &[u8]) -> Option<Value> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        let head = line.get(..identifier::HEAD).unwrap_or(line);
        let id = identifier::find(head).unwrap_or_default();
        return Some(refusal(PARSE_ERROR, "the line is not JSON", id));
    };
    let id = value.get("id").cloned();
    let is_notification = id.is_none() && value.get("method").is_some_and(Value::is_string);
    let id = id.filter(|id| id.is_string() || id.is_i64() || id.is_u64()).unwrap_or_default();
    (!is_notification).then(|| refusal(INVALID_REQUEST, "the line is no JSON-RPC 2.0 message", id))
}

fn too_long(head: &[u8]) -> Value {
    let id = identifier::find(head).unwrap_or_default();
    refusal(INVALID_REQUEST, &format!("the line is longer than {LONGEST_LINE} bytes"), id)
}

fn refusal(code: i32, message: &str, id: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn answer(line: &str) -> Option<(i64, Value)> {
        let refusal = understand(line.as_bytes()).err().flatten()?;
        Some((refusal["error"]["code"].as_i64().unwrap(), refusal["id"].clone()))
    }

    #[test]
    fn every_bad_line_is_answered_but_no_notification_is() {
        let (parse, request) = (-32700, -32600);
        let deep = format!(r#"{{"jsonrpc":"2.0","id":9,"method":"x","params":{}"#, "[".repeat(300));
        let cases = [
            ("nonsense", Some((parse, json!(null)))),
            (r#"{"jsonrpc":"2.0","id":3,"method":"ping""#, Some((parse, json!(3)))),
            (deep.as_str(), Some((parse, json!(9)))),
            (r#"{"id":4,"method":"ping"}"#, Some((request, json!(4)))),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some((request, json!(null)))),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some((request, json!(null)))),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Some((request, json!(null)))),
            ("17", Some((request, json!(null)))),
            (r#"{"method":"notifications/strange"}"#, None),
            ("", None),
            ("  \r", None),
        ];

        for (line, wanted) in cases {
            assert_eq!(answer(line), wanted, "{line}");
        }
    }

    #[test]
    fn good_lines_are_understood() {
        for line in [
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}\r",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        ] {
            assert!(understand(line.as_bytes()).is_ok(), "{line}");
        }
        assert!(understand(b"\xff\xfe").is_err());
    }

    async fn converse(lines: &str) -> (Vec<String>, String) {
        let (found, written) = super::super::fuzzing::converse(lines.as_bytes()).await;
        (found, String::from_utf8(written).unwrap())
    }

    #[tokio::test]
    async fn notifications_before_the_first_request_are_dropped() {
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

        let (found, written) = converse(&format!("{cancelled}\n{initialize}\n{cancelled}\n")).await;

        assert_eq!(found.len(), 2, "{found:?}");
        assert!(written.is_empty());
    }

    #[tokio::test]
    async fn an_id_in_flight_is_refused_until_it_is_withdrawn() {
        let ping = r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#;
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;

        let (found, written) = converse(&format!("{ping}\n{ping}\n{cancelled}\n{ping}\n")).await;

        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(written.lines().count(), 1);
        assert!(written.contains("-32600") && written.contains(r#""id":5"#), "{written}");
    }
}
