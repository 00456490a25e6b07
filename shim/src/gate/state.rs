//! Seals which sign-in a dialog of the 2026-07-28 era belongs to, and reads what the client brings back.
//!
//! The state is attacker-controlled when it returns. It names a sign-in and authorises nothing; it is bound to the
//! call's name and arguments, and a changed one is refused.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, ElicitResult, ElicitationAction, RequestStateCodec, SealOptions};

/// The name of the one thing that is asked for.
pub(super) const LOGIN: &str = "login";
/// How long a state is good: longer than any sign-in lives.
const TIME_TO_LIVE: Duration = Duration::from_secs(900);

/// What the client brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Nothing: a first call.
    Nothing,
    /// The state, but no answer to the dialog.
    Unanswered,
    /// The person accepted the dialog of this sign-in.
    Accepted(String),
    /// The person declined it.
    Declined(String),
}

impl Returned {
    /// The sign-in whose dialog was accepted.
    pub(crate) fn accepted(&self) -> Option<&str> {
        match self {
            Self::Accepted(flow) => Some(flow),
            _ => None,
        }
    }
}

/// Seals the sign-in's name.
///
/// Errors: an internal error when the broker's key is too short.
pub(super) fn seal(key: [u8; 32], request: &CallToolRequestParams, flow: &str) -> Result<String, ErrorData> {
    let bound = bound(request);
    let options = SealOptions::new().associated_data(&bound).ttl(TIME_TO_LIVE);
    Ok(codec(key)?.seal_with(flow.as_bytes(), &options))
}

/// Reads what a request brings back.
///
/// Errors: invalid parameters for a state that is changed, expired or another call's, and for an unreadable answer.
pub(crate) fn returned(key: [u8; 32], request: &CallToolRequestParams) -> Result<Returned, ErrorData> {
    let Some(state) = &request.request_state else { return Ok(Returned::Nothing) };
    let invalid = |what: &'static str| ErrorData::invalid_params(what, None);
    let opened =
        codec(key)?.open_with(state, &bound(request)).map_err(|_| invalid("Invalid or expired requestState"))?;
    let flow = String::from_utf8(opened).map_err(|_| invalid("Invalid or expired requestState"))?;
    let Some(answer) = request.input_responses.as_ref().and_then(|responses| responses.get(LOGIN)) else {
        return Ok(Returned::Unanswered);
    };
    let answer: ElicitResult = serde_json::from_value(answer.clone()).map_err(|_| invalid("Invalid input response"))?;
    Ok(match answer.action {
        ElicitationAction::Accept => Returned::Accepted(flow),
        _ => Returned::Declined(flow),
    })
}

fn codec(key: [u8; 32]) -> Result<RequestStateCodec, ErrorData> {
    RequestStateCodec::try_new(key).map_err(|_| ErrorData::internal_error("Internal error", None))
}

fn bound(request: &CallToolRequestParams) -> Vec<u8> {
    let arguments = serde_json::to_string(&request.arguments).unwrap_or_default();
    format!("{}\0{arguments}", request.name).into_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use serde_json::json;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn retry(state: Option<String>, answer: Option<serde_json::Value>) -> CallToolRequestParams {
        let mut request = CallToolRequestParams::new("getLogSources");
        request.request_state = state;
        request.input_responses = answer.map(|answer| [(LOGIN.to_owned(), answer)].into());
        request
    }

    #[test]
    fn a_state_comes_back_with_its_answer() {
        let state = seal(KEY, &retry(None, None), "flow-1").unwrap();
        let cases = [
            (None, Returned::Unanswered),
            (Some(json!({"action": "accept", "content": {}})), Returned::Accepted("flow-1".into())),
            (Some(json!({"action": "accept"})), Returned::Accepted("flow-1".into())),
            (Some(json!({"action": "decline"})), Returned::Declined("flow-1".into())),
            (Some(json!({"action": "cancel"})), Returned::Declined("flow-1".into())),
        ];

        for (answer, wanted) in cases {
            assert_eq!(returned(KEY, &retry(Some(state.clone()), answer)), Ok(wanted));
        }
        assert_eq!(returned(KEY, &retry(None, None)), Ok(Returned::Nothing));
    }

    #[test]
    fn a_changed_state_is_refused() {
        let state = seal(KEY, &retry(None, None), "flow-1").unwrap();
        let mut other_call = retry(Some(state.clone()), None);
        other_call.arguments = json!({"a": 1}).as_object().cloned();
        let cut = state[..state.len() - 1].to_owned();

        for (key, request) in
            [(KEY, other_call), ([8; 32], retry(Some(state.clone()), None)), (KEY, retry(Some(cut), None))]
        {
            assert_eq!(returned(key, &request).unwrap_err().code.0, -32602);
        }
        assert_eq!(returned(KEY, &retry(Some(state), Some(json!(5)))).unwrap_err().code.0, -32602);
    }
}
