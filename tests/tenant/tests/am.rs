//! AM's families, themes and features through the whole tenant.

use serde_json::{Value, json};

use crate::tenant::am::seed::{DEFAULT_SCRIPT, FAILURE, SCRIPT, SUCCESS};
use crate::tenant::rehearsal::Rehearsal;

const TREES: &str = "/am/json/alpha/realm-config/authentication/authenticationtrees/trees";
const NODES: &str = "/am/json/alpha/realm-config/authentication/authenticationtrees/nodes";
const SCRIPTS: &str = "/am/json/alpha/scripts";
const CLIENTS: &str = "/am/json/alpha/realm-config/agents/OAuth2Client";
const SETTINGS: &str = "/am/json/alpha/realm-config/authentication";
const NODE: &str = "be000000-0000-4000-8000-000000000001";
const PAGE: &str = "be000000-0000-4000-8000-000000000002";
const CHILD: &str = "be000000-0000-4000-8000-000000000003";

fn tree() -> Value {
    json!({
        "_id": "New", "entryNodeId": NODE, "staticNodes": {},
        "nodes": {NODE: {"nodeType": "DataStoreDecisionNode", "displayName": "Check", "connections": {"true": SUCCESS, "false": FAILURE}}},
    })
}

#[test]
fn a_journey_is_created_replaced_and_deleted_and_leaves_its_nodes() {
    let mut tenant = Rehearsal::new();
    let address = format!("{TREES}/New");

    let created = tenant.send("PUT", &address, &["accept-api-version: protocol=2.1,resource=1.0"], Some(tree()));
    let replaced = tenant.send("PUT", &address, &[], Some(tree()));
    let taken = tenant.send("PUT", &address, &["if-none-match: *"], Some(tree()));
    let deleted = tenant.send("DELETE", &address, &[], None);
    let gone = tenant.get(&address);

    assert_eq!(
        (created.status, created.headers["location"].as_str()),
        (201, format!("http://127.0.0.1:8080{address}").as_str())
    );
    assert_eq!(
        (created.headers["content-api-version"].as_str(), created.body["enabled"].as_bool()),
        ("resource=1.0", Some(true))
    );
    assert_eq!(created.headers["etag"], format!("\"{}\"", created.text("/_rev")));
    assert_eq!((replaced.status, replaced.text("/_rev")), (200, created.text("/_rev")));
    assert_eq!((taken.status, deleted.status), (412, 200));
    assert_eq!((gone.status, gone.message()), (404, "Not Found"));
}

#[test]
fn bad_journeys_are_refused() {
    let mut tenant = Rehearsal::new();
    let with = |name: &str, value: Value| {
        let mut tree = tree();
        tree[name] = value;
        tree
    };
    let cases = [
        (with("_rev", json!("1")), "Invalid attribute specified."),
        (with("nodes2", json!({})), "Invalid attribute specified."),
        (with("nodes", json!({})), "Data validation failed for the attribute, Nodes"),
        (with("nodes", json!({"invalid": "bad data"})), "Data validation failed for the attribute, Nodes"),
        (with("enabled", json!("yes")), "Data validation failed for the attribute, enabled"),
        (with("uiConfig", json!({"a": 1})), "Data validation failed for the attribute, UI Config"),
    ];
    for (body, message) in cases {
        let answer = tenant.send("PUT", &format!("{TREES}/Bad"), &[], Some(body.clone()));
        assert_eq!((answer.status, answer.message(), answer.changed), (400, message, false), "{body}");
    }
    let listed = tenant.send("PUT", &format!("{TREES}/Bad"), &[], Some(with("x", json!(1))));
    assert_eq!(listed.body["detail"]["validAttributes"].as_array().unwrap().len(), 14);
    let broken = tenant.raw("PUT", &format!("{TREES}/Bad"), &[], String::new());
    assert_eq!(broken.status, 401);
}

