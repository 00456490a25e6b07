//! The device flow at the sandbox tenant: how it is polled, how it ends, and who it signs in.

use std::time::Duration;

use aic_tests::harness::{Asked, Done, Era, SOON, World, eventually};
use aic_tests::tenant::switches::Switches;
use serde_json::json;

use crate::{builder, calls};

/// RFC 8628 section 3.2: the interval when none is given; section 3.5: what `slow_down` adds to it.
const FIVE_SECONDS: u64 = 5000;
/// What a timer and the tenant's clock may differ by.
const ROUNDING: u64 = 50;

fn device_world(set: impl Fn(&mut Switches) + 'static) -> World {
    builder().entry("login = \"device\"").switches(set).build()
}

fn words(all: &[&str]) -> std::collections::VecDeque<String> {
    all.iter().map(|word| (*word).to_owned()).collect()
}

/// When the token endpoint was polled, in milliseconds.
fn polls(world: &World) -> Vec<u64> {
    let ledger = world.tenant().ledger();
    ledger.iter().filter(|entry| entry.is_grant("device_code")).map(|entry| entry.arrived).collect()
}

fn login(world: &World) -> Done {
    world.run(&["login", "--tenant", "t0"])
}

#[test]
fn pending_is_waited_for_whatever_its_status() {
    for status in [400, 403] {
        let world = device_world(move |switches| {
            switches.device_pending_status = status;
            switches.device_answers = words(&["authorization_pending", "authorization_pending", "approved"]);
        });

        let done = login(&world).left_with(0);

        assert!(done.out.contains("signed in as admin@example.com"), "{done:?}");
        assert_eq!(polls(&world).len(), 3, "{status}");
    }
}

#[test]
fn slow_down_makes_the_polling_five_seconds_slower() {
    let world = device_world(|switches| switches.device_answers = words(&["slow_down", "approved"]));

    login(&world).left_with(0);

    let polls = polls(&world);
    let pause = polls[1] - polls[0];
    assert!(pause + ROUNDING >= 1000 + FIVE_SECONDS, "{polls:?}");
}

#[test]
fn without_an_interval_it_is_polled_every_five_seconds() {
    let world = device_world(|switches| {
        switches.device_interval_seconds = None;
        switches.device_answers = words(&["authorization_pending", "approved"]);
    });

    login(&world).left_with(0);

    let polls = polls(&world);
    assert!(polls[1] - polls[0] + ROUNDING >= FIVE_SECONDS, "{polls:?}");
}

#[test]
fn a_refusal_ends_it_in_both_words_and_no_code_is_asked_for_again() {
    for word in ["access_denied", "authorization_declined"] {
        let world = device_world(move |switches| switches.device_answers = words(&[word]));

        let done = login(&world).left_with(4);
        let again = calls::read(&mut world.editor("editor")).refused("login_declined");

        assert!(done.err.contains("was declined: on the sign-in page"), "{done:?}");
        assert_eq!((polls(&world).len(), again.executed()), (1, "no"), "{word}");
    }
}

#[test]
fn a_code_that_nobody_enters_ends_with_its_time_and_polling_with_it() {
    let world = device_world(|switches| switches.device_life_seconds = 2);

    let answer =
        calls::read(&mut world.editor_as(Asked { capabilities: json!({"elicitation": {}}), ..Asked::default() }));

    assert_eq!(answer.kind(), "login_failed", "{answer}");
    assert!(answer.text().contains("nobody entered the code before it expired"), "{answer}");
    assert!(answer.took < Duration::from_secs(4), "{answer}");
    assert!(polls(&world).len() <= 3, "{:?}", polls(&world));
}

#[test]
fn a_page_on_another_host_is_shown_to_nobody() {
    for page in ["https://evil.example.com/device", "http://admin@127.0.0.1:1/device", "http://localhost:1/device"] {
        let world = device_world(move |switches| switches.device_page = Some(page.to_owned()));

        let answer = calls::read(&mut world.hasty_editor(4)).refused("login_failed");

        assert!(answer.text().contains("page on another host") && !answer.text().contains("evil"), "{answer}");
        assert!(!answer.text().contains(page) && polls(&world).is_empty(), "{answer}");
    }
}

#[test]
fn who_signed_in_is_named_and_stays_for_the_session() {
    let world = device_world(|switches| switches.device_auto_approve = true);
    world.tenant().switches().user = "first@example.com".to_owned();
    let mut editor = world.editor_as(Asked { capabilities: json!({"elicitation": {}}), ..Asked::default() });
    calls::read(&mut editor).succeeded();

    world.tenant().switches().user = "second@example.com".to_owned();
    calls::read(&mut editor).succeeded();

    let session = calls::session_of(&world.status().expect("a broker"), "t0");
    assert_eq!(session["user"], "first@example.com");
    let told = editor.call("getSessionStatus", json!({})).succeeded();
    assert!(told.text().contains("first@example.com"), "{told}");
    let users: Vec<(String, String)> =
        world.audit().iter().map(|line| (line.event().to_owned(), line.word("user").to_owned())).collect();
    for event in ["sign_in", "call"] {
        assert!(users.contains(&(event.to_owned(), "first@example.com".to_owned())), "{users:?}");
    }
    assert!(!users.iter().any(|(_, user)| user == "second@example.com"), "{users:?}");
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
