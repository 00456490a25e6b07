//! Says for each recording how the tenant is prepared for it, or why it cannot be played.

use std::time::{Duration, SystemTime};

use aic_tests::tenant::world::World;
use serde_json::{Map, Value, json};

use super::exchange::Recording;
use super::managed;

/// What is done with a recording.
pub(crate) enum Plan {
    /// It cannot be played, for this reason.
    Skip(&'static str),
    /// It is played.
    Play(Scene),
}

/// How a recording is played and compared.
pub(crate) struct Scene {
    /// The scopes of the token.
    pub(crate) scopes: &'static [&'static str],
    /// How deep the shape is compared.
    pub(crate) depth: usize,
    /// Recorded members that the sandbox tenant does not have.
    pub(crate) ignored: &'static [&'static str],
    /// Members that newer tenants have and this recording has not.
    pub(crate) newer: &'static [&'static str],
    /// Header fields that tenants had at the time and have no more.
    pub(crate) old_headers: &'static [&'static str],
    /// What the tenant holds before the request comes.
    pub(crate) setup: Setup,
}

type Setup = Box<dyn FnOnce(&mut World)>;

const ALL: &[&str] = &["fr:idm:*", "fr:am:*", "fr:idc:esv:*", "fr:idc:monitoring:*"];

/// Attributes that AM added to trees, nodes, scripts and clients over the years.
const NEWER: &[&str] = &[
    "transactionalOnly",
    "noSession",
    "version",
    "enableApplicationContext",
    "acceptAudienceParametersInTokenExchangeRequests",
    "allowedResourceServerAudienceValues",
    "treeName",
    "staticNodes",
    "nodeVersion",
    "evaluatorVersion",
    "prepopulate",
    "autocompleteValues",
    "secretLabelIdentifier",
];

const NOT_SIMULATED: Plan = Plan::Skip("the sandbox does not simulate this API");
const OTHER_CLIENT: Plan = Plan::Skip("the sandbox knows only the two clients of the MCP server");

pub(crate) fn scene(setup: impl FnOnce(&mut World) + 'static) -> Scene {
    Scene { scopes: ALL, depth: 9, ignored: &[], newer: NEWER, old_headers: &[], setup: Box::new(setup) }
}

pub(crate) fn play(setup: impl FnOnce(&mut World) + 'static) -> Plan {
    Plan::Play(scene(setup))
}

fn plain() -> Plan {
    play(|_| {})
}

/// Compares the outer members only: the sandbox has documents of its own.
pub(crate) fn outline() -> Plan {
    Plan::Play(Scene { depth: 1, ..scene(|_| {}) })
}

/// Says what to do with a recording.
pub(crate) fn of(name: &str, recording: &Recording) -> Plan {
    let (family, case) = name.split_once('/').unwrap();
    match family {
        "oauth" if case == "authorize_bad_request_400_html" => plain(),
        "oauth" => OTHER_CLIENT,
        "env-variables" => variables(case, recording),
        "env-secrets" => secrets(case, recording),
        "env-startup" if case == "status_restarting_200" => play(|world| {
            world.environment.restart_ends = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX)));
        }),
        "env-startup" => plain(),
        "env-info" => info(case),
        "monitoring" if case == "log_sources_200" => plain(),
        "idm-config" => config(case, recording),
        "idm-managed" => managed::of(case, recording),
        "idm-schema" => {
            Plan::Play(Scene { ignored: &["description", "mat-icon", "viewable", "id"], ..scene_of_outline() })
        }
        "am-journeys" => journeys(case, recording),
        "am-nodes" => nodes(case, recording),
        "am-scripts" => scripts(case, recording),
        "am-oauth2-clients" => clients(case, recording),
        "am-authentication-settings" => plain(),
        "am-services" => services(case),
        "am-realms" => plain(),
        "am-serverinfo" => Plan::Play(Scene { ignored: SERVER_INFO, ..scene(|_| {}) }),
        _ => NOT_SIMULATED,
    }
}

/// What a login page asks the server for, which no tool does.
const SERVER_INFO: &[&str] = &[
    "protectedUserAttributes",
    "forgotPassword",
    "forgotUsername",
    "kbaEnabled",
    "selfRegistration",
    "successfulUserRegistrationDestination",
    "socialImplementations",
    "referralsEnabled",
    "zeroPageLogin",
    "xuiUserSessionValidationEnabled",
    "userIdAttributes",
];

