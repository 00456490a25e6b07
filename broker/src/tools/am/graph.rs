//! Checks a journey's graph as a caller writes it. Touches no network; only what passes is sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// AM's own id of the place where a journey succeeds.
pub(super) const SUCCESS: &str = "70e691a5-1e33-4ac3-a356-e7b6d60d92e0";
/// AM's own id of the place where a journey fails.
pub(super) const FAILURE: &str = "e301438c-0bd0-429c-ab0c-66126501069a";
/// The type whose configuration holds nodes of its own.
pub(super) const PAGE_NODE: &str = "PageNode";

/// The nodes of a journey by the caller's ids.
pub(super) type Nodes = BTreeMap<String, Node>;

/// A journey's graph with the caller's ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Graph {
    /// Where the journey begins.
    pub(super) entry_node_id: String,
    /// Its nodes.
    pub(super) nodes: Nodes,
}

/// One node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    /// For example `UsernameCollectorNode`.
    pub(super) node_type: String,
    /// What the editor shows.
    pub(super) display_name: String,
    /// Outcome to target: the id of a node, `success` or `failure`.
    pub(super) connections: BTreeMap<String, String>,
    /// The node's settings.
    pub(super) config: Map<String, Value>,
}

impl Node {
    /// The nodes inside a page.
    pub(super) fn children(&self) -> &[Value] {
        let inside = self.config.get("nodes").filter(|_| self.node_type == PAGE_NODE);
        inside.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The outcomes that the configuration itself declares; of other types AM alone knows them.
    ///
    /// Source: `outcomes` of ScriptedDecisionNode, `choices` of ChoiceCollectorNode, `_outcomes` of a node as AM reads it.
    fn declared_outcomes(&self) -> Vec<&str> {
        let texts = |member: &str| {
            self.config.get(member).and_then(Value::as_array).map(|all| all.iter().filter_map(Value::as_str).collect())
        };
        let told = || {
            self.config
                .get("_outcomes")
                .and_then(Value::as_array)
                .map(|all| all.iter().filter_map(|one| one.get("id")?.as_str()).collect())
        };
        let declared = match self.node_type.as_str() {
            "ScriptedDecisionNode" => texts("outcomes").or_else(told),
            "ChoiceCollectorNode" => texts("choices").or_else(told),
            _ => told(),
        };
        declared.unwrap_or_default()
    }
}

/// Where a connection leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The end, one of AM's own ids.
    End(&'static str),
    /// A node.
    Node(&'a str),
}

/// Reads a target. The words `success` and `failure` win over nodes of that name.
pub(super) fn target<'a>(nodes: &Nodes, name: &'a str) -> Option<Target<'a>> {
    match name.to_ascii_lowercase().as_str() {
        "success" => Some(Target::End(SUCCESS)),
        "failure" => Some(Target::End(FAILURE)),
        _ => nodes.contains_key(name).then_some(Target::Node(name)),
    }
}

/// All that is wrong with a graph, one sentence each; empty when it may be sent.
pub(super) fn problems(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    if !graph.nodes.contains_key(&graph.entry_node_id) {
        found.push(format!("entryNodeId `{}` is none of the nodes", graph.entry_node_id));
    }
    found.extend(repeated_ids(&graph.nodes));
    for (id, node) in &graph.nodes {
        found.extend(wrong_connections(&graph.nodes, id, node));
        found.extend(missing_outcomes(id, node));
        found.extend(wrong_page(id, node));
    }
    match found.is_empty() {
        true => unreachable(graph),
        false => found,
    }
}

fn wrong_connections(nodes: &Nodes, id: &str, node: &Node) -> Vec<String> {
    let wrong = node.connections.iter().filter_map(|(outcome, name)| {
        let reason = match target(nodes, name) {
            Some(Target::Node(other)) if other == id => "the node itself",
            Some(_) => return None,
            None => why_unknown(nodes, name),
        };
        Some(format!("node `{id}`: outcome `{outcome}` leads to `{name}`: {reason}"))
    });
    wrong.collect()
}

fn why_unknown(nodes: &Nodes, name: &str) -> &'static str {
    let child = |node: &Node| node.children().iter().any(|child| child_id(child) == Some(name));
    match name {
        SUCCESS => "write `success` instead",
        FAILURE => "write `failure` instead",
        _ if nodes.values().any(child) => "a node inside a page; connect the page",
        _ => "none of the nodes, nor `success` or `failure`",
    }
}

fn missing_outcomes(id: &str, node: &Node) -> Vec<String> {
    let missing = node.declared_outcomes().into_iter().filter(|outcome| !node.connections.contains_key(*outcome));
    missing.map(|outcome| format!("node `{id}`: its outcome `{outcome}` leads nowhere")).collect()
}

fn wrong_page(id: &str, node: &Node) -> Vec<String> {
    if node.node_type.trim().is_empty() {
        return vec![format!("node `{id}`: nodeType is empty")];
    }
    if node.node_type == PAGE_NODE && node.config.get("nodes").is_some_and(|inside| !inside.is_array()) {
        return vec![format!("page `{id}`: config.nodes must be a list")];
    }
    let wrong = node.children().iter().enumerate().filter_map(|(number, child)| {
        let reason = match child.get("nodeType").and_then(Value::as_str) {
            Some(PAGE_NODE) => "a page cannot be inside a page",
            Some(name) if !name.trim().is_empty() => return None,
            _ => "it needs a nodeType",
        };
        Some(format!("page `{id}`: child {}: {reason}", number + 1))
    });
    wrong.collect()
}

/// The id that the caller gave a page's child.
pub(super) fn child_id(child: &Value) -> Option<&str> {
    child.get("_id").and_then(Value::as_str).filter(|id| !id.is_empty())
}

