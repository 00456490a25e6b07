//! Stands in one connection after another and breaks the next one at a byte that is counted from its beginning.
//!
//! It knows nothing of what passes: frames between shim and broker on a Unix socket, TLS on loopback TCP.

use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use super::joint::{Joint, PART_BYTES, Tally, Wire};
use super::plan::{Plan, Way};

/// A running relay; it ends, with its connections, when it is dropped.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Option<Plan>>,
    passed: Mutex<[Vec<u8>; 2]>,
    connections: Mutex<JoinSet<()>>,
    tally: Tally,
}

impl Relay {
    /// Makes a private directory with a socket that leads to another one, on the current runtime.
    ///
    /// Errors: the place cannot be made.
    pub async fn unix(directory: &Path, onward: PathBuf) -> io::Result<Self> {
        std::fs::create_dir(directory)?;
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
        let socket = directory.join("broker.sock");
        let listener = UnixListener::bind(&socket)?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        let shared = Arc::<Shared>::default();
        let kept = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                if let Ok((near, _)) = listener.accept().await
                    && let Ok(far) = UnixStream::connect(&onward).await
                {
                    kept.join(near, far);
                }
            }
        });
        Ok(Self { shared, task })
    }

    /// Leads from a port of its own to another one, on the current runtime; gives the port.
    ///
    /// Errors: the port cannot be bound.
    pub async fn tcp(onward: u16) -> io::Result<(Self, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::<Shared>::default();
        let kept = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                if let Ok((near, _)) = listener.accept().await
                    && let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, onward)).await
                {
                    let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
                    kept.join(near, far);
                }
            }
        });
        Ok((Self { shared, task }, port))
    }

    /// Ends all connections; the next one is broken as planned.
    pub fn arm(&self, plan: Option<Plan>) {
        *self.shared.plan.lock().unwrap() = plan;
        self.shared.connections.lock().unwrap().abort_all();
    }

    /// Forgets a plan that no connection has met; tells whether it was still there.
    pub fn disarm(&self) -> bool {
        self.shared.plan.lock().unwrap().take().is_some()
    }

    /// What has passed over the newest connection: up, down.
    pub fn passed(&self) -> [Vec<u8>; 2] {
        self.shared.passed.lock().unwrap().clone()
    }

    /// Whether no rest of a message is still on its way.
    pub fn is_quiet(&self) -> bool {
        self.shared.tally.is_quiet()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.connections.lock().unwrap().abort_all();
    }
}

impl Shared {
    fn join<S: Wire>(self: &Arc<Self>, near: S, far: S) {
        let plan = self.plan.lock().unwrap().take();
        *self.passed.lock().unwrap() = Default::default();
        let mut connections = self.connections.lock().unwrap();
        while connections.try_join_next().is_some() {}
        connections.spawn(Arc::clone(self).run(Joint { near, far }, plan));
    }

    async fn run<S: Wire>(self: Arc<Self>, mut joint: Joint<S>, mut plan: Option<Plan>) {
        let (mut up, mut down) = (vec![0; PART_BYTES], vec![0; PART_BYTES]);
        let mut counts = [0; 2];
        while let Some((way, read)) = joint.next(&mut up, &mut down).await {
            let (part, count) = match way {
                Way::Up => (&mut up[..read], &mut counts[0]),
                Way::Down => (&mut down[..read], &mut counts[1]),
            };
            self.passed.lock().unwrap()[way as usize].extend_from_slice(part);
            let before = *count;
            *count += part.len();
            match joint.pass((way, part), before, &mut plan, &self.tally).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => break,
            }
        }
        joint.end().await;
    }
}
