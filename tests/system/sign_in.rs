//! What a sign-in tells the person and the client, and which way it goes.

use std::time::Duration;

use aic_tests::harness::{Asked, Era, Mode, SOON, eventually};
use aic_tests::tenant::switches::Issuer;
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn an_answer_of_another_issuer_is_refused_and_its_code_sent_nowhere() {
    let foreign = || Issuer::Text("https://evil.example.com/am/oauth2".to_owned());
    let world = builder().switches(move |switches| switches.issuer = foreign()).build();

    let answer = calls::read(&mut world.hasty_editor(5));

    assert!(answer.is_error(), "{answer}");
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 0);
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

#[test]
fn another_user_than_before_is_said_loudly() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    assert!(world.run(&["logout", "--all"]).left_with(0).out.contains("signed out"));

    world.tenant().switches().user = "other@example.com".to_owned();
    let answers = [(); 2].map(|()| calls::read(&mut editor).succeeded());

    let said = "this was done as other@example.com; until now it was admin@example.com";
    assert_eq!(answers.map(|answer| answer.text().contains(said)), [true, false]);
    assert_eq!(calls::session_of(&world.status().expect("a broker"), "t0")["instead_of"], "admin@example.com");
    let table = world.run(&["status"]).left_with(0).out;
    assert!(table.contains("ANOTHER USER") && table.contains("admin@example.com"), "{table}");
    let outcomes: Vec<_> = world.audit().into_iter().filter(|line| line.event() == "sign_in").collect();
    assert_eq!(outcomes[1].word("outcome"), "success, instead of admin@example.com");
    assert!(!calls::read(&mut world.editor("new")).succeeded().text().contains("until now"));
}
