//! Stands between the broker and a tenant on loopback TCP and breaks chosen exchanges at chosen bytes.
//!
//! One request at a time goes over a connection, as HTTP/1.1 without pipelining has it, so the first bytes after an
//! answer are the next request's. The first line of a request says which plan is its own.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::joint::{Joint, PART_BYTES, Tally};
use super::plan::{Plan, Way};

/// What comes without an end comes so many bytes at a time, with a pause between, as over a network. At the speed of
/// memory, plain HTTP lets a program without optimisation parse 128 full buffers before it looks at the time.
const FLOOD_BYTES: usize = 16 * 1024;
const FLOOD_PAUSE: Duration = Duration::from_millis(10);

/// What is given in an answer's place.
#[derive(Debug, Clone)]
pub struct Instead {
    /// The answer, byte for byte; then the end of the stream.
    pub bytes: Arc<[u8]>,
    /// So many of the last bytes are sent again and again before the end.
    pub again: Option<usize>,
    /// Whether the tenant gets the request and processes it.
    pub processed: bool,
}

/// A running proxy; it ends, with its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    plans: Mutex<HashMap<String, Plan>>,
    answers: Mutex<HashMap<String, Instead>>,
    last: Mutex<(usize, usize)>,
    tally: Tally,
}

impl Proxy {
    /// Begins to pass on what comes to a port of its own to the tenant's, on the current runtime.
    ///
    /// Errors: the port cannot be bound.
    pub async fn start(onward: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(serve(listener, onward, Arc::clone(&shared)));
        Ok(Self { port, shared, task })
    }

    /// Its address, to be configured as the tenant's.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks the next request whose line begins with these words, for example `PUT /environment/variables/esv-a`.
    pub fn arm(&self, line: &str, plan: Plan) {
        self.shared.plans.lock().unwrap().insert(line.to_owned(), plan);
    }

    /// Gives something in place of the answer to the next request of this line.
    pub fn answer(&self, line: &str, instead: Instead) {
        self.shared.answers.lock().unwrap().insert(line.to_owned(), instead);
    }

    /// Forgets a plan or an answer that no request has met; tells whether it was still there.
    pub fn disarm(&self, line: &str) -> bool {
        let plan = self.shared.plans.lock().unwrap().remove(line).is_some();
        self.shared.answers.lock().unwrap().remove(line).is_some() || plan
    }

    /// How many bytes the messages of the newest whole exchange had: up, down.
    pub fn lengths(&self) -> (usize, usize) {
        *self.shared.last.lock().unwrap()
    }

    /// How many exchanges were stopped until now.
    pub fn held(&self) -> usize {
        self.shared.tally.held()
    }

    /// Whether no rest of a message is still on its way.
    pub fn is_quiet(&self) -> bool {
        self.shared.tally.is_quiet()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, onward: u16, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((near, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            if let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, onward)).await {
                let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
                Pair { joint: Joint { near, far }, shared, exchange: Exchange::default() }.run().await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One connection from the broker and the one to the tenant that belongs to it.
struct Pair {
    joint: Joint<TcpStream>,
    shared: Arc<Shared>,
    exchange: Exchange,
}

/// What has passed of the exchange under way.
#[derive(Default)]
struct Exchange {
    up: usize,
    down: usize,
    plan: Option<Plan>,
    answer: Option<Instead>,
    broken: bool,
}

impl Exchange {
    fn passed(&mut self, way: Way) -> &mut usize {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}

impl Pair {
    async fn run(mut self) {
        let (mut up, mut down) = (vec![0; PART_BYTES], vec![0; PART_BYTES]);
        loop {
            let Some((way, read)) = self.joint.next(&mut up, &mut down).await else { return self.joint.end().await };
            let part = match way {
                Way::Up => &mut up[..read],
                Way::Down => &mut down[..read],
            };
            if way == Way::Up {
                self.begin_exchange(part);
            }
            let due = |instead: &Instead| way == Way::Down || !instead.processed;
            if let Some(instead) = self.exchange.answer.take_if(|instead| due(instead)) {
                let _ = self.give(&instead).await;
                return self.joint.end().await;
            }
            match self.pass(way, part).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.joint.end().await,
            }
            if way == Way::Down && !self.exchange.broken {
                *self.shared.last.lock().unwrap() = (self.exchange.up, self.exchange.down);
            }
        }
    }

    async fn give(&mut self, instead: &Instead) -> io::Result<()> {
        self.joint.send(Way::Down, &instead.bytes).await?;
        let Some(last) = instead.again else { return Ok(()) };
        let again = instead.bytes[instead.bytes.len() - last..].repeat(FLOOD_BYTES / last);
        loop {
            self.joint.send(Way::Down, &again).await?;
            tokio::time::sleep(FLOOD_PAUSE).await;
        }
    }

    fn begin_exchange(&mut self, part: &[u8]) {
        if self.exchange.up > 0 && self.exchange.down == 0 {
            return;
        }
        let line = part.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).replace(" HTTP/1.1", "");
        let plan = self.shared.plans.lock().unwrap().remove(&line);
        let answer = self.shared.answers.lock().unwrap().remove(&line);
        let broken = plan.is_some() || answer.is_some();
        self.exchange = Exchange { plan, answer, broken, ..Exchange::default() };
    }

    async fn pass(&mut self, way: Way, part: &mut [u8]) -> io::Result<bool> {
        let before = *self.exchange.passed(way);
        *self.exchange.passed(way) += part.len();
        self.joint.pass((way, part), before, &mut self.exchange.plan, &self.shared.tally).await
    }
}
