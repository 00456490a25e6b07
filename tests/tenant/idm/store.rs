//! The managed objects and the links between them. Knows no HTTP and no policies.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::schema::{self, Definition, Reference};
use crate::tenant::chance;

/// One end of a link: a resource (`managed/alpha_user/<id>`) and the property that shows the link there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The resource.
    pub resource: String,
    /// The property; empty when this end shows nothing.
    pub property: String,
}

/// A relationship between two objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The link's id.
    pub id: String,
    /// The link's revision.
    pub revision: String,
    /// The end that it was made from, then the other.
    pub ends: [End; 2],
    /// `_refProperties` beyond `_id` and `_rev`.
    pub properties: Map<String, Value>,
}

/// IDM's data.
#[derive(Debug)]
pub struct Directory {
    /// Objects by type; references are not in them.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// All links.
    pub links: Vec<Link>,
    /// Configuration documents by id.
    pub configs: BTreeMap<String, Value>,
    /// Features of IDM.
    pub features: Vec<Value>,
    /// The `config/managed` document before the last write, and until when it is read.
    pub managed_before: Option<(Value, SystemTime)>,
    origin: String,
    counter: u64,
}

impl Directory {
    /// Makes an empty directory with the types of a fresh tenant.
    pub fn new() -> Self {
        let configs = BTreeMap::from([("managed".to_owned(), super::types::document())]);
        Self {
            objects: BTreeMap::new(),
            links: Vec::new(),
            configs,
            features: super::feature::fresh(),
            managed_before: None,
            origin: chance::uuid(),
            counter: 1000,
        }
    }

    /// Returns the document that defines all types.
    pub fn document(&self) -> Value {
        self.configs.get("managed").cloned().unwrap_or_default()
    }

    /// Returns the next revision: this server's name and a number that grows.
    pub fn next_revision(&mut self) -> String {
        self.counter += 1;
        format!("{}-{}", self.origin, self.counter)
    }

    /// Returns an object.
    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.objects.get(kind)?.iter().find(|object| id_of(object) == id)
    }

    /// Puts an object in place of the one with its id, or adds it; gives it a new revision.
    pub fn put(&mut self, kind: &str, mut object: Value) -> Value {
        let revision = self.next_revision();
        if let Some(members) = object.as_object_mut() {
            members.insert("_rev".to_owned(), json!(revision));
        }
        let all = self.objects.entry(kind.to_owned()).or_default();
        match all.iter_mut().find(|known| id_of(known) == id_of(&object)) {
            Some(known) => *known = object.clone(),
            None => all.push(object.clone()),
        }
        object
    }

    /// Takes an object away with its links.
    pub fn remove(&mut self, kind: &str, id: &str) {
        if let Some(all) = self.objects.get_mut(kind) {
            all.retain(|object| id_of(object) != id);
        }
        let resource = format!("managed/{kind}/{id}");
        self.links.retain(|link| link.ends.iter().all(|end| end.resource != resource));
    }

    /// Returns the references that a property of a resource shows.
    pub fn references(&self, resource: &str, property: &str) -> Vec<Value> {
        self.links.iter().filter_map(|link| other_end(link, resource, property).map(|end| show(link, end))).collect()
    }

    /// Tells whether what a reference names exists; resources outside `managed/` are taken on trust.
    pub fn exists(&self, resource: &str) -> bool {
        match resource.splitn(3, '/').collect::<Vec<_>>().as_slice() {
            ["managed", kind, id] => self.get(kind, id).is_some(),
            [_, _, id] => !id.is_empty(),
            _ => false,
        }
    }

    /// Makes a property of a resource show exactly these references; known ones keep their link.
    pub fn relate(&mut self, resource: &str, name: &str, property: &Value, wanted: &[Value]) {
        let keep: Vec<String> =
            wanted.iter().filter_map(|value| link_id(value, &self.references(resource, name))).collect();
        self.links.retain(|link| other_end(link, resource, name).is_none() || keep.contains(&link.id));
        for value in wanted {
            if link_id(value, &self.references(resource, name)).is_none() {
                self.link(resource, name, property, value);
            }
        }
    }

    /// Adds one link.
    pub fn link(&mut self, resource: &str, name: &str, property: &Value, value: &Value) -> String {
        let target = value.get("_ref").and_then(Value::as_str).unwrap_or_default().to_owned();
        let reverse = schema::target(property).get("reversePropertyName").and_then(Value::as_str).unwrap_or_default();
        self.make_room(&target, reverse);
        let mut properties = value.get("_refProperties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties.remove("_id");
        properties.remove("_rev");
        let (id, revision) = (self.next_revision(), self.next_revision());
        let ends = [
            End { resource: resource.to_owned(), property: name.to_owned() },
            End { resource: target, property: reverse.to_owned() },
        ];
        self.links.push(Link { id: id.clone(), revision, ends, properties });
        id
    }

    /// A single reference at the other end gives way to the new one.
    fn make_room(&mut self, target: &str, reverse: &str) {
        let kind = target.split('/').nth(1).unwrap_or_default();
        let document = self.document();
        let single = Definition::find(&document, kind)
            .and_then(|definition| definition.property(reverse))
            .is_some_and(|property| schema::reference(property) == Reference::One);
        if single {
            self.links.retain(|link| other_end(link, target, reverse).is_none());
        }
    }
}

/// Returns an object's id.
pub fn id_of(object: &Value) -> &str {
    object.get("_id").and_then(Value::as_str).unwrap_or_default()
}

/// Returns an object's revision.
pub fn revision_of(object: &Value) -> &str {
    object.get("_rev").and_then(Value::as_str).unwrap_or_default()
}

fn other_end<'a>(link: &'a Link, resource: &str, property: &str) -> Option<&'a End> {
    let [from, to] = &link.ends;
    let is_here = |end: &End| end.resource == resource && end.property == property;
    if is_here(from) {
        Some(to)
    } else if is_here(to) {
        Some(from)
    } else {
        None
    }
}

fn show(link: &Link, end: &End) -> Value {
    let (collection, id) = end.resource.rsplit_once('/').unwrap_or_default();
    let mut properties = link.properties.clone();
    properties.insert("_id".to_owned(), json!(link.id));
    properties.insert("_rev".to_owned(), json!(link.revision));
    json!({
        "_ref": end.resource, "_refResourceCollection": collection, "_refResourceId": id,
        "_refProperties": properties,
    })
}

/// Finds the link that a sent reference means: by its link id, else by its target.
fn link_id(value: &Value, shown: &[Value]) -> Option<String> {
    let sent = value.pointer("/_refProperties/_id");
    let means = |known: &&Value| match sent {
        Some(id) => known.pointer("/_refProperties/_id") == Some(id),
        None => known.get("_ref") == value.get("_ref"),
    };
    shown.iter().find(means)?.pointer("/_refProperties/_id")?.as_str().map(str::to_owned)
}
