//! Reads journeys: the list, one with all its nodes, and where to try it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::graph::PAGE_NODE;
use super::{AUTHENTICATION, JOURNEYS, authentication, node, node_type, tree, trees};
use crate::aic::{Api, Fault, Path, Reply, Request};

#[derive(Deserialize)]
struct InRealm {
    realm: Realm,
}

/// Shape: the tenant's page with `nodeCount` in place of each journey's nodes, plus `defaultJourney`, a name or null.
pub(super) async fn list(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let InRealm { realm } = arguments.read()?;
    let page = Request::get(trees(realm))
        .query("_queryFilter", "true")
        .query("_pageSize", "-1")
        .query(
            "_fields",
            "_id,description,identityResource,uiConfig,nodes,enabled,mustRun,maximumSessionTime,maximumIdleTime",
        )
        .version(JOURNEYS);
    let settings = Request::get(authentication(realm)).version(AUTHENTICATION);
    let mut replies = Vec::new();
    for outcome in api.send_all([page, settings]).await {
        replies.push(outcome?);
    }
    let [page, settings] = replies.as_slice() else { return Ok(Output::data(Value::Null)) };
    let chosen = settings.body.pointer("/core/orgConfig").cloned().unwrap_or_default();
    Ok(Output::data(summary(page.body.clone(), chosen)).of_transaction(page))
}

fn summary(mut page: Value, default_journey: Value) -> Value {
    let journeys = page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten();
    for journey in journeys.filter_map(Value::as_object_mut) {
        let count = journey.remove("nodes").and_then(|nodes| nodes.as_object().map(Map::len));
        journey.insert("nodeCount".to_owned(), count.into());
    }
    if let Some(page) = page.as_object_mut() {
        page.insert("defaultJourney".to_owned(), default_journey);
    }
    page
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    realm: Realm,
    journey_name: String,
}

/// Shape: the journey plus `nodeData`: `{"schemas": {type: schema}, "configs": {id: config}}`, where something is
/// missing also `errors` and `notRead`; a journey without nodes as it is.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Named { realm, journey_name } = arguments.read()?;
    let journey = api.send(Request::get(tree(realm, &journey_name)?).version(JOURNEYS)).await?;
    let nodes = nodes_of(&journey.body);
    if nodes.is_empty() {
        return Ok(Output::data(journey.body));
    }
    let mut data = NodeData::default();
    data.read(&api, realm, &nodes).await;
    let children = children_of(&nodes, &data.configs);
    match data.errors.is_empty() {
        true => data.read(&api, realm, &children).await,
        false => data.not_read = children,
    }
    Ok(told(journey, data))
}

fn told(journey: Reply, data: NodeData) -> Output {
    let lost = data.errors.len();
    let mut body = journey.body.clone();
    if let Some(body) = body.as_object_mut() {
        body.insert("nodeData".to_owned(), data.into_value());
    }
    let output = match lost {
        0 => Output::data(body),
        _ => Output::told(
            format!(
                "The journey was read, but not all of its nodes: error in {lost} reads, listed under \
                    nodeData.errors; nodeData.notRead names nodes inside pages that were left out because of \
                    them."
            ),
            body,
        ),
    };
    output.of_transaction(&journey)
}

/// A node by its type and id.
type NodeRef = (String, String);

/// The nodes that a journey names, by type; those without a type cannot be read.
fn nodes_of(journey: &Value) -> Vec<NodeRef> {
    let nodes = journey.get("nodes").and_then(Value::as_object).into_iter().flatten();
    nodes.filter_map(|(id, node)| Some((node.get("nodeType")?.as_str()?.to_owned(), id.clone()))).collect()
}

/// The nodes inside the pages.
fn children_of(nodes: &[NodeRef], configs: &Map<String, Value>) -> Vec<NodeRef> {
    let pages = nodes.iter().filter(|(type_name, _)| type_name == PAGE_NODE).filter_map(|(_, id)| configs.get(id));
    let inside = pages.filter_map(|config| config.get("nodes")?.as_array()).flatten();
    inside
        .filter_map(|child| Some((child.get("nodeType")?.as_str()?.to_owned(), child.get("_id")?.as_str()?.to_owned())))
        .collect()
}

/// What was read of a journey's nodes.
#[derive(Default)]
struct NodeData {
    schemas: Map<String, Value>,
    configs: Map<String, Value>,
    errors: Vec<Value>,
    not_read: Vec<NodeRef>,
}

