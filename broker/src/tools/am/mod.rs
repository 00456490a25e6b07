//! The tools of the tool set `am`: journeys, their nodes, and the scripts that nodes run.

mod graph;
mod journey_writes;
mod journeys;
mod nodes;
mod scripts;
mod tree_document;

use super::Tool;
use super::realm::Realm;
use crate::aic::{Fault, Path, Reply};

/// The version of trees and nodes: the newest that every recorded exchange of these tools uses.
///
/// Source: journeys `resource=1.0` is deprecated, with 3.0 as its successor; the tools' recordings show 1.0 alone.
const JOURNEYS: &str = "protocol=2.1,resource=1.0";
/// The version of a realm's authentication settings.
const AUTHENTICATION: &str = "protocol=1.0,resource=1.0";

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "listJourneys", run: |api, arguments| Box::pin(journeys::list(api, arguments)) },
    Tool { name: "getJourney", run: |api, arguments| Box::pin(journeys::get(api, arguments)) },
    Tool { name: "getJourneyPreviewUrl", run: |api, arguments| Box::pin(journeys::preview_url(api, arguments)) },
    Tool { name: "createJourney", run: |api, arguments| Box::pin(journey_writes::create(api, arguments)) },
    Tool { name: "updateJourney", run: |api, arguments| Box::pin(journey_writes::update(api, arguments)) },
    Tool { name: "deleteJourney", run: |api, arguments| Box::pin(journey_writes::delete(api, arguments)) },
    Tool { name: "setDefaultJourney", run: |api, arguments| Box::pin(journey_writes::set_default(api, arguments)) },
    Tool { name: "listNodeTypes", run: |api, arguments| Box::pin(nodes::list_types(api, arguments)) },
    Tool { name: "getNodeTypeDetails", run: |api, arguments| Box::pin(nodes::type_details(api, arguments)) },
    Tool { name: "getDynamicNodeOutcomes", run: |api, arguments| Box::pin(nodes::dynamic_outcomes(api, arguments)) },
    Tool { name: "updateJourneyNode", run: |api, arguments| Box::pin(nodes::update(api, arguments)) },
    Tool { name: "deleteJourneyNodes", run: |api, arguments| Box::pin(nodes::delete(api, arguments)) },
    Tool { name: "listScripts", run: |api, arguments| Box::pin(scripts::list(api, arguments)) },
    Tool { name: "getAMScript", run: |api, arguments| Box::pin(scripts::get(api, arguments)) },
    Tool { name: "createScript", run: |api, arguments| Box::pin(scripts::create(api, arguments)) },
    Tool { name: "updateScript", run: |api, arguments| Box::pin(scripts::update(api, arguments)) },
    Tool { name: "deleteScript", run: |api, arguments| Box::pin(scripts::delete(api, arguments)) },
    Tool { name: "getScriptedDecisionNodeBindings", run: |api, arguments| Box::pin(scripts::bindings(api, arguments)) },
];

fn in_realm(realm: Realm, rest: &'static str) -> Path {
    Path::fixed("/am/json/").then(realm.as_str()).then(rest)
}

fn authentication(realm: Realm) -> Path {
    in_realm(realm, "/realm-config/authentication")
}

fn trees(realm: Realm) -> Path {
    in_realm(realm, "/realm-config/authentication/authenticationtrees/trees")
}

fn tree(realm: Realm, name: &str) -> Result<Path, Fault> {
    trees(realm).segment("journeyName", name)
}

fn nodes_of(realm: Realm) -> Path {
    in_realm(realm, "/realm-config/authentication/authenticationtrees/nodes")
}

fn node_type(realm: Realm, node_type: &str) -> Result<Path, Fault> {
    nodes_of(realm).segment("nodeType", node_type)
}

fn node(realm: Realm, type_name: &str, id: &str) -> Result<Path, Fault> {
    node_type(realm, type_name)?.segment("nodeId", id)
}

/// The revision of what was read, where AM gave one.
fn revision(reply: &Reply) -> Option<String> {
    reply.text("_rev").map(str::to_owned).or_else(|| reply.etag.clone())
}
