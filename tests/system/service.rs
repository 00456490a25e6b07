//! Started by a service manager: the broker takes over its socket, says when it is ready, leaves it in place, comes back.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use aic_tests::harness::{Editor, Manager, Mode, Running, SOON, World, eventually, mode_of};
use serde_json::json;

use crate::{builder, calls, world};

/// One read that a connection of its own activates the broker for.
fn activated(world: &World, manager: &Manager, editor: &mut Editor) -> Running {
    let waiting = editor.begin("getLogSources", json!({}));
    let broker = manager.activate(world);
    waiting.answer().succeeded();
    broker
}

#[test]
fn the_first_call_activates_the_broker_and_is_answered() {
    let world = world();
    let manager = Manager::of(&world);
    let mut editor = world.editor("editor");
    assert!(!manager.has_visitor(), "an editor that lists tools connects to nobody");

    let broker = activated(&world, &manager, &mut editor);

    assert_eq!(world.broker().pid, broker.pid());
    let said = manager.heard();
    assert!(said.starts_with("READY=1\nSTATUS="), "{said}");
    assert!(world.place.run.join("broker.lock").exists());
}

#[test]
fn an_activated_broker_leaves_the_socket_and_the_next_call_brings_it_back() {
    let world = builder().top("session_linger = \"1s\"").build();
    let manager = Manager::of(&world);
    let mut editor = world.editor("first");
    let first = activated(&world, &manager, &mut editor);

    editor.close();

    let left = first.done().left_with(0);
    let heard = [(); 3].map(|()| manager.heard());
    assert!(heard[0].starts_with("READY=1") && heard[2].starts_with("STOPPING=1"), "{left:?} {heard:?}");
    assert_eq!(mode_of(&world.place.socket()) & 0o777, 0o600);
    assert_eq!(world.audit().last().expect("a line").word("outcome"), "nobody was connected");
    let mut editor = world.editor("second");
    let _second = activated(&world, &manager, &mut editor);
    assert_eq!(world.browser.opened().len(), 2, "a fresh start");
}

/// The variable makes the process start anew in its place: the socket goes with it.
#[test]
fn an_activated_broker_with_certificates_of_its_own_keeps_the_socket() {
    const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
    let world = world();
    let manager = Manager::of(&world);
    let mut editor = world.editor("editor");
    let waiting = editor.begin("getLogSources", json!({}));
    eventually(SOON, "the editor connects", || manager.has_visitor().then_some(()));
    let line = format!("SSL_CERT_FILE={CERTIFICATES} LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 0</dev/null");

    let broker = manager.hand_over_by(&world, manager.listener(), &line);

    waiting.answer().succeeded();
    assert_eq!((world.broker().pid, broker.said()), (broker.pid(), String::new()));
}

#[test]
fn a_stopped_broker_that_was_activated_leaves_the_socket() {
    let world = world();
    let manager = Manager::of(&world);
    let mut editor = world.editor("editor");
    let broker = activated(&world, &manager, &mut editor);

    world.run(&["stop"]).left_with(0);

    broker.done().left_with(0);
    assert!(calls::living_tokens(world.tenant()).is_empty());
    let _again = activated(&world, &manager, &mut editor);
}

