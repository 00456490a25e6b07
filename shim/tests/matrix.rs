//! Shows each outcome of a sign-in to each kind of MCP client, in both eras, in the browser and by code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(dead_code, unreachable_pub)]

mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aic_proto::message::ToBroker;
use aic_proto::refusal::{Failure, Kind};
use aic_shim::Arguments;
use futures_util::future::join_all;
use serde_json::{Value, json};
use stage::{Broker, Client, arguments, browser, device, directory};
use tokio::io::AsyncWriteExt;

const READ: &str = "getLogSources";
/// What a call waits of its one second.
const WAIT: Duration = Duration::from_millis(750);
/// How long a program that has left is still listened to.
const AFTERWARDS: Duration = Duration::from_millis(50);
const AT_ONCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Class {
    Url,
    Form,
    Progress,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Era {
    Initialize,
    Modern,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flow {
    Browser,
    Device,
}

#[derive(Debug, Clone, Copy)]
struct Cell(Class, Era, Flow);

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for class in [Class::Url, Class::Form, Class::Progress, Class::Nothing] {
            for era in [Era::Initialize, Era::Modern] {
                cells.extend([Flow::Browser, Flow::Device].map(|flow| Self(class, era, flow)));
            }
        }
        cells
    }

    fn has_dialog(self) -> bool {
        matches!(self, Self(Class::Url | Class::Form, _, Flow::Device))
    }

    /// Nobody would see the code, so the call is answered instead of held.
    fn is_told_at_once(self) -> bool {
        matches!(self, Self(Class::Nothing, _, Flow::Device))
    }

    fn capabilities(self) -> Value {
        match self.0 {
            Class::Url => json!({"elicitation": {"form": {}, "url": {}}}),
            Class::Form => json!({"elicitation": {}}),
            Class::Progress | Class::Nothing => json!({}),
        }
    }
}

/// One cell under test.
struct Case {
    cell: Cell,
    place: PathBuf,
    broker: Broker,
    client: Client,
    began: Instant,
}

async fn every_cell<F: Future<Output = ()>>(wanted: impl Fn(Cell) -> bool, outcome: impl Fn(Case) -> F) {
    let cells = Cell::all().into_iter().filter(|cell| wanted(*cell));
    let outcome = &outcome;
    join_all(cells.map(|cell| async move { outcome(Case::new(cell).await).await })).await;
}

impl Case {
    async fn new(cell: Cell) -> Self {
        let place = directory();
        let shown = if cell.2 == Flow::Browser { browser() } else { device() };
        let broker = Broker::start(&place, shown);
        let client = Self::client(cell, &place).await;
        Self { cell, place, broker, client, began: Instant::now() }
    }

    async fn client(cell: Cell, place: &std::path::Path) -> Client {
        let hasty = Arguments { answer_within: Duration::from_secs(1), ..arguments(place) };
        match cell.1 {
            Era::Initialize => Client::legacy(hasty, cell.capabilities()).await,
            Era::Modern => Client::modern(hasty, cell.capabilities()),
        }
    }

    async fn start(&mut self, more: Value) -> u64 {
        let mut parameters = json!({"name": READ, "arguments": {}});
        if self.cell.0 == Class::Progress {
            parameters["_meta"]["progressToken"] = json!("p");
        }
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.began = Instant::now();
        self.client.send("tools/call", parameters).await
    }