#[test]
fn nodes_may_come_inside_their_journey() {
    let mut tenant = Rehearsal::new();
    let mut tree = tree();
    tree["nodes"][PAGE] = json!({
        "nodeType": "PageNode", "displayName": "Page", "connections": {"outcome": NODE},
        "config": {"_id": PAGE, "pageHeader": {"en": "Hello"},
                   "nodes": [{"_id": CHILD, "nodeType": "ValidatedUsernameNode", "displayName": "Name", "validateInput": true}]},
    });
    let mut bad = tree.clone();
    bad["nodes"][PAGE]["config"]["nothing"] = json!(1);

    let refused = tenant.send("PUT", &format!("{TREES}/New"), &[], Some(bad));
    let untouched = tenant.get(&format!("{NODES}/ValidatedUsernameNode/{CHILD}"));
    let created = tenant.send("PUT", &format!("{TREES}/New"), &[], Some(tree));
    let page = tenant.get(&format!("{NODES}/PageNode/{PAGE}"));
    let child = tenant.get(&format!("{NODES}/ValidatedUsernameNode/{CHILD}"));

    assert_eq!((refused.message(), untouched.status), ("Invalid attribute specified.", 404));
    assert_eq!(created.body["nodes"][PAGE].get("config"), None);
    assert_eq!(
        page.body["nodes"][0],
        json!({"_id": CHILD, "nodeType": "ValidatedUsernameNode", "nodeVersion": "1.0", "displayName": "Name"})
    );
    assert_eq!(child.body["validateInput"], true);
}

#[test]
fn nodes_are_made_read_and_removed() {
    let mut tenant = Rehearsal::new();
    let body = json!({"_id": NODE, "script": SCRIPT, "outcomes": ["a", "b"], "_type": {}, "_outcomes": []});
    let address = format!("{NODES}/ScriptedDecisionNode/{NODE}");

    let created = tenant.send("PUT", &address, &[], Some(body.clone()));
    let again = tenant.send("POST", &format!("{NODES}/ScriptedDecisionNode?_action=create"), &[], Some(body));
    let third = tenant.send(
        "GET",
        &format!("{NODES}/ScriptedDecisionNode/1.0/{NODE}"),
        &["accept-api-version: protocol=2.1,resource=3.0"],
        None,
    );
    let deleted = tenant.send("DELETE", &address, &[], None);

    assert_eq!((created.status, &created.body["inputs"]), (201, &json!(["*"])));
    assert_eq!(created.body["_outcomes"], json!([{"id": "a", "displayName": "a"}, {"id": "b", "displayName": "b"}]));
    assert_eq!((again.status, again.message()), (409, "Unable to save config: Service already exists"));
    assert_eq!((third.status, third.headers["content-api-version"].as_str()), (200, "resource=3.0"));
    assert_eq!((deleted.status, tenant.get(&address).message()), (200, "Not Found"));
    assert_eq!(tenant.get(&format!("{NODES}/type1/node1")).message(), "Resource 'type1/node1' not found");
}

#[test]
fn bad_nodes_are_refused() {
    let mut tenant = Rehearsal::new();
    let cases = [
        ("ScriptedDecisionNode", json!({}), "Data validation failed for the attribute, script"),
        (
            "RetryLimitDecisionNode",
            json!({"retryLimit": "three"}),
            "Data validation failed for the attribute, retryLimit",
        ),
        ("DataStoreDecisionNode", json!({"demo": 1}), "Invalid attribute specified."),
        ("DataStoreDecisionNode", json!({"_rev": "1"}), "Invalid attribute specified."),
        ("PageNode", json!({"nodes": [{"nodeType": "DebugNode"}]}), "Data validation failed for the attribute, Nodes"),
    ];
    for (kind, body, message) in cases {
        let answer = tenant.send("PUT", &format!("{NODES}/{kind}/{NODE}"), &[], Some(body));
        assert_eq!((answer.status, answer.message()), (400, message), "{kind}");
    }
}

