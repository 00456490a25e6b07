//! The journeys, scripts and clients of a fresh sandbox tenant, all written for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client_schema::defaults;
use super::store::{Realm, Realms};
use super::{node_types, settings};

/// The static node of success.
pub const SUCCESS: &str = "70e691a5-1e33-4ac3-a356-e7b6d60d92e0";

/// The static node of failure.
pub const FAILURE: &str = "e301438c-0bd0-429c-ab0c-66126501069a";

/// The id of the sample journey script.
pub const SCRIPT: &str = "5c000000-0000-4000-8000-000000000001";

/// The id of a script that comes with the platform.
pub const DEFAULT_SCRIPT: &str = "01e1a3c0-038b-4c16-956a-6c9d89328cff";

const PAGE: &str = "ad000000-0000-4000-8000-000000000001";
const USERNAME: &str = "ad000000-0000-4000-8000-000000000002";
const PASSWORD: &str = "ad000000-0000-4000-8000-000000000003";
const DECISION: &str = "ad000000-0000-4000-8000-000000000004";
const STEP: &str = "ad000000-0000-4000-8000-000000000005";

/// Makes both realms.
pub fn realms() -> Realms {
    let realm = |name: &str| (name.to_owned(), realm(name));
    Realms { realms: ["alpha", "bravo"].into_iter().map(realm).collect() }
}

fn realm(name: &str) -> Realm {
    let mut realm = Realm {
        name: name.to_owned(),
        settings: settings::fresh(name),
        provider: settings::fresh_provider(),
        scripts: scripts(),
        ..Realm::default()
    };
    realm.trees.insert("Login".to_owned(), login(name));
    realm.trees.insert("Greeting".to_owned(), greeting(name));
    let page = json!({
        "nodes": [
            {"_id": USERNAME, "nodeType": "ValidatedUsernameNode", "nodeVersion": "1.0", "displayName": "Name"},
            {"_id": PASSWORD, "nodeType": "ValidatedPasswordNode", "nodeVersion": "1.0", "displayName": "Password"},
        ],
        "pageHeader": {"en": "Sign in"}, "pageDescription": {"en": "To the sample works"},
    });
    put(&mut realm, "PageNode", PAGE, page);
    put(&mut realm, "ValidatedUsernameNode", USERNAME, json!({}));
    put(&mut realm, "ValidatedPasswordNode", PASSWORD, json!({}));
    put(&mut realm, "DataStoreDecisionNode", DECISION, json!({}));
    put(&mut realm, "ScriptedDecisionNode", STEP, json!({"script": SCRIPT, "outcomes": ["morning", "evening"]}));
    if name == "alpha" {
        realm.clients.insert("sample-portal".to_owned(), client());
    }
    realm
}

fn put(realm: &mut Realm, kind: &str, id: &str, own: Value) {
    let mut attributes = node_types::find(kind).map(|known| known.template()).unwrap_or_default();
    attributes.extend(own.as_object().cloned().unwrap_or_default());
    realm.put_node(kind, id, "1.0", attributes);
}

fn login(realm: &str) -> Value {
    tree(
        realm,
        "The way into the sample works",
        PAGE,
        json!({
            PAGE: {"nodeType": "PageNode", "displayName": "Sign in", "version": "1.0", "x": 200, "y": 100, "connections": {"outcome": DECISION}},
            DECISION: {"nodeType": "DataStoreDecisionNode", "displayName": "Check", "version": "1.0", "x": 400, "y": 100,
                       "connections": {"true": SUCCESS, "false": FAILURE}},
        }),
    )
}

fn greeting(realm: &str) -> Value {
    tree(
        realm,
        "Says hello by the time of day",
        STEP,
        json!({STEP: {"nodeType": "ScriptedDecisionNode", "displayName": "Greet", "version": "1.0", "x": 200, "y": 100,
                      "connections": {"morning": SUCCESS, "evening": SUCCESS}}}),
    )
}

fn tree(realm: &str, description: &str, entry: &str, nodes: Value) -> Value {
    json!({
        "description": description, "identityResource": format!("managed/{realm}_user"), "entryNodeId": entry,
        "enabled": true, "innerTreeOnly": false, "mustRun": false, "noSession": false, "transactionalOnly": false,
        "uiConfig": {"categories": "[\"Authentication\"]"}, "nodes": nodes,
        "staticNodes": {"startNode": {"x": 50, "y": 250}, SUCCESS: {"x": 600, "y": 100}, FAILURE: {"x": 600, "y": 300}},
    })
}

fn scripts() -> Vec<Value> {
    let script = |id: &str, name: &str, version: &str, default: bool, source: &str| {
        json!({
            "_id": id, "name": name, "description": format!("{name} of the sandbox"), "script": STANDARD.encode(source),
            "default": default, "language": "JAVASCRIPT", "context": "AUTHENTICATION_TREE_DECISION_NODE",
            "createdBy": "null", "creationDate": 0, "lastModifiedBy": "null", "lastModifiedDate": 0, "evaluatorVersion": version,
        })
    };
    vec![
        script(DEFAULT_SCRIPT, "Journey sample", "1.0", true, "outcome = \"true\";"),
        script(
            SCRIPT,
            "Time of day",
            "2.0",
            false,
            "action.goTo(new Date().getHours() < 12 ? \"morning\" : \"evening\");",
        ),
        script("5c000000-0000-4000-8000-000000000002", "Old counter", "1.0", false, "outcome = \"done\";"),
    ]
}

fn client() -> Value {
    let mut client = defaults();
    let own = [
        ("clientName", json!(["Sample portal"])),
        ("clientType", json!("Public")),
        ("redirectionUris", json!(["https://portal.example.com/callback"])),
        ("scopes", json!(["openid", "profile"])),
    ];
    if let Some(core) = client.get_mut("coreOAuth2ClientConfig").and_then(Value::as_object_mut) {
        core.extend(own.map(|(name, value)| (name.to_owned(), value)));
    }
    client
}
