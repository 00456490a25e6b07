//! What came back for one MCP request.

use std::time::Duration;

use serde_json::Value;

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The whole JSON-RPC message.
    pub message: Value,
    /// How long it took.
    pub took: Duration,
}

impl Answer {
    /// The result; null for a JSON-RPC error.
    pub fn result(&self) -> &Value {
        &self.message["result"]
    }

    /// Whether it is a failure of either kind.
    pub fn is_error(&self) -> bool {
        self.message.get("error").is_some() || self.result()["isError"] == true
    }

    /// The texts for people, one a line.
    pub fn text(&self) -> String {
        let blocks = self.result()["content"].as_array().cloned().unwrap_or_default();
        blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The structured content.
    pub fn structured(&self) -> &Value {
        &self.result()["structuredContent"]
    }

    /// The word that names the failure; empty for a success.
    pub fn kind(&self) -> &str {
        self.structured()["error"]["kind"].as_str().unwrap_or_default()
    }

    /// `no`, `yes` or `unknown`, for a failure.
    pub fn executed(&self) -> &str {
        self.structured()["error"]["executed"].as_str().unwrap_or_default()
    }

    /// The sign-in under way.
    pub fn pending(&self) -> Option<&Value> {
        self.result()["_meta"].get("aic-broker/login")
    }

    /// AIC's transaction id.
    pub fn transaction_id(&self) -> Option<&str> {
        self.result()["_meta"]["aic-broker/transactionId"].as_str()
    }

    /// The same answer, which must be a success.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(!self.is_error() && self.message.get("result").is_some(), "{self}");
        self
    }

    /// The same answer, which must be a failure of this kind with nothing executed.
    #[track_caller]
    pub fn refused(self, kind: &str) -> Self {
        assert_eq!((self.kind(), self.executed()), (kind, "no"), "{self}");
        self
    }

    /// The same answer, which must be a failure of this kind that says so of the execution.
    #[track_caller]
    pub fn failed(self, kind: &str, executed: &str) -> Self {
        assert_eq!((self.kind(), self.executed()), (kind, executed), "{self}");
        self
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} ms)", self.message, self.took.as_millis())
    }
}
