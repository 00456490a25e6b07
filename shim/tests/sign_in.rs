//! Shows how a call waits for a sign-in, for each kind of MCP client in both eras.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(dead_code, unreachable_pub)]

mod stage;

use std::time::{Duration, Instant};

use aic_proto::message::ToBroker;
use aic_shim::{Arguments, Elicitation};
use serde_json::{Value, json};
use stage::{Broker, Client, arguments, browser, device, directory};

const READ: &str = "getLogSources";
const WRITE: &str = "deleteScript";

fn kind(result: &Value) -> &str {
    result["structuredContent"]["error"]["kind"].as_str().unwrap_or_default()
}

fn form() -> Value {
    json!({"elicitation": {}})
}

fn hasty(arguments: Arguments) -> Arguments {
    Arguments { answer_within: Duration::from_secs(1), ..arguments }
}

fn declined(message: &ToBroker) -> bool {
    matches!(message, ToBroker::Decline(_))
}

async fn reply(client: &mut Client, asked: &Value, action: &str) {
    client.write(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": action}})).await;
}

#[tokio::test]
async fn a_browser_sign_in_is_waited_for_with_progress_and_without_a_dialog() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let id = client.send("tools/call", json!({"name": READ, "_meta": {"progressToken": "p"}})).await;
    let progress = client.asked("notifications/progress").await;
    broker.sign_in();
    let result = client.result(id).await;

    assert_eq!((&progress["params"]["progressToken"], &progress["params"]["progress"]), (&json!("p"), &json!(1.0)));
    assert!(progress["params"]["message"].as_str().unwrap().contains("am.example.com"));
    assert_eq!(result["content"][0]["text"], "the answer");
    assert!(!client.aside.iter().any(|message| message["method"] == "elicitation/create"));
    assert_eq!(broker.calls(), 2);
}

#[tokio::test]
async fn a_late_sign_in_is_told_and_goes_on() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    let mut client = Client::legacy(hasty(arguments(&place)), json!({})).await;
    let began = Instant::now();

    let result = client.call(READ).await;

    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!((kind(&result), &result["isError"]), ("login_required", &json!(true)));
    assert_eq!(result["structuredContent"]["error"]["executed"], "no");
    let wanted = json!({"state": "pending", "tenant": "acme-dev", "url": "https://am.example.com/authorize",
        "expires_at": "2026-01-01T00:05:00Z"});
    assert_eq!(result["_meta"]["aic-broker/login"], wanted);
    broker.sign_in();
    assert_eq!(client.call(READ).await["isError"], false);
    assert!(!broker.seen.lock().unwrap().iter().any(declined));
}

#[tokio::test]
async fn a_form_is_empty_and_holds_the_code_and_the_call_goes_on_after_it() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let id = client.start(READ).await;
    let asked = client.asked("elicitation/create").await;
    reply(&mut client, &asked, "accept").await;
    broker.sign_in();
    let result = client.result(id).await;

    assert_eq!(asked["params"]["requestedSchema"]["properties"], json!({}));
    assert!(asked["params"]["message"].as_str().unwrap().contains("ACDE"));
    assert_eq!(result["isError"], false);
    assert!(!client.aside.iter().any(|message| message["method"] == "notifications/cancelled"));
}

#[tokio::test]
async fn a_url_dialog_that_was_followed_is_completed() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), json!({"elicitation": {"form": {}, "url": {}}})).await;

    let id = client.start(READ).await;
    let asked = client.asked("elicitation/create").await;
    reply(&mut client, &asked, "accept").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    broker.sign_in();
    let complete = client.asked("notifications/elicitation/complete").await;

    assert_eq!(asked["params"]["mode"], "url");
    assert_eq!(asked["params"]["url"], "https://am.example.com/device?user_code=ACDE");
    assert_eq!(complete["params"]["elicitationId"], asked["params"]["elicitationId"]);
    assert_eq!(client.result(id).await["isError"], false);
}

#[tokio::test]
async fn an_open_dialog_is_withdrawn_when_the_sign_in_is_done() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let id = client.start(READ).await;
    let asked = client.asked("elicitation/create").await;
    broker.sign_in();
    let cancelled = client.asked("notifications/cancelled").await;

    assert_eq!(cancelled["params"]["requestId"], asked["id"]);
    assert_eq!(client.result(id).await["isError"], false);
}

#[tokio::test]
async fn a_dialog_that_is_never_answered_is_not_shown_again() {
    let place = directory();
    let _broker = Broker::start(&place, device());
    let mut client = Client::legacy(hasty(arguments(&place)), form()).await;

    let first = client.call(READ).await;
    client.asked("elicitation/create").await;
    let began = Instant::now();
    let second = client.call(READ).await;

    assert_eq!((kind(&first), kind(&second)), ("login_required", "login_required"));
    assert_eq!(second["_meta"]["aic-broker/login"]["user_code"], "ACDE");
    assert!(began.elapsed() < Duration::from_millis(500));
    assert!(!client.aside.iter().any(|message| message["method"] == "elicitation/create"));
}

#[tokio::test]
async fn only_the_first_of_many_calls_shows_a_dialog() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let (first, second) = (client.start(READ).await, client.start(READ).await);
    client.asked("elicitation/create").await;
    broker.saw(|message| matches!(message, ToBroker::Wait(_))).await;
    broker.sign_in();

    assert_eq!(client.result(first).await["isError"], false);
    assert_eq!(client.result(second).await["isError"], false);
    assert!(!client.aside.iter().any(|message| message["method"] == "elicitation/create"));
}

