//! Logs, ESVs, themes, features, and the session itself.

use aic_tests::harness::{SOON, eventually};
use serde_json::{Value, json};

use super::{Flow, has, named};

/// The transaction that runs through the sandbox's logs.
const TRANSACTION: &str = "5a6b7c8d-0000-4000-8000-000000000001";

#[test]
fn logs_are_found_by_source_transaction_and_filter_page_by_page() {
    let mut flow = Flow::begin();

    let sources = flow.done("getLogSources", json!({}));
    assert!(sources["result"].as_array().unwrap().contains(&json!("am-access")), "{sources}");
    let mut question = json!({"sources": ["am-access", "idm-access"], "transactionId": TRANSACTION, "pageSize": 25});
    let first = flow.done("queryLogs", question.clone());
    question["pagedResultsCookie"] = first["pagedResultsCookie"].clone();
    let second = flow.done("queryLogs", question);
    let failed = flow
        .done("queryLogs", json!({"sources": ["am-access"], "queryFilter": "/payload/response/status eq \"FAILED\""}));

    let entries = |page: &Value| page["result"].as_array().unwrap().clone();
    assert_eq!(entries(&first).len(), 25);
    for entry in [entries(&first), entries(&second)].concat() {
        assert!(entry["payload"]["transactionId"].as_str().unwrap().starts_with(TRANSACTION), "{entry}");
    }
    assert!(!entries(&second).is_empty() && entries(&first)[0] != entries(&second)[0]);
    assert!(!entries(&failed).is_empty());
    assert!(entries(&failed).iter().all(|entry| entry["payload"]["response"]["status"] == "FAILED"), "{failed}");
}

