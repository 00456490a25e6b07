//! Scripts of decision nodes, and OIDC applications.

use aic_tests::tenant::faults::{Fault, Kind};
use aic_tests::tenant::switches::Canned;
use serde_json::{Value, json};

use super::{Flow, has, named};

const OWNER: &str = "managed/alpha_user/00000001-0000-4000-8000-000000000001";

fn application(name: &str, client_id: &str) -> Value {
    let settings = json!({"coreOAuth2ClientConfig": {
        "redirectionUris": ["https://portal.example.com/back"], "scopes": ["openid"], "userpassword": "not-told-back"}});
    json!({"realm": "alpha", "name": name, "clientId": client_id, "owners": [{"_ref": OWNER}], "oauth2Client": settings})
}

fn of(name: &str) -> Value {
    json!({"realm": "alpha", "name": name})
}

fn has_client(flow: &Flow, id: &str) -> bool {
    flow.world.tenant().with(|state| state.realms.realms["alpha"].clients.contains_key(id))
}

/// A refusal of one request, as IDM and AM word it.
fn denial(method: &str, path: &str) -> Fault {
    let answer = Canned::json(403, json!({"code": 403, "reason": "Forbidden", "message": "Access denied"}));
    let kind = Kind::Reply { answer, retry_after: None, processed: false };
    Fault { method: Some(method.to_owned()), ..Fault::once(path, kind) }
}

#[test]
fn a_script_is_created_listed_changed_and_deleted() {
    let mut flow = Flow::begin();
    let source = "action.goTo(\"héllo\");\n";

    let create = json!({"realm": "alpha", "name": "Flow", "description": "Of a test", "script": source});
    let created = flow.done("createScript", create.clone());
    let one = json!({"realm": "alpha", "scriptId": created["scriptId"]});
    flow.refused("createScript", create, "conflict");
    let listed = flow.done("listScripts", json!({"realm": "alpha"}));
    assert_eq!(named(&listed["result"], "Flow")["_id"], created["scriptId"]);
    assert!(!has(&listed["result"], "Old counter"), "scripts of the old engine are not listed: {listed}");
    assert_eq!(flow.done("getAMScript", one.clone())["script"], source);

    let update = json!({"realm": "alpha", "scriptId": created["scriptId"], "script": "action.goTo(\"new\");"});
    flow.done("updateScript", update);
    let read = flow.done("getAMScript", one.clone());
    assert_eq!((&read["script"], &read["name"]), (&json!("action.goTo(\"new\");"), &json!("Flow")));
    assert_eq!((&read["description"], &read["evaluatorVersion"]), (&json!("Of a test"), &json!("2.0")));

    flow.done("deleteScript", one.clone());
    flow.refused("getAMScript", one, "not_found");
}

#[test]
fn a_script_is_told_what_it_can_use() {
    let mut flow = Flow::begin();

    let bindings = flow.done("getScriptedDecisionNodeBindings", json!({"realm": "alpha"}));

    assert!(has(&bindings["bindings"], "nodeState"), "{bindings}");
}

#[test]
fn a_schema_of_applications_shows_both_halves() {
    let mut flow = Flow::begin();

    let summary = flow.done("getOidcAppSchema", json!({"realm": "alpha"}));
    let whole =
        json!({"realm": "alpha", "summary": false, "sections": ["coreOAuth2ClientConfig"], "includeDefaults": true});
    let whole = flow.done("getOidcAppSchema", whole);

    assert!(summary["oauth2Client"]["schema"]["coreOAuth2ClientConfig"].is_object(), "{summary}");
    assert!(summary["managedApplication"]["schema"]["description"].is_object(), "{summary}");
    assert!(whole["oauth2Client"]["template"]["coreOAuth2ClientConfig"].is_object(), "{whole}");
}

#[test]
fn an_application_is_created_read_changed_and_deleted_in_both_halves() {
    let mut flow = Flow::begin();

    flow.done("createOidcApp", application("Flow", "flow-client"));
    let read = flow.done("getOidcApp", of("Flow"));
    assert_eq!(read["oauth2Client"]["coreOAuth2ClientConfig"]["clientName"]["value"], json!(["Flow"]));
    assert_eq!(read["managedApplication"]["ssoEntities"]["oidcId"], "flow-client");
    assert!(!read.to_string().contains("not-told-back"), "{read}");
    assert!(has(&flow.done("listOidcApps", json!({"realm": "alpha"}))["result"], "Flow"));
    let found = flow.done("listOidcApps", json!({"realm": "alpha", "queryFilter": "name sw \"Fl\""}));
    assert_eq!(found["result"].as_array().unwrap().len(), 1);

    let operations = json!([{"operation": "replace", "field": "/description", "value": "Changed"}]);
    let mut update = of("Flow");
    update["oauth2Client"] = json!({"coreOAuth2ClientConfig": {"scopes": ["openid", "profile"]}});
    update["managedApplication"] = json!({"_rev": read["managedApplication"]["_rev"], "operations": operations});
    flow.done("updateOidcApp", update.clone());
    let after = flow.done("getOidcApp", of("Flow"));
    let core = &after["oauth2Client"]["coreOAuth2ClientConfig"];
    assert_eq!(core["scopes"]["value"], json!(["openid", "profile"]));
    assert_eq!(core["redirectionUris"]["value"], json!(["https://portal.example.com/back"]));
    assert_eq!(after["managedApplication"]["description"], "Changed");
    update["oauth2Client"] = json!({"coreOAuth2ClientConfig": {"scopes": ["late"]}});
    flow.refused("updateOidcApp", update, "conflict");

    flow.done("deleteOidcApp", of("Flow"));
    flow.refused("getOidcApp", of("Flow"), "not_found");
    assert!(!has_client(&flow, "flow-client") && has_client(&flow, "sample-portal"));
}

#[test]
fn a_client_that_exists_is_never_overwritten() {
    let mut flow = Flow::begin();
    let client =
        |flow: &Flow| flow.world.tenant().with(|state| state.realms.realms["alpha"].clients["sample-portal"].clone());
    let before = client(&flow);

    flow.refused("createOidcApp", application("Another", "sample-portal"), "conflict");

    assert_eq!(client(&flow), before);
    flow.refused("getOidcApp", of("Another"), "not_found");
}

#[test]
fn a_client_whose_application_is_refused_is_taken_back() {
    let mut flow = Flow::begin();
    flow.done("listOidcApps", json!({"realm": "alpha"}));
    flow.world.tenant().add_fault(denial("POST", "/openidm/managed/alpha_application"));

    let answer = flow.editor.call("createOidcApp", application("Flow", "flow-client")).failed("denied", "yes");

    assert!(answer.text().contains("removed again"), "{answer}");
    assert!(!has_client(&flow, "flow-client"));
    flow.done("createOidcApp", application("Flow", "flow-client"));
}

#[test]
fn a_client_that_cannot_be_taken_back_is_told() {
    let mut flow = Flow::begin();
    flow.done("listOidcApps", json!({"realm": "alpha"}));
    flow.world.tenant().add_fault(denial("POST", "/openidm/managed/alpha_application"));
    flow.world.tenant().add_fault(denial("DELETE", "/agents/OAuth2Client/flow-client"));

    let answer = flow.editor.call("createOidcApp", application("Flow", "flow-client")).failed("denied", "yes");

    assert!(answer.text().contains("flow-client"), "{answer}");
    assert!(has_client(&flow, "flow-client"));
}
