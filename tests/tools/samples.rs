//! Arguments that each tool accepts, and where its requests may go.

use serde_json::{Value, json};

/// The id that the samples use for objects, nodes and scripts.
pub const ID: &str = "a0000000-0000-4000-8000-000000000001";
/// Where journeys, nodes and clients of a realm are.
const CONFIG: &str = "/am/json/alpha/realm-config";

/// One tool's sample.
pub struct Sample {
    /// The tool.
    pub tool: &'static str,
    /// Arguments that it accepts.
    pub arguments: Value,
    /// What the paths of its requests begin with.
    pub paths: Vec<String>,
}

fn sample(tool: &'static str, arguments: Value, paths: &[&str]) -> Sample {
    let whole = |path: &&str| path.replace("CONFIG", CONFIG);
    Sample { tool, arguments, paths: paths.iter().map(whole).collect() }
}

/// A sample for every tool that sends anything.
pub fn all() -> Vec<Sample> {
    [managed_objects(), small_families(), journeys(), scripts_and_applications()].into_iter().flatten().collect()
}

fn managed_objects() -> Vec<Sample> {
    let object = json!({"objectType": "alpha_user", "objectId": ID});
    let objects: &[&str] = &["/openidm/managed/"];
    let definitions: &[&str] = &["/openidm/config/managed"];
    let patch = json!([{"operation": "replace", "field": "/sn", "value": "Example"}]);
    vec![
        sample("createManagedObject", json!({"objectType": "alpha_user", "objectData": {"userName": "x"}}), objects),
        sample(
            "createManagedObjectDefinition",
            json!({"objectName": "custom_x", "objectDefinition": {"schema": {}}}),
            definitions,
        ),
        sample("deleteManagedObject", object.clone(), objects),
        sample("deleteManagedObjectDefinition", json!({"objectName": "custom_x"}), definitions),
        sample("getManagedObject", object.clone(), objects),
        sample(
            "getManagedObjectSchema",
            json!({"objectType": "alpha_user"}),
            &["/openidm/schema/", "/openidm/config/managed"],
        ),
        sample("listManagedObjects", json!({}), &["/openidm/"]),
        sample(
            "patchManagedObject",
            json!({"objectType": "alpha_user", "objectId": ID, "revision": "1", "operations": patch}),
            objects,
        ),
        sample(
            "patchManagedObjectDefinition",
            json!({"objectName": "alpha_user", "operations": [{"operation": "replace", "field": "/iconClass", "value": "x"}]}),
            definitions,
        ),
        sample(
            "patchManagedObjectRelationship",
            json!({"objectType": "alpha_user", "propertyName": "custom_x", "action": "remove"}),
            &["/openidm/schema/managed/", "/openidm/config/managed"],
        ),
        sample("queryManagedObjects", json!({"objectType": "alpha_user", "queryFilter": "true"}), objects),
    ]
}

fn small_families() -> Vec<Sample> {
    let variable = json!({"variableId": "esv-x"});
    let theme = json!({"realm": "alpha", "themeIdentifier": "x"});
    let themes: &[&str] = &["/openidm/config/ui/themerealm", "/openidm/ui/theme/"];
    let esv: &[&str] = &["/environment/variables", "/environment/secrets"];
    let features: &[&str] = &["/openidm/", "/am/json/", "/environment/aiagent"];
    vec![
        sample("getLogSources", json!({}), &["/monitoring/logs/sources"]),
        sample("queryLogs", json!({"sources": ["am-access"]}), &["/monitoring/logs"]),
        sample("createTheme", json!({"realm": "alpha", "themeData": {"name": "x"}}), themes),
        sample("deleteTheme", theme.clone(), themes),
        sample("getTheme", theme.clone(), themes),
        sample("getThemes", json!({"realm": "alpha"}), themes),
        sample("setDefaultTheme", theme, themes),
        sample("updateTheme", json!({"realm": "alpha", "themeIdentifier": "x", "themeUpdates": {"logo": "y"}}), themes),
        sample("deleteVariable", variable.clone(), esv),
        sample("getVariable", variable, esv),
        sample("queryESVs", json!({"type": "variable"}), esv),
        sample("setVariable", json!({"variableId": "esv-x", "type": "string", "value": "y"}), esv),
        sample("enableAiAgent", json!({}), features),
        sample("installIdmFeature", json!({"featureName": "groups"}), features),
        sample("listFeatures", json!({}), features),
        sample("validateIdmFeature", json!({"featureName": "groups"}), features),
    ]
}

