//! One sign-in serves every editor of the machine.

use std::sync::Barrier;

use aic_tests::harness::{Editor, Mode, SOON, Waiting, eventually};
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn a_second_editor_answers_without_a_browser() {
    let world = world();
    let (mut first, mut second) = (world.editor("first"), world.editor("second"));

    first.call("getLogSources", json!({})).succeeded();
    let answer = second.call("getLogSources", json!({})).succeeded();

    assert!(answer.text().contains("am-"), "{answer}");
    assert_eq!(world.browser.opened().len(), 1);
    assert_eq!(calls::grants(world.tenant(), "authorization_code"), 1);
    assert!(first.violations().is_empty() && second.violations().is_empty());
}

#[test]
fn two_editors_that_call_at_once_join_one_sign_in() {
    let world = world();
    world.browser.set(Mode::Hold);
    let mut editors = [world.editor("first"), world.editor("second")];

    let waiting: Vec<Waiting> = editors.iter_mut().map(|editor| editor.begin("getLogSources", json!({}))).collect();
    eventually(SOON, "both are connected", || {
        world.status().filter(|status| status["clients"].as_array().is_some_and(|clients| clients.len() == 2))
    });
    eventually(SOON, "a browser opens", || world.browser.opened().pop());
    world.browser.set(Mode::Follow);

    waiting.into_iter().for_each(|waiting| drop(waiting.answer().succeeded()));
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn fifty_programs_at_once_get_one_broker_and_one_browser() {
    let world = world();
    let start = Barrier::new(50);

    let mut editors: Vec<Editor> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..50)
            .map(|number| {
                let (world, start) = (&world, &start);
                scope.spawn(move || {
                    let mut editor = world.editor(&format!("editor {number}"));
                    start.wait();
                    editor.call("getLogSources", json!({})).succeeded();
                    editor
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });

    let broker = world.broker();
    assert_eq!(world.browser.opened().len(), 1);
    assert_eq!(calls::grants(world.tenant(), "token-exchange"), 1);
    let status = world.status().expect("a broker");
    assert_eq!(status["pid"], broker.pid);
    assert_eq!(status["clients"].as_array().map(Vec::len), Some(50));
    assert!(editors.iter_mut().all(|editor| editor.violations().is_empty()));
}

#[test]
fn many_calls_of_many_editors_share_one_token_exchange() {
    let world = world();
    let mut editors = [world.editor("first"), world.editor("second"), world.editor("third")];
    editors[0].call("getLogSources", json!({})).succeeded();

    let user = json!({"objectType": "alpha_user", "objectId": "nobody"});
    let waiting: Vec<Waiting> = editors
        .iter_mut()
        .flat_map(|editor| [(); 8].map(|()| editor.begin("getManagedObject", user.clone())))
        .collect();
    let answers: Vec<_> = waiting.into_iter().map(Waiting::answer).collect();

    assert_eq!(answers.len(), 24);
    assert_eq!(calls::exchanged_scopes(world.tenant()), ["fr:idc:monitoring:*", "fr:idm:*"]);
}

#[test]
fn two_tenants_have_two_sessions_in_one_broker() {
    let world = builder().tenants(2).build();
    let mut first = world.editor("first");
    let mut second = world.editor_as(calls::editor_of("t1"));

    first.call("getLogSources", json!({})).succeeded();
    second.call("getLogSources", json!({})).succeeded();

    // answers of one tenant come while calls of the other are under way
    for tenant in &world.tenants {
        tenant.switches().latency_milliseconds = 5;
    }
    std::thread::scope(|scope| {
        for tenant in ["t0", "t1", "t0", "t1", "t0", "t1"] {
            let mut editor = world.editor_as(calls::editor_of(tenant));
            scope.spawn(move || {
                let id = format!("esv-of-{tenant}");
                for _ in 0..10 {
                    editor.call("getLogSources", json!({})).succeeded();
                    let value = json!({"variableId": id, "value": tenant, "type": "string"});
                    editor.call("setVariable", value).succeeded();
                }
            });
        }
    });

    world.broker();
    assert_eq!(world.browser.opened().len(), 2);
    for (number, tenant) in world.tenants.iter().enumerate() {
        let written = calls::writes(tenant);
        assert!(written.len() == 30 && written.iter().all(|entry| entry.path.ends_with(&format!("esv-of-t{number}"))));
    }
    let foreign = |at: usize| world.tenants[at].ledger().iter().filter(|entry| calls::has_unknown_token(entry)).count();
    assert_eq!((foreign(0), foreign(1)), (0, 0));
}