    /// Calls, answers the dialog where there is one, and comes as far as the wait.
    async fn begin(&mut self, action: Option<&str>) -> (u64, Value) {
        let cell = self.cell;
        let mut id = self.start(json!({})).await;
        let mut asked = Value::Null;
        if cell.has_dialog() && cell.1 == Era::Initialize {
            asked = self.client.asked("elicitation/create").await;
            self.check_dialog(&asked["params"]);
            if let Some(action) = action {
                self.client.write(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": action}})).await;
            }
        } else if cell.has_dialog() {
            asked = self.client.result(id).await;
            assert_eq!(asked["resultType"], "input_required", "{cell:?}");
            self.check_dialog(&asked["inputRequests"]["login"]["params"]);
            let Some(action) = action else { return (id, asked) };
            let responses = json!({"login": {"action": action}});
            id = self.start(json!({"requestState": asked["requestState"], "inputResponses": responses})).await;
        }
        if !cell.is_told_at_once() && matches!(action, None | Some("accept")) {
            self.broker.saw(|message| matches!(message, ToBroker::Wait(_))).await;
        }
        if cell.0 == Class::Progress {
            self.check_progress().await;
        }
        (id, asked)
    }

    fn check_dialog(&self, parameters: &Value) {
        let cell = self.cell;
        let message = parameters["message"].as_str().unwrap();
        assert!(message.contains("ACDE") && !message.contains("://"), "{cell:?}: {message}");
        match cell.0 {
            Class::Url => {
                assert_eq!(parameters["mode"], "url", "{cell:?}");
                assert_eq!(parameters["url"], "https://am.example.com/device?user_code=ACDE", "{cell:?}");
            }
            _ => assert_eq!(parameters["requestedSchema"]["properties"], json!({}), "{cell:?}"),
        }
    }

    async fn check_progress(&mut self) {
        let cell = self.cell;
        let progress = self.client.asked("notifications/progress").await;
        let words = progress["params"]["message"].as_str().unwrap();
        assert_eq!(progress["params"]["progress"], 1.0, "{cell:?}");
        assert!(words.starts_with("Sign-in needed for acme-dev."), "{cell:?}: {words}");
        assert_eq!(words.contains("ACDE"), cell.2 == Flow::Device, "{cell:?}: {words}");
    }

    /// The text and the marker of a call that could wait no longer.
    fn check_pending(&self, result: &Value) {
        let cell = self.cell;
        check_error(cell, result, "login_required");
        let text = result["content"][0]["text"].as_str().unwrap();
        let (place, code) = match cell.2 {
            Flow::Browser => ("A browser window was opened at am.example.com.", None),
            Flow::Device => ("open https://am.example.com/device and to enter the code ACDE", Some("ACDE")),
        };
        for part in ["Sign-in needed for acme-dev.", place, "call this tool again with the same arguments", "in a loop"]
        {
            assert!(text.contains(part), "{cell:?}: {part:?} is not in {text}");
        }
        let url = if code.is_some() { "https://am.example.com/device" } else { "https://am.example.com/authorize" };
        let mut marker =
            json!({"state": "pending", "tenant": "acme-dev", "url": url, "expires_at": "2026-01-01T00:05:00Z"});
        if let Some(code) = code {
            marker["user_code"] = code.into();
        }
        assert_eq!(result["_meta"]["aic-broker/login"], marker, "{cell:?}");
    }

    /// The next call after a failed sign-in: told the same, without a dialog or another sign-in.
    async fn check_rest(&mut self, kind: &str) {
        let id = self.start(json!({})).await;
        check_error(self.cell, &self.client.result(id).await, kind);
        self.check_ended(false);
    }

    /// The next call is carried out; the sign-in was joined and not started anew.
    async fn check_joined(&mut self) {
        self.broker.sign_in();
        let id = self.start(json!({})).await;
        check_answer(self.cell, &self.client.result(id).await);
        self.check_ended(false);
    }

    /// One sign-in (in the browser: one window), nothing left unread, a Decline only where there was one.
    fn check_ended(&self, declined: bool) {
        let cell = self.cell;
        let seen = self.broker.seen.lock().unwrap();
        assert_eq!(self.broker.sign_ins(), 1, "{cell:?}");
        assert!(!seen.iter().any(|message| matches!(message, ToBroker::SignIn(_))), "{cell:?}");
        let declines = seen.iter().filter(|message| matches!(message, ToBroker::Decline(_))).count();
        assert_eq!(declines, usize::from(declined), "{cell:?}");
        assert!(self.client.aside.is_empty(), "{cell:?}: {:?}", self.client.aside);
    }

    /// The dialog of a client with `initialize` was withdrawn.
    async fn check_withdrawn(&mut self, asked: &Value) {
        if self.cell.has_dialog() && self.cell.1 == Era::Initialize {
            let withdrawn = self.client.asked("notifications/cancelled").await;
            assert_eq!(withdrawn["params"]["requestId"], asked["id"], "{:?}", self.cell);
        }
    }

    /// Ends the sign-in with a failure: the call and the next one are told so.
    async fn check_failure(mut self, action: Option<&str>, failure: Failure) {
        let (kind, message) = (failure.kind.word(), failure.message.clone());
        let (id, asked) = self.begin(action).await;
        if self.cell.is_told_at_once() {
            let result = self.client.result(id).await;
            self.check_pending(&result);
        }
        self.broker.fail(failure);
        if !self.cell.is_told_at_once() {
            let result = self.client.result(id).await;
            check_error(self.cell, &result, kind);
            assert!(result["content"][0]["text"].as_str().unwrap().starts_with(&message), "{:?}", self.cell);
        }
        if action.is_none() {
            self.check_withdrawn(&asked).await;
        }
        self.check_rest(kind).await;
    }
}

fn check_error(cell: Cell, result: &Value, kind: &str) {
    let error = &result["structuredContent"]["error"];
    assert_eq!(result["isError"], true, "{cell:?}: {result}");
    assert_eq!((&error["kind"], &error["executed"]), (&json!(kind), &json!("no")), "{cell:?}");
    let marked = result["_meta"].get("aic-broker/login").is_some();
    assert_eq!(marked, kind == "login_required", "{cell:?}: {result}");
}

fn check_answer(cell: Cell, result: &Value) {
    assert_eq!((&result["isError"], &result["content"][0]["text"]), (&json!(false), &json!("the answer")), "{cell:?}");
}

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
            let (id, _) = case.begin(action).await;
            let began = Instant::now();

            case.client.writer.shutdown().await.unwrap();
            let next = Case::client(case.cell, &case.place).await;
            let mut gone = std::mem::replace(&mut case.client, next);
            let ended = (&mut gone.served).await.unwrap();
            let left = began.elapsed();

            assert_eq!(ended, Ok(()), "{:?}", case.cell);
            assert!(left < Duration::from_millis(100), "{:?}: {left:?}", case.cell);
            while let Ok(Ok(Some(line))) = tokio::time::timeout(AFTERWARDS, gone.lines.next_line()).await {
                let message: Value = serde_json::from_str(&line).unwrap();
                // who still reads after closing the input learns that nothing was done, and nothing else
                if message["id"] == id && message.get("method").is_none() {
                    check_error(case.cell, &message["result"], "cancelled");
                }
            }
            case.check_joined().await;
        },
    )
    .await;
}
