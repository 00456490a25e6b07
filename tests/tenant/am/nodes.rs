//! Nodes of journeys: types, schemas, configurations. Both the old addresses and those with a version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::node_kinds::{Kind, NodeType};
use super::node_types::{self, TYPES};
use super::store::Node;
use super::{
    Desk, body, invalid_attribute, invalid_value, listed, no_action, no_method, refuse, revised, single, version_all,
};
use crate::tenant::chance;
use crate::tenant::reply::{Outcome, Refusal, Reply};
use crate::tenant::request::Request;

/// Members of a body that are accepted and not stored.
const META: [&str; 3] = ["_id", "_type", "_outcomes"];

/// Members of a page's child that are not the child's own attributes.
const CHILD: [&str; 4] = ["_id", "nodeType", "nodeVersion", "displayName"];

/// The version of a type when none is named.
const FIRST_VERSION: &str = "1.0";

/// Answers `authenticationtrees/nodes` and what lies below.
pub(super) fn answer(desk: &mut Desk<'_>, rest: &[&str], request: &Request) -> Outcome {
    let asked = request.resource_version().unwrap_or("1.0").to_owned();
    let third = asked == "3.0";
    let outcome = match rest {
        [] => all(desk, request),
        [kind] if !third => collection(desk, kind, FIRST_VERSION, request),
        [kind, version] if third => collection(desk, kind, version, request),
        [kind, id] if !third => one(desk, kind, FIRST_VERSION, id, request),
        [kind, version, id] if third => one(desk, kind, version, id, request),
        _ => Err(refuse(404, "Not Found")),
    };
    let is_list = outcome.as_ref().is_ok_and(|reply| reply.status == 200)
        && request.method == "GET"
        && request.query("_queryFilter").is_some();
    if is_list {
        return outcome.map(|reply| {
            reply.with("content-api-version", &format!("protocol=2.1,resource={asked}, resource={asked}"))
        });
    }
    version_all(outcome, &asked)
}

fn all(desk: &Desk<'_>, request: &Request) -> Outcome {
    match (request.method.as_str(), request.action()) {
        ("POST", Some("getAllTypes")) => {
            let types: Vec<Value> = TYPES.iter().map(NodeType::summary).collect();
            Ok(Reply::json(200, json!({"result": types})))
        }
        ("POST", Some("nextdescendents")) => {
            let mut nodes: Vec<Value> =
                desk.realm.nodes.iter().filter_map(|((kind, id), node)| show(kind, id, node)).collect();
            nodes.iter_mut().filter_map(Value::as_object_mut).for_each(|members| {
                members.remove("_rev");
            });
            Ok(Reply::json(200, json!({"result": nodes})))
        }
        ("POST", _) => Err(no_action(request)),
        _ => Err(no_method(request)),
    }
}

fn collection(desk: &mut Desk<'_>, kind: &str, version: &str, request: &Request) -> Outcome {
    let known = node_types::find(kind).ok_or_else(|| refuse(404, &format!("Resource '{kind}' not found")))?;
    match (request.method.as_str(), request.action()) {
        ("GET", None) => {
            let of_type = desk.realm.nodes.iter().filter(|((of, _), node)| of == kind && node.version == version);
            listed(of_type.filter_map(|((kind, id), node)| show(kind, id, node)).collect(), request)
        }
        ("POST", Some("create")) => {
            let body = body(request)?;
            let id = body.get("_id").and_then(Value::as_str).map_or_else(chance::uuid, str::to_owned);
            if desk.realm.nodes.contains_key(&(kind.to_owned(), id.clone())) {
                return Err(refuse(409, "Unable to save config: Service already exists"));
            }
            desk.address = format!("{}/{id}", desk.address.trim_end_matches('/'));
            store(desk, known, version, &id, &body, request)
        }
        ("POST", Some(action)) => describe(known, action, request),
        _ => Err(no_method(request)),
    }
}

fn describe(known: &NodeType, action: &str, request: &Request) -> Outcome {
    let answer = match action {
        "getType" => known.summary(),
        "schema" => known.schema(),
        "template" => Value::Object(known.template()),
        "listOutcomes" => {
            let body = body(request)?;
            let mut attributes = known.template();
            attributes.extend(body.as_object().cloned().unwrap_or_default());
            check_children(&attributes)?;
            known.outcomes(&attributes)
        }
        _ => return Err(no_action(request)),
    };
    Ok(Reply::json(200, answer))
}

/// A page's children need their ids, also where only outcomes are asked for.
fn check_children(attributes: &Map<String, Value>) -> Result<(), Refusal> {
    let children = attributes.get("nodes").and_then(Value::as_array).into_iter().flatten();
    let complete = |child: &Value| {
        child.get("_id").and_then(Value::as_str).is_some_and(|id| !id.is_empty())
            && child.get("nodeType").and_then(Value::as_str).is_some_and(|kind| node_types::find(kind).is_some())
    };
    if children.into_iter().all(complete) { Ok(()) } else { Err(invalid_value("Nodes")) }
}