#[test]
fn types_describe_themselves() {
    let mut tenant = Rehearsal::new();
    let ask = |tenant: &mut Rehearsal, kind: &str, action: &str, body: Value| {
        tenant.send("POST", &format!("{NODES}/{kind}?_action={action}"), &[], Some(body))
    };
    let all = tenant.send("POST", &format!("{NODES}?_action=getAllTypes"), &[], Some(json!({})));
    let schema = ask(&mut tenant, "RetryLimitDecisionNode", "schema", json!({}));
    let template = ask(&mut tenant, "RetryLimitDecisionNode", "template", json!({}));
    let choices = ask(&mut tenant, "ChoiceCollectorNode", "listOutcomes", json!({"choices": ["x", "y"]}));
    let page =
        ask(&mut tenant, "PageNode", "listOutcomes", json!({"nodes": [{"nodeType": "SelectIdPNode", "_id": CHILD}]}));
    let without_id = ask(&mut tenant, "PageNode", "listOutcomes", json!({"nodes": [{"nodeType": "SelectIdPNode"}]}));

    assert!(all.body["result"].as_array().unwrap().len() > 30);
    assert_eq!(schema.body["properties"]["retryLimit"]["type"], "integer");
    assert_eq!(template.body, json!({"retryLimit": 3, "incrementUserAttributeOnFailure": true}));
    assert_eq!(choices.text("/1/id"), "y");
    assert_eq!(page.body.as_array().unwrap().len(), 2);
    assert_eq!(without_id.status, 400);
    assert_eq!(ask(&mut tenant, "NoSuchNode", "schema", json!({})).status, 404);
}

#[test]
fn configuration_lists_know_true_and_no_pages() {
    let mut tenant = Rehearsal::new();
    let all = tenant.get(&format!("{TREES}?_queryFilter=true&_pageSize=-1&_fields=_id%2Cdescription"));

    assert_eq!(all.body["resultCount"], 2);
    assert_eq!(all.body["result"][0].as_object().unwrap().len(), 3);
    assert_eq!(tenant.get(&format!("{TREES}?_queryFilter=enabled+eq+true")).status, 501);
    assert_eq!(tenant.get(&format!("{TREES}?_queryFilter=true&_pageSize=5")).status, 501);
    assert_eq!(tenant.get(TREES).status, 400);
}

#[test]
fn old_versions_of_the_journey_api_can_end() {
    let mut tenant = Rehearsal::new();
    tenant.switches.nodes_version_1_refused = true;

    assert_eq!(tenant.get(&format!("{TREES}/Login")).status, 404);
    assert_eq!(tenant.send("GET", &format!("{TREES}/Login"), &["accept-api-version: resource=3.0"], None).status, 200);
}

#[test]
fn scripts_are_kept_by_the_server() {
    let mut tenant = Rehearsal::new();
    let body = json!({"name": "Fresh", "description": "", "language": "JAVASCRIPT", "context": "SCRIPTED_DECISION_NODE",
                      "script": "b3V0Y29tZSA9IDE7", "evaluatorVersion": "2.0"});

    let created = tenant.send("POST", &format!("{SCRIPTS}?_action=create"), &[], Some(body.clone()));
    let address = format!("{SCRIPTS}/{}", created.text("/_id"));
    let mut read = tenant.get(&address);
    read.body["createdBy"] = json!("somebody else");
    let updated = tenant.send("PUT", &address, &[], Some(read.body.clone()));
    let same_name = tenant.send("POST", &format!("{SCRIPTS}?_action=create"), &[], Some(body));
    let filter = "_queryFilter=context+eq+%22AUTHENTICATION_TREE_DECISION_NODE%22+and+evaluatorVersion+eq+%222.0%22&_pageSize=-1";
    let next = tenant.get(&format!("{SCRIPTS}?{filter}&_fields=_id%2Cname"));

    assert_eq!((created.status, created.text("/context")), (201, "AUTHENTICATION_TREE_DECISION_NODE"));
    assert!(created.body.get("_rev").is_some() && created.headers.contains_key("etag"));
    assert_eq!(
        (read.body.get("_rev"), read.headers.get("etag"), read.headers["content-api-version"].as_str()),
        (None, None, "resource=1.1")
    );
    assert_eq!(updated.text("/createdBy"), "id=admin@example.com,ou=user,ou=am-config");
    assert_eq!(same_name.message(), "Script with name Fresh already exist in realm /alpha");
    assert_eq!((next.body["resultCount"].as_u64(), next.body["remainingPagedResults"].as_u64()), (Some(2), Some(0)));
    assert_eq!(tenant.send("DELETE", &address, &[], None).body, json!({"_id": created.text("/_id")}));
    assert!(tenant.get(&address).message().ends_with("could not be found in realm /alpha"));
}

