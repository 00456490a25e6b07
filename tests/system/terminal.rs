//! What people see on a terminal, and what programs read on a pipe.

use std::os::unix::process::CommandExt;
use std::process::Command;

use aic_tests::harness::{Running, SOON, World, eventually, profile};
use aic_tests::tenant::switches::Authorize;

use crate::{builder, calls, world};

/// What erases and colours.
const ESCAPE: char = '\x1b';

/// An `aic-broker` command on a terminal, with variables of its own.
fn on_terminal(world: &World, command: &str, variables: &[(&str, &str)]) -> Running {
    let place = &world.place;
    let mut script = Command::new("/usr/bin/script");
    let line = format!("{} {command}", place.programs.join("aic-broker").display());
    script.args(["-qefc", &line, "/dev/null"]).env_clear().current_dir(&place.home);
    script.env("PATH", "/usr/bin:/bin").env("HOME", &place.home).env("TERM", "xterm").env("SHELL", "/bin/sh");
    script.env("AIC_BROKER_RUNTIME_DIR", &place.run).env("AIC_BROKER_STATE_DIR", &place.state);
    script.env("AIC_BROKER_CONFIG", place.configuration()).envs(profile()).envs(variables.iter().copied());
    script.process_group(0);
    Running::start(script)
}

#[test]
fn status_is_a_table_with_distances_and_colours_only_on_a_terminal() {
    let world = world();
    calls::read(&mut world.editor("editor")).succeeded();

    let plain = world.run(&["status"]).left_with(0).out;
    let shown = on_terminal(&world, "status", &[]).done();

    assert!(plain.contains("signed in  admin@example.com  in ") && plain.contains("TENANT"), "{plain}");
    assert!(!plain.contains(ESCAPE), "{plain}");
    assert!(shown.out.contains("\x1b[32msigned in\x1b[0m"), "{shown:?}");
    for variable in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
        let shown = on_terminal(&world, "status", &[variable]).done();
        assert!(shown.out.contains("signed in") && !shown.out.contains(ESCAPE), "{variable:?} {shown:?}");
    }
}

#[test]
fn a_watch_on_a_pipe_prints_each_change_and_ends_with_the_broker() {
    let world = world();
    let _broker = world.serve();
    let watch = world.begin(&["status", "--watch", "--json"]);
    eventually(SOON, "the first line", || watch.said().contains("\"running\":true").then_some(()));

    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    eventually(SOON, "the session is seen", || watch.said().contains("\"signed_in\"").then_some(()));
    world.run(&["stop"]).left_with(0);
    let done = watch.done().left_with(3);
    let lines: Vec<serde_json::Value> =
        done.out.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert!(lines.len() >= 3 && lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:?}");
    assert_eq!(lines.last().unwrap()["running"], false);
}

#[test]
fn a_watch_on_a_terminal_is_drawn_anew_and_ends_with_the_broker() {
    let world = world();
    let _broker = world.serve();
    let watch = on_terminal(&world, "status --watch", &[]);

    eventually(SOON, "it is drawn twice", || (watch.said().matches("\x1b[H\x1b[2J").count() >= 2).then_some(()));
    world.run(&["stop"]).left_with(0);

    watch.done().left_with(3);
}

#[test]
fn a_watch_without_a_broker_ends_at_once() {
    let world = world();

    world.run(&["status", "--watch"]).left_with(3);
}

#[test]
fn login_on_a_pipe_is_plain_lines() {
    let world = world();

    let done = world.run(&["login"]).left_with(0);

    assert!(done.out.contains("Waiting for the sign-in to t0 (at most ") && !done.out.contains(ESCAPE), "{done:?}");
    assert!(!done.out.contains('\r'), "{done:?}");
}

#[test]
fn errors_on_a_terminal_say_what_helps_and_keep_their_code() {
    let world = builder().switches(|switches| switches.authorize = Authorize::Deny).build();

    let done = on_terminal(&world, "login", &[]).done().left_with(4);

    assert!(done.out.contains("Resource Owner did not authorize"), "{done:?}");
}

#[test]
fn audit_has_a_heading_and_aligned_columns_for_people_and_lines_for_programs() {
    let world = world();
    calls::read(&mut world.editor("editor")).succeeded();

    let table = world.run(&["audit"]).left_with(0).out;

    let mut lines = table.lines();
    let heading = lines.next().unwrap();
    let at = heading.find("EVENT").unwrap();
    for line in lines {
        assert!(line[..at].trim_end().ends_with('Z') && !line[at..].starts_with(' '), "{table}");
    }
    assert!(world.run(&["audit", "--json"]).left_with(0).out.lines().all(|line| line.starts_with('{')));
}