#[test]
fn only_the_user_s_own_socket_is_taken_over() {
    let elsewhere = |world: &World| UnixListener::bind(world.place.run.join("other.sock")).unwrap().into();
    let tcp = |_: &World| TcpListener::bind("127.0.0.1:0").unwrap().into();
    let file = |_: &World| File::open("/dev/null").unwrap().into();
    let connected = |_: &World| UnixStream::pair().unwrap().0.into();
    type Descriptor<'a> = &'a dyn Fn(&World) -> OwnedFd;
    let cases: [(Descriptor<'_>, &str); 4] = [
        (&elsewhere, "other.sock"),
        (&tcp, "has no name in the file system"),
        (&file, "does not listen for streams"),
        (&connected, "does not listen for streams"),
    ];

    for (descriptor, reason) in cases {
        let world = world();
        let manager = Manager::of(&world);
        let done = manager.hand_over(&world, descriptor(&world)).done().left_with(1);
        assert!(done.err.contains("handed over another socket than") && done.err.contains(reason), "{done:?}");
        assert!(world.place.socket().exists(), "the manager's socket is the manager's");
    }
}

#[test]
fn a_socket_that_others_may_use_is_not_taken_over() {
    let world = world();
    let manager = Manager::of(&world);
    std::fs::set_permissions(world.place.socket(), PermissionsExt::from_mode(0o666)).unwrap();

    let _visitor = UnixStream::connect(world.place.socket()).unwrap();
    let done = manager.activate(&world).done().left_with(1);

    assert!(done.err.contains("has mode 0666, and 0600 is needed"), "{done:?}");
}

#[test]
fn two_sockets_and_none_are_refused_for_what_they_are() {
    let cases = [
        ("LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\" 3<&0", "handed over 2 sockets, and one is needed"),
        ("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&-", "the socket of the service manager"),
    ];

    for (line, reason) in cases {
        let world = world();
        let manager = Manager::of(&world);
        let done = manager.hand_over_by(&world, File::open("/dev/null").unwrap().into(), line).done().left_with(1);
        assert!(done.err.contains(reason), "{done:?}");
    }
}

#[test]
fn what_was_meant_for_another_process_is_no_activation() {
    let world = world();
    let line = "LISTEN_PID=1 LISTEN_FDS=1 exec \"$@\" 3<&0";
    let broker = Running::start_on(world.serve_in(line), std::process::Stdio::null());

    let status = eventually(SOON, "the broker listens", || world.status());

    assert_eq!(status["pid"], broker.pid());
}

#[test]
fn a_browser_hears_nothing_of_the_service_manager() {
    let world = world();
    let manager = Manager::of(&world);
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    let waiting = editor.begin("getLogSources", json!({}));
    let _broker = manager.activate(&world);

    let window = eventually(SOON, "the browser's window", || {
        world.processes().into_iter().find(|process| process.program == "browser" && process.arguments.len() == 3)
    });

    let environment = std::fs::read_to_string(format!("/proc/{}/environ", window.pid)).unwrap();
    assert!(environment.contains("HOME=") && !environment.contains("NOTIFY_SOCKET"), "{environment}");
    assert!(!environment.contains("LISTEN_"), "{environment}");
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", window.pid)).unwrap();
    let open: Vec<_> = descriptors.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    assert!(open.iter().all(|target| !target.to_string_lossy().starts_with("socket:")), "{open:?}");
    world.browser.set(Mode::Follow);
    waiting.answer().succeeded();
}

#[test]
fn a_manager_that_takes_the_name_of_a_running_broker_gets_one_broker_in_the_end() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let first = world.broker();
    std::fs::remove_file(world.place.socket()).unwrap();
    let manager = Manager::of(&world);

    let _visitor = UnixStream::connect(world.place.socket()).unwrap();
    let second = manager.activate(&world);

    assert!(manager.heard().starts_with("READY=1"));
    eventually(SOON, "the first one has left", || (!first.lives()).then_some(()));
    assert_eq!(world.broker().pid, second.pid());
    calls::read(&mut editor).succeeded();
}

#[test]
fn without_a_service_manager_nothing_is_written_and_it_is_said_what_happens_instead() {
    let world = world();

    let done = world.run(&["install", "--service"]).left_with(1);

    assert!(done.err.contains("no service manager of this user runs here"), "{done:?}");
    assert!(done.err.contains("aic-mcp starts the broker by itself when a call needs it"), "{done:?}");
    assert!(!world.place.home.join(".config").exists(), "{done:?}");
    world.run(&["uninstall"]).left_with(0);
}

#[test]
fn a_place_that_would_be_two_lines_of_a_unit_is_refused() {
    let world = world();

    let variables = [("AIC_BROKER_STATE_DIR", "/tmp/a\nExecStartPre=/bin/false")];
    let done = world.begin_with(&["install", "--service", "--dry-run"], &variables).done().left_with(1);

    assert!(done.err.contains("it is no line of text") && !done.out.contains("+ "), "{done:?}");
}

#[test]
fn a_dry_run_shows_every_file_and_command_of_the_service_and_writes_nothing() {
    let world = world();
    let program = world.place.programs.join("aic-broker").display().to_string();

    let done = world.run(&["install", "--service", "--dry-run"]).left_with(0);

    for wanted in [
        format!("+ ExecStart=\"{program}\" serve"),
        format!("+ ListenStream={}", world.place.socket().display()),
        format!("+ Environment=\"AIC_BROKER_RUNTIME_DIR={}\"", world.place.run.display()),
        "$ systemctl --user enable --now aic-broker.socket".to_owned(),
        "no editor was found".to_owned(),
    ] {
        assert!(done.out.contains(&wanted), "{wanted} is not in {}", done.out);
    }
    assert!(!world.place.home.join(".config").exists() && world.processes().is_empty());
}

/// Reads the property list and the task as strictly as Python does.
const STRICT: &str = r#"
import plistlib, sys, xml.etree.ElementTree as tree
agent = plistlib.load(open(sys.argv[1], "rb"))
assert agent["ProgramArguments"] == ["@BROKER@", "serve"] and isinstance(agent["EnvironmentVariables"], dict), agent
assert agent["Sockets"]["Listeners"] == {"SockPathName": "@SOCKET@", "SockPathMode": 0o600}, agent
task = tree.fromstring(open(sys.argv[2]).read().split("?>", 1)[1])
space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
assert task.find(f"{space}Actions/{space}Exec/{space}Arguments").text == "serve"
assert task.find(f"{space}Principals/{space}Principal/{space}RunLevel").text == "LeastPrivilege"
"#;

#[test]
fn the_agent_of_launchd_and_the_task_of_windows_are_well_formed() {
    let of = |file: &str| format!("{}/../packaging/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut strict = std::process::Command::new("/usr/bin/python3");
    strict.args(["-c", STRICT, &of("macos/aic-broker.plist"), &of("windows/aic-broker.xml")]);

    Running::start(strict).done().left_with(0);
}