#[test]
fn a_variable_of_each_type_is_stored_as_the_platform_writes_it() {
    let mut flow = Flow::begin();
    let cases = [
        ("string", json!("héllo, world"), "héllo, world"),
        ("array", json!(["a", 1]), r#"["a",1]"#),
        ("object", json!({"a": {"b": null}}), r#"{"a":{"b":null}}"#),
        ("bool", json!(true), "true"),
        ("int", json!(42), "42"),
        ("number", json!(4.5), "4.5"),
        ("list", json!(["a", "b"]), "a,b"),
    ];
    for (kind, value, text) in cases {
        let id = format!("esv-flow-{kind}");
        let set = json!({"variableId": id, "type": kind, "value": value, "description": "of a test"});
        assert_eq!(flow.done("setVariable", set)["restartNeeded"], true);
        let read = flow.done("getVariable", json!({"variableId": id}));
        assert_eq!((&read["value"], &read["expressionType"]), (&json!(text), &json!(kind)));
        assert_eq!((&read["loaded"], &read["description"]), (&json!(false), &json!("of a test")));
    }
}

#[test]
fn a_value_of_another_type_is_refused_before_anything_is_sent() {
    let mut flow = Flow::begin();
    let wrong = [
        ("int", json!("abc")),
        ("bool", json!("true")),
        ("array", json!({})),
        ("object", json!([1])),
        ("string", json!({"a": 1})),
    ];

    for (kind, value) in wrong {
        let set = json!({"variableId": "esv-flow-wrong", "type": kind, "value": value});
        let answer = flow.refused_unsent("setVariable", set, "invalid_arguments");
        assert!(answer.text().contains("value"), "{answer}");
    }
    flow.refused("setVariable", json!({"variableId": "esv-limit", "type": "string", "value": "x"}), "upstream");

    let kept = flow.done("getVariable", json!({"variableId": "esv-limit"}));
    assert_eq!((&kept["value"], &kept["expressionType"]), (&json!("20"), &json!("int")));
}

#[test]
fn esvs_are_found_and_deleted_and_no_secret_shows_its_value() {
    let mut flow = Flow::begin();

    let variables = flow.done("queryESVs", json!({"type": "variable", "queryTerm": "l", "pageSize": 1}));
    assert_eq!(variables["result"].as_array().unwrap().len(), 1);
    let next = json!({"type": "variable", "queryTerm": "l", "pageSize": 1, "pagedResultsCookie": variables["pagedResultsCookie"]});
    assert_ne!(flow.done("queryESVs", next)["result"][0]["_id"], variables["result"][0]["_id"]);
    let secrets = flow.done("queryESVs", json!({"type": "secret", "queryTerm": "mail"}));
    assert!(has(&secrets["result"], "esv-mail-password") && !has(&secrets["result"], "esv-signing-key"), "{secrets}");
    assert!(!secrets.to_string().contains("valueBase64"), "{secrets}");

    flow.done("deleteVariable", json!({"variableId": "esv-greeting"}));
    flow.refused("getVariable", json!({"variableId": "esv-greeting"}), "not_found");
    assert!(!has(&flow.done("queryESVs", json!({"type": "variable"}))["result"], "esv-greeting"));
}

#[test]
fn a_theme_is_created_changed_made_the_default_and_deleted() {
    let mut flow = Flow::begin();
    let of = |identifier: &Value| json!({"realm": "alpha", "themeIdentifier": identifier});
    let bravo = flow.world.tenant().with(|state| state.directory.configs["ui/themerealm"]["realm"]["bravo"].clone());

    let schema = flow.done("getThemeSchema", json!({}));
    assert!(schema["fields"]["primaryColor"].is_object(), "{schema}");
    let data = json!({"name": "Orchard", "primaryColor": "#336699"});
    let created = flow.done("createTheme", json!({"realm": "alpha", "themeData": data}));
    flow.refused("createTheme", json!({"realm": "alpha", "themeData": data}), "conflict");
    let by_id = flow.done("getTheme", of(&created["_id"]));
    let by_name = flow.done("getTheme", of(&json!("Orchard")));
    assert_eq!((&by_id, &by_id["primaryColor"]), (&by_name, &json!("#336699")));
    flow.refused("getTheme", of(&json!("Meadow")), "conflict");

    let update = json!({"realm": "alpha", "themeIdentifier": "Orchard", "themeUpdates": {"textColor": "#112233"}});
    flow.done("updateTheme", update);
    let changed = flow.done("getTheme", of(&created["_id"]));
    assert_eq!((&changed["textColor"], &changed["primaryColor"]), (&json!("#112233"), &json!("#336699")));

    flow.done("setDefaultTheme", of(&json!("Orchard")));
    let themes = flow.done("getThemes", json!({"realm": "alpha"}));
    let defaults: Vec<&Value> =
        themes["result"].as_array().unwrap().iter().filter(|theme| theme["isDefault"] == true).collect();
    assert_eq!((defaults.len(), &defaults[0]["name"]), (1, &json!("Orchard")));
    flow.refused("deleteTheme", of(&json!("Orchard")), "not_allowed");

    flow.done("setDefaultTheme", of(&json!("Harbour")));
    flow.done("deleteTheme", of(&created["_id"]));
    flow.refused("getTheme", of(&created["_id"]), "not_found");
    let document = flow.world.tenant().with(|state| state.directory.configs["ui/themerealm"].clone());
    assert_eq!(document["realm"]["bravo"], bravo, "the other realm is as it was");
}

#[test]
fn features_are_listed_validated_and_installed() {
    let mut flow = Flow::begin();
    let state = |flow: &mut Flow, name: &str| named(&flow.done("listFeatures", json!({}))["features"], name).clone();

    assert_eq!(state(&mut flow, "password/timestamps")["installed"], false);
    assert_eq!(flow.done("validateIdmFeature", json!({"featureName": "password/timestamps"}))["success"], true);
    let installed = flow.done("installIdmFeature", json!({"featureName": "password/timestamps"}));
    assert_eq!(installed["status"], "installed");
    assert_eq!(state(&mut flow, "password/timestamps")["installed"], true);
    assert_eq!(state(&mut flow, "groups")["installed"], false);
    assert_eq!(flow.done("validateIdmFeature", json!({"featureName": "password/timestamps"}))["success"], false);
    flow.refused("validateIdmFeature", json!({"featureName": "nothing"}), "not_found");
}

#[test]
fn ai_agents_are_on_in_both_realms_once_they_are_enabled() {
    let mut flow = Flow::begin();
    let before = named(&flow.done("listFeatures", json!({}))["features"], "AI Agents").clone();
    assert_eq!(before["installed"], false);

    assert_eq!(flow.done("enableAiAgent", json!({}))["status"], "enabled");

    let after = named(&flow.done("listFeatures", json!({}))["features"], "AI Agents").clone();
    assert_eq!((&after["installed"], &after["status"]), (&json!(true), &json!("installed")));
    for realm in ["alpha", "bravo"] {
        assert_eq!(after["details"]["am"][realm], json!({"configured": true, "error": null}));
    }
}

#[test]
fn a_person_signs_in_and_the_status_names_them() {
    let mut flow = Flow::begin();
    let before = flow.done("getSessionStatus", json!({}));
    assert!(before["user"].is_null(), "{before}");

    flow.done("signIn", json!({}));

    eventually(SOON, "the user is named", || {
        Some(flow.done("getSessionStatus", json!({}))).filter(|status| status["user"] == "admin@example.com")
    });
    assert_eq!(flow.sent(), 0, "no tool has sent anything");
}
