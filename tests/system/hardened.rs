//! Other programs of the same user, a core file and swap get nothing of the broker. Needs root, which plays them.

use std::process::Command;

use aic_tests::harness::{Done, Running, SOON, World, eventually};
use rustix::process::Signal;

use crate::two_users::{V, can_play, python};
use crate::{builder, calls};

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

/// How many KiB of a process are kept out of core files and swap, and how many out of core files.
///
/// Source: proc(5), `/proc/PID/smaps`: `lo` is locked, `dd` is left out of a core file.
fn kept_apart(pid: u32) -> (u64, u64) {
    let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).unwrap();
    let (mut size, mut locked, mut left_out) = (0, 0, 0);
    for line in smaps.lines() {
        if let Some(text) = line.strip_prefix("Size:") {
            size = text.trim().trim_end_matches(" kB").parse().unwrap();
        }
        let Some(flags) = line.strip_prefix("VmFlags:") else { continue };
        let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
        left_out += if has("dd") { size } else { 0 };
        locked += if has("dd") && has("lo") { size } else { 0 };
    }
    (locked, left_out)
}

#[test]
fn secrets_are_in_locked_pages_and_without_a_right_to_lock_the_broker_goes_on() {
    if !can_play() {
        return;
    }
    // the key of the records, the primary and the scoped token have a page of 4 KiB each
    const SECRETS_KIB: u64 = 3 * 4;
    let complaint = "tokens may be swapped";

    let world = builder().of_user(V).build();
    let broker = world.serve();
    let (before, _) = kept_apart(broker.pid());
    calls::read(&mut world.editor("editor")).succeeded();
    let (locked, _) = kept_apart(broker.pid());
    assert!(locked >= before + SECRETS_KIB, "{before} {locked}");
    assert!(!broker.said().contains(complaint), "{}", broker.said());

    let world = builder().of_user(V).build();
    let broker = world.serve_behind(&["/usr/bin/prlimit", "--memlock=0"]);
    calls::read(&mut world.editor("editor")).succeeded();
    let (locked, left_out) = kept_apart(world.broker().pid);
    assert!(locked == 0 && left_out >= SECRETS_KIB, "{locked} {left_out}");
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
