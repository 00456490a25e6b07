//! Journeys and their nodes.

use serde_json::{Value, json};

use super::{Flow, has, named};

/// The node of success, by AM's own id.
const SUCCESS: &str = "70e691a5-1e33-4ac3-a356-e7b6d60d92e0";
/// The node of failure, by AM's own id.
const FAILURE: &str = "e301438c-0bd0-429c-ab0c-66126501069a";

fn node(kind: &str, connections: Value, config: Value) -> Value {
    json!({"nodeType": kind, "displayName": format!("A {kind}"), "connections": connections, "config": config})
}

/// A page for name and password, a decision, and a limit of tries.
fn graph() -> Value {
    let inside = json!([
        {"_id": "name", "nodeType": "ValidatedUsernameNode", "displayName": "Name", "validateInput": true},
        {"_id": "password", "nodeType": "ValidatedPasswordNode", "displayName": "Password", "validateInput": true},
    ]);
    json!({"entryNodeId": "page", "nodes": {
        "page": node("PageNode", json!({"outcome": "check"}), json!({"nodes": inside, "pageHeader": {"en": "Hello"}})),
        "check": node("DataStoreDecisionNode", json!({"true": "success", "false": "limit"}), json!({})),
        "limit": node("RetryLimitDecisionNode", json!({"Retry": "page", "Reject": "failure"}), json!({"retryLimit": 5})),
    }})
}

fn created(flow: &mut Flow, name: &str) -> Value {
    let made = json!({"realm": "alpha", "journeyName": name, "description": "Of a test", "journeyData": graph()});
    flow.done("createJourney", made)["nodeIdMapping"].clone()
}

fn of(name: &str) -> Value {
    json!({"realm": "alpha", "journeyName": name})
}

/// How many nodes the tenant's realm stores.
fn stored_nodes(flow: &Flow) -> usize {
    flow.world.tenant().with(|state| state.realms.realms["alpha"].nodes.len())
}

#[test]
fn node_types_are_listed_and_described() {
    let mut flow = Flow::begin();

    let types = flow.done("listNodeTypes", json!({"realm": "alpha"}));
    let asked = json!({"realm": "alpha", "nodeTypes": ["RetryLimitDecisionNode", "NoSuchNode"]});
    let details = flow.done("getNodeTypeDetails", asked);

    assert!(has(&types["nodeTypes"], "PageNode") && types["count"].as_u64() > Some(20), "{types}");
    let retry = &details["results"]["RetryLimitDecisionNode"];
    assert_eq!(retry["schema"]["properties"]["retryLimit"]["type"], "integer");
    assert_eq!((&retry["template"]["retryLimit"], &retry["outcomes"][0]["id"]), (&json!(3), &json!("Retry")));
    assert!(details["results"]["NoSuchNode"]["error"].as_str().unwrap().contains("404"), "{details}");
    assert_eq!((&details["successCount"], &details["errorCount"]), (&json!(1), &json!(1)));
}

