//! What the machine refuses: descriptors, a process that is stopped, a place that vanishes.

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use aic_tests::faults::programs;
use aic_tests::harness::{Builder, Editor, SOON, World, eventually};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::json;

/// How long the broker is watched at its limit of descriptors.
const WINDOW: Duration = Duration::from_secs(3);

fn world() -> World {
    Builder::new(programs()).switches(|switches| switches.logs_per_minute = u32::MAX).build()
}

fn read(editor: &mut Editor) -> aic_tests::harness::Answer {
    editor.call("getLogSources", json!({}))
}

fn write(editor: &mut Editor, name: &str) -> aic_tests::harness::Answer {
    editor.call("setVariable", json!({"variableId": name, "value": "green", "type": "string"}))
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// Processor time in ticks of 10 ms.
fn ticks_of(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = stat.rsplit_once(") ").unwrap().1;
    rest.split(' ').skip(11).take(2).map(|word| word.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_broker_without_descriptors_rests_and_recovers() {
    let world = world();
    let mut editor = world.editor("editor");
    read(&mut editor).succeeded();
    let pid = world.broker().pid;
    prlimit(Some(pid_of(pid)), Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).unwrap();

    let strangers: Vec<UnixStream> = (0..500).map_while(|_| connect_without_waiting(&world)).collect();
    assert!(strangers.len() > 64, "{}", strangers.len());
    let (began, before) = (Instant::now(), ticks_of(pid));
    eventually(SOON, "the window passes", || (began.elapsed() > WINDOW).then_some(()));
    let used = Duration::from_millis((ticks_of(pid) - before) * 10);
    drop(strangers);

    assert!(used < WINDOW.mul_f32(0.05), "{used:?} of processor time in {WINDOW:?}");
    let log = fs::read_to_string(world.place.state.join("broker.log")).unwrap_or_default();
    assert!(log.lines().count() < 20, "{log}");
    read(&mut editor).succeeded();
    read(&mut world.editor("another")).succeeded();
    assert_eq!(world.broker().pid, pid);
}

/// Connects unless the queue of connections is full.
fn connect_without_waiting(world: &World) -> Option<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
    let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    connect(&stream, &SocketAddrUnix::new(world.place.socket()).unwrap()).ok()?;
    Some(UnixStream::from(stream))
}

#[test]
fn a_stopped_broker_costs_a_call_its_time_and_the_next_one_nothing() {
    let world = world();
    let mut editor = world.hasty_editor(4);
    read(&mut editor).succeeded();
    let broker = pid_of(world.broker().pid);

    kill_process(broker, Signal::STOP).unwrap();
    let answer = write(&mut editor, "esv-stopped");
    let fresh = read(&mut world.hasty_editor(4));
    kill_process(broker, Signal::CONT).unwrap();

    assert!(answer.is_error() && answer.executed() != "yes", "{answer}");
    assert!(answer.took < Duration::from_secs(6), "{answer}");
    let fresh = fresh.refused("broker_unavailable");
    assert!(fresh.text().contains("did not answer"), "{fresh}");
    read(&mut editor).succeeded();
    let arrived = world.tenant().ledger().iter().filter(|entry| entry.path.ends_with("esv-stopped")).count();
    assert!(arrived <= 1 && (arrived == 0 || answer.executed() == "unknown"), "{arrived}: {answer}");
}

#[test]
fn a_stopped_shim_costs_the_others_nothing() {
    let world = world();
    let mut stopped = world.editor("stopped");
    read(&mut stopped).succeeded();
    let shim = pid_of(stopped.pid());

    kill_process(shim, Signal::STOP).unwrap();
    let waiting: Vec<_> = (0..100).map(|_| stopped.begin("getLogSources", json!({}))).collect();
    let mut other = world.editor("other");
    for _ in 0..20 {
        read(&mut other).succeeded();
    }
    kill_process(shim, Signal::CONT).unwrap();

    // those above what one client may have in flight are refused, and each is answered
    waiting.into_iter().for_each(|waiting| drop(waiting.answer()));
    read(&mut stopped).succeeded();
}

#[test]
fn a_socket_that_vanishes_ends_the_broker_and_the_next_call_starts_one() {
    let world = world();
    let mut editor = world.editor("editor");
    read(&mut editor).succeeded();
    let first = world.broker();

    fs::remove_file(world.place.socket()).unwrap();

    eventually(SOON, "the broker leaves", || (!first.lives()).then_some(()));
    read(&mut editor).succeeded();
    assert_ne!(world.broker().pid, first.pid);
}

#[test]
fn a_directory_at_the_socket_s_name_is_removed_when_it_is_empty_and_named_when_it_is_not() {
    let world = world();
    let mut editor = world.hasty_editor(4);
    let socket = world.place.socket();
    fs::create_dir(&socket).unwrap();
    fs::write(socket.join("kept"), "somebody's").unwrap();

    let refused = read(&mut editor).refused("broker_unavailable");
    fs::remove_file(socket.join("kept")).unwrap();
    read(&mut editor).succeeded();

    assert!(refused.text().contains(&*socket.to_string_lossy()), "{refused}");
    let names = fs::read_dir(&world.place.run).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(left.is_empty(), "sockets that never got their name: {left:?}");
}
