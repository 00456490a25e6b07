//! The life of a session: what ends it, what replaces it, and that nothing of it stays behind.

use aic_tests::harness::{SOON, Waiting, eventually};
use aic_tests::tenant::switches::Canned;
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn an_expired_session_is_replaced_by_the_next_call() {
    let world = builder().switches(|switches| switches.primary_life_seconds = 4).build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    eventually(SOON, "the session expires", || {
        world.status().filter(|status| status["sessions"][0]["state"] == "expired")
    });
    calls::read(&mut editor).succeeded();

    assert_eq!(world.browser.opened().len(), 2);
    assert!(world.audit().iter().any(|line| line.event() == "sign_out" && line.word("outcome") == "expired"));
}

#[test]
fn a_session_that_am_ended_is_replaced_once_for_all_calls() {
    for status in [400, 401] {
        let world = builder().switches(move |switches| switches.exchange_refusal_status = status).build();
        let mut editor = world.editor("editor");
        calls::read(&mut editor).succeeded();

        world.tenant().kill_primary_tokens();
        let waiting: Vec<Waiting> = [(); 3].map(|()| editor.begin("queryESVs", json!({"type": "variable"}))).into();
        let answers: Vec<_> = waiting.into_iter().map(Waiting::answer).collect();

        assert!(answers.iter().all(|answer| answer.kind() != "login_required"), "{answers:?}");
        assert_eq!(world.browser.opened().len(), 2, "{status}");
    }
}

#[test]
fn a_scoped_token_that_the_api_refuses_is_exchanged_anew_and_the_call_repeated_once() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let before = calls::api(world.tenant()).len();

    world.tenant().kill_scoped_tokens();
    calls::read(&mut editor).succeeded();

    assert_eq!(calls::api(world.tenant()).len(), before + 2);
    assert_eq!(calls::grants(world.tenant(), "token-exchange"), 2);
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn an_exchange_that_fails_otherwise_signs_nobody_in() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let refusals = [
        (400, json!({"error": "invalid_scope", "error_description": "Unsupported scope"})),
        (500, json!({"error": "server_error"})),
    ];

    for (status, body) in refusals {
        world.tenant().switches().exchange_answers = vec![Canned::json(status, body); 9].into();
        let answer = editor.call("queryESVs", json!({"type": "variable"}));
        assert!(answer.is_error() && answer.executed() == "no", "{answer}");
        world.tenant().switches().exchange_answers.clear();
    }
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_refresh_token_that_comes_is_given_back_and_never_used() {
    let world = builder().switches(|switches| switches.refresh_token = true).build();

    calls::read(&mut world.editor("editor")).succeeded();

    eventually(SOON, "it is given back", || (calls::revocations(world.tenant()) == 1).then_some(()));
    assert_eq!(calls::grants(world.tenant(), "refresh_token"), 0);
    assert_eq!(calls::living_tokens(world.tenant()), ["primary", "scoped"]);
}

#[test]
fn what_an_exchange_gives_beyond_what_was_asked_for_is_not_used() {
    let world = world();
    world.run(&["login"]).left_with(0);
    // the tenant is looked at before its first token is handed out
    world.run(&["token", "--tenant", "t0", "--scope", "fr:am:*"]).left_with(0);
    let token = || world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]);
    let answer = |more: serde_json::Value| {
        let mut answer = json!({"access_token": "canned", "token_type": "Bearer", "expires_in": 300});
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.tenant().switches().exchange_answers = vec![Canned::json(200, answer)].into();
    };

    answer(json!({"scope": "fr:idm:* fr:am:*", "refresh_token": "surplus"}));
    let wide = token().left_with(1);
    assert!(wide.out.is_empty() && wide.err.contains("granted the scope fr:am:*"), "{wide:?}");
    eventually(SOON, "both are given back", || (calls::revocations(world.tenant()) == 2).then_some(()));

    answer(json!({"scope": "fr:idm:*", "refresh_token": "surplus"}));
    let right = token().left_with(0);
    assert_eq!(right.out.trim(), "canned");
    eventually(SOON, "the refresh token is given back", || (calls::revocations(world.tenant()) == 3).then_some(()));
    assert_eq!(calls::grants(world.tenant(), "refresh_token"), 0);
}

#[test]
fn sessions_end_when_nobody_was_connected_for_a_while() {
    let world = builder().top("session_linger = \"1s\"").build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();

    editor.close();

    world.no_broker_within(SOON);
    assert!(calls::living_tokens(world.tenant()).is_empty());
    assert!(calls::revocations(world.tenant()) >= 1);
    assert_eq!(world.audit().last().expect("a line").word("outcome"), "nobody was connected");
}

#[test]
fn a_connected_editor_keeps_the_broker_however_long_its_call_takes() {
    let world = builder().top("session_linger = \"1s\"").build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    let broker = world.broker();

    world.tenant().switches().latency_milliseconds = 2500;
    calls::read(&mut editor).succeeded();

    assert_eq!(world.broker(), broker);
}