#[test]
fn bad_scripts_are_refused() {
    let mut tenant = Rehearsal::new();
    let good = json!({"name": "Bad", "language": "JAVASCRIPT", "context": "LIBRARY", "script": "YQ=="});
    for (name, value) in [
        ("language", json!("GROOVY")),
        ("context", json!("NOTHING")),
        ("script", json!("?")),
        ("evaluatorVersion", json!("3.0")),
        ("name", json!("")),
    ] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(tenant.send("POST", &format!("{SCRIPTS}?_action=create"), &[], Some(body)).status, 400, "{name}");
    }
    assert_eq!(tenant.send("DELETE", &format!("{SCRIPTS}/{DEFAULT_SCRIPT}"), &[], None).status, 403);
}

#[test]
fn contexts_and_realms_are_listed() {
    let mut tenant = Rehearsal::new();
    let context = tenant.get("/am/json/alpha/contexts/SCRIPTED_DECISION_NODE");

    assert!(context.body["bindings"].as_array().unwrap().len() > 10);
    assert_eq!(tenant.get("/am/json/contexts/AUTHENTICATION_TREE_DECISION_NODE").body["bindings"], json!([]));
    assert_eq!(tenant.get("/am/json/alpha/contexts/NOTHING").status, 404);
    assert_eq!(tenant.get("/am/json/global-config/realms?_queryFilter=true").body["resultCount"], 3);
    assert_eq!(tenant.raw("GET", "/am/json/serverinfo/*", &[], String::new()).body["cloudOnlyFeaturesEnabled"], true);
}

#[test]
fn the_root_realm_is_locked() {
    let mut tenant = Rehearsal::new();
    for path in [
        "realms/root/realm-config/authentication",
        "realm-config/agents/OAuth2Client?_queryFilter=true",
        "realms/root/scripts",
    ] {
        let answer = tenant.get(&format!("/am/json/{path}"));
        assert_eq!(
            (answer.status, answer.message()),
            (403, "This operation is not available in PingOne Advanced Identity Cloud."),
            "{path}"
        );
    }
}

#[test]
fn the_default_journey_is_set_flat_or_nested() {
    let mut tenant = Rehearsal::new();
    let flat = tenant.send("PUT", SETTINGS, &[], Some(json!({"orgConfig": "Greeting", "adminAuthModule": "Login"})));
    let mut whole = tenant.get(SETTINGS).body;
    whole["core"]["orgConfig"] = json!("Login");
    let with_rev = tenant.send("PUT", SETTINGS, &[], Some(whole.clone()));
    whole.as_object_mut().unwrap().remove("_rev");
    let nested = tenant.send("PUT", SETTINGS, &[], Some(whole));

    assert_eq!((flat.status, flat.text("/core/orgConfig"), flat.body["general"].is_object()), (200, "Greeting", true));
    assert_eq!((with_rev.status, nested.status, nested.text("/core/orgConfig")), (400, 200, "Login"));
}

#[test]
fn clients_are_guarded_and_wrapped() {
    let mut tenant = Rehearsal::new();
    let address = format!("{CLIENTS}/fresh");
    let body = json!({"coreOAuth2ClientConfig": {"clientName": ["Fresh"], "clientType": "Public"}});

    let created = tenant.send("PUT", &address, &["if-none-match: *"], Some(body.clone()));
    let taken = tenant.send("PUT", &address, &["if-none-match: *"], Some(body.clone()));
    let stale = tenant.send("PUT", &address, &["if-match: 5"], Some(body.clone()));
    let revision = created.text("/_rev").to_owned();
    let mut whole = created.body.clone();
    whole.as_object_mut().unwrap().remove("_rev");
    whole["advancedOAuth2ClientConfig"]["grantTypes"]["value"] = json!(["authorization_code", "refresh_token"]);
    let updated = tenant.send("PUT", &address, &[&format!("if-match: {revision}")], Some(whole));
    let refused = tenant.send("PUT", &address, &[], Some(created.body.clone()));

    assert_eq!((created.status, taken.status, stale.status), (201, 412, 412));
    assert_eq!(created.body["coreOAuth2ClientConfig"]["clientName"], json!({"inherited": false, "value": ["Fresh"]}));
    assert_eq!(created.body["overrideOAuth2ClientConfig"]["issueRefreshToken"], true);
    assert_eq!(
        (updated.status, updated.body["advancedOAuth2ClientConfig"]["grantTypes"]["value"][1].as_str()),
        (200, Some("refresh_token"))
    );
    assert_eq!((refused.status, refused.message()), (400, "Invalid attribute specified."), "_rev");
    assert_eq!(tenant.send("DELETE", &address, &[], None).status, 200);
    assert_eq!(tenant.send("DELETE", &address, &[], None).message(), "Not Found");
    let schema = tenant.send("POST", &format!("{CLIENTS}?_action=schema"), &[], Some(json!({})));
    assert_eq!(
        schema.body["properties"]["coreOAuth2ClientConfig"]["properties"]["clientType"]["properties"]["value"]["enum"]
            [1],
        "Public"
    );
    let template = tenant.send("POST", &format!("{CLIENTS}?_action=template"), &[], Some(json!({})));
    assert_eq!(template.body["coreOpenIDClientConfig"]["defaultMaxAge"]["value"], 600);
}

