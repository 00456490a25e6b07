//! Stands around a shim in a test: a broker that answers as told, and an MCP client that speaks plain lines.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aic_proto::connection::{self, next_request, split};
use aic_proto::endpoint::Endpoint;
use aic_proto::frame;
use aic_proto::hello::{Hello, Reply, Welcome};
use aic_proto::message::{
    Answer, Call, End, Outcome, Pending, RequestId, SessionReport, Shown, SignInEnded, SignInNeeded, Success, ToBroker,
    ToShim,
};
use aic_proto::refusal::{Failure, Kind};
use aic_proto::transport::{self, Stream};
use aic_shim::{Arguments, Elicitation, Places};
use interprocess::local_socket::traits::tokio::Listener as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long a test waits for anything before it fails.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The tool that the broker never answers.
pub const SILENT_READ: &str = "queryLogs";
/// The changing tool that the broker never answers.
pub const SILENT_WRITE: &str = "deleteScript";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory for a socket, private and fresh.
pub fn directory() -> PathBuf {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("aic-shim-test-{}-{number}", std::process::id()))
}

/// A broker on a real socket; ends when dropped.
pub struct Broker {
    pub seen: Arc<Mutex<Vec<ToBroker>>>,
    pub hellos: Arc<Mutex<Vec<Hello>>>,
    ended: watch::Sender<Option<End>>,
    started: Arc<AtomicU32>,
    task: JoinHandle<()>,
    directory: PathBuf,
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[derive(Clone)]
struct Script {
    seen: Arc<Mutex<Vec<ToBroker>>>,
    ended: watch::Sender<Option<End>>,
    started: Arc<AtomicU32>,
    shown: Shown,
}

impl Broker {
    pub fn start(directory: &Path, shown: Shown) -> Self {
        let claim = transport::claim(&Endpoint::in_directory(directory)).unwrap();
        let (ended, started) = (watch::Sender::new(None), Arc::<AtomicU32>::default());
        let (seen, hellos) = (Arc::default(), Arc::<Mutex<Vec<Hello>>>::default());
        let script = Script { seen: Arc::clone(&seen), ended: ended.clone(), started: Arc::clone(&started), shown };
        let greeted = hellos.clone();
        let task = tokio::spawn(async move {
            let mut conversations = tokio::task::JoinSet::new();
            loop {
                let stream = claim.listener.accept().await.unwrap();
                conversations.spawn(converse(stream, script.clone(), greeted.clone()));
            }
        });
        Self { seen, hellos, ended, started, task, directory: directory.to_path_buf() }
    }

    pub fn sign_in(&self) {
        self.ended.send_replace(Some(End::SignedIn { user: Some("kim".into()) }));
    }

    /// Ends the sign-in without a session; like the real broker it starts no other for a while.
    pub fn fail(&self, failure: Failure) {
        self.ended.send_replace(Some(End::Failed(failure)));
    }

    /// How many sign-ins were started: each browser sign-in is one window.
    pub fn sign_ins(&self) -> u32 {
        self.started.load(Ordering::Relaxed)
    }

    pub async fn saw(&self, wanted: impl Fn(&ToBroker) -> bool) -> ToBroker {
        eventually(|| self.seen.lock().unwrap().iter().find(|message| wanted(message)).cloned()).await
    }

    pub fn calls(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|message| matches!(message, ToBroker::Call(_))).count()
    }
}

async fn converse(stream: Stream, script: Script, hellos: Arc<Mutex<Vec<Hello>>>) {
    let (mut reader, mut writer) = split(stream);
    let Ok(hello) = connection::listen(&mut reader).await else { return };
    hellos.lock().unwrap().push(hello);
    let welcome = Welcome { protocol: 1, program: "0".into(), pid: std::process::id(), state_key: [7; 32] };
    connection::answer(&mut writer, &Reply::Welcome(welcome)).await.unwrap();
    let (outbox, mut inbox) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            message = next_request(&mut reader) => match message {
                Ok(Some(message)) => script.hear(message, outbox.clone()),
                _ => return,
            },
            Some(reply) = inbox.recv() => {
                let reply: ToShim = reply;
                frame::write(&mut writer, &reply.encode().unwrap()).await.unwrap();
            }
        }
    }
}

impl Script {
    fn hear(&self, message: ToBroker, outbox: mpsc::UnboundedSender<ToShim>) {
        self.seen.lock().unwrap().push(message.clone());
        let ended = self.ended.borrow().clone();
        let signed_in = matches!(ended, Some(End::SignedIn { .. }));
        let reply = match message {
            ToBroker::Call(Call { id, .. }) if let Some(End::Failed(failure)) = ended => {
                ToShim::Answer(Answer { id, outcome: Outcome::Failure(failure) })
            }
            ToBroker::Decline(_) => {
                let failure = Failure::new(Kind::LoginDeclined, "the sign-in to acme-dev was declined");
                return drop(self.ended.send_replace(Some(End::Failed(failure))));
            }
            ToBroker::Call(call) if !signed_in => self.needed(call.id),
            ToBroker::Call(call) if [SILENT_READ, SILENT_WRITE].contains(&call.tool.as_str()) => return,
            ToBroker::Call(call) => answer(call.id, &call.arguments),
            ToBroker::SignIn(ask) if !signed_in => self.needed(ask.id),
            ToBroker::SignIn(ask) => self.session(ask.id, "signed_in"),
            ToBroker::SessionStatus(ask) => self.session(ask.id, if signed_in { "signed_in" } else { "signed_out" }),
            ToBroker::Wait(wait) => return self.wait(wait.id, outbox),
            _ => return,
        };
        outbox.send(reply).unwrap();
    }

