//! The command line: what each command says, and with which code it leaves.

use std::os::unix::net::UnixListener;

use aic_tests::harness::{Mode, SOON, eventually, mode_of};
use aic_tests::tenant::switches::Authorize;
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn commands_that_need_a_broker_start_none_and_leave_with_3() {
    let world = world();
    let commands: [&[&str]; 6] = [
        &["status"],
        &["logout", "--all"],
        &["token", "--tenant", "t0", "--scope", "fr:idm:*"],
        &["pause"],
        &["resume"],
        &["stop"],
    ];

    for command in commands {
        world.run(command).left_with(3);
    }
    assert_eq!(world.run(&["status", "--json"]).left_with(3).json(), json!({"running": false}));
    assert!(world.processes().is_empty());
}

#[test]
fn wrong_usage_leaves_with_2() {
    let world = world();
    let commands: [&[&str]; 6] = [
        &["nonsense"],
        &["status", "--yaml"],
        &["token", "--tenant", "t0"],
        &["logout"],
        &["login", "--device", "--paste"],
        &["audit", "--since", "yesterday"],
    ];

    for command in commands {
        let done = world.run(command).left_with(2);
        assert!(!done.err.is_empty(), "{command:?}");
    }
}

#[test]
fn a_configuration_of_its_own_without_a_socket_of_its_own_is_refused() {
    let world = world();

    let done = world.begin_with(&["status"], &[("AIC_BROKER_RUNTIME_DIR", "")]).done().left_with(2);

    assert!(done.err.contains("AIC_BROKER_RUNTIME_DIR"), "{done:?}");
}

#[test]
fn a_second_broker_is_refused_while_the_first_goes_on() {
    let world = world();
    let first = world.serve();

    let done = world.run(&["serve"]).left_with(1);

    assert!(done.err.contains("aic-broker status"), "{done:?}");
    assert_eq!(world.status().expect("the first broker")["pid"], first.pid());
    calls::read(&mut world.editor("editor")).succeeded();
}

#[test]
fn a_socket_that_a_dead_broker_left_is_no_owner() {
    let world = world();
    drop(UnixListener::bind(world.place.socket()).expect("a socket without a listener"));
    std::fs::write(world.place.run.join("broker.lock"), "").expect("a lock that nobody holds");

    world.run(&["status"]).left_with(3);
    calls::read(&mut world.editor("editor")).succeeded();

    world.broker();
}

#[test]
fn socket_and_files_are_the_user_s_alone() {
    let world = world();
    calls::read(&mut world.editor("editor")).succeeded();

    assert_eq!(mode_of(&world.place.run), 0o700);
    assert_eq!(mode_of(&world.place.socket()), 0o600);
    for entry in std::fs::read_dir(&world.place.state).expect("the state directory").flatten() {
        assert_eq!(mode_of(&entry.path()), 0o600, "{}", entry.path().display());
    }
}

