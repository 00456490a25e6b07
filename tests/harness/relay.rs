//! Stands between a shim and the broker and keeps every byte that passes.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::place::private_directory;

/// A socket directory of its own whose socket leads to another one.
pub struct Relay {
    /// The directory, for `AIC_BROKER_RUNTIME_DIR`.
    pub directory: PathBuf,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    /// Begins to pass on what comes to `directory` to the socket at `onward`. Its threads end with the connections.
    pub fn start(directory: &Path, onward: PathBuf) -> Self {
        let directory = private_directory(directory);
        let socket = directory.join("broker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let kept = bytes.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(broker) = UnixStream::connect(&onward) {
                    join(&client, &broker, &kept);
                }
            }
        });
        Self { directory, bytes }
    }

    /// Every byte that passed, in both directions.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

fn join(client: &UnixStream, broker: &UnixStream, kept: &Arc<Mutex<Vec<u8>>>) {
    for (from, to) in [(client, broker), (broker, client)] {
        let (from, to, kept) = (from.try_clone().unwrap(), to.try_clone().unwrap(), kept.clone());
        std::thread::spawn(move || pass(from, to, &kept));
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, kept: &Mutex<Vec<u8>>) {
    let mut part = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut part) {
        kept.lock().unwrap().extend_from_slice(&part[..read]);
        if to.write_all(&part[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
