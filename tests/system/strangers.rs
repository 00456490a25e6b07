//! Whatever comes to the socket, and wherever it is, everybody else is served as before.

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aic_proto::hello::{Hello, Role, ShimHello};
use aic_proto::message::{Ask, Call, Paste, ToBroker, TokenRequest};
use aic_tests::harness::{Asked, Running, SOON, World, eventually};

use crate::{calls, world};

/// Whether shim and broker refuse a directory for the socket, with this word.
fn directory_is_refused(world: &World, directory: &Path, word: &str) {
    let directory = directory.to_str().unwrap();
    let done = world.begin_with(&["serve"], &[("AIC_BROKER_RUNTIME_DIR", directory)]).done().left_with(1);
    assert!(done.err.contains(word), "{done:?}");
    let variables = vec![("AIC_BROKER_RUNTIME_DIR".to_owned(), Some(directory.to_owned()))];
    let mut editor = world.editor_as(Asked { variables, ..Asked::default() });
    let answer = calls::read(&mut editor).refused("broker_unavailable");
    assert!(answer.text().contains(word), "{answer}");
    assert!(world.brokers().is_empty());
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    let world = world();
    std::fs::set_permissions(&world.place.run, PermissionsExt::from_mode(0o755)).unwrap();

    directory_is_refused(&world, &world.place.run, "has mode 0755");
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let world = world();
    // only root can give a directory away; everybody else finds one of root's
    let (directory, owner) = match chown(&world.place.run, Some(61_001), None) {
        Ok(()) => (world.place.run.as_path(), 61_001),
        Err(_) => (Path::new("/usr"), 0),
    };

    directory_is_refused(&world, directory, &format!("belongs to user id {owner}"));
}

#[test]
fn a_directory_behind_a_symbolic_link_is_refused() {
    let world = world();
    let real = world.place.root.join("real");
    std::fs::rename(&world.place.run, &real).unwrap();
    symlink(&real, &world.place.run).unwrap();

    directory_is_refused(&world, &world.place.run, "is a symbolic link");
}

/// The first frame of a command.
fn hello() -> Vec<u8> {
    Hello::new("0", Role::Command).encode().unwrap()
}

