//! A write whose outcome is unknown is not sent again by a mere repeat: not by the same editor, another, or a new broker.

use aic_tests::harness::{Answer, Editor, SOON, World, eventually};
use aic_tests::tenant::faults::{Fault, Kind};
use serde_json::json;

use crate::{calls, world};

fn lose(world: &World, kind: Kind) {
    world.tenant().add_fault(Fault { method: Some("PUT".to_owned()), ..Fault::once("/variables/", kind) });
}

/// A world in which a write was carried out and its answer lost.
fn unknown() -> (World, Editor, Answer) {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    lose(&world, Kind::ResetAfter);
    let (tool, arguments) = calls::write();
    let answer = editor.call(tool, arguments).failed("unreachable", "unknown");
    (world, editor, answer)
}

#[track_caller]
fn is_held_back(world: &World, editor: &mut Editor, kind: &str) -> Answer {
    let before = calls::requests_to_variables(world.tenant());
    let (tool, arguments) = calls::write();
    let answer = editor.call(tool, arguments).failed(kind, "unknown");
    assert!(answer.text().contains("was not sent again") && answer.text().contains("getVariable"), "{answer}");
    assert_eq!(calls::requests_to_variables(world.tenant()), before);
    answer
}

#[test]
fn a_repeat_of_an_unknown_write_is_told_what_is_known_and_not_sent() {
    let (world, mut editor, first) = unknown();

    let again = is_held_back(&world, &mut editor, "unreachable");
    let other = is_held_back(&world, &mut world.editor("other"), "unreachable");

    for answer in [again, other] {
        assert_eq!(answer.structured()["error"]["transactionId"], first.structured()["error"]["transactionId"]);
    }
    let refusals: Vec<_> = world.audit().into_iter().filter(|line| line.event() == "refusal").collect();
    assert_eq!(refusals.len(), 2);
    assert!(refusals.iter().all(|line| line.word("executed") == "unknown" && line.requests().is_empty()));
}

#[test]
fn whoever_looked_may_repeat_and_another_argument_is_another_call() {
    let (world, mut editor, _) = unknown();
    let mut other = world.editor("other");
    let (tool, mut another) = calls::write();
    another["value"] = json!("blue");
    editor.call(tool, another).succeeded();

    other.call("getVariable", json!({"variableId": "esv-colour"})).succeeded();
    is_held_back(&world, &mut other, "unreachable");
    editor.call("getVariable", json!({"variableId": "esv-colour"})).succeeded();
    let (tool, arguments) = calls::write();
    editor.call(tool, arguments).succeeded();

    assert_eq!(calls::requests_to_variables(world.tenant()), 3);
}

/// Begins the write and gives the editor back when the request hangs at the tenant.
fn begun(world: &World) -> Editor {
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    lose(world, Kind::Hang);
    let (tool, arguments) = calls::write();
    let _never_answered = editor.begin(tool, arguments);
    eventually(SOON, "the request arrives", || (calls::requests_to_variables(world.tenant()) == 1).then_some(()));
    editor
}

#[test]
fn an_editor_that_was_killed_and_comes_back_does_not_write_twice() {
    let world = world();
    drop(begun(&world));
    eventually(SOON, "the call is on record", || {
        world.audit().into_iter().find(|line| line.event() == "call" && line.word("executed") == "unknown")
    });

    is_held_back(&world, &mut world.editor("editor"), "cancelled");
}

#[test]
fn a_broker_that_was_killed_left_word_of_its_writes_to_the_next() {
    let world = world();
    let mut editor = begun(&world);
    world.kill_broker();

    is_held_back(&world, &mut editor, "broker_unavailable");
    editor.call("getVariable", json!({"variableId": "esv-other"})).refused("not_found");
    editor.call("queryESVs", json!({"type": "variable"})).succeeded();
    let (tool, arguments) = calls::write();
    editor.call(tool, arguments).succeeded();
    assert_eq!(calls::requests_to_variables(world.tenant()), 2);
}

#[test]
fn an_intent_stands_for_its_arguments_without_holding_them() {
    let world = world();
    let mut editor = begun(&world);
    world.kill_broker();
    is_held_back(&world, &mut editor, "broker_unavailable");

    let intents: Vec<_> = world.audit().into_iter().filter(|line| line.event() == "intent").collect();

    assert!(intents.iter().all(|line| line.word("fingerprint").len() == 16), "{intents:?}");
    assert_eq!(aic_tests::harness::mode_of(&world.place.run.join("repeat.key")), 0o600);
    assert_eq!(world.files_with(&[("the value".to_owned(), "green".to_owned())]), [""; 0]);
}
