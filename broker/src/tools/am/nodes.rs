//! Reads node types, changes single nodes and removes nodes that no journey needs.

use std::collections::{BTreeMap, BTreeSet};

use aic_proto::refusal::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::graph::PAGE_NODE;
use super::tree_document::{NewId, name_children};
use super::{JOURNEYS, node, node_type, nodes_of, revision};
use crate::aic::{Api, Fault, Reply, Request};
use crate::clock;

#[derive(Deserialize)]
struct InRealm {
    realm: Realm,
}

/// Shape: `{"realm", "nodeTypes": […], "count"}`.
pub(super) async fn list_types(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let InRealm { realm } = arguments.read()?;
    let request =
        Request::post(nodes_of(realm), json!({})).query("_action", "getAllTypes").version(JOURNEYS).that_reads();
    let reply = api.send(request).await?;
    let types = reply.rows();
    Ok(Output::data(json!({"realm": realm.as_str(), "count": types.len(), "nodeTypes": types})))
}

/// What is read of a node type, and where it stands in the result.
const DETAILS: [(&str, &str); 3] = [("schema", "schema"), ("template", "template"), ("listOutcomes", "outcomes")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeDetails {
    realm: Realm,
    node_types: Vec<String>,
}

/// Shape: `{"realm", "results": {type: {"nodeType", "schema", "template", "outcomes", "error"}}, "successCount", "errorCount"}`.
/// A type that could not be read as a whole has an error, nulls, and what was read under `read`.
pub(super) async fn type_details(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let TypeDetails { realm, node_types } = arguments.read()?;
    let names: BTreeSet<String> = node_types.into_iter().collect();
    let mut requests = Vec::new();
    for name in &names {
        let path = node_type(realm, name)?;
        requests.extend(DETAILS.map(|(action, _)| detail_request(path.clone(), action)));
    }
    let outcomes = api.send_all(requests).await;
    if let (true, Some(Err(first))) = (outcomes.iter().all(Result::is_err), outcomes.first()) {
        return Err(first.clone());
    }
    let results: Map<String, Value> = names
        .iter()
        .zip(outcomes.chunks(DETAILS.len()))
        .map(|(name, read)| (name.clone(), details(name, read)))
        .collect();
    let failed = results.values().filter(|one| one.get("error").is_some_and(|error| !error.is_null())).count();
    let value = json!({"realm": realm.as_str(), "successCount": results.len() - failed, "errorCount": failed, "results": results});
    Ok(Output::data(value))
}

fn detail_request(path: crate::aic::Path, action: &'static str) -> Request {
    Request::post(path, json!({})).query("_action", action).version(JOURNEYS).that_reads()
}

fn details(name: &str, read: &[Result<Reply, Fault>]) -> Value {
    let members = || DETAILS.iter().map(|(_, member)| *member).zip(read);
    let wrong: Vec<String> =
        members().filter_map(|(member, outcome)| Some(format!("{member}: {}", outcome.as_ref().err()?))).collect();
    let good: BTreeMap<&str, &Value> =
        members().filter_map(|(member, outcome)| Some((member, &outcome.as_ref().ok()?.body))).collect();
    match wrong.is_empty() {
        true => {
            json!({"nodeType": name, "schema": good.get("schema"), "template": good.get("template"), "outcomes": good.get("outcomes"), "error": null})
        }
        false => {
            json!({"nodeType": name, "schema": null, "template": null, "outcomes": null, "error": wrong.join("; "), "read": good})
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DynamicOutcomes {
    realm: Realm,
    node_type: String,
    config: Map<String, Value>,
}

/// Shape: `{"realm", "nodeType", "outcomes": [{"id", "displayName"}…]}`.
pub(super) async fn dynamic_outcomes(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let mut wanted: DynamicOutcomes = arguments.read()?;
    let path = node_type(wanted.realm, &wanted.node_type)?;
    if let Some(Value::Array(children)) = wanted.config.get_mut("nodes").filter(|_| wanted.node_type == PAGE_NODE) {
        name_unnamed(children, &mut new_id)?;
    }
    let request =
        Request::post(path, wanted.config.into()).query("_action", "listOutcomes").version(JOURNEYS).that_reads();
    let reply = api.send(request).await?;
    Ok(Output::data(json!({"realm": wanted.realm.as_str(), "nodeType": wanted.node_type, "outcomes": reply.body})))
}

/// AM wants an id on every child of a page, any will do here: only those without get one.
fn name_unnamed(children: &mut [Value], new_id: &mut NewId<'_>) -> Result<(), Fault> {
    for child in children.iter_mut().filter(|child| super::graph::child_id(child).is_none()) {
        name_children(std::slice::from_mut(child), &mut BTreeMap::new(), new_id)?;
    }
    Ok(())
}

fn new_id() -> Result<String, Fault> {
    clock::uuid().map_err(|error| Fault::NotSent(format!("the system has no random numbers: {error}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    realm: Realm,
    node_type: String,
    node_id: String,
    config: Map<String, Value>,
}

/// Shape: `{"success", "nodeType", "nodeId"}`.
pub(super) async fn update(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Update { realm, node_type, node_id, config } = arguments.read()?;
    let path = node(realm, &node_type, &node_id)?;
    let (body, seen) = replacement(&node_id, config)?;
    let _held = api.lock(&format!("node/{}/{node_type}/{node_id}", realm.as_str())).await?;
    let current = api.send(Request::get(path.clone()).version(JOURNEYS)).await?;
    let revision = revision(&current);
    if let (Some(seen), Some(now)) = (&seen, &revision)
        && seen != now
    {
        let message =
            format!("node {node_id} has changed since the config was read: its revision is {now}, not {seen}");
        return Err(Fault::refused_with(
            Kind::Conflict,
            message,
            "read it again with getJourney and make the change there",
        ));
    }
    let mut request = Request::put(path, body).version(JOURNEYS);
    if let Some(revision) = revision {
        request = request.if_match(revision);
    }
    api.send(request).await?;
    Ok(Output::data(json!({"success": true, "nodeType": node_type, "nodeId": node_id})))
}

/// The node's new document, and the revision that the caller's config carries.
///
/// Errors: [`Fault::Invalid`] when the config is another node's.
fn replacement(node_id: &str, mut config: Map<String, Value>) -> Result<(Value, Option<String>), Fault> {
    if config.get("_id").is_some_and(|id| id.as_str() != Some(node_id)) {
        return Err(Fault::invalid("config", format!("its _id is not {node_id}: it is the config of another node")));
    }
    let seen = config.remove("_rev").and_then(|revision| revision.as_str().map(str::to_owned));
    config.insert("_id".to_owned(), node_id.into());
    Ok((config.into(), seen))
}

#[derive(Deserialize)]
struct Delete {
    realm: Realm,
    nodes: Vec<NodeRef>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct NodeRef {
    node_type: String,
    node_id: String,
}

/// Shape: `{"realm", "results": [{"nodeType", "nodeId", "deleted", "error"}…], "successCount", "errorCount"}`, in the
/// order of the arguments; a node that is named twice is deleted once.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Delete { realm, mut nodes } = arguments.read()?;
    let mut seen = BTreeSet::new();
    nodes.retain(|node| seen.insert((node.node_type.clone(), node.node_id.clone())));
    let mut requests = Vec::new();
    for one in &nodes {
        requests.push(Request::delete(node(realm, &one.node_type, &one.node_id)?).version(JOURNEYS));
    }
    let outcomes = api.send_all(requests).await;
    let deleted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    if let (0, Some(Err(first))) = (deleted, outcomes.first()) {
        return Err(none_deleted(first, &nodes, &outcomes));
    }
    let results: Vec<Value> = nodes.iter().zip(&outcomes).map(|(node, outcome)| item(node, outcome)).collect();
    let value = json!({"realm": realm.as_str(), "results": results, "successCount": deleted, "errorCount": results.len() - deleted});
    Ok(Output::data(value))
}

fn item(node: &NodeRef, outcome: &Result<Reply, Fault>) -> Value {
    let mut item =
        json!({"nodeType": node.node_type, "nodeId": node.node_id, "deleted": outcome.is_ok(), "error": null});
    if let (Some(item), Err(fault)) = (item.as_object_mut(), outcome)
        && let Value::Object(said) = fault.to_item()
    {
        item.extend(said);
    }
    item
}

fn none_deleted(first: &Fault, nodes: &[NodeRef], outcomes: &[Result<Reply, Fault>]) -> Fault {
    let lines = nodes.iter().zip(outcomes).filter_map(|(node, outcome)| {
        Some(format!("{} {}: {}", node.node_type, node.node_id, outcome.as_ref().err()?))
    });
    let list = lines.collect::<Vec<_>>().join("; ");
    first.clone().explained(
        format!("none of the nodes was deleted: {list}"),
        "getJourney lists the nodes of a journey with their types and ids",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::aic::Upstream;

    fn answered(body: Value) -> Result<Reply, Fault> {
        Ok(Reply { status: 200, body, transaction_id: None, etag: None })
    }

    fn failed(status: u16) -> Result<Reply, Fault> {
        Err(Fault::Upstream(Box::new(Upstream::read(status, b"", None))))
    }

    #[test]
    fn details_are_whole_or_an_error_with_what_was_read() {
        let whole = details("N", &[answered(json!({"a": 1})), answered(json!({})), answered(json!([]))]);
        let part = details("N", &[answered(json!({"a": 1})), failed(404), failed(500)]);

        assert_eq!(whole, json!({"nodeType": "N", "schema": {"a": 1}, "template": {}, "outcomes": [], "error": null}));
        let error = "template: the tenant answered 404; outcomes: the tenant answered 500";
        assert_eq!(
            part,
            json!({"nodeType": "N", "schema": null, "template": null, "outcomes": null, "error": error, "read": {"schema": {"a": 1}}})
        );
    }

    #[test]
    fn a_node_id_decides_and_a_foreign_config_is_refused() {
        let cases = [
            (json!({"a": 1}), Some((json!({"_id": "n", "a": 1}), None))),
            (json!({"_id": "n", "_rev": "5"}), Some((json!({"_id": "n"}), Some("5".to_owned())))),
            (json!({"_id": "other", "a": 1}), None),
            (json!({"_id": 1}), None),
        ];

        for (config, wanted) in cases {
            assert_eq!(replacement("n", config.as_object().cloned().unwrap()).ok(), wanted, "{config}");
        }
    }

    #[test]
    fn only_unnamed_children_get_an_id() {
        let mut children = [json!({"_id": "user"}), json!({"nodeType": "N"}), json!({"_id": ""})];

        name_unnamed(&mut children, &mut || Ok("new".to_owned())).unwrap();

        assert_eq!(children, [json!({"_id": "user"}), json!({"_id": "new", "nodeType": "N"}), json!({"_id": "new"})]);
    }

    #[test]
    fn each_deletion_says_what_became_of_it() {
        let node = NodeRef { node_type: "N".to_owned(), node_id: "1".to_owned() };

        assert_eq!(
            item(&node, &answered(Value::Null)),
            json!({"nodeType": "N", "nodeId": "1", "deleted": true, "error": null})
        );
        let wanted = json!({"nodeType": "N", "nodeId": "1", "deleted": false, "error": "the tenant answered 404", "status": 404});
        assert_eq!(item(&node, &failed(404)), wanted);
    }
}