/// What a stranger on the socket may do first.
fn first_words() -> [(&'static str, Vec<u8>); 6] {
    let hello = hello();
    [
        ("a frame of 4 GiB", vec![0xff, 0xff, 0xff, 0xff, 0, 1]),
        ("an empty frame", vec![0, 0, 0, 0]),
        ("half a hello", hello[..hello.len() / 2].to_vec()),
        ("words of another protocol", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("nothing at all", Vec::new()),
        ("a hello, then a frame of 4 GiB", [hello.as_slice(), &[0xff, 0xff, 0xff, 0xff, 0, 10]].concat()),
    ]
}

#[test]
fn strangers_on_the_socket_are_shown_the_door_and_everybody_else_is_served() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let before = memory_of(world.broker().pid);

    let strangers: Vec<(&str, UnixStream)> = first_words()
        .into_iter()
        .map(|(what, words)| {
            let mut stream = UnixStream::connect(world.place.socket()).unwrap();
            stream.write_all(&words).unwrap();
            (what, stream)
        })
        .collect();
    calls::read(&mut editor).succeeded();

    for (what, mut stream) in strangers {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        eventually(Duration::from_secs(10), what, || has_ended(&mut stream).then_some(()));
    }
    calls::read(&mut editor).succeeded();
    let grown = memory_of(world.broker().pid).saturating_sub(before);
    assert!(grown < 64 * 1024, "the broker grew by {grown} KiB");
}

/// What a shim says first.
fn shim_hello(name: &str) -> Vec<u8> {
    let (client, tenant) = (name.to_owned(), Some("t0".to_owned()));
    let shim = ShimHello { client, tenant, read_only: false, toolsets: None, container: false };
    Hello::new("0", Role::Shim(shim)).encode().unwrap()
}

#[test]
fn a_frame_that_is_begun_and_never_ended_ends_its_connection() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let status = ToBroker::Status(Ask { id: 1 }).encode().unwrap();

    let mut half = UnixStream::connect(world.place.socket()).unwrap();
    half.write_all(&[hello(), status[..status.len() - 1].to_vec()].concat()).unwrap();
    let mut idle = UnixStream::connect(world.place.socket()).unwrap();
    idle.write_all(&shim_hello("idle")).unwrap();

    for stream in [&half, &idle] {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    eventually(Duration::from_secs(15), "the connection ends", || has_ended(&mut half).then_some(()));
    assert!(!has_ended(&mut idle), "nobody must speak");
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_shim_gets_no_token_whatever_it_asks_for() {
    let world = world();
    calls::read(&mut world.editor("editor")).succeeded();
    let before = world.tenant().ledger().len();
    let scopes = vec!["fr:idm:*".to_owned()];
    let ask = ToBroker::Token(TokenRequest { id: 3, tenant: "t0".to_owned(), scopes });

    assert_eq!(told(&world, &shim_hello("greedy"), &ask), [2, 21], "welcome, refused");

    assert_eq!(world.tenant().ledger().len(), before);
    let line = world.audit().into_iter().find(|line| line.0["client"]["name"] == "greedy").unwrap();
    assert_eq!((line.event(), line.word("outcome")), ("refusal", "not_allowed"));
}

#[test]
fn a_pasted_url_that_no_sign_in_waits_for_is_refused() {
    let world = world();
    let _broker = world.serve();
    let (flow, url) = ("another".to_owned(), "http://localhost:3000/?code=c&state=s".to_owned());

    let told = told(&world, &hello(), &ToBroker::Paste(Paste { id: 3, flow, url }));

    assert_eq!(told, [2, 21], "welcome, refused");
    assert!(world.tenant().ledger().is_empty());
}

#[test]
fn half_a_request_ends_that_connection_alone() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let status = ToBroker::Status(Ask { id: 1 }).encode().unwrap();

    let mut half = UnixStream::connect(world.place.socket()).unwrap();
    half.write_all(&hello()).unwrap();
    half.write_all(&status[..status.len() - 1]).unwrap();
    half.shutdown(std::net::Shutdown::Write).unwrap();

    half.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    eventually(Duration::from_secs(10), "the connection ends", || has_ended(&mut half).then_some(()));
    calls::read(&mut editor).succeeded();
}

#[test]
fn an_unknown_message_is_survived() {
    let world = world();
    let _broker = world.serve();
    let mut stream = UnixStream::connect(world.place.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();

    stream.write_all(&hello()).unwrap();
    stream.write_all(&ToBroker::Unknown(999).encode().unwrap()).unwrap();
    stream.write_all(&ToBroker::Status(Ask { id: 7 }).encode().unwrap()).unwrap();

    let kinds = [(); 3].map(|()| kind_of_next(&mut stream));
    assert_eq!(kinds, [2, 40, 30], "welcome, not understood, status");
}

/// Connects in a child, which leaves and is reaped, and speaks over its connection: a hello and a call, in hexadecimal.
const ORPHAN: &str = "import os,socket,sys
mine,theirs=socket.socketpair(); child=os.fork()
if child==0:
    s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); socket.send_fds(theirs,[b'x'],[s.fileno()]); os._exit(0)
_,fds,_,_=socket.recv_fds(mine,1,1); os.waitpid(child,0); t=socket.socket(fileno=fds[0])
for words in sys.argv[2:]: t.sendall(bytes.fromhex(words)); t.recv(100)
print(child)";

#[test]
fn a_peer_whose_process_is_gone_is_served_and_only_its_label_is_old() {
    let world = world();
    calls::read(&mut world.editor("editor")).succeeded();
    let hello = shim_hello("orphan");
    let call = Call { id: 1, tool: "getLogSources".to_owned(), arguments: "{}".to_owned(), within_ms: 9_000 };
    let hex = |words: Vec<u8>| words.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let words = [hello, ToBroker::Call(call).encode().unwrap()].map(hex);

    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", ORPHAN]).arg(world.place.socket()).args(words);
    let done = Running::start(command).done().left_with(0);

    let label =
        || world.audit().into_iter().find(|line| line.0["client"]["name"] == "orphan" && line.event() == "call");
    let line = eventually(SOON, "the call is on record", label);
    assert_eq!(line.word("outcome"), "success", "{line:?}");
    assert_eq!(line.0["client"]["pid"].to_string(), done.out.trim(), "{line:?}");
}

/// The kinds of what comes for a hello and a request.
fn told(world: &World, hello: &[u8], request: &ToBroker) -> [u16; 2] {
    let mut stream = UnixStream::connect(world.place.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&[hello, &request.encode().unwrap()].concat()).unwrap();
    [(); 2].map(|()| kind_of_next(&mut stream))
}

fn kind_of_next(stream: &mut UnixStream) -> u16 {
    let mut head = [0; 6];
    stream.read_exact(&mut head).unwrap();
    let announced = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    stream.read_exact(&mut vec![0; announced - 2]).unwrap();
    u16::from_be_bytes([head[4], head[5]])
}

fn has_ended(stream: &mut UnixStream) -> bool {
    let mut part = [0; 1024];
    match stream.read(&mut part) {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

/// Resident memory in KiB.
pub fn memory_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
