//! Writes journeys: creates, changes and deletes them, and chooses a realm's default.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::graph::{Graph, Nodes};
use super::tree_document::{Tree, build};
use super::{AUTHENTICATION, JOURNEYS, authentication, revision, tree};
use crate::aic::{Api, Fault, Request};
use crate::clock;

/// The members of a stored journey that AM sets itself and refuses in a write.
const REVISION: &str = "_rev";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    realm: Realm,
    journey_name: String,
    description: Option<String>,
    identity_resource: Option<String>,
    journey_data: Graph,
}

/// Shape: `{"success", "journeyName", "replaced", "nodeIdMapping": {given id: UUID}}`.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Create = arguments.read()?;
    let path = tree(wanted.realm, &wanted.journey_name)?;
    let graph = build("journeyData", wanted.journey_data, &mut new_id)?;
    let mut body = Map::from_iter([("_id".to_owned(), wanted.journey_name.clone().into())]);
    graph.put_into(&mut body);
    for (name, text) in [("description", wanted.description), ("identityResource", wanted.identity_resource)] {
        body.extend(text.filter(|text| !text.is_empty()).map(|text| (name.to_owned(), text.into())));
    }
    let _held = api.lock(&document(wanted.realm, &wanted.journey_name)).await?;
    let request = Request::put(path, body.clone().into()).version(JOURNEYS);
    let reply = api.send(request).await.map_err(|fault| half_written(fault, &graph))?;
    let replaced = reply.status == 200;
    let value =
        json!({"success": true, "journeyName": wanted.journey_name, "replaced": replaced, "nodeIdMapping": graph.ids});
    let overwritten = replaced
        .then(|| "A journey of this name existed and was replaced; its former nodes may still be stored.".to_owned());
    Ok(warned(Output::data(value), [overwritten, differs(&body, &reply.body)]))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    realm: Realm,
    journey_name: String,
    entry_node_id: Option<String>,
    nodes: Option<Nodes>,
    /// All the other arguments are members of the journey.
    #[serde(flatten)]
    metadata: Map<String, Value>,
}

/// Shape: `{"success", "journeyName"}`, with a new graph also `nodeIdMapping` and `orphanedNodes`, the stored nodes that
/// the journey no longer names.
pub(super) async fn update(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Update = arguments.read()?;
    let path = tree(wanted.realm, &wanted.journey_name)?;
    let graph = new_graph(wanted.entry_node_id, wanted.nodes)?;
    if graph.is_none() && wanted.metadata.is_empty() {
        return Err(Fault::invalid(
            "arguments",
            "name what to change: metadata of the journey, or nodes with entryNodeId",
        ));
    }
    let _held = api.lock(&document(wanted.realm, &wanted.journey_name)).await?;
    let current = api.send(Request::get(path.clone()).version(JOURNEYS)).await?;
    let body = changed(current.document()?, wanted.metadata, graph.as_ref());
    let mut request = Request::put(path, body.clone().into()).version(JOURNEYS);
    if let Some(revision) = revision(&current) {
        request = request.if_match(revision);
    }
    let reply = api.send(request).await.map_err(|fault| match &graph {
        Some(graph) => half_written(fault, graph),
        None => fault,
    })?;
    let output = match &graph {
        Some(graph) => with_new_graph(&wanted.journey_name, graph, nodes_of(&current.body)),
        None => Output::data(json!({"success": true, "journeyName": wanted.journey_name})),
    };
    Ok(warned(output, [differs(&body, &reply.body)]))
}

fn new_graph(entry: Option<String>, nodes: Option<Nodes>) -> Result<Option<Tree>, Fault> {
    match (entry, nodes) {
        (Some(entry_node_id), Some(nodes)) => build("nodes", Graph { entry_node_id, nodes }, &mut new_id).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(Fault::invalid("nodes", "must come with entryNodeId: the two replace the graph together"))
        }
        (None, Some(_)) => {
            Err(Fault::invalid("entryNodeId", "must come with nodes: the two replace the graph together"))
        }
    }
}

/// The journey as it is to be: what was read, the new graph, the new metadata.
fn changed(mut body: Map<String, Value>, metadata: Map<String, Value>, graph: Option<&Tree>) -> Map<String, Value> {
    body.remove(REVISION);
    if let Some(graph) = graph {
        graph.put_into(&mut body);
    }
    body.extend(metadata);
    body
}

