//! Prepares the tenant for recordings of managed objects.

use aic_tests::tenant::world::World;
use serde_json::{Map, Value, json};

use super::exchange::Recording;
use super::plan::{Plan, Scene, last, outline, play, scene, segment, without};

/// What the platform computes for AI agents and the sandbox does not.
const COMPUTED: &[&str] = &["agentID", "agentOAuth2ClientId", "subjectIDs", "resourceData"];

/// Says what to do with a recording of managed objects.
pub(crate) fn of(case: &str, recording: &Recording) -> Plan {
    match case {
        "create_svcacct_action_create_201" | "get_svcacct_self_200" => {
            return Plan::Skip("service accounts are locked in the sandbox");
        }
        "query_aiagent_200" | "relationship_collection_200" => {
            return Plan::Skip("the computed fields of AI agents are not simulated");
        }
        "query_users_200_b" => return outline(),
        "query_applications_pageSize_1000_200" => {
            return play(|world| {
                world.directory.objects.remove("alpha_application");
            });
        }
        _ => {}
    }
    let (kind, id) = (segment(recording, 3), last(recording));
    let request = recording.request.clone();
    let setup = {
        let (case, body) = (case.to_owned(), recording.body.clone());
        move |world: &mut World| prepare_managed(world, &case, &kind, &id, &body, &request)
    };
    Plan::Play(Scene { ignored: COMPUTED, ..scene(setup) })
}

fn prepare_managed(world: &mut World, case: &str, kind: &str, id: &str, body: &Value, request: &Value) {
    let mut put = |kind: &str, object: Map<String, Value>| {
        world.directory.put(kind, Value::Object(object));
    };
    // Whatever a reference of the request names must be there.
    for reference in references(request) {
        if let Some((kind, id)) = reference.trim_start_matches("managed/").split_once('/') {
            put(kind, named(json!({"name": "referenced", "oauth2ClientId": "client"}), id));
        }
    }
    match case {
        "get_application_200" | "delete_application_200" | "put_application_update_200" => {
            put(kind, without(body, &["_rev"]))
        }
        "patch_application_policy_403" | "patch_group_policy_403" => put(kind, named(json!({"name": "patched"}), id)),
        "query_applications_200" | "query_users_200" | "query_users_bravo_200" | "query_roles_200" => {
            let row = body["result"][0].clone();
            let asked = if kind.ends_with("_user") {
                json!({"sn": "seantest", "userName": "bravo_test_user"})
            } else {
                json!({"name": "test"})
            };
            let mut object = without(&row, &["_rev", "authzRoles", "name"]);
            object.extend(without(&asked, &[]));
            if let Some(name) = row.get("name") {
                object.insert("name".to_owned(), name.clone());
            }
            put(kind, object);
        }
        "patch_200" | "patch_200_b" | "patch_x_not_modified_200" | "put_if_none_match_exists_412" => {
            put(kind, named(json!({"description": "d", "permissions": [{"type": "scopes", "values": ["a"]}]}), id));
            let agent = references(request).into_iter().find(|target| target.contains("_aiagent/"));
            let agent = agent.unwrap_or_else(|| "managed/alpha_aiagent/agent".to_owned());
            let property = json!({"type": "relationship", "reversePropertyName": "privileges"});
            world.directory.put(
                "alpha_aiagent",
                Value::Object(named(json!({"name": "a", "oauth2ClientId": "c"}), agent.rsplit('/').next().unwrap())),
            );
            world.directory.link(&format!("managed/{kind}/{id}"), "agent", &property, &json!({"_ref": agent}));
        }
        _ => {}
    }
}

fn named(object: Value, id: &str) -> Map<String, Value> {
    let mut members = object.as_object().cloned().unwrap_or_default();
    members.insert("_id".to_owned(), json!(id));
    members
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(members) => {
            let own = members.get("_ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}