fn scene_of_outline() -> Scene {
    Scene { depth: 1, ..scene(|_| {}) }
}

pub(crate) fn last(recording: &Recording) -> String {
    recording.path.rsplit('/').next().unwrap().to_owned()
}

pub(crate) fn segment(recording: &Recording, at: usize) -> String {
    recording.path.split('/').nth(at).unwrap_or_default().to_owned()
}

fn realm(recording: &Recording) -> String {
    if recording.path.contains("bravo") { "bravo".to_owned() } else { "alpha".to_owned() }
}

pub(crate) fn without(value: &Value, names: &[&str]) -> Map<String, Value> {
    let mut members = value.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| !names.contains(&name.as_str()));
    members
}

fn variables(case: &str, recording: &Recording) -> Plan {
    let id = last(recording);
    match case {
        "get_200" | "delete_200" | "setDescription_200" => {
            let stored = if recording.body.is_object() { recording.body.clone() } else { json!({"_id": id}) };
            play(move |world| {
                world.environment.variables.insert(id, stored);
            })
        }
        _ => plain(),
    }
}

fn secrets(case: &str, recording: &Recording) -> Plan {
    let id = segment(recording, 3);
    let count = match case {
        "delete_200" | "get_200" | "setDescription_200" | "put_exists_400" => 1,
        "version_delete_200" | "version_changestatus_400" => 2,
        "version_changestatus_200" | "version_get_200" | "versions_list_200" => 3,
        "version_delete_500" => 4,
        "version_create_200" => 9,
        _ => return plain(),
    };
    play(move |world| {
        let environment = &mut world.environment;
        environment.add_secret(&id, "", "generic", true, "admin@example.com", SystemTime::UNIX_EPOCH);
        let version = |number: usize| json!({"createDate": "2026-01-01T00:00:00Z", "loaded": true, "status": "ENABLED", "version": number.to_string()});
        environment.versions.insert(id, (1..=count).map(version).collect());
    })
}

fn info(case: &str) -> Plan {
    match case {
        "info_200" | "release_200" | "direct_configuration_session_state_200" | "unknown_environment_path_404" => {
            plain()
        }
        "certificate_404_empty_body" => plain(),
        "release_200_2024" => Plan::Play(Scene { newer: &["channel"], ..scene(|_| {}) }),
        "info_session_cookie_200" => Plan::Skip("a session cookie is no way into the sandbox's APIs"),
        _ => NOT_SIMULATED,
    }
}

fn config(case: &str, recording: &Recording) -> Plan {
    let id = recording.path.trim_start_matches("/openidm/config/").to_owned();
    let document = match case {
        "put_config_access_denied_401" => return Plan::Play(Scene { scopes: &["fr:am:*"], ..scene(|_| {}) }),
        "get_managed_200" | "get_themerealm_200" => return outline(),
        "query_config_true_200" | "query_config_id_sw_200" => return Plan::Play(Scene { depth: 1, ..scene(|_| {}) }),
        "put_managed_200" | "put_themerealm_200" | "put_config_update_200_emailTemplate" => recording.request.clone(),
        "delete_config_200" | "get_authentication_200" | "get_uiconfiguration_200" | "get_repo_ds_200" => {
            recording.body.clone()
        }
        _ => return plain(),
    };
    if !document.is_object() {
        return Plan::Skip("the recording cut the document short");
    }
    play(move |world| {
        world.directory.configs.insert(id, document);
    })
}

fn journeys(case: &str, recording: &Recording) -> Plan {
    let (realm, name) = (realm(recording), last(recording));
    let tree = match case {
        "get_tree_200" | "get_tree_200_2023" | "get_tree_200_with_pagenode" | "delete_tree_200" => &recording.body,
        "put_tree_update_200" | "put_tree_update_200_2026" => &recording.request,
        "list_trees_200" => return Plan::Play(Scene { depth: 3, ..scene(|_| {}) }),
        "put_tree_invalid_attribute_400" => return Plan::Play(scene(|_| {})),
        _ => return plain(),
    };
    if !tree.is_object() {
        return Plan::Skip("the recording cut the journey short");
    }
    let tree = Value::Object(without(tree, &["_id", "_rev"]));
    let old_headers: &[&str] = if case == "get_tree_200_2023" { &["content-api-version"] } else { &[] };
    let setup = move |world: &mut World| {
        world.realms.realms.get_mut(&realm).unwrap().trees.insert(name, tree);
    };
    Plan::Play(Scene { old_headers, ..scene(setup) })
}

