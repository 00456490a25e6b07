//! The cells of the matrix: kinds of MCP client, eras, flows; how one is brought to its wait, and what must be seen.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aic_proto::message::ToBroker;
use aic_proto::refusal::Failure;
use aic_shim::Arguments;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::stage::{Broker, Client, arguments, browser, device, directory};

const READ: &str = "getLogSources";

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Class {
    Url,
    Form,
    Progress,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Era {
    Initialize,
    Modern,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flow {
    Browser,
    Device,
}

#[derive(Debug, Clone, Copy)]
pub struct Cell(pub Class, pub Era, pub Flow);

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

    pub fn has_dialog(self) -> bool {
        matches!(self, Self(Class::Url | Class::Form, _, Flow::Device))
    }

    /// Nobody would see the code, so the call is answered instead of held.
    pub fn is_told_at_once(self) -> bool {
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
pub struct Case {
    pub cell: Cell,
    pub place: PathBuf,
    pub broker: Broker,
    pub client: Client,
    pub began: Instant,
}

pub async fn every_cell<F: Future<Output = ()>>(wanted: impl Fn(Cell) -> bool, outcome: impl Fn(Case) -> F) {
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

    pub async fn client(cell: Cell, place: &Path) -> Client {
        let hasty = Arguments { answer_within: Duration::from_secs(1), ..arguments(place) };
        match cell.1 {
            Era::Initialize => Client::legacy(hasty, cell.capabilities()).await,
            Era::Modern => Client::modern(hasty, cell.capabilities()),
        }
    }

    pub async fn start(&mut self, more: Value) -> u64 {
        let mut parameters = json!({"name": READ, "arguments": {}});
        if self.cell.0 == Class::Progress {
            parameters["_meta"]["progressToken"] = json!("p");
        }
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.began = Instant::now();
        self.client.send("tools/call", parameters).await
    }

    /// Calls, answers the dialog where there is one, and comes as far as the wait.
    pub async fn begin(&mut self, action: Option<&str>) -> (u64, Value) {
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
    pub fn check_pending(&self, result: &Value) {
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
    pub async fn check_rest(&mut self, kind: &str) {
        let id = self.start(json!({})).await;
        check_error(self.cell, &self.client.result(id).await, kind);
        self.check_ended(false);
    }

    /// The next call is carried out; the sign-in was joined and not started anew.
    pub async fn check_joined(&mut self) {
        self.broker.sign_in();
        let id = self.start(json!({})).await;
        check_answer(self.cell, &self.client.result(id).await);
        self.check_ended(false);
    }

    /// One sign-in (in the browser: one window), nothing left unread, a Decline only where there was one.
    pub fn check_ended(&self, declined: bool) {
        let cell = self.cell;
        let seen = self.broker.seen.lock().unwrap();
        assert_eq!(self.broker.sign_ins(), 1, "{cell:?}");
        assert!(!seen.iter().any(|message| matches!(message, ToBroker::SignIn(_))), "{cell:?}");
        let declines = seen.iter().filter(|message| matches!(message, ToBroker::Decline(_))).count();
        assert_eq!(declines, usize::from(declined), "{cell:?}");
        assert!(self.client.aside.is_empty(), "{cell:?}: {:?}", self.client.aside);
    }

    /// The dialog of a client with `initialize` was withdrawn.
    pub async fn check_withdrawn(&mut self, asked: &Value) {
        if self.cell.has_dialog() && self.cell.1 == Era::Initialize {
            let withdrawn = self.client.asked("notifications/cancelled").await;
            assert_eq!(withdrawn["params"]["requestId"], asked["id"], "{:?}", self.cell);
        }
    }

    /// Ends the sign-in with a failure: the call and the next one are told so.
    pub async fn check_failure(mut self, action: Option<&str>, failure: Failure) {
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

pub fn check_error(cell: Cell, result: &Value, kind: &str) {
    let error = &result["structuredContent"]["error"];
    assert_eq!(result["isError"], true, "{cell:?}: {result}");
    assert_eq!((&error["kind"], &error["executed"]), (&json!(kind), &json!("no")), "{cell:?}");
    let marked = result["_meta"].get("aic-broker/login").is_some();
    assert_eq!(marked, kind == "login_required", "{cell:?}: {result}");
}

pub fn check_answer(cell: Cell, result: &Value) {
    assert_eq!((&result["isError"], &result["content"][0]["text"]), (&json!(false), &json!("the answer")), "{cell:?}");
}
