//! Other users of the machine get past no door. Needs root, which plays them all.
//!
//! The broker and its editors run as [`V`], the stranger as [`O`]; both are ids that no machine gives to anybody.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use aic_proto::hello::{Hello, Role};
use aic_tests::harness::{Mode, Running, SOON, World, eventually};
use serde_json::json;

use crate::{builder, calls};

pub const V: u32 = 61_001;
const O: u32 = 61_002;

/// Whether this is root, who can play the users; `tests/run` counts these tests as skipped where it is not.
pub fn can_play() -> bool {
    rustix::process::geteuid().is_root()
}

/// Begins a Python program as a user.
pub fn python(uid: u32, program: &str, arguments: &[&str]) -> Running {
    let mut command = Command::new("/usr/bin/setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".to_owned()]);
    command.args(["/usr/bin/python3", "-c", program]).args(arguments).current_dir("/");
    Running::start(command)
}

fn give(path: &Path, uid: u32, mode: u32) {
    chown(path, Some(uid), Some(uid)).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn fresh(world: &World, name: &str, uid: u32, mode: u32) -> PathBuf {
    let path = world.place.root.join(name);
    std::fs::create_dir(&path).unwrap();
    give(&path, uid, mode);
    path
}

/// The ways in which the place of the socket can be prepared, each with the word of the refusal.
fn squatted(world: &World) -> [(PathBuf, &'static str); 8] {
    let below = fresh(world, "theirs", O, 0o755);
    std::fs::create_dir(below.join("mine")).unwrap();
    give(&below.join("mine"), V, 0o700);
    fresh(world, "open", V, 0o777);
    let links = ["link", "dangling"].map(|name| world.place.root.join(name));
    symlink(fresh(world, "hidden", O, 0o700), &links[0]).unwrap();
    symlink(world.place.root.join("nowhere"), &links[1]).unwrap();
    let file = world.place.root.join("file");
    std::fs::write(&file, "").unwrap();
    give(&file, V, 0o600);
    let [link, dangling] = links;
    [
        (fresh(world, "wide", O, 0o777), "belongs to user id 61002"),
        (fresh(world, "readable", O, 0o755), "belongs to user id 61002"),
        (fresh(world, "private", O, 0o700), "belongs to user id 61002"),
        (below.join("mine"), "belongs to user id 61002"),
        (fresh(world, "open/below", V, 0o700), "can be written by other users"),
        (link, "is a symbolic link"),
        (dangling, "is a symbolic link"),
        (file, "is not a directory"),
    ]
}

#[test]
fn a_place_that_somebody_else_prepared_is_not_used() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();

    for (place, word) in squatted(&world) {
        let place = place.to_str().unwrap();
        let done = world.begin_with(&["serve"], &[("AIC_BROKER_RUNTIME_DIR", place)]).done().left_with(1);
        assert!(done.err.contains(word), "{place}: {done:?}");
        let asked = world.begin_with(&["status"], &[("AIC_BROKER_RUNTIME_DIR", place)]).done();
        assert!(asked.code != Some(0) && asked.err.contains(word), "{place}: {asked:?}");
    }
    assert!(world.brokers().is_empty());
    assert!(world.tenant().ledger().is_empty());
}

#[test]
fn a_user_who_reaches_the_socket_gets_no_byte_and_a_line_in_the_log_and_so_does_root() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    for (path, mode) in [(&world.place.root, 0o755), (&world.place.run, 0o755), (&world.place.socket(), 0o666)] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let hello: String =
        Hello::new("0", Role::Command).encode().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let program = "import socket,sys
s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
try:
    s.send(bytes.fromhex(sys.argv[2])); print(len(s.recv(100)))
except (BrokenPipeError, ConnectionResetError): print(0)";
    let socket = world.place.socket();
    let arguments = [socket.to_str().unwrap(), hello.as_str()];

    let theirs = python(O, program, &arguments).done().left_with(0);
    let mine = python(V, program, &arguments).done().left_with(0);
    let roots = python(0, program, &arguments).done().left_with(0);

    assert_eq!((theirs.out.trim(), roots.out.trim()), ("0", "0"));
    assert!(mine.out.trim().parse::<u32>().unwrap() > 10, "the user's own program is welcomed: {mine:?}");
    let noted = world.audit().into_iter().find(|line| line.event() == "refusal").unwrap();
    assert!(noted.word("outcome").contains("61002"), "{noted:?}");
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_socket_of_somebody_else_is_told_nothing() {
    if !can_play() {
        return;
    }
    let program = "import os,socket,sys
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o666)
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); s.listen(); print('listens',flush=True)
while True: print('received',len(s.accept()[0].recv(100)),flush=True)";
    for behind_a_link in [false, true] {
        let world = builder().of_user(V).build();
        let mut socket = world.place.socket();
        if behind_a_link {
            symlink(fresh(&world, "theirs", O, 0o755).join("s"), &socket).unwrap();
            socket = world.place.root.join("theirs/s");
        }
        let fake = python(0, program, &[socket.to_str().unwrap(), &O.to_string()]);
        eventually(SOON, "it listens", || fake.said().contains("listens").then_some(()));

        let asked = world.run(&["status"]);
        let called = calls::read(&mut world.editor("editor")).refused("broker_unavailable");

        assert_eq!(asked.code, Some(1), "{asked:?}");
        assert!(asked.err.contains("61002") && called.text().contains("61002"), "{asked:?} {called}");
        eventually(SOON, "both connections end", || (fake.said().matches("received").count() == 2).then_some(()));
        assert_eq!(fake.said().matches("received 0\n").count(), 2, "{}", fake.said());
        assert!(world.brokers().is_empty());
    }
}

