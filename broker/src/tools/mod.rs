//! The tools: each is a declaration in the catalogue and a run function here, one file a family.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::aic::{Api, Fault, Later, Reply};

mod am;
mod applications;
mod esv;
mod feature_management;
mod fit;
mod logs;
mod managed_objects;
mod realm;
mod themes;

pub use fit::fit;

/// A tool's run function.
pub type Run = fn(Api, Arguments) -> Later<'static, Result<Output, Fault>>;

/// A tool that can be run: its name in the catalogue and what it does.
pub struct Tool {
    /// The name.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
}

/// A call's arguments, already valid by the tool's schema.
pub struct Arguments(pub Value);

impl Arguments {
    /// Reads them as the tool's own type.
    ///
    /// Errors: [`Fault::Invalid`] when the type asks for more than the schema states.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Fault> {
        serde_json::from_value(self.0).map_err(|error| Fault::invalid("arguments", error.to_string()))
    }
}

/// What a tool gives back.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The data, as JSON text. An object becomes `structuredContent`.
    pub json: String,
    /// The text for the model; absent when the data as JSON says it best.
    pub text: Option<String>,
    /// The transaction id to show, when it is not that of the newest answer.
    pub transaction_id: Option<String>,
    /// Something the person should know besides the result.
    pub warning: Option<String>,
}

impl Output {
    /// Data that speaks for itself.
    pub fn data(value: Value) -> Self {
        Self::as_it_came(value.to_string())
    }

    /// The tenant's own JSON text.
    pub fn as_it_came(json: String) -> Self {
        Self { json, text: None, transaction_id: None, warning: None }
    }

    /// Data with a sentence about it.
    pub fn told(text: impl Into<String>, value: Value) -> Self {
        Self { text: Some(text.into()), ..Self::data(value) }
    }

    /// The transaction id of an answer that is not the newest.
    #[must_use]
    pub fn of_transaction(mut self, reply: &Reply) -> Self {
        self.transaction_id.clone_from(&reply.transaction_id);
        self
    }

    /// Adds something the person should know.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<String>) -> Self {
        self.warning = Some(warning.into());
        self
    }
}

const FAMILIES: &[&[Tool]] = &[
    managed_objects::TOOLS,
    logs::TOOLS,
    esv::TOOLS,
    themes::TOOLS,
    feature_management::TOOLS,
    am::TOOLS,
    applications::TOOLS,
];

/// The run function of a tool.
pub fn find(name: &str) -> Option<Run> {
    FAMILIES.iter().flat_map(|family| family.iter()).find(|tool| tool.name == name).map(|tool| tool.run)
}
