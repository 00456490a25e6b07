//! `uninstall` ends the broker and leaves nothing but its logs, and never takes a lock from somebody who holds it.

use std::fs::{self, File};
use std::os::unix::net::UnixListener;

use aic_tests::harness::{SOON, World};
use aic_tests::tenant::faults::{Fault, Kind};

use crate::{calls, stage, world};

fn uninstall(world: &World) -> String {
    world.run(&["uninstall"]).left_with(0).said()
}

fn names_in(directory: &std::path::Path) -> Vec<String> {
    let found = fs::read_dir(directory).into_iter().flatten().flatten();
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_running_broker_signs_out_and_leaves_no_directory_and_the_next_call_makes_a_new_one() {
    let (world, mut editor) = stage();
    calls::read(&mut editor).succeeded();
    let first = world.broker();

    let said = uninstall(&world);

    assert!(said.contains("all sessions are signed out") && said.contains("removed: "), "{said}");
    assert!(!first.lives() && !world.place.run.exists(), "{said}");
    assert!(calls::living_tokens(world.tenant()).is_empty());
    assert!(said.contains(&format!("stay: {}", world.place.state.display())) && world.place.audit().exists(), "{said}");
    calls::read(&mut editor).succeeded();
    assert_ne!(world.broker().pid, first.pid);
}

#[test]
fn what_a_killed_broker_left_is_removed() {
    let (world, mut editor) = stage();
    calls::read(&mut editor).succeeded();
    world.kill_broker();
    drop(UnixListener::bind(world.place.run.join(".broker.sock.1")).unwrap());
    assert_eq!(names_in(&world.place.run).len(), 4);

    uninstall(&world);

    assert!(!world.place.run.exists());
    let again = uninstall(&world);
    assert!(!again.contains("removed: "), "{again}");
}

#[test]
fn where_nothing_ever_ran_nothing_stays() {
    let world = world();

    let said = uninstall(&world);

    assert!(!world.place.run.exists() && !world.place.state.exists() && !said.contains("stay"), "{said}");
}

#[test]
fn a_dry_run_says_what_would_be_removed_and_ends_nobody() {
    let (world, mut editor) = stage();
    calls::read(&mut editor).succeeded();
    let broker = world.broker();

    let said = world.run(&["uninstall", "--dry-run"]).left_with(0).said();

    assert!(
        said.contains(&format!("would be ended, and what it left removed: {}", world.place.run.display())),
        "{said}"
    );
    assert!(broker.lives() && world.place.socket().exists());
}

#[test]
fn a_lock_that_somebody_holds_stays() {
    let world = world();
    let lock = world.place.run.join("broker.lock");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();

    let said = uninstall(&world);

    assert!(lock.exists() && said.contains("stays, because a broker holds its lock"), "{said}");
}

#[test]
fn what_is_somebody_else_s_stays() {
    let world = world();
    fs::write(world.place.run.join("notes"), "mine").unwrap();
    let listener = UnixListener::bind(world.place.socket()).unwrap();

    let said = uninstall(&world);

    assert!(said.contains("stays, because something else is there") && world.place.socket().exists(), "{said}");
    drop(listener);
    uninstall(&world);
    assert_eq!(names_in(&world.place.run), ["notes"]);
}

#[test]
fn a_write_in_doubt_is_known_after_an_uninstall_too() {
    let (world, mut editor) = stage();
    calls::read(&mut editor).succeeded();
    world.tenant().add_fault(Fault { method: Some("PUT".to_owned()), ..Fault::once("/variables/", Kind::ResetAfter) });
    let (tool, arguments) = calls::write();
    editor.call(tool, arguments.clone()).failed("unreachable", "unknown");

    let said = uninstall(&world);

    assert!(said.contains("a write is in doubt") && names_in(&world.place.run) == ["repeat.key"], "{said}");
    let answer = editor.call(tool, arguments).failed("broker_unavailable", "unknown");
    assert!(answer.text().contains("was not sent again"), "{answer}");
    world.run(&["stop"]).left_with(0);
    world.no_broker_within(SOON);
}
