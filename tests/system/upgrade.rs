//! Two releases meet: a replaced broker finishes its calls and makes way, and both sides get along with the other's version.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use aic_proto::frame::{self, Frame};
use aic_proto::hello::{Hello, Reply, Role, TurnedAway};
use aic_proto::message::{Ask, ToBroker, ToShim};
use aic_tests::harness::{Editor, SOON, World, eventually};
use serde_json::json;

use crate::{builder, calls, world};

/// A raw connection, as a program of another release makes one.
struct Raw(UnixStream);

impl Raw {
    fn connect(world: &World) -> Self {
        let stream = UnixStream::connect(world.place.socket()).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Self(stream)
    }

    fn hello(mut self, hello: &[u8]) -> (Self, Reply) {
        self.0.write_all(hello).unwrap();
        let reply = Reply::decode(&self.frame()).unwrap();
        (self, reply)
    }

    fn frame(&mut self) -> Frame {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = self.0.try_clone().unwrap();
            stream.set_nonblocking(true).unwrap();
            let mut stream = tokio::net::UnixStream::from_std(stream).unwrap();
            frame::read(&mut stream, frame::REPLY_LIMIT).await.unwrap().expect("a frame")
        })
    }
}

/// A hello of another release.
fn hello(program: &str, oldest: u16, newest: u16) -> Vec<u8> {
    Hello { oldest, newest, ..Hello::new(program, Role::Command) }.encode().unwrap()
}

/// Installs another build of the broker, as a package does: a new file under the old name. A client of it comes by.
fn replace(world: &World, version: &str) {
    let program = world.place.programs.join("aic-broker");
    let newer = world.place.root.join("newer");
    std::fs::copy(&program, &newer).unwrap();
    std::fs::rename(newer, &program).unwrap();
    if let Ok(mut stream) = UnixStream::connect(world.place.socket()) {
        let _ = stream.write_all(&hello(version, 1, 1));
    }
}

#[test]
fn a_replaced_broker_finishes_its_call_and_the_next_one_starts_the_new_broker() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let old = world.broker();
    world.tenant().switches().latency_milliseconds = 1500;
    let begun = calls::api(world.tenant()).len();
    let (tool, arguments) = calls::write();
    let waiting = editor.begin(tool, arguments);
    eventually(SOON, "the write is under way", || (calls::api(world.tenant()).len() > begun).then_some(()));

    replace(&world, "9.9.9");

    waiting.answer().succeeded();
    eventually(SOON, "the old broker leaves", || (!old.lives()).then_some(()));
    assert_eq!(world.audit().last().expect("a line").word("outcome"), "its program was replaced");
    assert!(calls::living_tokens(world.tenant()).is_empty(), "the session ended with it");
    world.tenant().switches().latency_milliseconds = 0;
    calls::read(&mut editor).succeeded();
    assert_ne!(world.broker().pid, old.pid);
    assert_eq!(world.browser.opened().len(), 2);
}

#[test]
fn a_broker_whose_file_is_gone_or_whose_visitor_is_merely_newer_goes_on() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let broker = world.broker();
    std::fs::remove_file(world.place.programs.join("aic-broker")).unwrap();

    let (_raw, reply) = Raw::connect(&world).hello(&hello("9.9.9", 1, 2));

    assert!(matches!(reply, Reply::Welcome(welcome) if welcome.protocol == 1));
    calls::read(&mut editor).succeeded();
    assert!(broker.lives());
}

/// Repeats what was turned away, which certainly did nothing; everything else must have succeeded.
fn insist(editor: &mut Editor, tool: &str, arguments: &serde_json::Value) {
    let mut answer = editor.call(tool, arguments.clone());
    for _ in 0..10 {
        if !answer.is_error() {
            return;
        }
        assert_eq!(answer.executed(), "no", "{answer}");
        answer = editor.call(tool, arguments.clone());
    }
    panic!("{tool} was turned away again and again: {answer}");
}

