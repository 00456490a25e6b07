//! An editor: a strict MCP client over the standard streams of a real `aic-mcp`, in both eras of the protocol.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::wait::{SOON, eventually};

/// How long a test waits for any answer: longer than the longest budget of a call in these tests.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// How many answers one request may have; a second one is a violation.
const ANSWERS: usize = 1;

/// An era of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// 2025-11-25: `initialize` first.
    Initialize,
    /// 2026-07-28: every request says who asks.
    Discover,
}

impl Era {
    fn version(self) -> &'static str {
        match self {
            Self::Initialize => "2025-11-25",
            Self::Discover => "2026-07-28",
        }
    }
}

/// How an editor is started.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The era.
    pub era: Era,
    /// What it calls itself.
    pub name: String,
    /// What it can do.
    pub capabilities: Value,
    /// Arguments for `aic-mcp`.
    pub arguments: Vec<String>,
    /// Variables set (or, with `None`, taken away) beside those of the world.
    pub variables: Vec<(String, Option<String>)>,
    /// What the person does with a dialog: `accept`, `decline` or `cancel`; `None` leaves it open.
    pub dialog: Option<&'static str>,
}

impl Default for Asked {
    fn default() -> Self {
        let (arguments, variables) = (Vec::new(), Vec::new());
        let (era, name, capabilities) = (Era::Initialize, "editor".to_owned(), json!({}));
        Self { era, name, capabilities, arguments, variables, dialog: Some("accept") }
    }
}

#[derive(Default)]
struct Heard {
    waiting: HashMap<u64, SyncSender<(Value, Instant)>>,
    violations: Vec<String>,
    requests: Vec<Value>,
    notifications: Vec<Value>,
    closed: bool,
}

/// A running `aic-mcp` and the conversation with it.
pub struct Editor {
    child: Child,
    input: Arc<Mutex<Option<ChildStdin>>>,
    heard: Arc<Mutex<Heard>>,
    output: Arc<Mutex<Vec<u8>>>,
    complaints: Arc<Mutex<Vec<u8>>>,
    asked: Asked,
    next: u64,
}

/// A request that is under way.
pub struct Waiting {
    /// Its id.
    pub id: u64,
    answer: Receiver<(Value, Instant)>,
    sent: Instant,
}

impl Waiting {
    /// Whether the program left without an answer.
    pub fn was_left(self) -> bool {
        matches!(self.answer.recv_timeout(ANSWER_WITHIN), Err(RecvTimeoutError::Disconnected))
    }

    /// The answer.
    ///
    /// Errors: panics when none comes.
    #[track_caller]
    pub fn answer(self) -> Answer {
        let (message, at) = self.answer.recv_timeout(ANSWER_WITHIN).expect("an answer");
        Answer { message, took: at.duration_since(self.sent) }
    }
}