    fn needed(&self, id: RequestId) -> ToShim {
        // one sign-in at a time: who comes later joins it
        let _ = self.started.compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        ToShim::SignInNeeded(SignInNeeded { id, pending: pending(self.shown.clone()) })
    }

    fn session(&self, id: RequestId, state: &str) -> ToShim {
        let (tenant, user) = ("acme-dev".into(), (state == "signed_in").then(|| "kim".into()));
        ToShim::Session(SessionReport { id, tenant, state: state.into(), user, expires_at: None, pending: None })
    }

    fn wait(&self, id: RequestId, outbox: mpsc::UnboundedSender<ToShim>) {
        let mut ended = self.ended.subscribe();
        tokio::spawn(async move {
            let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
            if let Some(end) = end {
                let _ = outbox.send(ToShim::SignInEnded(SignInEnded { id, end }));
            }
        });
    }
}

fn answer(id: RequestId, arguments: &str) -> ToShim {
    let success = Success {
        text: Some("the answer".into()),
        structured: Some(format!("{{\"given\":{arguments}}}")),
        transaction_id: Some("t-1".into()),
        warning: None,
    };
    ToShim::Answer(Answer { id, outcome: Outcome::Success(success) })
}

pub fn browser() -> Shown {
    Shown::Browser { url: "https://am.example.com/authorize".into(), opened: true }
}

pub fn device() -> Shown {
    let (uri, complete) = ("https://am.example.com/device", "https://am.example.com/device?user_code=ACDE");
    Shown::Device { uri: uri.into(), uri_complete: Some(complete.into()), user_code: "ACDE".into() }
}

fn pending(shown: Shown) -> Pending {
    Pending {
        flow: "00112233445566778899aabbccddeeff".into(),
        tenant: "acme-dev".into(),
        host: "am.example.com".into(),
        shown,
        expires_at: "2026-01-01T00:05:00Z".into(),
        expires_in: 300,
        note: None,
    }
}

pub fn arguments(directory: &Path) -> Arguments {
    Arguments {
        tenant: Some("acme-dev".into()),
        read_only: false,
        toolsets: None,
        answer_within: Duration::from_secs(20),
        elicitation: Elicitation::Auto,
        container: false,
        places: Places { runtime: Some(directory.to_path_buf()), ..Places::default() },
    }
}

/// An MCP client of one shim that runs in this process.
pub struct Client {
    pub writer: WriteHalf<DuplexStream>,
    pub lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    modern: Option<Value>,
    next: u64,
    /// What came while something else was awaited.
    pub aside: Vec<Value>,
    pub served: JoinHandle<Result<(), String>>,
}

impl Client {
    /// A client that begins with `initialize`.
    pub async fn legacy(arguments: Arguments, capabilities: Value) -> Self {
        let mut client = Self::connect(arguments, None);
        let information = json!({"name": "test", "version": "1"});
        let parameters =
            json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": information});
        let id = client.send("initialize", parameters).await;
        client.result(id).await;
        client.write(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    /// A client of 2026-07-28.
    pub fn modern(arguments: Arguments, capabilities: Value) -> Self {
        Self::connect(arguments, Some(capabilities))
    }

    fn connect(arguments: Arguments, modern: Option<Value>) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (reader, writer) = tokio::io::split(theirs);
        let served = tokio::spawn(aic_shim::serve(arguments, reader, writer));
        let (reader, writer) = tokio::io::split(ours);
        Self { writer, lines: BufReader::new(reader).lines(), modern, next: 0, aside: Vec::new(), served }
    }

    pub async fn write(&mut self, message: Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    pub async fn send(&mut self, method: &str, mut parameters: Value) -> u64 {
        self.next += 1;
        if let Some(capabilities) = &self.modern {
            parameters["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
            parameters["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
        }
        let id = self.next;
        self.write(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters})).await;
        id
    }

    pub async fn call(&mut self, tool: &str) -> Value {
        let id = self.start(tool).await;
        self.result(id).await
    }

    pub async fn start(&mut self, tool: &str) -> u64 {
        self.send("tools/call", json!({"name": tool, "arguments": {}})).await
    }

    pub async fn cancel(&mut self, id: u64) {
        self.write(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
    }

    /// The answer to a request; everything else is put aside.
    pub async fn answer(&mut self, id: u64) -> Value {
        self.until(|message| message["id"] == id && message.get("method").is_none()).await
    }

    pub async fn result(&mut self, id: u64) -> Value {
        self.answer(id).await["result"].clone()
    }

    /// The next message with this method.
    pub async fn asked(&mut self, method: &str) -> Value {
        self.until(|message| message["method"] == method).await
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.aside.iter().position(&wanted) {
            return self.aside.remove(place);
        }
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            if wanted(&message) {
                return message;
            }
            self.aside.push(message);
        }
    }
}

/// Looks until something is there.
pub async fn eventually<T>(look: impl Fn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap()
}