impl NodeData {
    async fn read(&mut self, api: &Api, realm: Realm, nodes: &[NodeRef]) {
        let types: BTreeSet<&str> = nodes.iter().map(|(type_name, _)| type_name.as_str()).collect();
        let new_types: Vec<&str> = types.into_iter().filter(|name| !self.schemas.contains_key(*name)).collect();
        let configs: BTreeMap<&str, &str> =
            nodes.iter().map(|(type_name, id)| (id.as_str(), type_name.as_str())).collect();
        let schema_reads =
            join_all(new_types.iter().map(|name| async move { api.send(schema_request(realm, name)?).await }));
        let config_reads =
            join_all(configs.iter().map(|(id, name)| async move { api.send(config_request(realm, name, id)?).await }));
        let (schemas, found) = futures_util::future::join(schema_reads, config_reads).await;
        for (name, outcome) in new_types.iter().zip(schemas) {
            let kept = outcome.map(|reply| self.schemas.insert((*name).to_owned(), reply.body));
            self.note(kept.err(), json!({"nodeType": name, "read": "schema"}));
        }
        for ((id, name), outcome) in configs.iter().zip(found) {
            let kept = outcome.map(|reply| self.configs.insert((*id).to_owned(), reply.body));
            self.note(kept.err(), json!({"nodeType": name, "nodeId": id, "read": "config"}));
        }
    }

    fn note(&mut self, fault: Option<Fault>, mut what: Value) {
        let Some(fault) = fault else { return };
        if let (Value::Object(what), Value::Object(item)) = (&mut what, fault.to_item()) {
            what.extend(item);
        }
        self.errors.push(what);
    }

    fn into_value(self) -> Value {
        let mut value = json!({"schemas": self.schemas, "configs": self.configs});
        if let (Some(object), false) = (value.as_object_mut(), self.errors.is_empty()) {
            let name = |(type_name, id): &NodeRef| json!({"nodeType": type_name, "nodeId": id});
            object.insert("errors".to_owned(), self.errors.into());
            object.insert("notRead".to_owned(), self.not_read.iter().map(name).collect());
        }
        value
    }
}

fn schema_request(realm: Realm, type_name: &str) -> Result<Request, Fault> {
    Ok(Request::post(node_type(realm, type_name)?, json!({})).query("_action", "schema").version(JOURNEYS).that_reads())
}

fn config_request(realm: Realm, type_name: &str, id: &str) -> Result<Request, Fault> {
    Ok(Request::get(node(realm, type_name, id)?).version(JOURNEYS))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    realm: Realm,
    journey_name: Option<String>,
}

/// Shape: `{"realm", "journeyName", "previewUrl"}`; nothing is sent.
pub(super) async fn preview_url(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Preview { realm, journey_name } = arguments.read()?;
    let realm = realm.as_str();
    let mut url = format!("{}/am/XUI/?realm=/{realm}", api.base_url());
    if let Some(name) = &journey_name {
        let encoded = Path::fixed("").segment("journeyName", name)?;
        url.push_str("&authIndexType=service&authIndexValue=");
        url.push_str(encoded.as_str().trim_start_matches('/'));
    }
    let name = journey_name.unwrap_or_else(|| "(default)".to_owned());
    Ok(Output::data(json!({"realm": realm, "journeyName": name, "previewUrl": url})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_counts_nodes_in_place_of_showing_them() {
        let page = json!({"result": [{"_id": "a", "nodes": {"x": {}, "y": {}}}, {"_id": "b"}], "resultCount": 2});

        let wanted = json!({"result": [{"_id": "a", "nodeCount": 2}, {"_id": "b", "nodeCount": null}], "resultCount": 2, "defaultJourney": "a"});
        assert_eq!(summary(page, json!("a")), wanted);
    }

    #[test]
    fn children_are_those_of_pages() {
        let named = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        let journey = json!({"nodes": {"p": {"nodeType": "PageNode"}, "n": {"nodeType": "N"}, "lost": {}}});
        let configs =
            json!({"p": {"nodes": [{"_id": "c", "nodeType": "U"}, {"_id": "untyped"}]}, "n": {"nodes": {"x": {}}}});

        let nodes = nodes_of(&journey);

        assert_eq!(nodes, [named("PageNode", "p"), named("N", "n")]);
        let configs = configs.as_object().cloned().unwrap_or_default();
        assert_eq!(children_of(&nodes, &configs), [named("U", "c")]);
    }
}
