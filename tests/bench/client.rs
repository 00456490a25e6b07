//! A lean MCP client: one write and one read for a call, so that little of what is measured is its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aic_tests::harness::World;
use serde_json::{Value, json};

/// What an editor connects to a server's standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Sockets, as Node does.
    Sockets,
    /// Pipes, as most others do.
    Pipes,
}

/// A server and the conversation with it.
pub struct Client {
    child: Child,
    input: Option<Box<dyn Write + Send>>,
    output: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    next: u64,
}

impl Client {
    /// Starts a server; nothing is said yet.
    pub fn start(mut command: Command, streams: Streams) -> Self {
        command.stderr(Stdio::null());
        let (child, input, output): (Child, Box<dyn Write + Send>, Box<dyn Read + Send>) = match streams {
            Streams::Pipes => {
                let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                (child, Box::new(input), Box::new(output))
            }
            Streams::Sockets => {
                let ((input, theirs), (output, their_output)) =
                    (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
                let child = command.stdin(OwnedFd::from(theirs)).stdout(OwnedFd::from(their_output)).spawn().unwrap();
                (child, Box::new(input), Box::new(output))
            }
        };
        Self { child, input: Some(input), output: BufReader::new(output), line: Vec::new(), next: 0 }
    }

    /// Opens the conversation.
    pub fn open(mut self) -> Self {
        self.initialize();
        self.write(&format!("{}\n", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})));
        self
    }

    /// The first request, and its answer.
    pub fn initialize(&mut self) {
        let info = json!({"name": "bench", "version": "1"});
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info});
        self.ask("initialize", &hello);
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A request and the length of its answer.
    pub fn ask(&mut self, method: &str, params: &Value) -> usize {
        self.begin(method, params);
        self.finish()
    }

    /// Sends a request.
    pub fn begin(&mut self, method: &str, params: &Value) {
        self.next += 1;
        self.write(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"{method}\",\"params\":{params}}}\n",
            self.next
        ));
    }

    /// Reads the answer to the request that was sent last.
    ///
    /// Errors: panics when it is a failure.
    pub fn finish(&mut self) -> usize {
        self.line.clear();
        self.output.read_until(b'\n', &mut self.line).unwrap();
        let shown = || String::from_utf8_lossy(&self.line[..self.line.len().min(2000)]).into_owned();
        let head = &self.line[..self.line.len().min(200)];
        let tail = &self.line[self.line.len().saturating_sub(400)..];
        let failed = |part: &[u8]| {
            [&b"\"isError\":true"[..], b"\"error\":{"].iter().any(|word| part.windows(word.len()).any(|at| at == *word))
        };
        assert!(self.line.ends_with(b"\n") && !failed(head) && !failed(tail), "{}", shown());
        self.line.len()
    }

    /// A tool call and how long it took.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Duration {
        let params = json!({"name": tool, "arguments": arguments});
        let began = Instant::now();
        self.ask("tools/call", &params);
        began.elapsed()
    }

    /// So many reads of a person.
    pub fn repeat(&mut self, times: usize, wanted: &Value) {
        for _ in 0..times {
            self.call("getManagedObject", wanted);
        }
    }

    /// Closes the input and waits for the end.
    pub fn close(mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }

    fn write(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An editor of this world.
pub fn editor(world: &World, streams: Streams) -> Client {
    Client::start(world.shim(), streams).open()
}

/// A first read by each: the sign-in, the connections and the caches are behind them then.
pub fn warm_up(editors: &mut [Client], wanted: &Value) {
    for editor in editors {
        editor.repeat(1, wanted);
    }
}

/// A person in the tenant: what a read reads. Gives the arguments of `getManagedObject`.
pub fn person(world: &World, id: &str, more: &Value) -> Value {
    let mut person = json!({"_id": id, "userName": id, "givenName": "Bench", "sn": "Mark", "mail": "b@example.com"});
    person.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    world.tenant().with(|state| state.directory.put("alpha_user", person));
    json!({"objectType": "alpha_user", "objectId": id})
}

/// The bare request that the same read costs: a client with a warm connection and a token.
pub struct Bare {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Bare {
    /// For reads of this person; an editor must have signed in.
    pub fn new(world: &World, arguments: &Value) -> Self {
        let token = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).out.trim().to_owned();
        let (base, id) = (world.tenant().base_url(), arguments["objectId"].as_str().unwrap());
        Self::of(format!("{base}/openidm/managed/alpha_user/{id}"), token)
    }

    fn of(url: String, token: String) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, client: reqwest::Client::builder().no_proxy().build().unwrap(), url, token }
    }

    /// Another one with a connection of its own.
    pub fn another(&self) -> Self {
        Self::of(self.url.clone(), self.token.clone())
    }

    /// One request and how long it took.
    pub fn get(&self) -> Duration {
        let began = Instant::now();
        let answered = self.runtime.block_on(async {
            let answer = self.client.get(&self.url).bearer_auth(&self.token).send().await.unwrap();
            answer.error_for_status().unwrap().bytes().await.unwrap()
        });
        let took = began.elapsed();
        assert!(answered.len() > 10);
        took
    }
}
