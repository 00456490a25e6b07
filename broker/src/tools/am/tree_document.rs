//! Turns a checked graph into the tree that AM stores: fresh ids for readable ones, pages' children included.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::graph::{FAILURE, Graph, Node, Nodes, PAGE_NODE, SUCCESS, Target, child_id, problems, target};
use crate::aic::Fault;

/// A tree in AM's words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    /// The id of the first node.
    pub(super) entry: String,
    /// The nodes with their configuration.
    pub(super) nodes: Map<String, Value>,
    /// The caller's ids and what became of them.
    pub(super) ids: BTreeMap<String, String>,
}

impl Tree {
    /// Writes the tree's part of a journey's document.
    pub(super) fn put_into(&self, document: &mut Map<String, Value>) {
        document.insert("entryNodeId".to_owned(), self.entry.clone().into());
        document.insert("nodes".to_owned(), self.nodes.clone().into());
        document.insert("staticNodes".to_owned(), static_nodes());
    }
}

/// Checks a graph and builds the tree.
///
/// Errors: [`Fault::Invalid`] with all that is wrong; what `new_id` says.
pub(super) fn build(argument: &str, graph: Graph, new_id: &mut NewId<'_>) -> Result<Tree, Fault> {
    let found = problems(&graph);
    if !found.is_empty() {
        return Err(Fault::invalid(argument, found.join("; ")));
    }
    let mut ids = BTreeMap::new();
    for id in graph.nodes.keys() {
        ids.insert(id.clone(), if is_uuid(id) { id.clone() } else { new_id()? });
    }
    let resolve = |name: &str| resolved(&graph.nodes, &ids, name);
    let entry = ids.get(&graph.entry_node_id).cloned().unwrap_or_default();
    let mut children = BTreeMap::new();
    let mut nodes = Map::new();
    for (id, node) in graph.nodes.clone() {
        let own = ids.get(&id).cloned().unwrap_or_default();
        let connections: BTreeMap<String, String> =
            node.connections.iter().map(|(outcome, name)| (outcome.clone(), resolve(name))).collect();
        let (display_name, node_type) = (node.display_name.clone(), node.node_type.clone());
        let config = configured(node, &own, &mut children, new_id)?;
        nodes.insert(
            own,
            json!({"nodeType": node_type, "displayName": display_name, "connections": connections, "config": config}),
        );
    }
    ids.append(&mut children);
    Ok(Tree { entry, nodes, ids })
}

/// Where ids of new nodes come from.
pub(super) type NewId<'a> = dyn FnMut() -> Result<String, Fault> + Send + 'a;

fn resolved(nodes: &Nodes, ids: &BTreeMap<String, String>, name: &str) -> String {
    match target(nodes, name) {
        Some(Target::End(id)) => id.to_owned(),
        Some(Target::Node(id)) => ids.get(id).cloned().unwrap_or_default(),
        None => name.to_owned(),
    }
}

fn configured(
    node: Node,
    id: &str,
    ids: &mut BTreeMap<String, String>,
    new_id: &mut NewId<'_>,
) -> Result<Value, Fault> {
    let is_page = node.node_type == PAGE_NODE;
    let mut config = node.config;
    config.insert("_id".to_owned(), id.into());
    if let Some(Value::Array(children)) = config.get_mut("nodes").filter(|_| is_page) {
        name_children(children, ids, new_id)?;
    }
    Ok(Value::Object(config))
}

/// Gives every child of a page that has no UUID one, and notes what became of the caller's ids.
///
/// Errors: what `new_id` says.
pub(super) fn name_children(
    children: &mut [Value],
    ids: &mut BTreeMap<String, String>,
    new_id: &mut NewId<'_>,
) -> Result<(), Fault> {
    for child in children {
        let given = child_id(child).map(str::to_owned);
        let id = match &given {
            Some(id) if is_uuid(id) => id.clone(),
            _ => new_id()?,
        };
        if let Some(object) = child.as_object_mut() {
            object.insert("_id".to_owned(), id.clone().into());
        }
        if let Some(given) = given {
            ids.insert(given, id);
        }
    }
    Ok(())
}

/// Where the editor draws the start and the two ends.
fn static_nodes() -> Value {
    json!({"startNode": {"x": 50, "y": 250}, SUCCESS: {"x": 550, "y": 150}, FAILURE: {"x": 550, "y": 350}})
}

/// Whether an id is a UUID in its usual form.
///
/// Source: RFC 9562 section 4.
pub(super) fn is_uuid(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    const KEPT: &str = "a0000000-0000-4000-8000-000000000001";

    fn built(graph: Value) -> Result<Tree, Fault> {
        let mut number = 0;
        let mut new_id = || {
            number += 1;
            Ok(format!("new-{number}"))
        };
        build("journeyData", serde_json::from_value(graph).unwrap(), &mut new_id)
    }

    #[test]
    fn readable_ids_become_new_ones_everywhere() {
        let tree = built(json!({"entryNodeId": "page", "nodes": {
            KEPT: {"nodeType": "N", "displayName": "D", "connections": {"true": "success", "false": "FAILURE"}, "config": {"_id": "x", "a": 1}},
            "page": {"nodeType": "PageNode", "displayName": "P", "connections": {"outcome": KEPT},
                "config": {"nodes": [{"_id": "user", "nodeType": "U"}, {"nodeType": "V"}]}},
        }}))
        .unwrap();

        assert_eq!(tree.entry, "new-1");
        assert_eq!(serde_json::to_value(&tree.ids).unwrap(), json!({KEPT: KEPT, "page": "new-1", "user": "new-2"}));
        assert_eq!(
            Value::Object(tree.nodes),
            json!({
                KEPT: {"nodeType": "N", "displayName": "D", "connections": {"true": SUCCESS, "false": FAILURE}, "config": {"_id": KEPT, "a": 1}},
                "new-1": {"nodeType": "PageNode", "displayName": "P", "connections": {"outcome": KEPT},
                    "config": {"_id": "new-1", "nodes": [{"_id": "new-2", "nodeType": "U"}, {"_id": "new-3", "nodeType": "V"}]}},
            })
        );
    }

    #[test]
    fn a_faulty_graph_names_all_its_faults() {
        let node = json!({"nodeType": "N", "displayName": "D", "connections": {"a": "y", "b": "z"}, "config": {}});

        let fault = built(json!({"entryNodeId": "x", "nodes": {"n": node}})).unwrap_err().to_string();

        assert!(
            fault.starts_with("journeyData: ") && ["`x`", "`y`", "`z`"].iter().all(|name| fault.contains(name)),
            "{fault}"
        );
    }

    #[test]
    fn a_uuid_is_known_by_its_form() {
        for (id, wanted) in [
            (KEPT, true),
            (SUCCESS, true),
            ("user", false),
            ("a0000000-0000-4000-8000-00000000000g", false),
            ("", false),
        ] {
            assert_eq!(is_uuid(id), wanted, "{id}");
        }
    }
}