impl Editor {
    /// Starts the program; nothing is said yet.
    pub fn start(mut command: Command, asked: Asked) -> Self {
        command.args(&asked.arguments);
        for (name, value) in &asked.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("aic-mcp starts");
        let input = Arc::new(Mutex::new(child.stdin.take()));
        let heard = Arc::<Mutex<Heard>>::default();
        let (output, complaints) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<u8>>>::default());
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let dialog = asked.dialog;
        let listener = Listener { heard: heard.clone(), input: input.clone(), output: output.clone(), dialog };
        std::thread::spawn(move || listener.run(stdout));
        let kept = complaints.clone();
        std::thread::spawn(move || keep(stderr, &kept));
        Self { child, input, heard, output, complaints, asked, next: 0 }
    }

    /// Opens the conversation as the era has it.
    #[track_caller]
    pub fn open(mut self) -> Self {
        let info = json!({"name": self.asked.name, "version": "1"});
        let opened = match self.asked.era {
            Era::Discover => self.request("server/discover", json!({})),
            Era::Initialize => self.request(
                "initialize",
                json!({"protocolVersion": self.asked.era.version(), "capabilities": self.asked.capabilities,
                    "clientInfo": info}),
            ),
        };
        assert!(opened.message.get("result").is_some(), "{opened}");
        if self.asked.era == Era::Initialize {
            self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        }
        self
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Calls a tool and waits for the answer.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        self.begin(tool, arguments).answer()
    }

    /// Calls a tool and does not wait.
    pub fn begin(&mut self, tool: &str, arguments: Value) -> Waiting {
        self.send("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Repeats a call whose answer was a dialog, with what the person did.
    pub fn retry(&mut self, tool: &str, arguments: Value, dialog: &Answer, action: &str) -> Waiting {
        let responses = json!({"login": {"action": action}});
        let state = &dialog.result()["requestState"];
        let params = json!({"name": tool, "arguments": arguments, "requestState": state, "inputResponses": responses});
        self.send("tools/call", params)
    }

    /// Sends a request and waits for the answer.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Answer {
        self.send(method, params).answer()
    }

    /// Withdraws a request.
    pub fn cancel(&mut self, id: u64) {
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    }

    fn send(&mut self, method: &str, mut params: Value) -> Waiting {
        self.next += 1;
        let id = self.next;
        if self.asked.era == Era::Discover {
            params["_meta"] = self.introduction();
        }
        let (sender, answer) = sync_channel(ANSWERS);
        self.heard.lock().unwrap().waiting.insert(id, sender);
        let sent = Instant::now();
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        Waiting { id, answer, sent }
    }

    fn introduction(&self) -> Value {
        let mut meta = Map::new();
        let of = |name: &str| format!("io.modelcontextprotocol/{name}");
        meta.insert(of("protocolVersion"), self.asked.era.version().into());
        meta.insert(of("clientCapabilities"), self.asked.capabilities.clone());
        meta.insert(of("clientInfo"), json!({"name": self.asked.name, "version": "1"}));
        meta.into()
    }

    fn write(&self, message: &Value) {
        write_to(&self.input, message);
    }

    /// What the server asked this client for.
    pub fn requests_heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap().requests.clone()
    }

    /// Everything on standard output that is not MCP.
    pub fn violations(&self) -> Vec<String> {
        self.heard.lock().unwrap().violations.clone()
    }

    /// Everything that came on standard output.
    pub fn output(&self) -> Vec<u8> {
        self.output.lock().unwrap().clone()
    }

    /// Everything that came on standard error.
    pub fn complaints(&self) -> String {
        String::from_utf8_lossy(&self.complaints.lock().unwrap()).into_owned()
    }

    /// Closes the input and gives the exit code and the time that the program took to leave.
    pub fn close(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        drop(self.input.lock().unwrap().take());
        let status = eventually(SOON, "aic-mcp leaves", || self.child.try_wait().unwrap());
        (status.code(), began.elapsed())
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Listener {
    heard: Arc<Mutex<Heard>>,
    input: Arc<Mutex<Option<ChildStdin>>>,
    output: Arc<Mutex<Vec<u8>>>,
    dialog: Option<&'static str>,
}

impl Listener {
    fn run(self, stdout: impl Read) {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            self.output.lock().unwrap().extend_from_slice(&line);
            self.take(&line);
            line.clear();
        }
        let mut heard = self.heard.lock().unwrap();
        heard.closed = true;
        heard.waiting.clear();
    }

    fn take(&self, line: &[u8]) {
        let mut heard = self.heard.lock().unwrap();
        let message: Value = match serde_json::from_slice(line) {
            Ok(message) => message,
            Err(error) => return heard.violations.push(format!("{error}: {}", String::from_utf8_lossy(line))),
        };
        let is_answer = message.get("result").is_some() != message.get("error").is_some();
        match (message["method"].as_str(), message.get("id")) {
            _ if message["jsonrpc"] != "2.0" => heard.violations.push(format!("no JSON-RPC: {message}")),
            (Some(_), Some(_)) => {
                self.serve(&message);
                heard.requests.push(message);
            }
            (Some(_), None) => heard.notifications.push(message),
            (None, Some(id)) if is_answer => match id.as_u64().and_then(|id| heard.waiting.remove(&id)) {
                Some(waiting) => drop(waiting.send((message, Instant::now()))),
                None => heard.violations.push(format!("answers nothing: {message}")),
            },
            _ => heard.violations.push(format!("neither request nor answer: {message}")),
        }
    }

    /// Answers what a server may ask.
    fn serve(&self, request: &Value) {
        let result = match (request["method"].as_str(), self.dialog) {
            (Some("elicitation/create"), None) => return,
            (Some("elicitation/create"), Some(action)) => json!({"action": action, "content": {}}),
            _ => json!({}),
        };
        write_to(&self.input, &json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }
}

fn write_to(input: &Mutex<Option<ChildStdin>>, message: &Value) {
    if let Some(input) = input.lock().unwrap().as_mut() {
        let _ = input.write_all(format!("{message}\n").as_bytes()).and_then(|()| input.flush());
    }
}

pub(super) fn keep(mut stream: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        kept.lock().unwrap().extend_from_slice(&part[..read]);
    }
}
