//! Turns what came of a call into an MCP tool result. The only file that writes results.

use aic_proto::message::{Outcome, Pending, SessionReport, Shown, Success};
use aic_proto::refusal::{Executed, Failure, Kind};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use serde_json::{Map, Value, json};

use crate::words;

/// Carries AIC's transaction id in `_meta`.
pub(crate) const TRANSACTION_ID: &str = "aic-broker/transactionId";
/// Carries a sign-in under way in `_meta`.
pub(crate) const LOGIN: &str = "aic-broker/login";

/// The result of a call that the broker answered.
pub(crate) fn result(outcome: Outcome) -> CallToolResult {
    match outcome {
        Outcome::Success(success) => succeeded(success),
        Outcome::Failure(failure) => failed(&failure),
    }
}

fn succeeded(success: Success) -> CallToolResult {
    let structured = success.structured.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let text = success.text.or(success.structured).unwrap_or_default();
    let mut content = vec![ContentBlock::text(text)];
    content.extend(success.warning.map(|warning| ContentBlock::text(format!("Warning: {warning}"))));
    let mut result = CallToolResult::success(content);
    result.structured_content = structured.filter(Value::is_object);
    result.meta = success.transaction_id.map(|id| marked(TRANSACTION_ID, id.into()));
    result
}

/// The result of a call that failed.
///
/// Source: the contract's section 6.
pub(crate) fn failed(failure: &Failure) -> CallToolResult {
    let text = match &failure.hint {
        Some(hint) => format!("{}\n{hint}", failure.message),
        None => failure.message.clone(),
    };
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.structured_content = Some(json!({ "error": described(failure) }));
    result.meta = failure.transaction_id.clone().map(|id| marked(TRANSACTION_ID, id.into()));
    result
}

fn described(failure: &Failure) -> Value {
    let mut error = Map::new();
    error.insert("kind".into(), failure.kind.word().into());
    error.insert("message".into(), failure.message.as_str().into());
    error.extend(failure.hint.as_deref().map(|hint| ("hint".into(), hint.into())));
    error.extend(failure.status.map(|status| ("status".into(), status.into())));
    error.extend(failure.transaction_id.as_deref().map(|id| ("transactionId".into(), id.into())));
    error.insert("executed".into(), failure.executed.word().into());
    error.into()
}

/// The result of a call that waits for a person no longer: nothing was executed, and the sign-in goes on.
pub(crate) fn sign_in_needed(pending: &Pending, wait: std::time::Duration) -> CallToolResult {
    let mut result = failed(&Failure::new(Kind::LoginRequired, words::sign_in_needed(pending, wait)));
    result.meta = Some(marked(LOGIN, login(pending)));
    result
}

/// The result of `signIn` while the person signs in: it did what it is for.
pub(crate) fn sign_in_started(pending: &Pending) -> CallToolResult {
    let mut structured = login(pending);
    if let Some(fields) = structured.as_object_mut() {
        fields.insert("state".into(), "signing_in".into());
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(words::sign_in_started(pending))]);
    result.structured_content = Some(structured);
    result.meta = Some(marked(LOGIN, login(pending)));
    result
}

/// The result of `getSessionStatus`, and of `signIn` when somebody is signed in.
pub(crate) fn session(report: &SessionReport) -> CallToolResult {
    let mut fields = Map::new();
    fields.insert("tenant".into(), report.tenant.as_str().into());
    fields.insert("state".into(), report.state.as_str().into());
    fields.extend(report.user.as_deref().map(|user| ("user".into(), user.into())));
    fields.extend(report.expires_at.as_deref().map(|end| ("expires_at".into(), end.into())));
    fields.extend(report.pending.as_ref().map(|pending| ("login".into(), login(pending))));
    let mut result = CallToolResult::success(vec![ContentBlock::text(words::session(report))]);
    result.structured_content = Some(fields.into());
    result.meta = report.pending.as_ref().map(|pending| marked(LOGIN, login(pending)));
    result
}

/// The machine-readable form of a sign-in under way.
///
/// Source: the contract's section 5. Shape: `user_code` in the device flow only.
fn login(pending: &Pending) -> Value {
    let Pending { tenant, expires_at, .. } = pending;
    match &pending.shown {
        Shown::Browser { url, .. } => {
            json!({ "state": "pending", "tenant": tenant, "url": url, "expires_at": expires_at })
        }
        Shown::Device { uri, user_code, .. } => {
            json!({ "state": "pending", "tenant": tenant, "url": uri, "user_code": user_code, "expires_at": expires_at })
        }
    }
}

