//! A broker of another release, played: it welcomes, tells a status, and leaves when it is told to stop.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::JoinHandle;

use aic_proto::hello::{Reply, TurnedAway, Welcome};
use aic_proto::message::{Ask, Text, ToBroker, ToShim};

/// Listens at the world's socket until it is dropped or told to stop.
pub(super) struct Played {
    socket: std::path::PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Played {
    pub(super) fn welcoming(socket: &Path, version: &str) -> Self {
        let welcome = Welcome { protocol: 1, program: version.to_owned(), pid: 1, state_key: [0; 32] };
        Self::start(socket, Reply::Welcome(welcome).encode().unwrap())
    }

    pub(super) fn turning_away(socket: &Path) -> Self {
        Self::start(socket, Reply::TurnedAway(TurnedAway::Version { newest: 9, oldest: 8 }).encode().unwrap())
    }

    fn start(socket: &Path, first: Vec<u8>) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        std::fs::set_permissions(socket, PermissionsExt::from_mode(0o600)).unwrap();
        let own = socket.to_path_buf();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !serve(stream, &first) {
                    break;
                }
            }
            let _ = std::fs::remove_file(own);
        });
        Self { socket: socket.to_path_buf(), thread: Some(thread) }
    }
}

/// Serves one connection; `false` when that is the last one: it was told to stop, or nobody said a word.
fn serve(mut stream: UnixStream, first: &[u8]) -> bool {
    let Some(_hello) = request(&mut stream) else { return false };
    let _ = stream.write_all(first);
    let stop = ToBroker::Stop(Ask { id: 1 }).encode().unwrap();
    while let Some(request) = request(&mut stream) {
        let told = request == stop;
        let answer = match told {
            true => ToShim::Done(Ask { id: 1 }),
            false => ToShim::Status(Text { id: 1, text: "{}".to_owned() }),
        };
        let _ = stream.write_all(&answer.encode().unwrap());
        if told {
            return false;
        }
    }
    true
}

fn request(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 4];
    stream.read_exact(&mut bytes).ok()?;
    let announced = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    bytes.resize(4 + announced, 0);
    stream.read_exact(&mut bytes[4..]).ok()?;
    Some(bytes)
}

impl Drop for Played {
    fn drop(&mut self) {
        if UnixStream::connect(&self.socket).is_ok() {
            drop(self.thread.take().map(JoinHandle::join));
        }
    }
}