fn one(desk: &mut Desk<'_>, kind: &str, version: &str, id: &str, request: &Request) -> Outcome {
    let known = node_types::find(kind).ok_or_else(|| refuse(404, &format!("Resource '{kind}/{id}' not found")))?;
    match request.method.as_str() {
        "GET" => Ok(single(200, existing(desk, kind, id)?, request)),
        "PUT" => store(desk, known, version, id, &body(request)?, request),
        "DELETE" => {
            let old = existing(desk, kind, id)?;
            desk.realm.nodes.remove(&(kind.to_owned(), id.to_owned()));
            Ok(single(200, old, request).changing())
        }
        _ => Err(no_method(request)),
    }
}

fn existing(desk: &Desk<'_>, kind: &str, id: &str) -> Result<Value, Refusal> {
    let node = desk.realm.nodes.get(&(kind.to_owned(), id.to_owned()));
    node.and_then(|node| show(kind, id, node)).ok_or_else(|| refuse(404, "Not Found"))
}

fn store(desk: &mut Desk<'_>, known: &NodeType, version: &str, id: &str, body: &Value, request: &Request) -> Outcome {
    let node = Node { version: version.to_owned(), attributes: read(known, body)? };
    let old = desk.realm.nodes.insert((known.id.to_owned(), id.to_owned()), node);
    let reply = single(if old.is_some() { 200 } else { 201 }, existing(desk, known.id, id)?, request).changing();
    Ok(if old.is_some() { reply } else { reply.with("location", &desk.address) })
}

/// Reads a node's attributes.
///
/// Errors: 400 for an attribute that the type does not have, for a value of another type, for one that must be there.
fn read(known: &NodeType, body: &Value) -> Result<Map<String, Value>, Refusal> {
    let body = body.as_object().ok_or_else(|| refuse(400, "The request body is not an object"))?;
    let sent = body.iter().filter(|(name, _)| !META.contains(&name.as_str()));
    let mut attributes = known.template();
    for (name, value) in sent {
        let (_, kind) = known
            .attributes
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| invalid_attribute(known.attributes.iter().map(|(name, _)| *name).collect()))?;
        if !kind.fits(value) {
            return Err(invalid_value(name));
        }
        attributes.insert(name.clone(), value.clone());
    }
    let missing = known.attributes.iter().find(|(name, kind)| *kind == Kind::Needed && !attributes.contains_key(*name));
    if let Some((name, _)) = missing {
        return Err(invalid_value(name));
    }
    check_children(&attributes)?;
    if let Some(children) = attributes.get_mut("nodes").and_then(Value::as_array_mut) {
        children.iter_mut().filter_map(Value::as_object_mut).for_each(|child| {
            child.entry("nodeVersion").or_insert_with(|| json!(FIRST_VERSION));
        });
    }
    Ok(attributes)
}

/// Shows a node with its type and outcomes.
fn show(kind: &str, id: &str, node: &Node) -> Option<Value> {
    let known = node_types::find(kind)?;
    let mut shown = revised(id, &Value::Object(node.attributes.clone()));
    let members = shown.as_object_mut()?;
    members.insert(
        "_type".to_owned(),
        json!({"_id": kind, "name": known.name, "collection": true, "version": node.version}),
    );
    members.insert("_outcomes".to_owned(), known.outcomes(&node.attributes));
    Some(shown)
}

/// Nodes by type and id.
type Nodes = Vec<((String, String), Node)>;

/// Reads the configurations that came inside a tree; a page's children come inside the page. A child without attributes
/// of its own is one that exists already, or a new one with its type's defaults.
pub(super) fn read_embedded(
    configs: Vec<(String, String, Value)>,
    stored: &BTreeMap<(String, String), Node>,
) -> Result<Nodes, Refusal> {
    let mut nodes = Nodes::new();
    for (kind, id, mut config) in configs {
        let children = config.get_mut("nodes").and_then(Value::as_array_mut).filter(|_| kind == "PageNode");
        for child in children.into_iter().flatten() {
            let (child_kind, child_id) = (text(child, "nodeType"), text(child, "_id"));
            let own = strip(child);
            let exists = stored.contains_key(&(child_kind.clone(), child_id.clone()));
            if !own.is_empty() || !exists {
                nodes.push(embedded(&child_kind, child_id, &Value::Object(own))?);
            }
        }
        nodes.push(embedded(&kind, id, &config)?);
    }
    Ok(nodes)
}

fn embedded(kind: &str, id: String, config: &Value) -> Result<((String, String), Node), Refusal> {
    let known = node_types::find(kind).ok_or_else(|| invalid_value("Nodes"))?;
    let node = Node { version: FIRST_VERSION.to_owned(), attributes: read(known, config)? };
    Ok(((kind.to_owned(), id), node))
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Takes a child's own attributes out of the page's list.
fn strip(child: &mut Value) -> Map<String, Value> {
    let Some(members) = child.as_object_mut() else { return Map::new() };
    let own = members.iter().filter(|(name, _)| !CHILD.contains(&name.as_str()));
    let own: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    members.retain(|name, _| CHILD.contains(&name.as_str()));
    own
}