#[test]
fn a_redirect_port_that_somebody_else_holds_opens_no_browser() {
    if !can_play() {
        return;
    }
    for hosts in [&["127.0.0.1"][..], &["::1"], &["127.0.0.1", "::1"]] {
        let world = builder().of_user(V).entry("login = \"browser\"").build();
        let program = "import socket,sys,time
held=[]
for host in sys.argv[2:]:
    s=socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    if ':' in host: s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,1)
    s.bind((host,int(sys.argv[1]))); s.listen(); held.append(s)
print('holds',flush=True); time.sleep(600)";
        let port = world.ports[0].to_string();
        let holder = python(O, program, &[&[port.as_str()], hosts].concat());
        eventually(SOON, "it holds the port", || holder.said().contains("holds").then_some(()));

        let done = world.run(&["login", "--tenant", "t0"]);

        assert_ne!(done.code, Some(0), "{hosts:?}: {done:?}");
        assert!(done.said().contains(&port), "{hosts:?}: {done:?}");
        assert!(world.browser.opened().is_empty(), "{hosts:?}");
    }
}

/// The sockets of a process that listen on TCP, and those of names without a file.
fn reachable_otherwise(pid: u32) -> (usize, usize) {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let inodes: Vec<String> = open
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned))
        .collect();
    let table = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let column = |line: &str, at: usize| line.split_whitespace().nth(at).unwrap_or_default().to_owned();
    let tcp = [table("tcp"), table("tcp6")].concat();
    let listening = tcp.lines().filter(|line| column(line, 3) == "0A" && inodes.contains(&column(line, 9)));
    let unix = table("unix");
    let abstract_names =
        unix.lines().filter(|line| inodes.contains(&column(line, 6)) && column(line, 7).starts_with('@'));
    (listening.count(), abstract_names.count())
}

#[test]
fn nothing_but_the_socket_s_file_leads_to_the_broker_outside_a_sign_in() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    let waiting = editor.begin("getLogSources", json!({}));
    eventually(SOON, "a browser opens", || world.browser.opened().pop());
    let during = reachable_otherwise(world.broker().pid);
    world.browser.set(Mode::Follow);
    waiting.answer().succeeded();
    let after = eventually(SOON, "the listener is gone", || {
        Some(reachable_otherwise(world.broker().pid)).filter(|(listening, _)| *listening == 0)
    });

    assert!((1..=2).contains(&during.0), "the search finds the listener of a sign-in: {during:?}");
    assert_eq!((during.1, after), (0, (0, 0)));
}

#[test]
fn a_connection_that_is_handed_to_somebody_else_stays_the_user_s() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    let _broker = world.serve();
    let hello: String =
        Hello::new("0", Role::Command).encode().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    // the first one connects and gives its connection away, as the second user; the last one reports who it was
    let program = "import os,socket,sys
def become(uid): os.setgroups([]); os.setgid(uid); os.setuid(uid)
mine,theirs=socket.socketpair(); v,o=int(sys.argv[3]),int(sys.argv[4]); child=os.fork()
if child==0:
    become(v); s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
    socket.send_fds(theirs,[b'x'],[s.fileno()]); theirs.recv(1); os._exit(0)
_,fds,_,_=socket.recv_fds(mine,1,1); become(o)
t=socket.socket(fileno=fds[0]); t.send(bytes.fromhex(sys.argv[2])); print(len(t.recv(100)))
try: socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as e: print(e.errno)
mine.send(b'x'); os.wait()";
    let socket = world.place.socket();
    let (v, o) = (V.to_string(), O.to_string());

    let done = python(0, program, &[socket.to_str().unwrap(), &hello, &v, &o]).done().left_with(0);

    // the OS tells who connected and not who writes now: whoever gives a connection away, gives it away
    let said: Vec<u32> = done.out.lines().map(|line| line.parse().unwrap()).collect();
    assert!(said[0] > 10 && said[1] == 13, "served, and refused with EACCES on its own: {done:?}");
    assert!(world.audit().iter().all(|line| line.event() != "refusal"), "{:?}", world.audit());
}

/// A service manager of another user than the one who runs the tests: listens at its first argument, and at a connection
/// becomes the rest of them, within a user namespace in which nobody else has a name.
const MANAGER_OF_A_USER: &str = r#"exec /usr/bin/python3 -c '
import os, select, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o600)
listener.listen()
select.select([listener], [], [])
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
own = ["--map-user=%d" % os.getuid(), "--map-group=%d" % os.getgid()]
os.execvp("unshare", ["unshare", "--user", *own, *sys.argv[2:]])
' "$AIC_BROKER_RUNTIME_DIR/broker.sock" "$@""#;

/// Within such a sandbox the directories above the socket seem to be nobody's.
#[test]
fn a_broker_behind_a_sandbox_of_its_user_is_activated_all_the_same() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    let mut broker = Running::start(world.serve_in(MANAGER_OF_A_USER));
    eventually(SOON, "the manager listens", || world.place.socket().exists().then_some(()));

    let answer = calls::read(&mut world.editor("editor"));

    assert!(!answer.is_error(), "{answer} {}", broker.said());
    assert!(broker.runs(), "{}", broker.said());
    world.run(&["stop"]).left_with(0);
}
