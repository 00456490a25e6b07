//! The way between two processes: an echo over the same kind of socket, and the broker's quickest answer.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use aic_proto::frame;
use aic_proto::hello::{Hello, Role, ShimHello};
use aic_proto::message::{Ask, ToBroker};
use aic_tests::harness::{Builder, Programs, SOON, eventually};

use super::measure::Pair;
use super::report::Row;

const ROUNDS: usize = 5000;

/// All of it.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let world = Builder::new(programs.clone()).build();
    let _broker = world.serve();
    let place = world.place.root.join("echo.sock");
    let _echo = Echo(Command::new(std::env::current_exe().unwrap()).arg("echo").arg(&place).spawn().unwrap());
    let mut echo = eventually(SOON, "the echo listens", || UnixStream::connect(&place).ok());
    let mut broker = UnixStream::connect(world.place.socket()).unwrap();
    let (client, tenant) = ("bench 1".to_owned(), Some("t0".to_owned()));
    let shim = ShimHello { client, tenant, read_only: false, toolsets: None, container: false };
    exchange(&mut broker, &Hello::new("bench", Role::Shim(shim)).encode().unwrap());
    let mut id = 0;
    let mut ask = || {
        id += 1;
        ToBroker::SessionStatus(Ask { id }).encode().unwrap()
    };
    let question = ask();
    let pair = Pair::in_turn(ROUNDS, || exchange(&mut echo, &question), || exchange(&mut broker, &ask()));
    let added = pair.added(0.5);
    vec![
        Row::new(
            "a hop to the broker and back (`getSessionStatus`); the floor is an echo",
            pair.floor.to_string(),
            pair.ours.to_string(),
        )
        .result(format!("+ {added:.0} us")),
    ]
}

/// Sends a frame and reads one.
fn exchange(stream: &mut UnixStream, sent: &[u8]) -> Duration {
    let began = Instant::now();
    stream.write_all(sent).unwrap();
    let mut head = [0; 4];
    stream.read_exact(&mut head).unwrap();
    let mut rest = vec![0; u32::from_be_bytes(head) as usize];
    assert!(rest.len() < frame::REPLY_LIMIT);
    stream.read_exact(&mut rest).unwrap();
    began.elapsed()
}

/// The program of the echo: serves one connection to its end.
pub fn echo(place: &Path) {
    let (mut stream, _) = UnixListener::bind(place).unwrap().accept().unwrap();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        stream.write_all(&part[..read]).unwrap();
    }
}

struct Echo(Child);

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