fn with_new_graph(name: &str, graph: &Tree, before: Vec<Value>) -> Output {
    let named =
        |node: &Value| node.get("nodeId").and_then(Value::as_str).is_some_and(|id| graph.nodes.contains_key(id));
    let orphans: Vec<Value> = before.into_iter().filter(|node| !named(node)).collect();
    let value = json!({"success": true, "journeyName": name, "nodeIdMapping": graph.ids, "orphanedNodes": orphans});
    match orphans.len() {
        0 => Output::data(value),
        count => Output::told(
            format!(
                "Replaced the graph of `{name}`. {count} of its former nodes are still stored: \
                    deleteJourneyNodes with orphanedNodes removes them; of a page it leaves the nodes inside."
            ),
            value,
        ),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    realm: Realm,
    journey_name: String,
}

/// Shape: `{"success", "journeyName", "message", "nodesLeft": [{"nodeType", "nodeId"}…]}`, the nodes as AM's answer names them.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Named { realm, journey_name } = arguments.read()?;
    let path = tree(realm, &journey_name)?;
    let _held = api.lock(&document(realm, &journey_name)).await?;
    let reply = api.send(Request::delete(path).version(JOURNEYS)).await?;
    let left = nodes_of(&reply.body);
    let message = match (reply.body.get("nodes"), left.len()) {
        (None, _) => format!(
            "Deleted journey `{journey_name}`. AM's answer does not say which nodes it had; AM may still store them."
        ),
        (Some(_), 0) => format!("Deleted journey `{journey_name}`, which had no nodes."),
        (Some(_), count) => format!(
            "Deleted journey `{journey_name}`. AM keeps the nodes of a deleted journey: {count} are listed in \
                nodesLeft, and deleteJourneyNodes removes them. Nodes inside pages are not in AM's answer; they \
                are named in the page's configuration."
        ),
    };
    let value = json!({"success": true, "journeyName": journey_name, "message": message, "nodesLeft": left});
    Ok(Output::told(message, value))
}

/// Shape: `{"success", "realm", "defaultJourney", "message"}`; no success when AM answers with another default.
pub(super) async fn set_default(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Named { realm, journey_name } = arguments.read()?;
    tree(realm, &journey_name)?;
    let _held = api.lock(&format!("authentication/{}", realm.as_str())).await?;
    let current = api.send(Request::get(authentication(realm)).version(AUTHENTICATION)).await?;
    let admin = current.body.pointer("/core/adminAuthModule").and_then(Value::as_str).filter(|name| !name.is_empty());
    let body = json!({"orgConfig": journey_name, "adminAuthModule": admin.unwrap_or("Login")});
    let reply = api.send(Request::put(authentication(realm), body).version(AUTHENTICATION)).await?;
    let stored = reply.body.pointer("/core/orgConfig").and_then(Value::as_str).filter(|stored| *stored != journey_name);
    let message = match stored {
        None => format!("The default journey of realm {} is now `{journey_name}`.", realm.as_str()),
        Some(stored) => format!(
            "AM took `{journey_name}` but answered that the default journey is `{stored}`: another writer may \
                have come between. listJourneys shows it."
        ),
    };
    let value = json!({"success": stored.is_none(), "realm": realm.as_str(), "defaultJourney": journey_name, "message": message});
    Ok(Output::told(message, value))
}

/// The document whose writers queue.
fn document(realm: Realm, name: &str) -> String {
    format!("tree/{}/{name}", realm.as_str())
}

fn new_id() -> Result<String, Fault> {
    clock::uuid().map_err(|error| Fault::NotSent(format!("the system has no random numbers: {error}")))
}

/// The nodes of a stored journey as deleteJourneyNodes takes them.
fn nodes_of(journey: &Value) -> Vec<Value> {
    let nodes = journey.get("nodes").and_then(Value::as_object).into_iter().flatten();
    nodes.filter_map(|(id, node)| Some(json!({"nodeType": node.get("nodeType")?, "nodeId": id}))).collect()
}

/// AM writes the nodes of a new graph one after the other: a failure may leave some of them.
fn half_written(fault: Fault, graph: &Tree) -> Fault {
    if matches!(fault.status(), Some(401 | 403 | 429))
        || matches!(fault, Fault::NotSent(_) | Fault::SignedOut | Fault::Broker { .. })
    {
        return fault;
    }
    let nodes = graph
        .nodes
        .iter()
        .map(|(id, node)| format!("{} {id}", node.get("nodeType").and_then(Value::as_str).unwrap_or_default()));
    let list = nodes.collect::<Vec<_>>().join(", ");
    fault.explained(
        format!("the journey was not written as a whole; AM may have stored some of its nodes: {list}"),
        "getJourney shows whether the journey exists; where it does not name these nodes, deleteJourneyNodes \
            removes them",
    )
}

