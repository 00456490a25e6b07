//! Reads what a managed type's definition says about its properties. Pure.

use serde_json::Value;

/// A type's definition out of `config/managed`.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    /// The type's name.
    pub name: &'a str,
    whole: &'a Value,
}

/// Whether a property refers to other objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// It does not.
    No,
    /// To one.
    One,
    /// To many.
    Many,
}

impl<'a> Definition<'a> {
    /// Finds a type in the document.
    pub fn find(document: &'a Value, name: &str) -> Option<Self> {
        let objects = document.get("objects")?.as_array()?;
        let whole = objects.iter().find(|object| object.get("name").and_then(Value::as_str) == Some(name))?;
        Some(Self { name: whole.get("name")?.as_str()?, whole })
    }

    /// Returns the schema.
    pub fn schema(self) -> Option<&'a Value> {
        self.whole.get("schema")
    }

    /// Returns a property's schema.
    pub fn property(self, name: &str) -> Option<&'a Value> {
        self.schema()?.get("properties")?.get(name)
    }

    /// Returns the properties' names and schemas.
    pub fn properties(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.schema().and_then(|schema| schema.get("properties")).and_then(Value::as_object).into_iter().flatten()
    }

    /// Returns the names of required properties.
    pub fn required(self) -> Vec<&'a str> {
        let list = self.schema().and_then(|schema| schema.get("required")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns a definition's kind without its realm: `alpha_user` is a `user`.
    pub fn kind(self) -> &'a str {
        self.realm_and_kind().map_or(self.name, |(_, kind)| kind)
    }

    /// Splits the name of a type that belongs to a realm.
    pub fn realm_and_kind(self) -> Option<(&'a str, &'a str)> {
        self.name.split_once('_').filter(|(realm, _)| super::types::REALMS.contains(realm))
    }

    /// Tells whether a full read shows unset properties as `null` or `[]`.
    pub fn shows_unset(self) -> bool {
        self.kind() == "user"
    }
}

/// Tells whether and how a property refers to other objects.
pub fn reference(property: &Value) -> Reference {
    let is_relationship = |value: &Value| value.get("type").and_then(Value::as_str) == Some("relationship");
    match property.get("items") {
        _ if is_relationship(property) => Reference::One,
        Some(items) if is_relationship(items) => Reference::Many,
        _ => Reference::No,
    }
}

/// Returns the part of a property that describes its targets.
pub fn target(property: &Value) -> &Value {
    property.get("items").filter(|_| reference(property) == Reference::Many).unwrap_or(property)
}

/// Tells whether a property is shown to anybody.
pub fn is_private(property: &Value) -> bool {
    property.get("scope").and_then(Value::as_str) == Some("private")
}

/// Tells whether a property is computed.
pub fn is_virtual(property: &Value) -> bool {
    property.get("isVirtual") == Some(&Value::Bool(true))
}

/// Returns the JSON types that a property takes.
pub fn types(property: &Value) -> Vec<&str> {
    match property.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
