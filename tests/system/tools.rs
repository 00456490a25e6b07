//! Tools of three families end to end: what the tenant says becomes what the model is told.

use aic_tests::harness::Asked;
use serde_json::{Value, json};

use crate::{builder, calls, stage, world};

/// A user of every fresh tenant.
const USER: &str = "00000001-0000-4000-8000-000000000001";

fn user() -> Value {
    json!({"objectType": "alpha_user", "objectId": USER})
}

#[test]
fn a_record_is_created_read_changed_and_deleted() {
    let (world, mut editor) = stage();
    let data = json!({"userName": "new.person", "givenName": "New", "sn": "Person", "mail": "new.person@example.com"});

    let created =
        editor.call("createManagedObject", json!({"objectType": "alpha_user", "objectData": data})).succeeded();
    let id = created.structured()["_id"].as_str().expect("an id").to_owned();
    let one = json!({"objectType": "alpha_user", "objectId": id});
    let read = editor.call("getManagedObject", one.clone()).succeeded();
    assert_eq!(read.structured()["mail"], "new.person@example.com");
    let mut change = one.clone();
    change["revision"] = read.structured()["_rev"].clone();
    change["operations"] = json!([{"operation": "replace", "field": "/sn", "value": "Changed"}]);
    editor.call("patchManagedObject", change).succeeded();
    assert_eq!(editor.call("getManagedObject", one.clone()).succeeded().structured()["sn"], "Changed");
    editor.call("deleteManagedObject", one.clone()).succeeded();

    editor.call("getManagedObject", one).refused("not_found");
    assert_eq!(calls::writes(world.tenant()).iter().filter(|entry| entry.changed).count(), 3);
}

#[test]
fn a_stale_revision_is_a_conflict_and_changes_nothing() {
    let (world, mut editor) = stage();
    let mut change = user();
    change["revision"] = "stale-1".into();
    change["operations"] = json!([{"operation": "replace", "field": "/sn", "value": "Changed"}]);

    let answer = editor.call("patchManagedObject", change).refused("conflict");

    assert_eq!(answer.structured()["error"]["status"], 412);
    assert!(calls::writes(world.tenant()).iter().all(|entry| !entry.changed));
    assert_ne!(editor.call("getManagedObject", user()).succeeded().structured()["sn"], "Changed");
}

#[test]
fn a_broken_policy_is_told_with_the_property() {
    let (_world, mut editor) = stage();
    let data = json!({"userName": "alpha.user01", "givenName": "Twin", "sn": "Twin", "mail": "twin@example.com"});

    let answer = editor.call("createManagedObject", json!({"objectType": "alpha_user", "objectData": data}));

    assert!(answer.is_error() && answer.executed() == "no", "{answer}");
    assert_eq!(answer.structured()["error"]["status"], 403);
    assert!(answer.text().contains("userName"), "{answer}");
}

#[test]
fn records_are_queried_page_by_page() {
    let (_world, mut editor) = stage();
    let ask = |cookie: Option<&Value>| {
        let mut arguments = json!({"objectType": "alpha_user", "queryFilter": "userName sw \"alpha\"", "pageSize": 5,
            "sortKeys": "userName", "fields": "userName"});
        if let Some(cookie) = cookie {
            arguments["pagedResultsCookie"] = cookie.clone();
        }
        arguments
    };
    let mut names = Vec::new();
    let mut cookie = None;

    for _ in 0..4 {
        let page = editor.call("queryManagedObjects", ask(cookie.as_ref())).succeeded();
        let rows = page.structured()["result"].as_array().cloned().unwrap_or_default();
        names.extend(rows.iter().filter_map(|row| row["userName"].as_str().map(str::to_owned)));
        cookie = Some(page.structured()["pagedResultsCookie"].clone()).filter(Value::is_string);
        if cookie.is_none() {
            break;
        }
    }

    let wanted: Vec<String> = (1..=12).map(|number| format!("alpha.user{number:02}")).collect();
    assert_eq!(names, wanted);
}

