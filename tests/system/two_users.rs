//! Other users of the machine, and other programs of the same one: they get past no door. Needs root, which plays them all.
//!
//! The broker and its editors run as [`V`], the stranger as [`O`]; both are ids that no machine gives to anybody.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use aic_proto::hello::{Hello, Role};
use aic_tests::harness::{Done, Mode, Running, SOON, World, eventually};
use rustix::process::Signal;
use serde_json::json;

use crate::{builder, calls};

const V: u32 = 61_001;
const O: u32 = 61_002;

/// Whether this is root, who can play the users; `tests/run` counts these tests as skipped where it is not.
fn can_play() -> bool {
    rustix::process::geteuid().is_root()
}

/// Begins a Python program as a user.
fn python(uid: u32, program: &str, arguments: &[&str]) -> Running {
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
    let world = builder().of_user(V).build();
    let program = "import os,socket,sys
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1],0o666)
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2])); s.listen(); print('listens',flush=True)
while True: print('received',len(s.accept()[0].recv(100)),flush=True)";
    let socket = world.place.socket();
    let fake = python(0, program, &[socket.to_str().unwrap(), &O.to_string()]);
    eventually(SOON, "it listens", || fake.said().contains("listens").then_some(()));

    let asked = world.run(&["status"]);

    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(asked.err.contains("61002"), "{asked:?}");
    eventually(SOON, "the connection ends", || fake.said().contains("received").then_some(()));
    assert!(fake.said().contains("received 0"), "{}", fake.said());
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

/// What another program of the same user can do to a process, each attempt with `ok` or the error's name.
const PRY: &str = "import ctypes,errno,os,sys
pid=int(sys.argv[1]); libc=ctypes.CDLL(None,use_errno=True)
def tell(what,work):
    try: work(); print(what,'ok')
    except OSError as e: print(what,errno.errorcode[e.errno])
def read(name): return lambda: open(f'/proc/{pid}/{name}','rb').read(1)
def ask(*words):
    def work():
        if libc.syscall(*[ctypes.c_long(w) if isinstance(w,int) else w for w in words])<0: raise OSError(ctypes.get_errno(),'')
    return work
for name in ['environ','maps','mem','auxv']: tell(name,lambda: open(f'/proc/{pid}/{name}','rb').close() if name=='mem' else read(name)())
tell('fd',lambda: os.listdir(f'/proc/{pid}/fd')); tell('exe',lambda: os.readlink(f'/proc/{pid}/exe')); tell('cwd',lambda: os.readlink(f'/proc/{pid}/cwd'))
tell('pidfd_getfd',ask(438,os.pidfd_open(pid),0,0))
b=ctypes.create_string_buffer(8)
class V(ctypes.Structure): _fields_=[('b',ctypes.c_void_p),('n',ctypes.c_size_t)]
at=int(open('/proc/self/maps').readline().split('-')[0],16) if len(sys.argv)<3 else int(sys.argv[2],16)
tell('process_vm_readv',ask(310,pid,ctypes.byref(V(ctypes.addressof(b),8)),1,ctypes.byref(V(at,8)),1,0))
tell('ptrace',ask(101,16,pid,0,0))";

#[test]
fn another_program_of_the_same_user_reads_nothing_of_the_broker() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    calls::read(&mut world.editor("editor")).succeeded();
    let open = python(V, "import time; print('here',flush=True); time.sleep(600)", &[]);
    eventually(SOON, "the control runs", || open.said().contains("here").then_some(()));

    let pried = |pid: u32| -> Vec<(String, String)> {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let heap = maps.lines().find(|line| line.contains("[heap]") || line.contains(" rw-p")).unwrap();
        let done: Done = python(V, PRY, &[&pid.to_string(), heap.split('-').next().unwrap()]).done().left_with(0);
        done.out.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    };

    let (control, broker) = (pried(open.pid()), pried(world.broker().pid));
    assert_eq!(control.len(), 10, "{control:?}");
    assert!(control.iter().all(|(_, how)| how == "ok"), "an ordinary process is open: {control:?}");
    assert!(broker.iter().all(|(_, how)| how == "EACCES" || how == "EPERM"), "{broker:?}");
    assert_eq!(broker.len(), control.len());
}

#[test]
fn a_broker_that_crashes_leaves_no_core() {
    if !can_play() {
        return;
    }
    let world = builder().of_user(V).build();
    let unlimited = ["/usr/bin/prlimit", "--core=unlimited"];
    let mut control = Command::new(unlimited[0]);
    control.args([unlimited[1], "/usr/bin/python3", "-c", "import os; os.abort()"]).current_dir(&world.place.home);
    assert!(Running::start(control).done().core, "an ordinary process leaves one");
    let broker = world.serve_behind(&unlimited);

    world.broker().end(Signal::ABORT);

    let done = broker.done();
    assert_eq!(done.code, None, "it ended by the signal: {done:?}");
    assert!(!done.core, "{done:?}");
}

#[test]
fn secrets_are_in_locked_pages_and_without_a_right_to_lock_the_broker_goes_on() {
    if !can_play() {
        return;
    }
    let pages = |pid: u32| {
        let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
        let flags = smaps.lines().filter_map(|line| line.strip_prefix("VmFlags:"));
        let of = |line: &str, flag: &str| line.split_whitespace().any(|word| word == flag);
        let (mut locked, mut left_out) = (0, 0);
        for line in flags {
            locked += usize::from(of(line, "lo") && of(line, "dd"));
            left_out += usize::from(of(line, "dd"));
        }
        (locked, left_out)
    };
    let complaint = "tokens may be swapped";

    let world = builder().of_user(V).build();
    let broker = world.serve();
    calls::read(&mut world.editor("editor")).succeeded();
    let (locked, _) = pages(world.broker().pid);
    assert!(locked >= 1, "{locked}");
    assert!(!broker.said().contains(complaint), "{}", broker.said());

    let world = builder().of_user(V).build();
    let broker = world.serve_behind(&["/usr/bin/prlimit", "--memlock=0"]);
    calls::read(&mut world.editor("editor")).succeeded();
    let (locked, left_out) = pages(world.broker().pid);
    assert!(locked == 0 && left_out > 0, "{locked} {left_out}");
    assert!(broker.said().contains(complaint), "{}", broker.said());
}

#[test]
fn the_broker_gives_up_privileges_unless_it_opens_browsers() {
    if !can_play() {
        return;
    }
    let given_up = |world: &World| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", world.broker().pid)).unwrap();
        status.lines().find_map(|line| line.strip_prefix("NoNewPrivs:")).unwrap().trim().to_owned()
    };
    let without = builder().of_user(V).top("browser = \"none\"").build();
    let _broker = without.serve();
    let with = builder().of_user(V).build();
    let _other = with.serve();

    assert_eq!((given_up(&without).as_str(), given_up(&with).as_str()), ("1", "0"));
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
    let program = "import os,socket,sys
s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); mine,theirs=socket.socketpair()
if os.fork()==0:
    socket.send_fds(theirs,[b'x'],[s.fileno()]); os._exit(0)
os.wait(); s.close(); _,fds,_,_=socket.recv_fds(mine,1,1)
t=socket.socket(fileno=fds[0]); t.send(bytes.fromhex(sys.argv[2])); print(len(t.recv(100)))";

    let done = python(V, program, &[world.place.socket().to_str().unwrap(), &hello]).done().left_with(0);

    // the OS tells who connected and not who writes now; no decision asks for the process's id
    assert!(done.out.trim().parse::<u32>().unwrap() > 10, "{done:?}");
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
