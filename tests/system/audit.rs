//! The audit log: a line for everything that was done, none for what was only said, and no change goes unseen.

use std::collections::BTreeSet;
use std::fs;

use aic_tests::harness::{Asked, Line, World};
use aic_tests::tenant::faults::{Fault, Kind};
use serde_json::json;

use crate::{calls, world};

fn of<'a>(lines: &'a [Line], event: &str) -> Vec<&'a Line> {
    lines.iter().filter(|line| line.event() == event).collect()
}

/// The calls that were carried out; one that first waited for a sign-in has a line for that, too.
fn carried_out(lines: &[Line]) -> Vec<&Line> {
    of(lines, "call").into_iter().filter(|line| line.word("outcome") != "login_required").collect()
}

/// A world in which somebody signed in, read, wrote, was refused, took a token, signed out and stopped the broker.
fn eventful() -> World {
    let world = world();
    let mut editor = world.editor("my editor");
    calls::read(&mut editor).succeeded();
    let (tool, arguments) = calls::write();
    editor.call(tool, arguments).succeeded();
    editor
        .call("getManagedObject", json!({"objectType": "../secret-argument", "objectId": "x"}))
        .refused("invalid_arguments");
    world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*", "--json"]).left_with(0);
    world.run(&["pause"]).left_with(0);
    calls::read(&mut editor).refused("not_allowed");
    world.run(&["resume"]).left_with(0);
    world.run(&["logout", "--all"]).left_with(0);
    world.run(&["stop"]).left_with(0);
    world.no_broker_within(aic_tests::harness::SOON);
    world
}

#[test]
fn everything_that_was_done_has_its_line() {
    let world = eventful();
    let lines = world.audit();

    assert_eq!(carried_out(&lines).len(), 2);
    let counts = ["start", "sign_in", "intent", "refusal", "token", "pause", "resume", "sign_out", "stop"]
        .map(|event| (event, of(&lines, event).len()));
    let wanted = [
        ("start", 1),
        ("sign_in", 1),
        ("intent", 1),
        ("refusal", 2),
        ("token", 1),
        ("pause", 1),
        ("resume", 1),
        ("sign_out", 1),
        ("stop", 1),
    ];
    assert_eq!(counts, wanted);
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line.0["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
    assert!(lines.iter().all(|line| calls::is_time(line.word("time"))));
}

#[test]
fn a_call_s_line_says_who_did_what_with_which_result() {
    let world = eventful();
    let lines = world.audit();
    let call = carried_out(&lines)[1];

    assert_eq!((call.word("tool"), call.word("tenant"), call.word("user")), ("setVariable", "t0", "admin@example.com"));
    assert_eq!((call.word("outcome"), call.word("executed")), ("success", "yes"));
    assert_eq!(call.0["scopes"], json!(["fr:idc:esv:update"]));
    assert!(call.0["duration_ms"].is_u64() && call.0["client"]["pid"].is_u64(), "{call:?}");
    assert!(call.0["client"]["name"].as_str().is_some_and(|name| name.contains("my editor")), "{call:?}");
    assert!(call.0["client"]["executable"].as_str().is_some_and(|program| program.ends_with("/aic-mcp")), "{call:?}");
    let write = call.requests().into_iter().find(|(method, ..)| method != "GET").expect("a write");
    assert_eq!(write, ("PUT".to_owned(), "/environment/variables/esv-colour".to_owned(), Some(200)));
}

#[test]
fn the_intent_stands_before_the_call_and_names_the_write() {
    let world = eventful();
    let lines = world.audit();
    let place = |event: &str, tool: &str| {
        lines.iter().position(|line| line.event() == event && line.word("tool") == tool).expect("a line")
    };

    assert!(place("intent", "setVariable") < place("call", "setVariable"));
    let intent = of(&lines, "intent")[0];
    assert_eq!(intent.requests(), [("PUT".to_owned(), "/environment/variables/esv-colour".to_owned(), None)]);
    assert_eq!(intent.word("transaction_id"), carried_out(&lines)[1].word("transaction_id"));
}

#[test]
fn ledger_and_log_tell_the_same_requests() {
    let world = eventful();
    let lines = world.audit();

    let mut logged = Vec::new();
    for call in carried_out(&lines) {
        let id = call.word("transaction_id").to_owned();
        logged.extend(call.requests().into_iter().map(|(method, path, status)| (id.clone(), method, path, status)));
    }
    let ledger = world.tenant().ledger();
    let apis = ledger.iter().filter(|entry| entry.is_api() || entry.path == "/environment/info");
    let mut seen: Vec<_> = apis
        .map(|entry| {
            let id = entry.headers.get("x-forgerock-transactionid").cloned().unwrap_or_default();
            (id, entry.method.clone(), entry.path.clone(), entry.status.map(u64::from))
        })
        .collect();

    logged.sort();
    seen.sort();
    assert_eq!(logged, seen);
    let ids: BTreeSet<&String> = seen.iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), 2, "one transaction id for each call");
}