/// Says when AM's answer shows another graph than the one that was sent.
fn differs(sent: &Map<String, Value>, stored: &Value) -> Option<String> {
    let ids = |nodes: &Value| nodes.as_object().map(|nodes| nodes.keys().cloned().collect::<Vec<_>>());
    let same_nodes = sent.get("nodes").and_then(ids) == Some(stored.get("nodes").and_then(ids)?);
    let same_entry = sent.get("entryNodeId") == stored.get("entryNodeId");
    let text =
        "AM's answer shows another graph than was sent: another writer may have come between. Read it with getJourney.";
    (!same_nodes || !same_entry).then(|| text.to_owned())
}

fn warned(output: Output, warnings: impl IntoIterator<Item = Option<String>>) -> Output {
    let all: Vec<String> = warnings.into_iter().flatten().collect();
    match all.is_empty() {
        true => output,
        false => output.with_warning(all.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use crate::aic::Upstream;

    fn tree() -> Tree {
        let nodes = json!({"n2": {"nodeType": "N"}}).as_object().cloned().unwrap();
        Tree { entry: "n2".to_owned(), nodes, ids: [("b".to_owned(), "n2".to_owned())].into() }
    }

    #[test]
    fn a_graph_is_replaced_as_a_whole_or_not_at_all() {
        let nodes: Nodes =
            serde_json::from_value(json!({"a": {"nodeType": "N", "displayName": "", "connections": {}, "config": {}}}))
                .unwrap();
        let cases = [
            (None, None, Some(false)),
            (Some("a"), Some(nodes.clone()), Some(true)),
            (Some("a"), None, None),
            (None, Some(nodes), None),
        ];

        for (entry, nodes, wanted) in cases {
            let graph = new_graph(entry.map(str::to_owned), nodes);
            assert_eq!(graph.ok().map(|graph| graph.is_some()), wanted, "{entry:?}");
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let current =
            json!({"_id": "j", "_rev": "1", "entryNodeId": "n1", "nodes": {"n1": {}}, "mustRun": false, "later": 1});
        let current = current.as_object().cloned().unwrap();
        let metadata = json!({"mustRun": true}).as_object().cloned().unwrap();

        let plain = changed(current.clone(), metadata.clone(), None);
        let graph = changed(current, metadata, Some(&tree()));

        assert_eq!(
            Value::Object(plain),
            json!({"_id": "j", "entryNodeId": "n1", "nodes": {"n1": {}}, "mustRun": true, "later": 1})
        );
        assert_eq!((graph["entryNodeId"].as_str(), graph["later"].as_i64()), (Some("n2"), Some(1)));
    }

    #[test]
    fn former_nodes_are_listed() {
        let before = nodes_of(&json!({"nodes": {"n1": {"nodeType": "P"}, "n2": {"nodeType": "N"}}}));

        let output = with_new_graph("j", &tree(), before);

        let value: Value = serde_json::from_str(&output.json).unwrap();
        assert_eq!(value["orphanedNodes"], json!([{"nodeType": "P", "nodeId": "n1"}]));
        assert!(output.text.unwrap().contains("deleteJourneyNodes"));
    }

    #[test]
    fn another_stored_graph_is_told() {
        let sent = json!({"entryNodeId": "a", "nodes": {"a": {}}}).as_object().cloned().unwrap();
        let cases = [
            (json!({"entryNodeId": "a", "nodes": {"a": {"x": 1}}}), false),
            (json!({"entryNodeId": "a", "nodes": {"b": {}}}), true),
            (json!({"entryNodeId": "b", "nodes": {"a": {}}}), true),
            (Value::Null, false),
        ];

        for (stored, wanted) in cases {
            assert_eq!(differs(&sent, &stored).is_some(), wanted, "{stored}");
        }
    }

    #[test]
    fn a_failure_lists_the_nodes_that_may_be_stored() {
        let cases = [(400, true), (500, true), (403, false), (429, false)];

        for (status, wanted) in cases {
            let fault = half_written(Fault::Upstream(Box::new(Upstream::read(status, b"", None))), &tree());
            assert_eq!(fault.to_string().contains("N n2"), wanted, "{status}");
            assert_eq!(fault.status(), Some(status));
        }
    }
}
