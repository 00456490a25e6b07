//! How many windows a sign-in opens, however it ends and however often a model calls.

use std::net::TcpListener;
use std::time::Duration;

use aic_tests::harness::{Asked, Editor, Era, Mode, SOON, World, eventually, follow};
use aic_tests::tenant::switches::Authorize;
use serde_json::{Value, json};

use crate::{builder, calls, world};

/// How often a model calls that does not listen.
const LOOP: usize = 20;

/// What a client can show: URLs, forms, nothing.
fn capabilities() -> [Value; 3] {
    [json!({"elicitation": {"form": {}, "url": {}}}), json!({"elicitation": {}}), json!({})]
}

fn editor(world: &World, era: Era, capabilities: Value, dialog: Option<&'static str>) -> Editor {
    let arguments = ["--answer-within", "2"].map(str::to_owned).to_vec();
    world.editor_as(Asked { era, capabilities, arguments, dialog, ..Asked::default() })
}

#[test]
fn a_sign_in_in_time_is_one_window_for_every_client_and_no_dialog() {
    for era in [Era::Initialize, Era::Discover] {
        for capabilities in capabilities() {
            let world = world();
            let mut editor = editor(&world, era, capabilities, Some("accept"));

            calls::read(&mut editor).succeeded();

            assert_eq!(world.browser.opened().len(), 1);
            assert!(editor.requests_heard().is_empty(), "{:?}", editor.requests_heard());
        }
    }
}

#[test]
fn a_code_opens_no_window_and_an_ignored_dialog_is_shown_once() {
    for era in [Era::Initialize, Era::Discover] {
        for capabilities in capabilities() {
            let world = builder().entry("login = \"device\"").build();
            let mut editor = editor(&world, era, capabilities, None);

            let answers = [(); 3].map(|()| calls::read(&mut editor));

            let dialogs = answers.iter().filter(|answer| answer.result()["resultType"] == "input_required").count();
            assert!(dialogs + editor.requests_heard().len() <= 1, "{answers:?}");
            assert!(answers[2].pending().is_some_and(|pending| pending["user_code"].is_string()), "{answers:?}");
            assert!(world.browser.opened().is_empty());
        }
    }
}

#[test]
fn a_cancelled_call_leaves_its_window_to_the_next_one() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    for _ in 0..LOOP {
        let waiting = editor.begin("getLogSources", json!({}));
        eventually(SOON, "a browser opens", || world.browser.opened().pop());
        editor.cancel(waiting.id);
    }

    world.browser.set(Mode::Follow);

    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_declined_sign_in_is_told_in_am_s_words_and_opens_no_second_window() {
    let world = builder().switches(|switches| switches.authorize = Authorize::Deny).build();
    let mut editor = world.editor("editor");

    let answer = calls::read(&mut editor).refused("login_declined");
    assert!(answer.text().contains("Resource Owner did not authorize the request"), "{answer}");

    world.tenant().switches().authorize = Authorize::Normal;
    for _ in 0..LOOP {
        calls::read(&mut editor).refused("login_declined");
        assert!(editor.call("signIn", json!({})).is_error());
    }
    assert_eq!(world.browser.opened().len(), 1);
    world.run(&["login"]).left_with(0);
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_sign_in_that_takes_too_long_is_told_in_time_and_goes_on() {
    let world = world();
    world.browser.set(Mode::Ignore);
    let mut editor = world.hasty_editor(3);

    let answer = calls::read(&mut editor);

    assert!(answer.took < Duration::from_secs(4), "{answer}");
    assert_eq!((answer.kind(), answer.executed()), ("login_required", "no"));
    let pending = answer.pending().expect("a sign-in").clone();
    assert_eq!((&pending["state"], &pending["tenant"]), (&json!("pending"), &json!("t0")));
    assert!(pending["expires_at"].as_str().is_some_and(calls::is_time) && pending.get("user_code").is_none());
    let url = pending["url"].as_str().expect("a URL");
    assert_eq!(world.browser.opened(), [url]);
    for _ in 0..2 {
        assert_eq!(calls::read(&mut editor).kind(), "login_required");
    }
    follow(url).expect("the person opens it at last");
    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_sign_in_ends_at_its_time_limit_and_its_listener_with_it() {
    let world = builder().top("login_timeout = \"1s\"").build();
    world.browser.set(Mode::Ignore);

    let mut editor = world.editor("editor");
    let answer = calls::read(&mut editor);

    assert!(answer.is_error() && answer.executed() == "no", "{answer}");
    eventually(SOON, "the port is free", || TcpListener::bind(("127.0.0.1", world.ports[0])).ok());
    for _ in 0..LOOP {
        calls::read(&mut editor).refused("login_failed");
    }
    assert_eq!(world.browser.opened().len(), 1);
}
