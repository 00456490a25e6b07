//! The wall around the broker: redirects, an editor's variables, floods, and names that are taken away under it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::time::Duration;

use aic_proto::hello::{Hello, Role};
use aic_tests::harness::{Asked, Editor, SOON, World, eventually};
use aic_tests::tenant::faults::{Fault, Kind};
use aic_tests::tenant::ledger::Entry;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};
use serde_json::json;

use crate::{builder, calls, world};

/// How many connections the broker has room for.
const CONNECTIONS: usize = 2048;

/// Everything that the broker asks a tenant, each asked once while that kind of request is sent elsewhere.
fn redirected(world: &World, status: u16, location: &str) {
    let away = |method: &str, path: &str| {
        let kind = Kind::Redirect { status, location: location.to_owned() };
        world.tenant().add_fault(Fault { method: Some(method.to_owned()), ..Fault::once(path, kind) });
    };
    let failed = |arguments: &[&str]| {
        let done = world.run(arguments);
        assert_ne!(done.code, Some(0), "{status} {arguments:?}: {done:?}");
    };
    away("POST", "/access_token");
    failed(&["login", "--tenant", "t0"]);
    away("POST", "/device/code");
    failed(&["login", "--tenant", "t0", "--device"]);
    world.run(&["login", "--tenant", "t0"]).left_with(0);
    let mut editor = world.editor("editor");
    away("POST", "/access_token");
    assert!(calls::read(&mut editor).is_error());
    away("GET", "/environment/info");
    // a tenant that does not say what it is counts as what the operator says
    calls::read(&mut editor).succeeded();
    away("GET", "/logs/sources");
    assert!(calls::read(&mut editor).is_error());
    away("PUT", "/environment/variables/");
    let (tool, arguments) = calls::write();
    assert!(editor.call(tool, arguments).is_error());
    away("POST", "/token/revoke");
    let signed_out = world.run(&["logout", "--tenant", "t0"]);
    assert!(signed_out.said().contains("not"), "{status}: {signed_out:?}");
}

#[test]
fn no_request_follows_a_redirect() {
    let world = builder().tenants(2).build();
    let elsewhere = format!("{}/am/oauth2/access_token", world.tenants[1].base_url());

    for status in [301, 302, 303, 307, 308] {
        let before = world.tenant().ledger().len();
        redirected(&world, status, &elsewhere);
        // the browser's own way to the page and back is a redirect, too
        let sent_away = |entry: &&Entry| entry.status == Some(status) && !entry.path.ends_with("/authorize");
        assert_eq!(world.tenant().ledger().iter().skip(before).filter(sent_away).count(), 7, "{status}");
    }

    assert!(world.tenants[1].ledger().is_empty());
}

/// What an editor's project file could set to bend a daemon, besides proxies.
const HOSTILE: [&str; 36] = [
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "BROWSER",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "SSLKEYLOGFILE",
    "NODE_OPTIONS",
    "PYTHONPATH",
    "PERL5LIB",
    "BASH_ENV",
    "ENV",
    "IFS",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "GIO_EXTRA_MODULES",
    "GTK_MODULES",
    "QT_PLUGIN_PATH",
    "MALLOC_CONF",
    "MALLOC_TRACE",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "HOSTALIASES",
    "RES_OPTIONS",
    "AIC_BROKER_DETACHED",
    "AIC_BROKER_SSL_CERT_FILE",
];
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
/// What a broker that a shim started has.
const PASSED_ON: [&str; 16] = [
    "AIC_BROKER_RUNTIME_DIR",
    "AIC_BROKER_STATE_DIR",
    "AIC_BROKER_CONFIG",
    "AIC_BROKER_STARTED_BY_SHIM",
    "DOCKER_CONTAINER",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "TZ",
    "PATH",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
];

#[test]
fn forty_hostile_variables_of_an_editor_do_nothing() {
    let world = world();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let hostile = HOSTILE.iter().map(|name| (name.to_string(), Some("/nowhere/hostile".to_owned())));
    let proxies = PROXIES.iter().map(|name| (name.to_string(), Some(url.clone())));
    let path = [("PATH".to_owned(), Some("/nowhere/hostile:/usr/bin:/bin".to_owned()))];
    let variables = hostile.chain(proxies).chain(path).collect();
    let mut editor = world.editor_as(Asked { variables, ..Asked::default() });

    calls::read(&mut editor).succeeded();

    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came to the proxy");
    // only root may read it; the call above shows for everybody that nothing of it counted
    let environment = std::fs::read(format!("/proc/{}/environ", world.broker().pid)).unwrap_or_default();
    for variable in environment.split(|byte| *byte == 0).filter(|variable| !variable.is_empty()) {
        let (name, value) = std::str::from_utf8(variable).unwrap().split_once('=').unwrap();
        assert!(PASSED_ON.contains(&name) && !value.contains("hostile"), "{name}={value}");
    }
}

