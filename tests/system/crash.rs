//! A broker that dies leaves no lie behind: the calls in flight are answered, and the next call finds a new broker.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use aic_tests::harness::{Answer, Editor, Mode, SOON, Waiting, World, eventually};
use aic_tests::tenant::faults::{Fault, Kind};
use serde_json::json;

use crate::{calls, world};

/// Signs in, lets the next request to a path wait for ever, and kills the broker when it has arrived.
fn killed_during(world: &World, editor: &mut Editor, path: &str, call: (&str, serde_json::Value)) -> Answer {
    calls::read(editor).succeeded();
    world.tenant().add_fault(Fault::once(path, Kind::Hang));
    let before = world.tenant().ledger().len();
    let waiting = editor.begin(call.0, call.1);
    eventually(SOON, "the request arrives", || {
        world.tenant().ledger().iter().skip(before).any(|entry| entry.path.contains(path)).then_some(())
    });
    world.kill_broker();
    waiting.answer()
}

#[test]
fn a_read_is_answered_when_the_broker_is_killed_and_nothing_was_executed() {
    let world = world();
    let mut editor = world.editor("editor");

    let answer = killed_during(&world, &mut editor, "/logs/sources", ("getLogSources", json!({})));

    answer.failed("broker_unavailable", "no");
    assert!(calls::writes(world.tenant()).is_empty());
}

#[test]
fn a_write_is_answered_as_unknown_when_the_broker_is_killed_and_is_never_sent_again() {
    let world = world();
    let mut editor = world.editor("editor");

    let answer = killed_during(&world, &mut editor, "/environment/variables/", calls::write());

    let answer = answer.failed("broker_unavailable", "unknown");
    assert!(answer.text().contains("look before you repeat"), "{answer}");
    assert_eq!(calls::requests_to_variables(world.tenant()), 1);
    let intents: Vec<_> = world.audit().into_iter().filter(|line| line.event() == "intent").collect();
    assert_eq!(intents.len(), 1, "{intents:?}");
    assert_eq!(intents[0].word("tool"), "setVariable");
}

#[test]
fn the_call_after_a_killed_broker_starts_one_and_signs_in_anew() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let first = world.broker();
    world.kill_broker();

    let answer = calls::read(&mut editor).succeeded();

    assert_ne!(world.broker().pid, first.pid, "{answer}");
    assert_eq!(world.browser.opened().len(), 2);
    assert!(editor.violations().is_empty());
    world.run(&["audit", "verify"]).left_with(0);
}

#[test]
fn all_calls_in_flight_are_answered_when_the_broker_is_killed_during_a_sign_in() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editors = [world.editor("first"), world.editor("second")];
    let waiting: Vec<Waiting> =
        editors.iter_mut().flat_map(|editor| [(); 3].map(|()| editor.begin("getLogSources", json!({})))).collect();
    eventually(SOON, "a browser opens", || world.browser.opened().pop());

    world.kill_broker();
    world.browser.set(Mode::Ignore);

    for waiting in waiting {
        let answer = waiting.answer();
        assert!(answer.is_error() && answer.executed() == "no", "{answer}");
    }
}

#[test]
fn an_editor_that_leaves_ends_neither_the_sign_in_nor_the_broker() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut leaving = world.editor("leaving");
    let waiting = leaving.begin("getLogSources", json!({}));
    eventually(SOON, "a browser opens", || world.browser.opened().pop());

    let (code, took) = leaving.close();
    world.browser.set(Mode::Follow);

    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(1) && waiting.was_left(), "{took:?}");
    calls::read(&mut world.editor("staying")).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_killed_editor_leaves_the_session_to_the_others() {
    let world = world();
    let mut killed = world.editor("killed");
    calls::read(&mut killed).succeeded();

    drop(killed);

    calls::read(&mut world.editor("other")).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
    eventually(SOON, "the killed editor is off the list", || {
        world.status().filter(|status| status["clients"].as_array().is_some_and(Vec::is_empty))
    });
}

#[test]
fn a_peer_that_says_nothing_in_the_broker_s_place_costs_an_answer_and_no_more() {
    let world = world();
    let silent = UnixListener::bind(world.place.socket()).expect("the socket's place");
    let mut editor = world.hasty_editor(4);

    let answer = calls::read(&mut editor);

    answer.refused("broker_unavailable");
    drop(silent);
    std::fs::remove_file(world.place.socket()).expect("the socket");
    calls::read(&mut editor).succeeded();
}
