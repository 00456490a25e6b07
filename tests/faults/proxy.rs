//! Stands between the broker and a tenant on loopback TCP and breaks chosen exchanges at chosen bytes.
//!
//! One request at a time goes over a connection, as HTTP/1.1 without pipelining has it, so the first bytes after an
//! answer are the next request's. The first line of a request says which plan is its own.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::plan::{Break, Plan, Way};

/// How many bytes are read at once: more than any message here has.
const PART_BYTES: usize = 64 * 1024;
/// How long the two sides may take to see the end before the connections are dropped.
const END_SEEN_WITHIN: Duration = Duration::from_millis(100);

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
    last: Mutex<(usize, usize)>,
    late: AtomicUsize,
    held: AtomicUsize,
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

    /// Forgets a plan that no request has met; tells whether it was still there.
    pub fn disarm(&self, line: &str) -> bool {
        self.shared.plans.lock().unwrap().remove(line).is_some()
    }

    /// How many bytes the messages of the newest whole exchange had: up, down.
    pub fn lengths(&self) -> (usize, usize) {
        *self.shared.last.lock().unwrap()
    }

    /// How many exchanges were stopped until now.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }

    /// Whether no rest of a message is still on its way.
    pub fn is_quiet(&self) -> bool {
        self.shared.late.load(Ordering::SeqCst) == 0
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
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            if let Ok(tenant) = TcpStream::connect((Ipv4Addr::LOCALHOST, onward)).await {
                let _ = client.set_nodelay(true).and_then(|()| tenant.set_nodelay(true));
                Pair { client, tenant, shared, exchange: Exchange::default() }.run().await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// One connection from the broker and the one to the tenant that belongs to it.
struct Pair {
    client: TcpStream,
    tenant: TcpStream,
    shared: Arc<Shared>,
    exchange: Exchange,
}

/// What has passed of the exchange under way.
#[derive(Default)]
struct Exchange {
    up: usize,
    down: usize,
    plan: Option<Plan>,
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
            let (way, read) = tokio::select! {
                read = self.client.read(&mut up) => (Way::Up, read),
                read = self.tenant.read(&mut down) => (Way::Down, read),
            };
            let Ok(read @ 1..) = read else { return self.end().await };
            let part = match way {
                Way::Up => &mut up[..read],
                Way::Down => &mut down[..read],
            };
            if way == Way::Up {
                self.begin_exchange(part);
            }
            match self.pass(way, part).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.end().await,
            }
            if way == Way::Down && self.exchange.plan.is_none() {
                *self.shared.last.lock().unwrap() = (self.exchange.up, self.exchange.down);
            }
        }
    }

    fn begin_exchange(&mut self, part: &[u8]) {
        if self.exchange.up > 0 && self.exchange.down == 0 {
            return;
        }
        let line = part.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).replace(" HTTP/1.1", "");
        let plan = self.shared.plans.lock().unwrap().remove(&line);
        self.exchange = Exchange { up: 0, down: 0, plan };
    }

    /// Passes a part on, unless the plan's byte is in it. Tells whether the connection goes on.
    async fn pass(&mut self, way: Way, part: &mut [u8]) -> io::Result<bool> {
        let before = *self.exchange.passed(way);
        *self.exchange.passed(way) += part.len();
        let plan = self.exchange.plan.filter(|plan| plan.way == way && plan.at <= before + part.len());
        let Some(plan) = plan else { return self.send(way, part).await.map(|()| true) };
        let at = plan.at.saturating_sub(before);
        match plan.what {
            Break::Flip(bit) => {
                // the byte after the last one is the next part's, if there is one
                let Some(byte) = part.get_mut(at) else { return self.send(way, part).await.map(|()| true) };
                *byte ^= 1 << bit;
                self.exchange.plan = None;
                self.send(way, part).await?;
                Ok(true)
            }
            Break::Delay(milliseconds) => {
                self.send(way, &part[..at]).await?;
                self.exchange.plan = None;
                self.shared.late.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                let sent = self.send(way, &part[at..]).await;
                self.shared.late.fetch_sub(1, Ordering::SeqCst);
                sent.map(|()| true)
            }
            Break::Stop => {
                self.send(way, &part[..at]).await?;
                self.hold().await;
                Ok(false)
            }
            Break::Finish => {
                self.send(way, &part[..at]).await?;
                self.end().await;
                Ok(false)
            }
            Break::Reset => {
                self.send(way, &part[..at]).await?;
                let _ = self.client.set_zero_linger().and_then(|()| self.tenant.set_zero_linger());
                Ok(false)
            }
        }
    }

    async fn send(&mut self, way: Way, bytes: &[u8]) -> io::Result<()> {
        match way {
            Way::Up => self.tenant.write_all(bytes).await,
            Way::Down => self.client.write_all(bytes).await,
        }
    }

    /// Swallows everything until the broker gives up.
    async fn hold(&mut self) {
        self.shared.held.fetch_add(1, Ordering::SeqCst);
        let (mut up, mut down) = (vec![0; PART_BYTES], vec![0; PART_BYTES]);
        let mut tenant_open = true;
        loop {
            tokio::select! {
                read = self.client.read(&mut up) => if !matches!(read, Ok(1..)) { return },
                read = self.tenant.read(&mut down), if tenant_open => tenant_open = matches!(read, Ok(1..)),
            }
        }
    }

    /// Ends both streams in order: what was sent arrives, then the end.
    async fn end(&mut self) {
        let _ = self.client.shutdown().await;
        let _ = self.tenant.shutdown().await;
        let mut drain = [0; 4096];
        let both = async {
            while matches!(self.client.read(&mut drain).await, Ok(1..)) {}
            while matches!(self.tenant.read(&mut drain).await, Ok(1..)) {}
        };
        let _ = tokio::time::timeout(END_SEEN_WITHIN, both).await;
    }
}