fn nodes(case: &str, recording: &Recording) -> Plan {
    let skipped = ["schema_200_b", "get_pagenode_versioned_resource3_200", "list_nodes_versioned_resource3_200"];
    if skipped.contains(&case) {
        return Plan::Skip("custom nodes of the node designer are not simulated");
    }
    if case == "nextdescendents_200" || case == "getAllTypes_200" || case == "list_nodes_of_type_200" {
        return Plan::Play(Scene { depth: 2, ignored: &["stage"], ..scene(|_| {}) });
    }
    if case.starts_with("schema") || case.starts_with("getType") {
        return Plan::Play(Scene { depth: 1, ..scene(|_| {}) });
    }
    let rest: Vec<&str> =
        recording.path.split("/authenticationtrees/nodes/").nth(1).unwrap_or_default().split('/').collect();
    let (kind, version, id) = match rest.as_slice() {
        [kind] => (*kind, "1.0", recording.request.get("_id").and_then(Value::as_str).unwrap_or_default()),
        [kind, id] => (*kind, "1.0", *id),
        [kind, version, id] => (*kind, *version, *id),
        _ => return NOT_SIMULATED,
    };
    let exists =
        ["get_node", "delete_node_404", "put_node", "create_node_201"].iter().all(|missing| !case.starts_with(missing));
    let attributes = without(
        if recording.status == 409 { &recording.request } else { &recording.body },
        &["_id", "_rev", "_type", "_outcomes"],
    );
    let (realm, kind, version, id) = (realm(recording), kind.to_owned(), version.to_owned(), id.to_owned());
    play(move |world| {
        if exists {
            world.realms.realms.get_mut(&realm).unwrap().put_node(&kind, &id, &version, attributes);
        }
    })
}

fn scripts(case: &str, recording: &Recording) -> Plan {
    let realm = realm(recording);
    let script = match case {
        "global_scripting_context_404" | "global_scripting_contexts_list_200" => return NOT_SIMULATED,
        "get_internal_script_403" => return Plan::Skip("the sandbox has no scripts of the platform's own"),
        "contexts_SCRIPTED_DECISION_NODE_200" | "contexts_AUTHENTICATION_TREE_DECISION_NODE_200" => return outline(),
        "get_script_200" => recording.body.clone(),
        "put_script_200" => recording.request.clone(),
        "delete_script_200" => json!({"_id": last(recording), "name": "Deleted"}),
        "put_script_name_exists_409" => json!({"_id": "other", "name": recording.request["name"]}),
        "query_by_name_200" => recording.body["result"][0].clone(),
        _ => return plain(),
    };
    play(move |world| world.realms.realms.get_mut(&realm).unwrap().scripts.push(script))
}

fn clients(case: &str, recording: &Recording) -> Plan {
    match case {
        "agent_create_201_aiagent" => return NOT_SIMULATED,
        "agent_oauth2thing_not_enabled_501" => return Plan::Skip("recorded on an AM that is no cloud tenant"),
        "list_clients_200" => return Plan::Play(Scene { depth: 3, ..scene_in_bravo() }),
        "get_client_200" | "put_client_update_200" | "delete_client_200" => {}
        _ => return plain(),
    }
    let (realm, id) = (realm(recording), last(recording));
    let sample = move |world: &mut World| {
        let client = world.realms.realms["alpha"].clients["sample-portal"].clone();
        world.realms.realms.get_mut(&realm).unwrap().clients.insert(id, client);
    };
    Plan::Play(Scene { depth: 3, ignored: &["userpassword"], ..scene(sample) })
}

fn scene_in_bravo() -> Scene {
    scene(|world| {
        let client = world.realms.realms["alpha"].clients["sample-portal"].clone();
        world.realms.realms.get_mut("bravo").unwrap().clients.insert("sample".to_owned(), client);
    })
}

fn services(case: &str) -> Plan {
    match case {
        "get_oauth_oidc_provider_200" => Plan::Play(Scene {
            depth: 1,
            ignored: &[
                "advancedOIDCConfig",
                "clientDynamicRegistrationConfig",
                "coreOIDCConfig",
                "consent",
                "pluginsConfig",
                "cibaConfig",
            ],
            ..scene(|_| {})
        }),
        "get_service_403_not_in_aic" => plain(),
        _ => NOT_SIMULATED,
    }
}