#[test]
fn under_traffic_an_upgrade_and_a_downgrade_lose_no_call_and_make_no_write_twice() {
    const EDITORS: usize = 4;
    const ROUNDS: usize = 25;
    let world = builder().switches(|switches| switches.latency_milliseconds = 20).build();
    calls::read(&mut world.editor("first")).succeeded();
    let mut brokers = vec![u64::from(world.broker().pid)];

    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..EDITORS)
            .map(|number| {
                let mut editor = world.editor(&format!("editor {number}"));
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let id = format!("esv-v{number}-{round}");
                        insist(&mut editor, "queryESVs", &json!({"type": "variable"}));
                        insist(&mut editor, "setVariable", &json!({"variableId": id, "value": "x", "type": "string"}));
                    }
                })
            })
            .collect();
        for version in ["9.9.9", "0.0.1"] {
            replace(&world, version);
            let last = *brokers.last().unwrap();
            let serving = || world.status().and_then(|status| status["pid"].as_u64()).filter(|pid| *pid != last);
            brokers.push(eventually(SOON * 2, "a new broker serves", serving));
        }
        for editor in busy {
            editor.join().unwrap();
        }
    });

    let mut writes: HashMap<String, usize> = HashMap::new();
    for entry in calls::writes(world.tenant()) {
        *writes.entry(entry.path.clone()).or_default() += 1;
    }
    assert_eq!(writes.len(), EDITORS * ROUNDS);
    assert!(writes.values().all(|count| *count == 1), "{writes:?}");
    world.run(&["audit", "verify"]).left_with(0);
}

#[test]
fn a_newer_client_is_answered_in_the_version_that_both_know() {
    let world = world();
    let _broker = world.serve();
    let mut longer = hello("9.9.9", 1, 2);
    let later = b"fields of a later version";
    longer.extend_from_slice(later);
    let length = u32::try_from(longer.len() - 4).unwrap();
    longer[..4].copy_from_slice(&length.to_be_bytes());

    let (mut raw, reply) = Raw::connect(&world).hello(&longer);
    assert!(matches!(reply, Reply::Welcome(welcome) if welcome.protocol == 1));
    raw.0.write_all(&ToBroker::Unknown(999).encode().unwrap()).unwrap();
    let unknown = ToShim::decode(&raw.frame()).unwrap();
    raw.0.write_all(&ToBroker::Status(Ask { id: 7 }).encode().unwrap()).unwrap();
    let status = ToShim::decode(&raw.frame()).unwrap();

    assert!(matches!(unknown, ToShim::NotUnderstood(not) if not.kind == 999));
    assert!(matches!(status, ToShim::Status(text) if text.id == 7));
}

#[test]
fn a_client_of_no_common_version_is_told_which_ones_the_broker_speaks() {
    let world = world();
    let _broker = world.serve();

    for (oldest, newest) in [(2, 3), (0, 0)] {
        let (_raw, reply) = Raw::connect(&world).hello(&hello("9.9.9", oldest, newest));
        assert_eq!(reply, Reply::TurnedAway(TurnedAway::Version { newest: 1, oldest: 1 }), "{oldest} to {newest}");
    }
}

/// A broker of a release far away, played: it turns away whoever comes.
#[test]
fn a_command_and_an_editor_say_which_versions_a_foreign_broker_speaks() {
    let world = world();
    let listener = UnixListener::bind(world.place.socket()).unwrap();
    std::fs::set_permissions(world.place.socket(), PermissionsExt::from_mode(0o600)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut hello = [0; 512];
            let _ = stream.read(&mut hello);
            let _ =
                stream.write_all(&Reply::TurnedAway(TurnedAway::Version { newest: 9, oldest: 8 }).encode().unwrap());
        }
    });

    let done = world.run(&["status"]).left_with(1);
    let answer = calls::read(&mut world.editor("editor"));

    assert!(done.err.contains("it speaks protocol 8 to 9") && done.err.contains("must be updated"), "{done:?}");
    let answer = answer.failed("broker_unavailable", "no");
    assert!(answer.text().contains("speaks protocol 8 to 9") && answer.text().contains("update both"), "{answer}");
}