#[test]
fn a_signal_to_an_editor_s_processes_does_not_reach_the_broker() {
    let world = world();
    let mut command = world.shim();
    command.process_group(0);
    let mut editor = Editor::start(command, Asked::default()).open();
    calls::read(&mut editor).succeeded();
    let (shim, broker) = (editor.pid(), world.broker());

    // group and session: what a terminal or an editor ends at once
    let of = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let words: Vec<u32> =
            stat.rsplit_once(") ").unwrap().1.split(' ').skip(1).take(3).map(|word| word.parse().unwrap()).collect();
        [words[1], words[2]]
    };
    let (ours, theirs) = (of(broker.pid), of(shim));
    kill_process_group(Pid::from_raw(i32::try_from(shim).unwrap()).unwrap(), Signal::KILL).unwrap();
    eventually(SOON, "the shim is gone", || world.processes().iter().all(|process| process.pid != shim).then_some(()));

    assert!(ours.iter().zip(theirs).all(|(ours, theirs)| *ours != theirs), "{ours:?} {theirs:?}");
    calls::read(&mut world.editor("another")).succeeded();
    assert_eq!((world.broker(), world.browser.opened().len()), (broker, 1));
}

#[test]
fn a_broker_whose_socket_is_taken_away_gives_its_tokens_back_and_leaves() {
    type Taking = fn(&World) -> std::io::Result<()>;
    let ways: [Taking; 4] = [
        |world| std::fs::remove_file(world.place.socket()),
        |world| std::fs::rename(world.place.socket(), world.place.run.join("elsewhere")),
        |world| std::fs::remove_dir_all(&world.place.run),
        |world| {
            let theirs = world.place.run.join("theirs");
            drop(UnixListener::bind(&theirs)?);
            std::fs::rename(theirs, world.place.socket())
        },
    ];
    for take in ways {
        let world = world();
        let mut editor = world.editor("editor");
        calls::read(&mut editor).succeeded();

        take(&world).unwrap();
        world.no_broker_within(SOON);

        assert_eq!(calls::living_tokens(world.tenant()), [""; 0]);
        let stop = world.audit().pop().unwrap();
        assert_eq!((stop.event(), stop.word("outcome")), ("stop", "the socket was taken away"));
        calls::read(&mut editor).succeeded();
    }
}

#[test]
fn a_broker_that_lost_its_name_leaves_the_new_one_alone() {
    let world = world();
    let _first = world.serve();
    let first = world.broker();
    first.end(Signal::STOP);
    for name in ["broker.sock", "broker.lock"] {
        std::fs::rename(world.place.run.join(name), world.place.run.join(format!("{name}.old"))).unwrap();
    }
    let second = world.serve();

    first.end(Signal::CONT);
    first.terminate();
    eventually(SOON, "the first is gone", || (!first.lives()).then_some(()));

    assert_eq!(world.status().unwrap()["pid"], second.pid());
}

#[test]
fn the_thirty_third_call_of_an_editor_is_refused_at_once_and_others_are_served() {
    let world = world();
    let mut editor = world.editor("busy");
    calls::read(&mut editor).succeeded();
    world.tenant().add_fault(Fault { times: 32, ..Fault::once("/logs/sources", Kind::Hang) });
    let before = world.tenant().ledger().len();
    let waiting: Vec<_> = (0..32).map(|_| editor.begin("getLogSources", json!({}))).collect();
    eventually(SOON, "all are under way", || {
        (world.tenant().ledger().iter().skip(before).filter(|entry| entry.path.contains("sources")).count() == 32)
            .then_some(())
    });

    let refused = calls::read(&mut editor).refused("rate_limited");
    calls::read(&mut world.editor("other")).succeeded();

    assert!(refused.text().contains("32 calls"), "{refused}");
    assert_eq!(waiting.len(), 32);
}

fn may_open_many_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// A connection that says hello and then nothing.
fn guest(world: &World) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(world.place.socket())?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(&Hello::new("0", Role::Command).encode().unwrap())?;
    let mut head = [0; 6];
    stream.read_exact(&mut head).map(|()| stream)
}

#[test]
fn two_thousand_silent_connections_are_the_most_and_cost_little() {
    may_open_many_files();
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let pid = world.broker().pid;
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let before = memory();

    let guests: Vec<UnixStream> = (1..CONNECTIONS).map(|_| guest(&world).unwrap()).collect();
    assert!(guest(&world).is_err(), "there is no room for one more");
    calls::read(&mut editor).succeeded();
    let grown = memory().saturating_sub(before);
    drop(guests);

    assert!(grown < 64 * 1024, "the broker grew by {grown} KiB");
    eventually(SOON, "there is room again", || guest(&world).ok());
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_broker_without_descriptors_finishes_its_call_and_recovers() {
    let world = world();
    let broker = world.serve_behind(&["/usr/bin/prlimit", "--nofile=64:64"]);
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    world.tenant().add_fault(Fault::once("/logs/sources", Kind::Delay { milliseconds: 1500 }));
    let waiting = editor.begin("getLogSources", json!({}));

    let flood: Vec<UnixStream> = (0..120).map(|_| UnixStream::connect(world.place.socket()).unwrap()).collect();
    waiting.answer().succeeded();
    drop(flood);

    calls::read(&mut world.editor("new")).succeeded();
    assert!(broker.said().lines().count() < 20, "{}", broker.said());
}
