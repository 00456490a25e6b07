//! Reads `config/managed`, the one document that defines all managed object types. Touches no network.

use aic_proto::refusal::Kind;
use serde_json::Value;

use crate::aic::Fault;

/// The document as the tenant gave it.
///
/// Shape: `{"_id": "managed", "objects": [{"name", "schema", …}…]}`; `objects` may be absent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Managed(pub(super) Value);

impl Managed {
    /// The definitions, in the document's order.
    pub(super) fn objects(&self) -> &[Value] {
        self.0.get("objects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The types' names, in the document's order.
    pub(super) fn names(&self) -> Vec<&str> {
        self.objects().iter().filter_map(name_of).collect()
    }

    /// The one definition of that name with its place in the document.
    ///
    /// Errors: `NotFound`, naming the types there are; `Conflict` when two types share the name.
    pub(super) fn find(&self, name: &str) -> Result<(usize, &Value), Fault> {
        let mut found = self.objects().iter().enumerate().filter(|(_, object)| name_of(object) == Some(name));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(self.unknown(name)),
            (Some(_), Some(_)) => Err(Fault::refused(
                Kind::Conflict,
                format!(
                    "config/managed defines {name} twice; that has to be repaired before the type can be worked on"
                ),
            )),
        }
    }

    fn unknown(&self, name: &str) -> Fault {
        let names = self.names();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Fault::refused_with(
            Kind::NotFound,
            format!("there is no managed object type {name}"),
            format!("the types of this tenant: {there}"),
        )
    }

    /// The other types that hold a relationship to that one, in the document's order.
    pub(super) fn referrers(&self, name: &str) -> Vec<&str> {
        let target = format!("managed/{name}");
        let others = self.objects().iter().filter(|object| name_of(object) != Some(name));
        others.filter(|object| points_at(object, &target)).filter_map(name_of).collect()
    }

    /// The document without that type; everything else as it was read.
    pub(super) fn without(&self, name: &str) -> Value {
        let mut document = self.0.clone();
        if let Some(objects) = document.get_mut("objects").and_then(Value::as_array_mut) {
            objects.retain(|object| name_of(object) != Some(name));
        }
        document
    }

    /// The types besides `ours` that are not as they were in `before`: somebody else's work.
    pub(super) fn changed_since<'a>(&'a self, before: &'a Self, ours: &str) -> Vec<&'a str> {
        let same = |object: &Value, others: &[Value]| others.iter().any(|other| other == object);
        let gone = before.objects().iter().filter(|object| !same(object, self.objects()));
        let come = self.objects().iter().filter(|object| !same(object, before.objects()));
        let mut names: Vec<&str> = gone.chain(come).filter_map(name_of).filter(|name| *name != ours).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A definition's name.
pub(super) fn name_of(object: &Value) -> Option<&str> {
    object.get("name").and_then(Value::as_str)
}

/// Whether a relationship, however deep, has that target among its `resourceCollection`.
fn points_at(value: &Value, target: &str) -> bool {
    match value {
        Value::Object(members) => {
            let collections = members.get("resourceCollection").and_then(Value::as_array);
            collections.is_some_and(|all| all.iter().any(|one| one.get("path").and_then(Value::as_str) == Some(target)))
                || members.values().any(|member| points_at(member, target))
        }
        Value::Array(items) => items.iter().any(|item| points_at(item, target)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn relationship(target: &str) -> Value {
        json!({ "type": "relationship", "resourceCollection": [{ "path": target }] })
    }

    fn document() -> Managed {
        Managed(json!({ "_id": "managed", "objects": [
            { "name": "user", "schema": { "properties": { "boss": relationship("managed/user"),
                "devices": { "type": "array", "items": relationship("managed/device") } } } },
            { "name": "role", "schema": { "properties": { "deep": { "properties": { "x": relationship("managed/device") } } } } },
            { "name": "device" },
            { "name": "twin" },
            { "name": "twin" },
        ] }))
    }

    #[test]
    fn a_type_is_found_by_its_name_alone() {
        let managed = document();
        let kind = |name: &str| match managed.find(name) {
            Ok((place, _)) => Ok(place),
            Err(Fault::Refused { kind, .. }) => Err(kind),
            Err(other) => panic!("{other}"),
        };

        assert_eq!(kind("device"), Ok(2));
        assert_eq!(kind("devic"), Err(Kind::NotFound));
        assert_eq!(kind("twin"), Err(Kind::Conflict));
        assert!(Managed(json!({ "_id": "managed" })).find("device").unwrap_err().to_string().contains("device"));
    }

    #[test]
    fn relationships_are_seen_however_deep_and_not_to_oneself() {
        let managed = document();

        assert_eq!(managed.referrers("device"), ["user", "role"]);
        assert_eq!(managed.referrers("user"), Vec::<&str>::new());
        assert_eq!(managed.referrers("devic"), Vec::<&str>::new());
    }

    #[test]
    fn removing_a_type_leaves_the_rest_as_it_was() {
        let managed = document();

        let rest = Managed(managed.without("device"));

        assert_eq!(rest.names(), ["user", "role", "twin", "twin"]);
        assert_eq!(rest.changed_since(&managed, "device"), Vec::<&str>::new());
        assert_eq!(rest.0["_id"], "managed");
    }

    #[test]
    fn the_work_of_another_writer_is_named() {
        let before = document();
        let mut after = before.clone();
        let objects = after.0["objects"].as_array_mut().unwrap();
        objects[1]["schema"] = json!({});
        objects[2]["iconClass"] = json!("fa");
        objects.push(json!({ "name": "new" }));
        objects.remove(0);

        assert_eq!(after.changed_since(&before, "device"), ["new", "role", "user"]);
    }
}
