//! What node types are made of: kinds of attributes, ways to outcomes. Schemas, templates and outcomes follow from them.

use serde_json::{Map, Value, json};

use super::node_types::find;

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that must be there.
    Needed,
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
    /// An object of texts.
    Texted,
    /// A list of objects.
    Objects,
}

/// Where a type's outcomes come from.
#[derive(Debug, Clone, Copy)]
pub enum Outcomes {
    /// Always these: ids and display names.
    Fixed(&'static [(&'static str, &'static str)]),
    /// The texts of a list attribute.
    List(&'static str),
    /// Those of the children on a page.
    Page,
}

/// A node type.
#[derive(Debug, Clone, Copy)]
pub struct NodeType {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its tag.
    pub tag: &'static str,
    /// Its attributes.
    pub attributes: &'static [(&'static str, Kind)],
    /// Its outcomes.
    pub outcomes: Outcomes,
}

impl Kind {
    /// Tells whether a value fits.
    pub fn fits(self, value: &Value) -> bool {
        let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        match self {
            Self::Text => value.is_string() || value.is_null(),
            Self::Needed => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Flag(_) => value.is_boolean(),
            Self::Whole(_) => value.is_i64(),
            Self::Texts(_) => texts(value),
            // A list of choices is a proposal: AM takes any text there.
            Self::Choice(_) => value.is_string(),
            Self::Texted => value.as_object().is_some_and(|members| members.values().all(Value::is_string)),
            Self::Objects => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
        }
    }

    /// Returns the default; none for what is absent or must be given.
    pub fn default(self) -> Option<Value> {
        match self {
            Self::Text | Self::Needed => None,
            Self::Flag(value) => Some(json!(value)),
            Self::Whole(value) => Some(json!(value)),
            Self::Texts(values) => Some(json!(values)),
            Self::Choice(values) => values.first().map(|value| json!(value)),
            Self::Texted => Some(json!({})),
            Self::Objects => Some(json!([])),
        }
    }

    fn schema(self) -> Map<String, Value> {
        let schema = match self {
            Self::Text | Self::Needed => json!({"type": "string"}),
            Self::Choice(values) => json!({"type": "string", "enum": values, "enumNames": values}),
            Self::Flag(_) => json!({"type": "boolean"}),
            Self::Whole(_) => json!({"type": "integer"}),
            Self::Texts(_) => json!({"type": "array", "items": {"type": "string"}}),
            Self::Texted => json!({"type": "object", "patternProperties": {".*": {"type": "string"}}}),
            Self::Objects => json!({"type": "array", "items": {"type": "object"}}),
        };
        schema.as_object().cloned().unwrap_or_default()
    }
}

impl NodeType {
    /// The type as `getAllTypes` lists it.
    pub fn summary(&self) -> Value {
        json!({
            "_id": self.id, "name": self.name, "collection": true, "tags": [self.tag],
            "metadata": {"tags": [self.tag]}, "help": format!("{} step of a sandbox journey.", self.name),
        })
    }

    /// The JSON schema of a node's attributes.
    pub fn schema(&self) -> Value {
        let property = |(at, (name, kind)): (usize, &(&str, Kind))| {
            let mut schema = kind.schema();
            schema.insert("title".to_owned(), json!(name));
            schema.insert("description".to_owned(), json!(format!("Sets {name} of the step.")));
            schema.insert("propertyOrder".to_owned(), json!((at + 1) * 100));
            schema.insert("exampleValue".to_owned(), json!(""));
            if let Some(default) = kind.default() {
                schema.insert("default".to_owned(), default);
            }
            ((*name).to_owned(), Value::Object(schema))
        };
        let properties: Map<String, Value> = self.attributes.iter().enumerate().map(property).collect();
        let optional = |kind: &Kind| matches!(kind, Kind::Text);
        let required: Vec<&str> =
            self.attributes.iter().filter(|(_, kind)| !optional(kind)).map(|(name, _)| *name).collect();
        if properties.is_empty() {
            return json!({"type": "object", "required": required});
        }
        json!({"type": "object", "properties": properties, "required": required})
    }

    /// The attributes that a fresh node has.
    pub fn template(&self) -> Map<String, Value> {
        let defaults = self.attributes.iter().filter_map(|(name, kind)| Some(((*name).to_owned(), kind.default()?)));
        defaults.collect()
    }

    /// The outcomes of a node with these attributes.
    pub fn outcomes(&self, attributes: &Map<String, Value>) -> Value {
        let pair = |id: &str, name: &str| json!({"id": id, "displayName": name});
        match self.outcomes {
            Outcomes::Fixed(pairs) => pairs.iter().map(|(id, name)| pair(id, name)).collect(),
            Outcomes::List(name) => {
                let list = attributes.get(name).and_then(Value::as_array);
                list.into_iter().flatten().filter_map(Value::as_str).map(|text| pair(text, text)).collect()
            }
            Outcomes::Page => self.page_outcomes(attributes),
        }
    }

    /// A page has the outcomes of its one child that has several, else one.
    fn page_outcomes(&self, attributes: &Map<String, Value>) -> Value {
        let children = attributes.get("nodes").and_then(Value::as_array).into_iter().flatten();
        let several = |child: &Value| {
            let kind = find(child.get("nodeType")?.as_str()?).filter(|kind| kind.id != self.id)?;
            let outcomes = kind.outcomes(child.as_object()?);
            outcomes.as_array().is_some_and(|all| all.len() > 1).then_some(outcomes)
        };
        children.filter_map(several).next().unwrap_or_else(|| json!([{"id": "outcome", "displayName": "Outcome"}]))
    }
}