#[test]
fn no_argument_value_query_or_body_is_in_the_log() {
    let world = eventful();

    let text = fs::read_to_string(world.place.audit()).expect("a log");

    for word in ["green", "secret-argument", "_queryFilter", "Bearer", "?", "eyJ"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_whole_log_is_verified_and_every_change_is_found() {
    let world = eventful();
    let whole = fs::read_to_string(world.place.audit()).expect("a log");
    world.run(&["audit", "verify"]).left_with(0);
    let lines: Vec<&str> = whole.lines().collect();
    let (first, last) = (0, lines.len() - 1);
    let without = |gone: usize| {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != gone);
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let mut moved = lines.clone();
    moved.swap(2, 3);
    let changes = [
        ("a changed word", whole.replacen("setVariable", "getVariable", 1)),
        ("a changed last line", whole.replace("asked to", "asked do")),
        ("the first line gone", without(first)),
        ("a line gone", without(4)),
        ("the last line gone", without(last)),
        ("lines in another order", moved.join("\n") + "\n"),
        ("an added line", format!("{whole}{}\n", lines[last])),
        ("half a line", whole[..whole.len() - 20].to_owned()),
        ("nothing left", String::new()),
    ];

    for (what, text) in changes {
        assert_ne!(text, whole, "{what}");
        fs::write(world.place.audit(), text).expect("the log");
        let done = world.run(&["audit", "verify"]);
        assert_eq!(done.code, Some(1), "{what}: {done:?}");
    }
    fs::write(world.place.audit(), &whole).expect("the log");
    world.run(&["audit", "verify"]).left_with(0);
    fs::remove_file(world.place.audit()).expect("the log");
    world.run(&["audit", "verify"]).left_with(1);
}

#[test]
fn the_chain_goes_on_over_a_restart() {
    let world = eventful();

    calls::read(&mut world.editor("another")).succeeded();

    world.run(&["audit", "verify"]).left_with(0);
    assert_eq!(of(&world.audit(), "start").len(), 2);
}

#[test]
fn the_log_is_shown_as_it_is_and_for_people() {
    let world = eventful();

    let json = world.run(&["audit", "--json", "--since", "1h"]).left_with(0);
    let short = world.run(&["audit"]).left_with(0);

    assert_eq!(json.out, fs::read_to_string(world.place.audit()).expect("a log"));
    assert!(short.out.contains("setVariable") && short.out.contains("my editor"), "{}", short.out);
    assert!(world.run(&["audit", "--since", "1s", "--json"]).left_with(0).out.len() <= json.out.len());
}

#[test]
fn without_a_log_reads_go_on_with_a_warning_and_writes_are_refused() {
    let world = world();
    let nowhere = world.place.configuration().join("below a file");
    let variables = vec![("AIC_BROKER_STATE_DIR".to_owned(), Some(nowhere.display().to_string()))];
    let mut editor = world.editor_as(Asked { variables, ..Asked::default() });

    let read = calls::read(&mut editor).succeeded();
    let (tool, arguments) = calls::write();
    let write = editor.call(tool, arguments).refused("not_allowed");

    assert!(read.text().contains("audit log"), "{read}");
    assert!(write.text().contains("audit log"), "{write}");
    assert_eq!(calls::requests_to_variables(world.tenant()), 0);
}

#[test]
fn a_write_without_an_answer_is_logged_as_unknown() {
    let world = world();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).succeeded();
    world.tenant().add_fault(Fault { method: Some("PUT".to_owned()), ..Fault::once("/variables/", Kind::ResetAfter) });

    let (tool, arguments) = calls::write();
    editor.call(tool, arguments).failed("unreachable", "unknown");

    assert_eq!(calls::requests_to_variables(world.tenant()), 1);
    let lines = world.audit();
    let call = of(&lines, "call").pop().expect("a call");
    assert_eq!((call.word("executed"), call.word("outcome")), ("unknown", "unreachable"));
}