#[tokio::test]
async fn a_declined_dialog_ends_the_call_and_the_sign_in() {
    for action in ["decline", "cancel"] {
        let place = directory();
        let broker = Broker::start(&place, device());
        let mut client = Client::legacy(arguments(&place), form()).await;

        let id = client.start(READ).await;
        let asked = client.asked("elicitation/create").await;
        reply(&mut client, &asked, action).await;
        let result = client.result(id).await;

        assert_eq!(kind(&result), "login_declined");
        broker.saw(declined).await;
    }
}

#[tokio::test]
async fn a_client_that_cannot_show_its_dialogs_still_gets_its_answer() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let id = client.start(READ).await;
    let asked = client.asked("elicitation/create").await;
    client.write(json!({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}})).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    broker.sign_in();

    assert_eq!(client.result(id).await["isError"], false);
}

#[tokio::test]
async fn without_dialogs_and_progress_the_code_is_told_at_once() {
    let bare = json!({});
    let off = |arguments| Arguments { elicitation: Elicitation::Off, ..arguments };
    for (capabilities, elicitation) in [(bare, Elicitation::Auto), (form(), Elicitation::Off)] {
        let place = directory();
        let _broker = Broker::start(&place, device());
        let settled = if elicitation == Elicitation::Off { off(arguments(&place)) } else { arguments(&place) };
        let mut client = Client::legacy(settled, capabilities).await;
        let began = Instant::now();

        let result = client.call(READ).await;

        assert!(began.elapsed() < Duration::from_secs(2));
        assert!(result["content"][0]["text"].as_str().unwrap().contains("ACDE"));
        assert_eq!(result["_meta"]["aic-broker/login"]["user_code"], "ACDE");
        assert!(client.aside.is_empty());
    }
}

#[tokio::test]
async fn a_cancelled_wait_withdraws_the_dialog_and_leaves_the_sign_in_alone() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let id = client.start(READ).await;
    let asked = client.asked("elicitation/create").await;
    client.cancel(id).await;
    let withdrawn = client.asked("notifications/cancelled").await;

    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    assert!(!broker.seen.lock().unwrap().iter().any(declined));
}

#[tokio::test]
async fn a_change_is_not_started_with_little_time_left() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    let short = Arguments { answer_within: Duration::from_secs(8), ..arguments(&place) };
    let mut client = Client::legacy(short, json!({})).await;

    let id = client.start(WRITE).await;
    broker.saw(|message| matches!(message, ToBroker::Wait(_))).await;
    broker.sign_in();
    let result = client.result(id).await;

    assert_eq!(kind(&result), "login_required");
    assert_eq!(result["structuredContent"]["error"]["executed"], "no");
    assert!(result["content"][0]["text"].as_str().unwrap().starts_with("Signed in as kim. The tool was not run"));
    assert_eq!(broker.calls(), 1);
}

#[tokio::test]
async fn a_modern_dialog_comes_as_a_result_and_the_retry_waits() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::modern(arguments(&place), form());

    let asked = client.call(READ).await;
    let retry = json!({"name": READ, "arguments": {}, "requestState": asked["requestState"],
        "inputResponses": {"login": {"action": "accept"}}});
    let id = client.send("tools/call", retry).await;
    broker.saw(|message| matches!(message, ToBroker::Wait(_))).await;
    broker.sign_in();
    let result = client.result(id).await;

    assert_eq!(asked["resultType"], "input_required");
    assert!(asked["inputRequests"]["login"]["params"]["message"].as_str().unwrap().contains("ACDE"));
    assert_eq!(result["content"][0]["text"], "the answer");
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "aic-mcp");
}

#[tokio::test]
async fn a_late_modern_retry_is_told_in_words_and_not_asked_again() {
    let place = directory();
    let _broker = Broker::start(&place, device());
    let mut client = Client::modern(hasty(arguments(&place)), form());

    let asked = client.call(READ).await;
    let retry = json!({"name": READ, "arguments": {}, "requestState": asked["requestState"],
        "inputResponses": {"login": {"action": "accept"}}});
    let id = client.send("tools/call", retry).await;

    assert_eq!(kind(&client.result(id).await), "login_required");
}

#[tokio::test]
async fn a_changed_state_is_a_protocol_error() {
    let place = directory();
    let _broker = Broker::start(&place, device());
    let mut client = Client::modern(arguments(&place), form());

    let asked = client.call(READ).await;
    let state = &asked["requestState"];
    let forged = format!("{}x", state.as_str().unwrap());
    for retry in [
        json!({"name": READ, "arguments": {}, "requestState": forged}),
        json!({"name": "getJourney", "arguments": {}, "requestState": state}),
        json!({"name": READ, "arguments": {}, "requestState": state, "inputResponses": {"login": 5}}),
    ] {
        let id = client.send("tools/call", retry).await;
        assert_eq!(client.answer(id).await["error"]["code"], -32602);
    }
}

#[tokio::test]
async fn a_modern_dialog_can_be_declined() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::modern(arguments(&place), form());

    let asked = client.call(READ).await;
    let retry = json!({"name": READ, "arguments": {}, "requestState": asked["requestState"],
        "inputResponses": {"login": {"action": "decline"}}});
    let id = client.send("tools/call", retry).await;

    assert_eq!(kind(&client.result(id).await), "login_declined");
    broker.saw(declined).await;
}

#[tokio::test]
async fn the_tool_sign_in_answers_at_once() {
    let place = directory();
    let broker = Broker::start(&place, device());
    let mut client = Client::legacy(arguments(&place), form()).await;

    let started = client.call("signIn").await;
    broker.sign_in();
    let done = client.call("signIn").await;

    assert_eq!(started["isError"], false);
    let state = &started["structuredContent"];
    assert_eq!((&state["state"], &state["user_code"]), (&json!("signing_in"), &json!("ACDE")));
    assert_eq!(started["_meta"]["aic-broker/login"]["state"], "pending");
    assert_eq!(done["structuredContent"]["user"], "kim");
}