fn journeys() -> Vec<Sample> {
    let journey = json!({"realm": "alpha", "journeyName": "x"});
    let trees: &[&str] = &["CONFIG/authentication/authenticationtrees/"];
    let graph = json!({"entryNodeId": "one", "nodes": {"one":
        {"nodeType": "UsernameCollectorNode", "displayName": "Name", "connections": {"outcome": "success"}, "config": {}}}});
    vec![
        sample("createJourney", json!({"realm": "alpha", "journeyName": "x", "journeyData": graph}), trees),
        sample("deleteJourney", journey.clone(), trees),
        sample("deleteJourneyNodes", json!({"realm": "alpha", "nodes": [{"nodeType": "N", "nodeId": ID}]}), trees),
        sample("getDynamicNodeOutcomes", json!({"realm": "alpha", "nodeType": "N", "config": {}}), trees),
        sample("getJourney", journey.clone(), trees),
        sample("getNodeTypeDetails", json!({"realm": "alpha", "nodeTypes": ["N"]}), trees),
        sample("listJourneys", json!({"realm": "alpha"}), &["CONFIG/authentication"]),
        sample("listNodeTypes", json!({"realm": "alpha"}), trees),
        sample("setDefaultJourney", journey, &["CONFIG/authentication"]),
        sample("updateJourney", json!({"realm": "alpha", "journeyName": "x", "enabled": false}), trees),
        sample(
            "updateJourneyNode",
            json!({"realm": "alpha", "nodeType": "N", "nodeId": ID, "config": {"a": 1}}),
            trees,
        ),
    ]
}

fn scripts_and_applications() -> Vec<Sample> {
    let script = json!({"realm": "alpha", "scriptId": ID});
    let scripts: &[&str] = &["/am/json/alpha/scripts"];
    let application = json!({"realm": "alpha", "name": "x"});
    let applications: &[&str] = &[
        "/openidm/managed/alpha_application",
        "/openidm/schema/managed/alpha_application",
        "CONFIG/agents/OAuth2Client",
    ];
    let created = json!({"realm": "alpha", "name": "x", "clientId": "x", "owners": [{"_ref": format!("managed/alpha_user/{ID}")}]});
    let updated =
        json!({"realm": "alpha", "name": "x", "oauth2Client": {"coreOAuth2ClientConfig": {"clientName": ["x"]}}});
    vec![
        sample("createScript", json!({"realm": "alpha", "name": "x", "script": "outcome = 'true';"}), scripts),
        sample("deleteScript", script.clone(), scripts),
        sample("getAMScript", script, scripts),
        sample("getScriptedDecisionNodeBindings", json!({"realm": "alpha"}), &["/am/json/alpha/contexts/"]),
        sample("listScripts", json!({"realm": "alpha"}), scripts),
        sample("updateScript", json!({"realm": "alpha", "scriptId": ID, "name": "y"}), scripts),
        sample("createOidcApp", created, applications),
        sample("deleteOidcApp", application.clone(), applications),
        sample("getOidcApp", application, applications),
        sample("getOidcAppSchema", json!({"realm": "alpha"}), applications),
        sample("listOidcApps", json!({"realm": "alpha"}), applications),
        sample("updateOidcApp", updated, applications),
    ]
}
