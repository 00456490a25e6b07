//! A sign-in, by browser, by code or by hand: what the person is shown, and what does not end it.

use std::net::TcpListener;
use std::time::Duration;

use aic_tests::harness::{Asked, Era, Mode, SOON, eventually, follow, redirect_of};
use aic_tests::tenant::switches::{Authorize, Issuer};
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn a_declined_sign_in_is_told_in_am_s_words_and_opens_no_second_window() {
    let world = builder().switches(|switches| switches.authorize = Authorize::Deny).build();
    let mut editor = world.editor("editor");

    let answer = calls::read(&mut editor).refused("login_declined");
    assert!(answer.text().contains("Resource Owner did not authorize the request"), "{answer}");

    world.tenant().switches().authorize = Authorize::Normal;
    let again = calls::read(&mut editor);
    assert!(again.is_error(), "{again}");
    assert_eq!(world.browser.opened().len(), 1);
    world.run(&["login"]).left_with(0);
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_wrong_state_or_a_stray_request_does_not_end_the_sign_in() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");
    let waiting = editor.begin("getLogSources", json!({}));
    let url = eventually(SOON, "a browser opens", || world.browser.opened().pop());
    let state = calls::parameter(&url, "state");

    let wrong = "x".repeat(state.len());
    let strays = [
        "/favicon.ico".to_owned(),
        "/".to_owned(),
        format!("/?code=forged&state={wrong}"),
        format!("/elsewhere?code=forged&state={state}"),
        "/?error=access_denied".to_owned(),
    ];
    for stray in strays {
        follow(&format!("http://localhost:{}{stray}", world.ports[0])).expect("an answer");
    }
    world.browser.set(Mode::Follow);

    waiting.answer().succeeded();
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 1);
}

#[test]
fn an_answer_of_another_issuer_is_refused_and_its_code_sent_nowhere() {
    let foreign = || Issuer::Text("https://evil.example.com/am/oauth2".to_owned());
    let world = builder().switches(move |switches| switches.issuer = foreign()).build();

    let answer = calls::read(&mut world.hasty_editor(5));

    assert!(answer.is_error(), "{answer}");
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 0);
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
    follow(url).expect("the person opens it at last");
    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_sign_in_ends_at_its_time_limit_and_its_listener_with_it() {
    let world = builder().top("login_timeout = \"1s\"").build();
    world.browser.set(Mode::Ignore);

    let answer = calls::read(&mut world.editor("editor"));

    assert!(answer.is_error() && answer.executed() == "no", "{answer}");
    eventually(SOON, "the port is free", || TcpListener::bind(("127.0.0.1", world.ports[0])).ok());
}

#[test]
fn the_device_flow_shows_its_code_and_the_next_call_succeeds() {
    for era in [Era::Initialize, Era::Discover] {
        let world = builder().entry("login = \"device\"").build();
        let arguments = ["--answer-within", "4"].map(str::to_owned).to_vec();
        let mut editor = world.editor_as(Asked { era, arguments, ..Asked::default() });

        let answer = calls::read(&mut editor);
        let code = answer.pending().expect("a sign-in")["user_code"].as_str().expect("a code").to_owned();
        assert!(answer.is_error() && answer.text().contains(&code), "{answer}");
        world.tenant().approve_devices();

        eventually(SOON, "somebody is signed in", || {
            world.status().filter(|status| status["sessions"][0]["state"] == "signed_in")
        });
        calls::read(&mut editor).succeeded();
        assert!(world.browser.opened().is_empty() && editor.violations().is_empty());
    }
}

#[test]
fn a_taken_port_leads_to_the_device_flow() {
    let world = world();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");

    let answer = calls::read(&mut world.hasty_editor(4));

    assert!(answer.pending().is_some_and(|pending| pending["user_code"].is_string()), "{answer}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn a_taken_port_without_the_device_flow_is_named_with_its_holder() {
    let world = builder().entry("login = \"browser\"").build();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");

    let answer = calls::read(&mut world.hasty_editor(4)).refused("login_failed");

    let holder = format!("(pid {})", std::process::id());
    assert!(answer.text().contains(&holder) && answer.text().contains("--paste"), "{answer}");
}

#[test]
fn a_pasted_url_signs_in_where_the_port_is_taken() {
    let world = world();
    let _holder = TcpListener::bind(("127.0.0.1", world.ports[0])).expect("the redirect port");
    world.tenant().switches().user = "person@example.com".to_owned();
    let mut login = world.begin(&["login", "--paste"]);

    let url = eventually(SOON, "the URL is shown", || calls::url_in(&login.said()));
    let back = redirect_of(&url).expect("the person signs in");
    login.type_in(&back);

    let done = login.done().left_with(0);
    assert!(done.out.contains("signed in as person@example.com"), "{done:?}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn sign_in_answers_at_once_and_the_status_tells_who_came_of_it() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editor = world.editor("editor");

    let started = editor.call("signIn", json!({})).succeeded();
    editor.call("signIn", json!({})).succeeded();

    assert!(started.took < Duration::from_secs(3), "{started}");
    assert_eq!(world.browser.opened().len(), 1);
    world.browser.set(Mode::Follow);
    eventually(SOON, "the user is named", || {
        Some(editor.call("getSessionStatus", json!({})))
            .filter(|status| status.structured()["user"] == "admin@example.com")
    });
}

#[test]
fn asking_for_the_status_signs_nobody_in() {
    let world = world();

    world.editor("editor").call("getSessionStatus", json!({})).succeeded();

    assert!(world.browser.opened().is_empty() && world.tenant().ledger().is_empty());
}

#[test]
fn both_eras_of_the_protocol_are_served_alike() {
    let world = world();
    let mut old = world.editor("old");
    let mut new = world.editor_as(Asked { era: Era::Discover, ..Asked::default() });

    let listed = [&mut old, &mut new].map(|editor| editor.request("tools/list", json!({})).result()["tools"].clone());
    assert!(world.processes().iter().all(|process| !process.is_broker()), "a list starts nothing");
    let answers = [calls::read(&mut old).succeeded(), calls::read(&mut new).succeeded()];

    assert_eq!(listed[0], listed[1]);
    assert_eq!(answers[0].text(), answers[1].text());
    assert!(old.violations().is_empty() && new.violations().is_empty(), "{:?}", new.violations());
}

#[test]
fn a_container_signs_in_by_device_flow_and_opens_nothing() {
    let world = world();
    let variables = vec![("DOCKER_CONTAINER".to_owned(), Some("true".to_owned()))];
    let arguments = ["--answer-within", "4"].map(str::to_owned).to_vec();
    let mut editor = world.editor_as(Asked { variables, arguments, ..Asked::default() });

    let answer = calls::read(&mut editor);

    assert!(answer.pending().is_some_and(|pending| pending["user_code"].is_string()), "{answer}");
    assert!(world.browser.opened().is_empty());
}

#[test]
fn a_browser_that_cannot_be_opened_leads_to_the_device_flow() {
    let world = world();
    world.browser.set(Mode::Fail);

    let answer = calls::read(&mut world.hasty_editor(4));

    assert!(answer.pending().is_some_and(|pending| pending["user_code"].is_string()), "{answer}");
}