#[test]
fn login_starts_a_broker_says_who_is_signed_in_and_editors_join() {
    let world = world();

    let done = world.run(&["login", "--tenant", "t0"]).left_with(0);

    assert!(done.out.contains("/am/oauth2/authorize?") && done.out.contains("admin@example.com"), "{done:?}");
    calls::read(&mut world.editor("editor")).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_login_that_is_declined_leaves_with_4_and_am_s_words() {
    let world = builder().switches(|switches| switches.authorize = Authorize::Deny).build();

    let done = world.run(&["login"]).left_with(4);

    assert!(done.err.contains("Resource Owner did not authorize the request"), "{done:?}");
}

#[test]
fn login_without_a_browser_shows_the_url_and_opens_none() {
    let world = world();
    let login = world.begin(&["login", "--no-browser"]);

    let url = eventually(SOON, "the URL is shown", || calls::url_in(&login.said()));
    aic_tests::harness::follow(&url).expect("the person opens it");

    let done = login.done().left_with(0);
    assert!(done.out.contains("signed in as admin@example.com"), "{done:?}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn login_at_a_terminal_counts_down_what_is_awaited() {
    let world = world();
    world.browser.set(Mode::Hold);
    let login = world.begin_at_terminal("login --tenant t0");

    for left in [300, 299] {
        let line = format!("\r\u{1b}[KWaiting for the sign-in to t0 (at most {left} s)");
        eventually(SOON, "the line is shown", || login.said().contains(&line).then_some(()));
    }
    world.browser.set(Mode::Follow);

    let said = login.done().left_with(0).out;
    assert!(said.ends_with("\r\u{1b}[Kt0: signed in as admin@example.com\r\n"), "{said:?}");
}

#[test]
fn status_has_the_shape_of_the_contract() {
    let world = world();
    let mut editor = world.editor("my editor");
    calls::read(&mut editor).succeeded();

    let status = world.status().expect("a broker");

    for member in ["version", "protocol", "pid", "started_at", "paused", "keychain", "sessions", "clients"] {
        assert!(status.get(member).is_some(), "{member}: {status}");
    }
    assert_eq!(status["keychain"]["backend"], "memory");
    let session = &status["sessions"][0];
    assert_eq!((&session["tenant"], &session["state"]), (&json!("t0"), &json!("signed_in")));
    assert_eq!(session["user"], "admin@example.com");
    assert!(session["expires_at"].as_str().is_some_and(calls::is_time), "{session}");
    let client = &status["clients"][0];
    assert_eq!((&client["pid"], &client["calls"]), (&json!(editor.pid()), &json!(1)), "{client}");
    assert!(client["name"].as_str().is_some_and(|name| name.contains("my editor")), "{client}");
    assert!(client["executable"].as_str().is_some_and(|program| program.ends_with("/aic-mcp")), "{client}");
    assert!(client["connected_at"].as_str().is_some_and(calls::is_time), "{client}");
    let table = world.run(&["status"]).left_with(0).out;
    assert!(table.contains("t0") && table.contains("my editor"), "{table}");
}

#[test]
fn status_shows_a_sign_in_under_way() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    let started = editor.call("signIn", json!({})).succeeded();

    let status = world.status().expect("a broker");

    let session = &status["sessions"][0];
    assert_eq!(session["state"], "signing_in");
    assert_eq!(session["login"]["url"], started.pending().expect("a sign-in")["url"]);
    assert!(session["login"]["expires_at"].as_str().is_some_and(calls::is_time), "{session}");
}

#[test]
fn token_hands_out_a_scoped_token_of_the_session_and_nothing_more() {
    let world = world();
    let token = |scope: &str| world.run(&["token", "--tenant", "t0", "--scope", scope, "--json"]);
    world.run(&["login"]).left_with(0);

    let value = token("fr:idm:*").left_with(0).json();

    let issued = calls::kind_of(world.tenant(), value["access_token"].as_str().unwrap_or_default());
    assert_eq!(issued, Some("scoped"), "{value}");
    assert_eq!((&value["token_type"], &value["scope"]), (&json!("Bearer"), &json!("fr:idm:*")));
    assert!(value["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "{value}");
    let wide = token("fr:everything:*");
    assert!(wide.code == Some(1) && wide.out.is_empty(), "{wide:?}");
}

#[test]
fn token_without_a_session_asks_for_a_sign_in_and_opens_nothing() {
    let world = world();
    let _broker = world.serve();

    let done = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).left_with(4);

    assert!(done.err.contains("aic-broker login --tenant t0"), "{done:?}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn token_hands_out_nothing_that_is_not_on_record() {
    let world = world();
    world.run(&["login"]).left_with(0);
    let log = world.place.state.join("audit.jsonl");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();

    let done = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).left_with(1);

    assert!(done.out.is_empty() && done.err.contains("the audit log cannot be written"), "{done:?}");
}

#[test]
fn pause_stops_every_client_until_resume() {
    let world = world();
    let (mut first, mut second) = (world.editor("first"), world.editor("second"));
    calls::read(&mut first).succeeded();

    world.run(&["pause"]).left_with(0);
    calls::read(&mut first).refused("not_allowed");
    calls::read(&mut second).refused("not_allowed");
    assert_eq!(world.status().expect("a broker")["paused"], true);
    let token = world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]);
    assert!(token.code == Some(1) && token.out.is_empty(), "{token:?}");

    world.run(&["resume"]).left_with(0);
    calls::read(&mut first).succeeded();
    calls::read(&mut second).succeeded();
}

#[test]
fn logout_revokes_and_says_so_and_the_next_call_signs_in_anew() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    let done = world.run(&["logout", "--tenant", "t0"]).left_with(0);

    assert!(done.out.contains("revoked"), "{done:?}");
    assert!(calls::living_tokens(world.tenant()).is_empty(), "{:?}", calls::living_tokens(world.tenant()));
    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 2);
}

#[test]
fn a_logout_that_am_does_not_let_revoke_says_so() {
    let world = builder().switches(|switches| switches.revoke_status = 500).build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    let done = world.run(&["logout", "--all"]).left_with(0);

    assert!(done.out.contains("not everything was revoked"), "{done:?}");
    assert_eq!(world.status().expect("a broker")["sessions"][0]["state"], "signed_out");
}

#[test]
fn stop_gives_all_tokens_back_and_ends_the_broker() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    world.run(&["stop"]).left_with(0);

    world.no_broker_within(SOON);
    assert!(calls::living_tokens(world.tenant()).is_empty());
    assert!(!world.place.socket().exists());
    world.run(&["status"]).left_with(3);
    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 2);
}

#[test]
fn the_service_manager_s_signal_is_an_orderly_stop() {
    let world = world();
    let _broker = world.serve();
    calls::read(&mut world.editor("editor")).succeeded();

    world.broker().terminate();

    world.no_broker_within(SOON);
    assert!(calls::living_tokens(world.tenant()).is_empty());
    assert_eq!(world.audit().last().map(|line| line.event().to_owned()).as_deref(), Some("stop"));
}

#[test]
fn both_programs_tell_their_version_without_a_configuration() {
    let world = world();
    world.write_configuration("surprise = 1");

    let done = world.run(&["--version"]).left_with(0);

    assert!(done.out.starts_with("aic-broker "), "{done:?}");
    world.run(&["--help"]).left_with(0);
}