#[test]
fn types_and_their_schema_are_told() {
    let (_world, mut editor) = stage();

    let types = editor.call("listManagedObjects", json!({})).succeeded();
    let schema = editor.call("getManagedObjectSchema", json!({"objectType": "alpha_user"})).succeeded();

    assert!(types.text().contains("alpha_user") && types.text().contains("bravo_role"), "{types}");
    assert!(schema.structured().to_string().contains("userName"), "{schema}");
    editor.call("getManagedObjectSchema", json!({"objectType": "alpha_unicorn"})).refused("not_found");
}

#[test]
fn a_variable_is_set_read_listed_and_deleted() {
    let (_world, mut editor) = stage();
    let (tool, arguments) = calls::write();

    editor.call(tool, arguments).succeeded();
    let read = editor.call("getVariable", json!({"variableId": "esv-colour"})).succeeded();
    assert_eq!((&read.structured()["value"], &read.structured()["loaded"]), (&json!("green"), &json!(false)));
    let listed = editor.call("queryESVs", json!({"type": "variable", "queryTerm": "colour"})).succeeded();
    assert!(listed.text().contains("esv-colour") && !listed.text().contains("esv-limit"), "{listed}");
    editor.call("deleteVariable", json!({"variableId": "esv-colour"})).succeeded();

    editor.call("getVariable", json!({"variableId": "esv-colour"})).refused("not_found");
}

#[test]
fn secrets_are_listed_without_values() {
    let (_world, mut editor) = stage();

    let listed = editor.call("queryESVs", json!({"type": "secret"})).succeeded();

    assert!(listed.text().contains("esv-signing-key") && !listed.text().contains("valueBase64"), "{listed}");
}

#[test]
fn logs_are_queried_by_source_and_transaction() {
    let (_world, mut editor) = stage();
    let transaction = "5a6b7c8d-0000-4000-8000-000000000001";

    let sources = calls::read(&mut editor).succeeded();
    let found = editor.call("queryLogs", json!({"sources": ["am-access"], "pageSize": 3})).succeeded();
    let followed = editor
        .call("queryLogs", json!({"sources": ["am-everything", "idm-everything"], "transactionId": transaction}))
        .succeeded();

    assert!(sources.text().contains("am-access") && sources.text().contains("idm-sync"), "{sources}");
    assert_eq!(found.structured()["result"].as_array().map(Vec::len), Some(3), "{found}");
    assert!(followed.text().contains(transaction), "{followed}");
}

#[test]
fn a_call_s_transaction_id_and_name_reach_the_tenant_and_the_answer() {
    let (world, mut editor) = stage();

    let answer = calls::read(&mut editor).succeeded();

    let entry = calls::api(world.tenant()).pop().expect("a request");
    assert_eq!(answer.transaction_id(), entry.headers.get("x-forgerock-transactionid").map(String::as_str));
    assert!(entry.headers["user-agent"].starts_with("aic-mcp/"), "{entry:?}");
    assert!(entry.marks.is_empty(), "{entry:?}");
    let info = world.tenant().ledger().iter().position(|entry| entry.path == "/environment/info").expect("a look");
    assert!(info < entry.number, "the tenant is looked at before its first tool");
}

#[test]
fn a_read_only_editor_is_offered_and_allowed_no_write() {
    let world = world();
    let mut editor = world.editor_as(Asked { arguments: vec!["--read-only".to_owned()], ..Asked::default() });

    let listed = editor.request("tools/list", json!({}));
    let (tool, arguments) = calls::write();
    let answer = editor.call(tool, arguments);

    let tools = listed.result()["tools"].as_array().expect("a list");
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    assert!(answer.is_error(), "{answer}");
    calls::read(&mut editor).succeeded();
    assert_eq!(calls::requests_to_variables(world.tenant()), 0);
}

#[test]
fn a_read_only_tenant_is_written_to_by_nobody() {
    let world = builder().entry("read_only = true").build();
    let mut editor = world.editor("editor");
    let (tool, arguments) = calls::write();

    editor.call(tool, arguments).refused("not_allowed");

    calls::read(&mut editor).succeeded();
    assert_eq!(calls::requests_to_variables(world.tenant()), 0);
}
