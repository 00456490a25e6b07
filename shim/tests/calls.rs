//! Shows how calls reach a broker and what becomes of them when it dies, is slow, or is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(dead_code, unreachable_pub)]

mod stage;

use std::time::{Duration, Instant};

use aic_proto::hello::Role;
use aic_proto::message::ToBroker;
use aic_shim::Arguments;
use serde_json::{Value, json};
use stage::{Broker, Client, SILENT_READ, SILENT_WRITE, arguments, browser, directory};

fn error(result: &Value) -> (&str, &str) {
    let error = &result["structuredContent"]["error"];
    (error["kind"].as_str().unwrap_or_default(), error["executed"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_call_is_forwarded_and_its_answer_mapped() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;

    let parameters = json!({"name": "queryManagedObjects", "arguments": {"b": 1, "a": "x"}});
    let id = client.send("tools/call", parameters).await;
    let result = client.result(id).await;

    assert_eq!(result["content"][0]["text"], "the answer");
    assert_eq!(result["structuredContent"], json!({"given": {"a": "x", "b": 1}}));
    assert_eq!(result["_meta"]["aic-broker/transactionId"], "t-1");
    assert_eq!(result["isError"], false);
}

#[tokio::test]
async fn the_hello_names_the_client_and_the_tenant() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let narrowed = Arguments { read_only: true, toolsets: Some(vec!["logs".into()]), ..arguments(&place) };
    let mut client = Client::legacy(narrowed, json!({})).await;

    client.call("getLogSources").await;

    let hello = broker.hellos.lock().unwrap()[0].clone();
    let Role::Shim(shim) = hello.role else { panic!("{hello:?}") };
    assert_eq!((shim.client.as_str(), shim.tenant.as_deref()), ("test 1", Some("acme-dev")));
    assert!(shim.read_only && !shim.container);
    assert_eq!(shim.toolsets, Some(vec!["logs".to_owned()]));
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;

    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(client.start("getLogSources").await);
    }
    for id in ids {
        assert_eq!(client.result(id).await["isError"], false);
    }

    assert_eq!(broker.hellos.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_broker_that_cannot_be_started_is_told_with_the_way_out() {
    let mut client = Client::legacy(arguments(&directory()), json!({})).await;

    let result = client.call("getLogSources").await;

    assert_eq!(error(&result), ("broker_unavailable", "no"));
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("aic-broker doctor") && text.contains("beside aic-mcp"), "{text}");
}

#[tokio::test]
async fn the_session_is_asked_for_without_starting_a_broker() {
    let mut client = Client::legacy(arguments(&directory()), json!({})).await;

    let result = client.call("getSessionStatus").await;

    assert_eq!(result["structuredContent"], json!({"tenant": "acme-dev", "state": "signed_out"}));
}

#[tokio::test]
async fn a_foreign_configuration_without_its_own_socket_is_refused() {
    let mut mixed = arguments(&directory());
    mixed.places.runtime = None;
    mixed.places.configuration = Some("/tmp/config.toml".into());
    let mut client = Client::legacy(mixed, json!({})).await;

    let result = client.call("getLogSources").await;

    assert_eq!(error(&result), ("broker_unavailable", "no"));
    assert!(result["content"][0]["text"].as_str().unwrap().contains("AIC_BROKER_RUNTIME_DIR"));
}

#[tokio::test]
async fn calls_in_flight_are_answered_when_the_broker_dies_and_the_next_one_finds_a_new_broker() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;
    let (read, write) = (client.start(SILENT_READ).await, client.start(SILENT_WRITE).await);
    broker.saw(|message| matches!(message, ToBroker::Call(call) if call.tool == SILENT_WRITE)).await;

    drop(broker);
    let (read, write) = (client.result(read).await, client.result(write).await);

    assert_eq!(error(&read), ("broker_unavailable", "no"));
    assert_eq!(error(&write), ("broker_unavailable", "unknown"));
    let next = Broker::start(&place, browser());
    next.sign_in();
    assert_eq!(client.call("getLogSources").await["isError"], false);
}

#[tokio::test]
async fn a_broker_that_is_too_slow_is_withdrawn_from() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let hasty = Arguments { answer_within: Duration::from_millis(500), ..arguments(&place) };
    let mut client = Client::legacy(hasty, json!({})).await;
    let began = Instant::now();

    let (read, write) = (client.start(SILENT_READ).await, client.start(SILENT_WRITE).await);
    let (read, write) = (client.result(read).await, client.result(write).await);

    assert!(began.elapsed() < Duration::from_millis(900));
    assert_eq!(error(&read), ("timed_out", "no"));
    assert_eq!(error(&write), ("timed_out", "unknown"));
    broker.saw(|message| matches!(message, ToBroker::Cancel(_))).await;
}

#[tokio::test]
async fn a_cancelled_call_is_withdrawn_from_the_broker() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;
    let id = client.start(SILENT_READ).await;
    let call = broker.saw(|message| matches!(message, ToBroker::Call(_))).await;

    client.cancel(id).await;

    let ToBroker::Call(call) = call else { panic!("{call:?}") };
    broker.saw(|message| matches!(message, ToBroker::Cancel(cancel) if cancel.id == call.id)).await;
}

#[tokio::test]
async fn the_thirty_third_call_is_refused_at_once() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;

    for _ in 0..32 {
        client.start(SILENT_READ).await;
    }
    let refused = client.call(SILENT_READ).await;

    assert_eq!(error(&refused), ("rate_limited", "no"));
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("32 calls"));
}

#[tokio::test]
async fn the_program_leaves_when_its_input_ends_with_calls_in_flight() {
    let place = directory();
    let broker = Broker::start(&place, browser());
    broker.sign_in();
    let mut client = Client::legacy(arguments(&place), json!({})).await;
    client.start(SILENT_WRITE).await;
    broker.saw(|message| matches!(message, ToBroker::Call(_))).await;
    let began = Instant::now();

    let Client { writer, lines, served, .. } = client;
    drop((writer, lines));

    assert_eq!(served.await.unwrap(), Ok(()));
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
}