#[test]
fn themes_have_a_document_and_a_view() {
    let mut tenant = Rehearsal::new();
    let twins = tenant
        .get("/openidm/ui/theme/?realm=alpha&_queryFilter=_id%20eq%20%22Meadow%22%20or%20name%20eq%20%22Meadow%22");
    let names = tenant.get("/openidm/ui/theme/?realm=alpha&_queryFilter=true&_fields=name%2CisDefault");
    let mut document = tenant.get("/openidm/config/ui/themerealm").body;
    document["realm"]["alpha"].as_array_mut().unwrap().remove(1);
    let written = tenant.send("PUT", "/openidm/config/ui/themerealm", &[], Some(document));

    assert_eq!((twins.body["resultCount"].as_u64(), names.body["resultCount"].as_u64()), (Some(2), Some(3)));
    assert_eq!(names.body["result"][0].as_object().unwrap().len(), 3);
    assert_eq!((written.status, written.changed), (200, true));
    assert_eq!(tenant.get("/openidm/ui/theme/?realm=alpha&_queryFilter=true").body["resultCount"], 2);
    assert_eq!(tenant.get("/openidm/ui/theme/?_queryFilter=true").status, 400);
}

#[test]
fn features_are_installed_for_good() {
    let mut tenant = Rehearsal::new();
    let act = |tenant: &mut Rehearsal, id: &str, action: &str| {
        tenant.send("POST", &format!("/openidm/feature/{id}?_action={action}"), &[], Some(json!({})))
    };

    assert_eq!(act(&mut tenant, "password/timestamps", "validate").body["success"], true);
    assert!(act(&mut tenant, "password/timestamps", "install").changed);
    assert_eq!(act(&mut tenant, "password/timestamps", "validate").body["success"], false);
    assert!(!act(&mut tenant, "password/timestamps", "install").changed);
    assert_eq!(act(&mut tenant, "ghost", "validate").status, 404);
    let list = tenant.get("/openidm/feature?_queryFilter=true");
    assert_eq!(list.text("/result/2/installedVersion"), "1");
}

#[test]
fn ai_agents_are_enabled_in_both_realms() {
    let mut tenant = Rehearsal::new();
    let provider = "/am/json/realms/root/realms/bravo/realm-config/services/oauth-oidc";
    let before = tenant.get(provider).body["aiAgentsConfig"]["aiAgentsEnabled"].clone();

    let enabled = tenant.send("POST", "/environment/aiagent?_action=enable", &[], Some(json!({})));

    assert_eq!(before, false);
    assert_eq!(enabled.body, json!({"realms": ["alpha", "bravo"]}));
    assert_eq!(tenant.get(provider).body["aiAgentsConfig"]["aiAgentsEnabled"], true);
}

#[test]
fn trailing_text_is_refused_before_am() {
    let mut tenant = Rehearsal::new();
    let bearer = tenant.world.book.issue(
        "scoped",
        None,
        crate::tenant::oauth::book::Token {
            kind: crate::tenant::ledger::TokenKind::Scoped,
            scopes: vec!["fr:am:*".to_owned()],
            user: "admin@example.com".to_owned(),
            may_act: None,
            expires: tenant.now + std::time::Duration::from_secs(60),
            dead: false,
        },
    );
    let headers = [&format!("authorization: Bearer {bearer}"), "content-type: application/json"];

    let answer = tenant.raw("PUT", &format!("{TREES}/X"), &headers, "{}\ntrailing".to_owned());

    assert_eq!((answer.status, answer.body.get("Strict-Transport-Security").is_some()), (400, true));
}