/// A failure of this program's side, after a request of `read_only` kind was or may have been handed to the broker.
pub(crate) fn broken_off(kind: Kind, message: &str, read_only: bool) -> Failure {
    let failure = Failure::new(kind, message);
    match read_only {
        true => failure,
        false => Failure { executed: Executed::Unknown, ..failure }
            .with_hint("The change may have been made: look before you repeat it."),
    }
}

fn marked(name: &str, value: Value) -> MetaObject {
    let mut meta = MetaObject::new();
    meta.insert(name.to_owned(), value);
    meta
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn success(text: Option<&str>, structured: Option<&str>) -> Success {
        let owned = |text: &str| text.to_owned();
        Success { text: text.map(owned), structured: structured.map(owned), transaction_id: None, warning: None }
    }

    fn json_of(result: &CallToolResult) -> Value {
        serde_json::to_value(result).unwrap()
    }

    #[test]
    fn a_success_has_a_text_and_the_object_beside_it() {
        let cases = [
            (success(Some("two"), Some(r#"{"n":2}"#)), "two", json!({"n": 2})),
            (success(None, Some(r#"{"n":2}"#)), r#"{"n":2}"#, json!({"n": 2})),
            (success(Some("[1]"), Some("[1]")), "[1]", Value::Null),
            (success(Some("plain"), None), "plain", Value::Null),
            (success(None, None), "", Value::Null),
        ];

        for (success, text, structured) in cases {
            let found = json_of(&result(Outcome::Success(success)));
            assert_eq!(found["content"][0]["text"], text);
            assert_eq!(found["structuredContent"], structured);
            assert_eq!(found["isError"], false);
        }
    }

    #[test]
    fn a_warning_is_a_second_text_and_the_transaction_id_is_in_meta() {
        let success = Success {
            transaction_id: Some("t-1".into()),
            warning: Some("the audit log cannot be written".into()),
            ..success(Some("done"), None)
        };
        let found = json_of(&result(Outcome::Success(success)));

        assert_eq!(found["content"][1]["text"], "Warning: the audit log cannot be written");
        assert_eq!(found["_meta"][TRANSACTION_ID], "t-1");
    }

    #[test]
    fn a_failure_tells_kind_and_what_was_executed() {
        let failure = Failure {
            status: Some(409),
            transaction_id: Some("t-2".into()),
            executed: Executed::Yes,
            ..Failure::new(Kind::Conflict, "it changed meanwhile").with_hint("read it again")
        };
        let found = json_of(&result(Outcome::Failure(failure)));

        assert_eq!(found["isError"], true);
        assert_eq!(found["content"][0]["text"], "it changed meanwhile\nread it again");
        let wanted = json!({"kind": "conflict", "message": "it changed meanwhile", "hint": "read it again",
            "status": 409, "transactionId": "t-2", "executed": "yes"});
        assert_eq!(found["structuredContent"]["error"], wanted);
        assert_eq!(found["_meta"][TRANSACTION_ID], "t-2");
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let found = json_of(&failed(&Failure::new(Kind::Internal, "a fault")));

        assert_eq!(
            found["structuredContent"]["error"],
            json!({"kind": "internal", "message": "a fault", "executed": "no"})
        );
        assert!(found.get("_meta").is_none());
    }

    #[test]
    fn the_marker_has_a_code_in_the_device_flow_only() {
        let pending = |shown| Pending {
            flow: "f".into(),
            tenant: "acme-dev".into(),
            host: "am.example.com".into(),
            shown,
            expires_at: "2026-01-01T00:05:00Z".into(),
            expires_in: 300,
            note: None,
        };
        let browser = pending(Shown::Browser { url: "https://am.example.com/a".into(), opened: true });
        let device = pending(Shown::Device {
            uri: "https://am.example.com/d".into(),
            uri_complete: None,
            user_code: "AB".into(),
        });

        assert_eq!(
            login(&browser),
            json!({"state": "pending", "tenant": "acme-dev", "url": "https://am.example.com/a", "expires_at": "2026-01-01T00:05:00Z"})
        );
        assert_eq!(login(&device)["user_code"], "AB");
        let late = json_of(&sign_in_needed(&browser, std::time::Duration::from_secs(40)));
        assert_eq!(late["structuredContent"]["error"]["kind"], "login_required");
        assert_eq!(late["_meta"][LOGIN]["state"], "pending");
        assert_eq!(json_of(&sign_in_started(&device))["isError"], false);
    }

    #[test]
    fn only_a_change_can_have_happened_unseen() {
        assert_eq!(broken_off(Kind::TimedOut, "late", true).executed, Executed::No);
        assert_eq!(broken_off(Kind::TimedOut, "late", false).executed, Executed::Unknown);
    }
}
