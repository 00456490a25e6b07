//! What goes wrong at the tenant is told as it is: never as a success, never twice, never later than asked.

use std::time::{Duration, Instant};

use aic_tests::harness::{Answer, SOON, World, eventually};
use aic_tests::tenant::faults::{Fault, Kind, RetryAfter};
use aic_tests::tenant::switches::Canned;
use serde_json::{Value, json};

use crate::{calls, stage, world};

fn reply(status: u16, body: Value, content_type: Option<&str>, retry_after: Option<RetryAfter>) -> Kind {
    let answer = Canned { status, body, content_type: content_type.map(str::to_owned) };
    Kind::Reply { answer, retry_after, processed: false }
}

fn requests_to(world: &World, path: &str) -> usize {
    calls::api(world.tenant()).iter().filter(|entry| entry.path.contains(path)).count()
}

#[test]
fn a_read_is_repeated_when_the_tenant_says_later() {
    let (world, mut editor) = stage();
    world.tenant().add_fault(Fault::once("/logs/sources", reply(429, Value::Null, None, Some(RetryAfter::Seconds(1)))));
    world.tenant().add_fault(Fault::once("/logs/sources", Kind::ResetBefore));

    let answer = calls::read(&mut editor).succeeded();

    assert!(answer.took.as_secs_f32() >= 1.0, "{answer}");
    assert_eq!(requests_to(&world, "/logs/sources"), 3);
}

#[test]
fn a_long_wait_is_told_and_not_waited_for() {
    let (world, mut editor) = stage();
    world
        .tenant()
        .add_fault(Fault::once("/logs/sources", reply(429, Value::Null, None, Some(RetryAfter::Seconds(50)))));

    let answer = calls::read(&mut editor).refused("rate_limited");

    assert!(answer.text().contains("50 s") && answer.took.as_secs() < 5, "{answer}");
    assert_eq!(requests_to(&world, "/logs/sources"), 1);
}

#[test]
fn a_write_is_never_repeated() {
    let cases = [
        (reply(429, Value::Null, None, Some(RetryAfter::Seconds(0))), "rate_limited", "no"),
        (reply(503, Value::Null, None, Some(RetryAfter::Seconds(0))), "upstream", "yes"),
        (Kind::ResetBefore, "unreachable", "unknown"),
        (Kind::ResetAfter, "unreachable", "unknown"),
        (reply(500, Value::Null, None, None), "upstream", "yes"),
    ];

    for (kind, word, executed) in cases {
        let (world, mut editor) = stage();
        world.tenant().add_fault(Fault::once("/variables/", kind));
        let (tool, arguments) = calls::write();

        editor.call(tool, arguments).failed(word, executed);

        assert_eq!(calls::requests_to_variables(world.tenant()), 1, "{word}");
    }
}

#[test]
fn an_edge_s_page_and_an_empty_answer_are_failures_and_no_page_reaches_the_model() {
    let page = json!("<html><body><script>alert(1)</script>Request blocked</body></html>");
    let cases = [
        (reply(403, page.clone(), Some("text/html"), None), "denied"),
        (reply(500, Value::Null, None, None), "upstream"),
        (reply(200, page, Some("text/html"), None), "upstream"),
        (reply(502, json!("Bad Gateway"), Some("text/plain"), None), "upstream"),
        (Kind::Huge { bytes: 20 * 1024 * 1024 }, "upstream"),
    ];

    for (kind, word) in cases {
        let (world, mut editor) = stage();
        world.tenant().add_fault(Fault::once("/logs/sources", kind));

        let answer = calls::read(&mut editor).refused(word);

        assert!(!answer.text().contains('<'), "{answer}");
    }
}

#[test]
fn half_an_answer_to_a_read_is_asked_for_again() {
    let (world, mut editor) = stage();
    world.tenant().add_fault(Fault::once("/logs/sources", Kind::Truncated));

    calls::read(&mut editor).succeeded();

    assert_eq!(requests_to(&world, "/logs/sources"), 2);
}

#[test]
fn a_tenant_that_never_answers_costs_the_call_s_time_and_no_more() {
    let read = || ("getLogSources", json!({}));
    for (executed, (tool, arguments), path) in [
        ("no", read(), "/logs/sources"),
        ("unknown", calls::write(), "/variables/"),
        ("no", read(), "/access_token"),
        ("no", calls::write(), "/access_token"),
    ] {
        let world = world();
        let mut editor = world.hasty_editor(4);
        calls::read(&mut editor);
        world.tenant().kill_scoped_tokens();
        world.tenant().add_fault(Fault { times: 9, ..Fault::once(path, Kind::Hang) });

        let answer: Answer = editor.call(tool, arguments).failed("timed_out", executed);

        assert!(answer.took.as_millis() <= 4500, "{answer}");
    }
}

#[test]
fn a_withdrawn_call_is_on_record_with_what_became_of_it() {
    let (world, mut editor) = stage();
    calls::read(&mut editor).succeeded();
    world.tenant().add_fault(Fault::once("/variables/", Kind::Hang));
    let (tool, arguments) = calls::write();
    let waiting = editor.begin(tool, arguments);
    eventually(SOON, "the write arrives", || (calls::requests_to_variables(world.tenant()) == 1).then_some(()));

    editor.cancel(waiting.id);

    let line = eventually(SOON, "the line is written", || {
        world.audit().into_iter().find(|line| line.event() == "call" && line.word("tool") == tool)
    });
    assert_eq!((line.word("outcome"), line.word("executed")), ("cancelled", "unknown"));
    calls::read(&mut editor).succeeded();
}

#[test]
fn a_call_that_is_withdrawn_while_it_is_answered_has_one_answer_or_none() {
    const CALLS: usize = 300;
    let (world, mut editor) = stage();
    let look = json!({"variableId": "esv-colour"});
    editor.call("getVariable", look.clone());

    for number in 0..CALLS {
        let waiting = editor.begin("getVariable", look.clone());
        // from at once to after the answer
        let until = Instant::now() + Duration::from_micros(number as u64 * 20);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        editor.cancel(waiting.id);
    }
    editor.call("getVariable", look);

    assert!(editor.violations().is_empty(), "{:?}", editor.violations());
    eventually(SOON, "what was sent has its line", || {
        let lines = world.audit();
        let logged: Vec<&str> =
            lines.iter().filter(|line| line.event() == "call").map(|line| line.word("transaction_id")).collect();
        let sent: Vec<String> =
            calls::api(world.tenant()).iter().map(|entry| entry.headers["x-forgerock-transactionid"].clone()).collect();
        let once = |id: &String| logged.iter().filter(|logged| *logged == id).count() == 1;
        sent.iter().all(once).then_some(())
    });
}