fn repeated_ids(nodes: &Nodes) -> Vec<String> {
    let mut seen: BTreeSet<&str> = nodes.keys().map(String::as_str).chain([SUCCESS, FAILURE]).collect();
    let own = nodes
        .keys()
        .filter(|id| [SUCCESS, FAILURE].contains(&id.as_str()))
        .map(|id| format!("node `{id}`: the id belongs to AM"));
    let mut found: Vec<String> = own.collect();
    for id in nodes.values().flat_map(Node::children).filter_map(child_id) {
        if !seen.insert(id) {
            found.push(format!("`{id}` is the id of more than one node"));
        }
    }
    found
}

fn unreachable(graph: &Graph) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![graph.entry_node_id.as_str()];
    while let Some(id) = next.pop() {
        let Some(node) = graph.nodes.get(id).filter(|_| reached.insert(id)) else { continue };
        let targets = node.connections.values().filter_map(|name| target(&graph.nodes, name));
        next.extend(targets.filter_map(|target| if let Target::Node(id) = target { Some(id) } else { None }));
    }
    let lost = graph.nodes.keys().filter(|id| !reached.contains(id.as_str()));
    lost.map(|id| format!("node `{id}` cannot be reached from the entry")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use serde_json::json;

    use super::*;

    fn node(node_type: &str, connections: Value, config: Value) -> Value {
        json!({"nodeType": node_type, "displayName": "A node", "connections": connections, "config": config})
    }

    fn found(entry: &str, nodes: Value) -> Vec<String> {
        problems(&serde_json::from_value(json!({"entryNodeId": entry, "nodes": nodes})).unwrap())
    }

    #[test]
    fn a_sound_graph_passes() {
        let page = json!({"nodes": [{"_id": "user", "nodeType": "UsernameCollectorNode"}, {"nodeType": "PasswordCollectorNode"}]});
        let cases = [
            json!({"a": node("N", json!({"outcome": "SUCCESS"}), json!({}))}),
            json!({"a": node("N", json!({"true": "b", "false": "Failure"}), json!({})), "b": node("N", json!({"x": "a"}), json!({}))}),
            json!({"a": node("PageNode", json!({"outcome": "success"}), page)}),
            json!({"a": node("ScriptedDecisionNode", json!({"yes": "success"}), json!({"outcomes": ["yes"], "_outcomes": [{"id": "old"}]}))}),
            json!({"a": node("N", json!({}), json!({"nodes": {"n1": {}}}))}),
        ];

        for nodes in cases {
            assert_eq!(found("a", nodes.clone()), Vec::<String>::new(), "{nodes}");
        }
    }

    #[test]
    fn every_fault_of_a_graph_is_told() {
        let end = json!({"outcome": "success"});
        let page = |children: Value| node("PageNode", end.clone(), json!({"nodes": children}));
        let cases = [
            ("x", json!({"a": node("N", end.clone(), json!({}))}), "entryNodeId `x`"),
            ("a", json!({}), "entryNodeId `a`"),
            ("a", json!({"a": node("N", json!({"o": "z"}), json!({}))}), "none of the nodes, nor"),
            ("a", json!({"a": node("N", json!({"o": "a"}), json!({}))}), "the node itself"),
            ("a", json!({"a": node("N", json!({"o": SUCCESS}), json!({}))}), "write `success`"),
            ("a", json!({"a": node("N", json!({"o": FAILURE}), json!({}))}), "write `failure`"),
            ("a", json!({"a": node("", end.clone(), json!({}))}), "nodeType is empty"),
            (
                "a",
                json!({"a": node("N", end.clone(), json!({})), "b": node("N", end.clone(), json!({}))}),
                "node `b` cannot be reached",
            ),
            (
                "a",
                json!({"a": node("ScriptedDecisionNode", json!({"true": "success"}), json!({"outcomes": ["true", "false"]}))}),
                "outcome `false` leads nowhere",
            ),
            (
                "a",
                json!({"a": node("ChoiceCollectorNode", json!({}), json!({"choices": ["red"]}))}),
                "outcome `red` leads nowhere",
            ),
            (
                "a",
                json!({"a": node("N", json!({}), json!({"_outcomes": [{"id": "outcome"}]}))}),
                "outcome `outcome` leads nowhere",
            ),
            ("a", json!({"a": page(json!({}))}), "must be a list"),
            ("a", json!({"a": page(json!([{"displayName": "x"}]))}), "child 1: it needs a nodeType"),
            ("a", json!({"a": page(json!([{"nodeType": "N"}, {"nodeType": "PageNode"}]))}), "child 2: a page cannot"),
            ("a", json!({"a": page(json!([{"_id": "a", "nodeType": "N"}]))}), "`a` is the id of more than one"),
            (
                "a",
                json!({"a": page(json!([{"_id": "c", "nodeType": "N"}, {"_id": "c", "nodeType": "N"}]))}),
                "`c` is the id of more than one",
            ),
            (SUCCESS, json!({SUCCESS: node("N", end.clone(), json!({}))}), "belongs to AM"),
        ];

        for (entry, nodes, wanted) in cases {
            let found = found(entry, nodes.clone());
            assert!(found.iter().any(|problem| problem.contains(wanted)), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn a_connection_to_a_child_names_the_page() {
        let nodes = json!({
            "p": node("PageNode", json!({"outcome": "d"}), json!({"nodes": [{"_id": "user", "nodeType": "N"}]})),
            "d": node("N", json!({"true": "success", "false": "user"}), json!({})),
        });

        assert_eq!(
            found("p", nodes),
            ["node `d`: outcome `false` leads to `user`: a node inside a page; connect the page"]
        );
    }
}
