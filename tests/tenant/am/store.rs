//! AM's configuration of each realm. Knows no HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One node's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The version of its type.
    pub version: String,
    /// Its attributes.
    pub attributes: Map<String, Value>,
}

/// One realm.
#[derive(Debug, Default)]
pub struct Realm {
    /// Its name.
    pub name: String,
    /// Journeys by name, without `_id` and `_rev`.
    pub trees: BTreeMap<String, Value>,
    /// Nodes by type and id.
    pub nodes: BTreeMap<(String, String), Node>,
    /// Scripts in the order of their making.
    pub scripts: Vec<Value>,
    /// OAuth 2.0 clients by id, flat: sections with bare values.
    pub clients: BTreeMap<String, Value>,
    /// The authentication settings.
    pub settings: Value,
    /// The OAuth 2.0 provider.
    pub provider: Value,
}

/// The realms below the root.
#[derive(Debug, Default)]
pub struct Realms {
    /// Realms by name.
    pub realms: BTreeMap<String, Realm>,
}

impl Realm {
    /// Puts a node in place, as a test wants it.
    pub fn put_node(&mut self, kind: &str, id: &str, version: &str, attributes: Map<String, Value>) {
        let node = Node { version: version.to_owned(), attributes };
        self.nodes.insert((kind.to_owned(), id.to_owned()), node);
    }
}

impl Realms {
    /// Switches AI agents on everywhere and names the realms.
    pub fn enable_ai_agents(&mut self) -> Vec<String> {
        for realm in self.realms.values_mut() {
            if let Some(enabled) = realm.provider.pointer_mut("/aiAgentsConfig/aiAgentsEnabled") {
                *enabled = Value::Bool(true);
            }
        }
        self.realms.keys().cloned().collect()
    }
}