#[test]
fn outcomes_that_depend_on_the_settings_are_asked_of_the_tenant() {
    let mut flow = Flow::begin();
    let ask = |kind: &str, config: Value| json!({"realm": "alpha", "nodeType": kind, "config": config});

    let choice = flow.done("getDynamicNodeOutcomes", ask("ChoiceCollectorNode", json!({"choices": ["red", "blue"]})));
    let inside = json!({"nodes": [{"nodeType": "DataStoreDecisionNode", "displayName": "Check"}]});
    let page = flow.done("getDynamicNodeOutcomes", ask("PageNode", inside));

    let ids = |answer: &Value| {
        let outcomes = answer["outcomes"].as_array().unwrap();
        outcomes.iter().map(|outcome| outcome["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&choice), ids(&page)), (vec!["red".into(), "blue".into()], vec!["true".into(), "false".into()]));
}

#[test]
fn a_journey_is_created_with_its_nodes_and_read_back() {
    let mut flow = Flow::begin();

    let ids = created(&mut flow, "Flow");
    let read = flow.done("getJourney", of("Flow"));

    let id = |name: &str| ids[name].as_str().unwrap();
    let nodes = &read["nodes"];
    assert_eq!((&read["description"], &read["entryNodeId"]), (&json!("Of a test"), &ids["page"]));
    assert_eq!(nodes.as_object().unwrap().len(), 3);
    assert_eq!(nodes[id("check")]["connections"], json!({"true": SUCCESS, "false": id("limit")}));
    assert_eq!(nodes[id("limit")]["connections"], json!({"Retry": id("page"), "Reject": FAILURE}));
    let data = &read["nodeData"];
    assert!(data.get("errors").is_none(), "{data}");
    assert_eq!(data["configs"][id("limit")]["retryLimit"], 5);
    assert_eq!(data["configs"][id("page")]["nodes"][0]["_id"], ids["name"]);
    assert_eq!(data["configs"][id("name")]["_type"]["_id"], "ValidatedUsernameNode");
    assert_eq!(data["configs"][id("name")]["validateInput"], true);
    assert_eq!(data["configs"].as_object().unwrap().len(), 5, "the page's nodes too");
    assert!(data["schemas"]["ValidatedPasswordNode"].is_object(), "{data}");
}

#[test]
fn a_pages_child_without_settings_is_stored_too() {
    let mut flow = Flow::begin();
    let inside = json!([{"_id": "name", "nodeType": "UsernameCollectorNode", "displayName": "Name"}]);
    let page = node("PageNode", json!({"outcome": "success"}), json!({"nodes": inside}));
    let graph = json!({"entryNodeId": "page", "nodes": {"page": page}});

    flow.done("createJourney", json!({"realm": "alpha", "journeyName": "Flow", "journeyData": graph}));

    let data = flow.done("getJourney", of("Flow"))["nodeData"].clone();
    assert!(data.get("errors").is_none(), "{}", data["errors"]);
}

#[test]
fn a_journeys_metadata_nodes_and_graph_are_changed() {
    let mut flow = Flow::begin();
    let ids = created(&mut flow, "Flow");

    flow.done(
        "updateJourney",
        json!({"realm": "alpha", "journeyName": "Flow", "description": "Changed", "enabled": false}),
    );
    let read = flow.done("getJourney", of("Flow"));
    assert_eq!((&read["description"], &read["enabled"]), (&json!("Changed"), &json!(false)));
    assert_eq!(read["nodes"].as_object().unwrap().len(), 3, "the graph is as it was");

    let limit = ids["limit"].as_str().unwrap();
    let mut config = read["nodeData"]["configs"][limit].clone();
    config["retryLimit"] = json!(9);
    let update = json!({"realm": "alpha", "nodeType": "RetryLimitDecisionNode", "nodeId": limit, "config": config});
    flow.done("updateJourneyNode", update.clone());
    assert_eq!(flow.done("getJourney", of("Flow"))["nodeData"]["configs"][limit]["retryLimit"], 9);
    flow.refused("updateJourneyNode", update, "conflict");

    let nodes =
        json!({"only": node("DataStoreDecisionNode", json!({"true": "success", "false": "failure"}), json!({}))});
    let smaller = json!({"realm": "alpha", "journeyName": "Flow", "entryNodeId": "only", "nodes": nodes});
    let replaced = flow.done("updateJourney", smaller);
    let orphans = replaced["orphanedNodes"].as_array().unwrap();
    assert!(orphans.contains(&json!({"nodeType": "RetryLimitDecisionNode", "nodeId": limit})), "{replaced}");
    let read = flow.done("getJourney", of("Flow"));
    assert_eq!((&read["entryNodeId"], &read["description"]), (&replaced["nodeIdMapping"]["only"], &json!("Changed")));
    assert_eq!(read["nodes"].as_object().unwrap().len(), 1);
}

#[test]
fn a_journey_becomes_the_default_and_has_a_preview() {
    let mut flow = Flow::begin();
    let settings = |flow: &Flow| flow.world.tenant().with(|state| state.realms.realms["alpha"].settings.clone());
    let before = settings(&flow);

    let chosen = flow.done("setDefaultJourney", of("Greeting"));
    let listed = flow.done("listJourneys", json!({"realm": "alpha"}));
    let preview = flow.done("getJourneyPreviewUrl", of("Greeting"));
    let of_default = flow.done("getJourneyPreviewUrl", json!({"realm": "alpha"}));

    assert_eq!((&chosen["success"], &listed["defaultJourney"]), (&json!(true), &json!("Greeting")));
    assert_eq!(named(&listed["result"], "Login")["nodeCount"], 2);
    let mut wanted = before;
    wanted["core"]["orgConfig"] = json!("Greeting");
    assert_eq!(settings(&flow), wanted, "nothing else has changed");
    let base = flow.world.tenant().base_url();
    let url = preview["previewUrl"].as_str().unwrap();
    assert!(url.starts_with(&format!("{base}/am/XUI/?realm=/alpha")) && url.contains("Greeting"), "{url}");
    assert!(of_default["previewUrl"].as_str().unwrap().ends_with("realm=/alpha"), "{of_default}");
}

#[test]
fn a_deleted_journey_says_which_nodes_it_left_and_they_can_be_deleted() {
    let mut flow = Flow::begin();
    let before = stored_nodes(&flow);
    let ids = created(&mut flow, "Flow");
    assert_eq!(stored_nodes(&flow), before + 5);

    let deleted = flow.done("deleteJourney", of("Flow"));
    flow.refused("getJourney", of("Flow"), "not_found");
    assert!(!has(&flow.done("listJourneys", json!({"realm": "alpha"}))["result"], "Flow"));
    let mut left = deleted["nodesLeft"].as_array().unwrap().clone();
    assert_eq!(left.len(), 3, "{deleted}");
    assert_eq!(stored_nodes(&flow), before + 5);

    left.push(json!({"nodeType": "ValidatedUsernameNode", "nodeId": ids["name"]}));
    left.push(json!({"nodeType": "ValidatedPasswordNode", "nodeId": ids["password"]}));
    left.push(json!({"nodeType": "DebugNode", "nodeId": ids["page"]}));
    let gone = flow.done("deleteJourneyNodes", json!({"realm": "alpha", "nodes": left}));
    assert_eq!((&gone["successCount"], &gone["errorCount"]), (&json!(5), &json!(1)));
    assert_eq!((&gone["results"][5]["deleted"], &gone["results"][5]["status"]), (&json!(false), &json!(404)));
    assert_eq!(stored_nodes(&flow), before);
}

#[test]
fn a_graph_with_a_fault_is_refused_before_anything_is_sent() {
    let mut flow = Flow::begin();
    flow.done("listJourneys", json!({"realm": "alpha"}));
    let check = |on: &str, off: &str| node("DataStoreDecisionNode", json!({"true": on, "false": off}), json!({}));
    let cases = [
        (json!({"entryNodeId": "nobody", "nodes": {"a": check("success", "failure")}}), "nobody"),
        (json!({"entryNodeId": "a", "nodes": {"a": check("success", "nowhere")}}), "nowhere"),
        (
            json!({"entryNodeId": "a", "nodes": {"a": check("success", "failure"), "lost": check("success", "a")}}),
            "lost",
        ),
    ];

    for (graph, wanted) in cases {
        let create = json!({"realm": "alpha", "journeyName": "Faulty", "journeyData": graph});
        let answer = flow.refused_unsent("createJourney", create, "invalid_arguments");
        assert!(answer.text().contains(wanted), "{answer}");
        let mut update = graph;
        update["realm"] = json!("alpha");
        update["journeyName"] = json!("Greeting");
        let answer = flow.refused_unsent("updateJourney", update, "invalid_arguments");
        assert!(answer.text().contains(wanted), "{answer}");
    }
}
