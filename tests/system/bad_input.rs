//! A wrong configuration or argument is named, and nothing is sent.

use aic_tests::harness::{Asked, Mode};
use serde_json::json;

use crate::{calls, world};

/// A wrong configuration: its text, and the line and the key that must be named.
const WRONG: [(&str, usize, &str); 5] = [
    ("surprise = 1\n", 1, "surprise"),
    ("\nkeychain = \"paper\"\n", 2, "keychain"),
    ("login_timeout = \"soon\"\n", 1, "login_timeout"),
    ("[tenants.x]\nclient_secret = \"s\"\nbase_url = \"https://x.id.forgerock.io\"\n", 2, "client_secret"),
    ("[tenants.x]\nbase_url = \"ftp://x.example.com\"\n", 2, "base_url"),
];

#[test]
fn a_wrong_configuration_is_named_by_every_command() {
    let world = world();

    for (text, line, key) in WRONG {
        world.write_configuration(text);
        let place = format!("config.toml:{line}: {key}");
        for command in [&["serve"][..], &["status"], &["login", "--tenant", "t0"], &["audit", "verify"]] {
            let done = world.run(command).left_with(2);
            assert!(done.err.contains(&place), "{command:?}: {done:?}");
        }
    }
    assert!(world.brokers().is_empty());
}

#[test]
fn a_wrong_configuration_is_told_through_the_editor() {
    let world = world();
    world.write_configuration(WRONG[1].0);
    let mut editor = world.editor("editor");

    let answer = calls::read(&mut editor).refused("broker_unavailable");

    assert!(answer.text().contains("config.toml:2: keychain"), "{answer}");
    world.configure("");
    calls::read(&mut editor).succeeded();
}

#[test]
fn bad_arguments_are_named_and_nothing_is_sent() {
    let world = world();
    let mut editor = world.editor("editor");
    let cases = [
        ("getManagedObject", json!({"objectType": "alpha_user"}), "objectId"),
        ("getManagedObject", json!({"objectType": 7, "objectId": "u1"}), "objectType"),
        ("getManagedObject", json!({"objectType": "alpha_user", "objectId": "u1", "surprise": 1}), "surprise"),
        ("getManagedObject", json!({"objectType": "../config", "objectId": "u1"}), "objectType"),
        ("queryLogs", json!({"sources": []}), "sources"),
        ("setVariable", json!({"variableId": "colour", "value": "x", "type": "string"}), "variableId"),
    ];

    for (tool, arguments, named) in cases {
        let answer = editor.call(tool, arguments).refused("invalid_arguments");
        assert!(answer.text().contains(named), "{answer}");
    }
    assert!(world.browser.opened().is_empty() && world.tenant().ledger().is_empty());
}

#[test]
fn an_unknown_tool_is_refused() {
    let world = world();

    let answer = world.editor("editor").call("dropTenant", json!({}));

    assert!(answer.is_error() && answer.message.to_string().contains("dropTenant"), "{answer}");
    assert!(world.tenant().ledger().is_empty());
}

#[test]
fn an_editor_that_speaks_no_mcp_gets_no_broker() {
    let world = world();
    world.browser.set(Mode::Ignore);
    let editor = world.start_editor(Asked::default());

    let (code, _) = editor.close();

    assert_eq!(code, Some(0));
    assert!(world.processes().is_empty());
}
