//! Shows each outcome of a sign-in to each kind of MCP client, in both eras, in the browser and by code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(dead_code, unreachable_pub)]

mod cells;
mod stage;

use std::time::{Duration, Instant};

use aic_proto::message::ToBroker;
use aic_proto::refusal::{Failure, Kind};
use cells::{Case, Cell, Class, Era, Flow, check_answer, check_error, every_cell};
use serde_json::json;
use tokio::io::AsyncWriteExt;

/// What a call waits of its one second.
const WAIT: Duration = Duration::from_millis(750);
const AT_ONCE: Duration = Duration::from_millis(500);

fn any(_: Cell) -> bool {
    true
}

#[tokio::test]
async fn in_time_the_call_goes_on() {
    every_cell(any, async |mut case: Case| {
        let (id, asked) = case.begin(Some("accept")).await;
        let result = if case.cell.is_told_at_once() {
            let told = case.client.result(id).await;
            case.check_pending(&told);
            assert!(case.began.elapsed() < AT_ONCE, "{:?}", case.cell);
            case.broker.sign_in();
            let again = case.start(json!({})).await;
            case.client.result(again).await
        } else {
            // the client's acceptance is not seen by the broker, so it is given time to be read
            tokio::time::sleep(Duration::from_millis(100)).await;
            case.broker.sign_in();
            case.client.result(id).await
        };

        check_answer(case.cell, &result);
        if matches!(case.cell, Cell(Class::Url, Era::Initialize, Flow::Device)) {
            let complete = case.client.asked("notifications/elicitation/complete").await;
            assert_eq!(complete["params"]["elicitationId"], asked["params"]["elicitationId"], "{:?}", case.cell);
        }
        case.check_ended(false);
    })
    .await;
}

#[tokio::test]
async fn late_the_call_is_told_what_to_do_and_the_next_one_joins() {
    every_cell(any, async |mut case: Case| {
        let (id, _) = case.begin(Some("accept")).await;

        let result = case.client.result(id).await;
        let waited = case.began.elapsed();

        case.check_pending(&result);
        match case.cell.is_told_at_once() {
            true => assert!(waited < AT_ONCE, "{:?}: {waited:?}", case.cell),
            false => assert!(waited >= WAIT && waited < Duration::from_secs(1), "{:?}: {waited:?}", case.cell),
        }
        case.check_joined().await;
    })
    .await;
}

#[tokio::test]
async fn refused_on_the_page_the_call_ends_and_the_dialog_with_it() {
    let said = "the sign-in to acme-dev was declined on the sign-in page";
    // a dialog of 2026-07-28 is gone before the call waits
    let open = |case: &Case| if case.cell.1 == Era::Modern { Some("accept") } else { None };
    every_cell(any, async |case: Case| {
        let action = open(&case);
        case.check_failure(action, Failure::new(Kind::LoginDeclined, said)).await;
    })
    .await;
}

#[tokio::test]
async fn declined_in_the_dialog_the_call_and_the_sign_in_end() {
    for action in ["decline", "cancel"] {
        every_cell(Cell::has_dialog, async |mut case: Case| {
            let (id, _) = case.begin(Some(action)).await;

            let result = case.client.result(id).await;

            check_error(case.cell, &result, "login_declined");
            let text = "The user declined to sign in. Do not retry unless the user asks.";
            assert_eq!(result["content"][0]["text"], text, "{:?}", case.cell);
            case.broker.saw(|message| matches!(message, ToBroker::Decline(_))).await;
            case.check_ended(true);
        })
        .await;
    }
}

#[tokio::test]
async fn expired_the_call_fails_with_the_reason() {
    let said = "the sign-in to acme-dev failed: nobody entered the code before it expired";
    let failure = Failure::new(Kind::LoginFailed, said).with_hint("aic-broker login --tenant acme-dev");
    every_cell(any, async |case: Case| case.check_failure(Some("accept"), failure.clone()).await).await;
}

#[tokio::test]
async fn an_ignored_dialog_is_withdrawn_and_costs_one_wait() {
    every_cell(Cell::has_dialog, async |mut case: Case| {
        let (mut id, asked) = case.begin(None).await;
        if case.cell.1 == Era::Modern {
            // the client dropped the dialog and simply calls again
            id = case.start(json!({})).await;
        }

        let first = case.client.result(id).await;
        case.check_pending(&first);
        case.check_withdrawn(&asked).await;
        if case.cell.1 == Era::Initialize {
            let second = case.start(json!({})).await;
            let second = case.client.result(second).await;
            assert!(case.began.elapsed() < AT_ONCE, "{:?}", case.cell);
            case.check_pending(&second);
        }

        case.check_joined().await;
    })
    .await;
}

#[tokio::test]
async fn cancelled_the_call_is_silent_and_the_sign_in_goes_on() {
    every_cell(
        |cell| !cell.is_told_at_once(),
        async |mut case: Case| {
            let action = (case.cell.1 == Era::Modern).then_some("accept");
            let (id, asked) = case.begin(action).await;

            case.client.cancel(id).await;

            case.check_withdrawn(&asked).await;
            case.broker.saw(|message| matches!(message, ToBroker::Cancel(_))).await;
            // an answer to the cancelled call or its progress would now lie aside
            case.check_joined().await;
        },
    )
    .await;
}

#[tokio::test]
async fn gone_the_program_leaves_at_once_and_another_client_joins() {
    every_cell(
        |cell| !cell.is_told_at_once(),
        async |mut case: Case| {
            let action = (case.cell.1 == Era::Modern).then_some("accept");
            case.begin(action).await;
            let began = Instant::now();

            case.client.writer.shutdown().await.unwrap();
            let next = Case::client(case.cell, &case.place).await;
            let mut gone = std::mem::replace(&mut case.client, next);
            let ended = (&mut gone.served).await.unwrap();
            let left = began.elapsed();

            assert_eq!(ended, Ok(()), "{:?}", case.cell);
            assert!(left < Duration::from_millis(100), "{:?}: {left:?}", case.cell);
            case.check_joined().await;
        },
    )
    .await;
}
