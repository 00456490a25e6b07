//! Journeys. AM does not check that the nodes they name exist.

use serde_json::{Map, Value, json};

use super::{
    Desk, body, invalid_attribute, invalid_value, listed, no_method, nodes, refuse, revised, single, version_all,
    versioned,
};
use crate::tenant::reply::{Outcome, Refusal};
use crate::tenant::request::Request;

/// The attributes that a refusal lists: eight in 2024, the rest since.
const EIGHT: [&str; 8] =
    ["description", "enabled", "entryNodeId", "identityResource", "innerTreeOnly", "nodes", "staticNodes", "uiConfig"];
const SIX_MORE: [&str; 6] =
    ["maximumIdleTime", "maximumSessionTime", "mustRun", "noSession", "transactionalOnly", "treeTimeout"];

/// Answers `authenticationtrees/trees`.
pub(super) fn collection(desk: &mut Desk<'_>, request: &Request) -> Outcome {
    match request.method.as_str() {
        "GET" => listed(desk.realm.trees.iter().map(|(name, tree)| revised(name, tree)).collect(), request),
        _ => Err(no_method(request)),
    }
}

/// Answers `authenticationtrees/trees/{name}`.
pub(super) fn one(desk: &mut Desk<'_>, name: &str, request: &Request) -> Outcome {
    let version = request.resource_version().unwrap_or("1.0").to_owned();
    match request.method.as_str() {
        // A read says no version, as recorded.
        "GET" => existing(desk, name)
            .map(|tree| single(200, tree, request))
            .map_err(|refusal| versioned(*refusal, &version).into()),
        "PUT" => version_all(put(desk, name, request), &version),
        "DELETE" => version_all(delete(desk, name, request), &version),
        _ => Err(no_method(request)),
    }
}

fn existing(desk: &Desk<'_>, name: &str) -> Result<Value, Refusal> {
    desk.realm.trees.get(name).map(|tree| revised(name, tree)).ok_or_else(|| refuse(404, "Not Found"))
}

fn delete(desk: &mut Desk<'_>, name: &str, request: &Request) -> Outcome {
    let old = existing(desk, name)?;
    desk.realm.trees.remove(name);
    Ok(single(200, old, request).changing())
}

fn put(desk: &mut Desk<'_>, name: &str, request: &Request) -> Outcome {
    let body = body(request)?;
    let body = body.as_object().ok_or_else(|| refuse(400, "The request body is not an object"))?;
    let exists = desk.realm.trees.contains_key(name);
    if request.header("if-none-match") == Some("*") && exists && !desk.switches.racing_create {
        return Err(refuse(412, "The tree already exists"));
    }
    check_attributes(desk, body)?;
    let (graph, configs) = graph(body)?;
    let tree = complete(body, graph);
    // Nothing is stored unless every embedded node is good.
    let nodes = nodes::read_embedded(configs, &desk.realm.nodes)?;
    nodes.into_iter().for_each(|(key, node)| {
        desk.realm.nodes.insert(key, node);
    });
    desk.realm.trees.insert(name.to_owned(), tree);
    let reply = single(if exists { 200 } else { 201 }, existing(desk, name)?, request).changing();
    Ok(if exists { reply } else { reply.with("location", &desk.address) })
}

fn check_attributes(desk: &Desk<'_>, body: &Map<String, Value>) -> Result<(), Refusal> {
    let known = |name: &&String| *name == "_id" || EIGHT.contains(&name.as_str()) || SIX_MORE.contains(&name.as_str());
    if !body.keys().all(|name| known(&name)) {
        let mut valid: Vec<&str> = EIGHT.to_vec();
        if desk.switches.fourteen_tree_attributes {
            valid.extend(SIX_MORE);
            valid.sort_unstable();
        }
        return Err(invalid_attribute(valid));
    }
    let fits = |name: &str, fits: fn(&Value) -> bool| body.get(name).is_none_or(fits);
    let flags = ["enabled", "innerTreeOnly", "mustRun", "noSession", "transactionalOnly"];
    if let Some(flag) = flags.into_iter().find(|flag| !fits(flag, Value::is_boolean)) {
        return Err(invalid_value(flag));
    }
    let numbers = ["maximumIdleTime", "maximumSessionTime", "treeTimeout"];
    if let Some(number) = numbers.into_iter().find(|number| !fits(number, Value::is_number)) {
        return Err(invalid_value(number));
    }
    let texts = ["description", "identityResource"];
    if let Some(text) = texts.into_iter().find(|text| !fits(text, Value::is_string)) {
        return Err(invalid_value(text));
    }
    if !fits("uiConfig", |value| value.as_object().is_some_and(|members| members.values().all(Value::is_string))) {
        return Err(invalid_value("UI Config"));
    }
    if body.get("entryNodeId").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(invalid_value("Entry Node Id"));
    }
    Ok(())
}

/// One node's configuration that came inside a tree: type, id, attributes.
type Embedded = (String, String, Value);

/// Takes the graph apart: the nodes as a tree keeps them, and the configurations that came inside.
fn graph(body: &Map<String, Value>) -> Result<(Value, Vec<Embedded>), Refusal> {
    let fault = || invalid_value("Nodes");
    let nodes = body.get("nodes").and_then(Value::as_object).filter(|nodes| !nodes.is_empty()).ok_or_else(fault)?;
    let (mut graph, mut configs) = (Map::new(), Vec::new());
    for (id, node) in nodes {
        let mut node = node.as_object().cloned().ok_or_else(fault)?;
        let kind = node.get("nodeType").and_then(Value::as_str).ok_or_else(fault)?.to_owned();
        let targets = node.get("connections").and_then(Value::as_object).ok_or_else(fault)?;
        if !targets.values().all(Value::is_string) || !node.get("displayName").is_some_and(Value::is_string) {
            return Err(fault());
        }
        if let Some(config) = node.remove("config") {
            if config.get("_id").and_then(Value::as_str) != Some(id) {
                return Err(fault());
            }
            configs.push((kind, id.clone(), config));
        }
        let known = ["nodeType", "displayName", "connections", "x", "y", "version"];
        if node.keys().any(|name| !known.contains(&name.as_str())) {
            return Err(fault());
        }
        node.entry("version").or_insert_with(|| json!("1.0"));
        for place in ["x", "y"] {
            node.entry(place).or_insert_with(|| json!(0));
        }
        graph.insert(id.clone(), Value::Object(node));
    }
    Ok((Value::Object(graph), configs))
}

fn complete(body: &Map<String, Value>, graph: Value) -> Value {
    let mut tree = body.clone();
    tree.remove("_id");
    tree.insert("nodes".to_owned(), graph);
    for (name, value) in [
        ("innerTreeOnly", false),
        ("noSession", false),
        ("mustRun", false),
        ("enabled", true),
        ("transactionalOnly", false),
    ] {
        tree.entry(name).or_insert(Value::Bool(value));
    }
    tree.entry("staticNodes").or_insert_with(|| json!({}));
    Value::Object(tree)
}
