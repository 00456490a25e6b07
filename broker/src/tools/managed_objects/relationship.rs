//! Adds, replaces or removes one custom relationship property of a managed object type.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::aic::{Api, Fault, Path, Request};
use crate::tools::{Arguments, Output};

/// IDM's schema API writes properties only in this version.
const SCHEMA_VERSION: &str = "resource=2.0";
/// What the tenant demands of names that are not its own.
const CUSTOM: &str = "custom_";

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Add,
    Update,
    Remove,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    object_type: String,
    property_name: String,
    action: Action,
    property_definition: Option<Map<String, Value>>,
}

/// Shape: `{"objectType", "propertyName", "definition"}`; no `definition` after a removal.
pub(super) async fn patch(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Patch { object_type, property_name, action, property_definition } = arguments.read()?;
    if !property_name.starts_with(CUSTOM) {
        return Err(Fault::invalid(
            "propertyName",
            "must begin with custom_: the tenant's own properties cannot be changed here",
        ));
    }
    let path = Path::fixed("/openidm/schema/managed")
        .segment("objectType", &object_type)?
        .then("/properties")
        .segment("propertyName", &property_name)?;
    let reply = api.send(request(path, action, property_definition)?.version(SCHEMA_VERSION).if_match("*")).await?;
    let mut value = json!({ "objectType": object_type, "propertyName": property_name });
    if let (true, Some(members)) = (action != Action::Remove, value.as_object_mut()) {
        members.insert("definition".to_owned(), reply.body);
    }
    let done = match action {
        Action::Add => "Added",
        Action::Update => "Updated",
        Action::Remove => "Removed",
    };
    Ok(Output::told(format!("{done} the relationship property {property_name} of {object_type}."), value))
}

/// `add` and `update` are the same request: the schema API has no create-only form of it.
fn request(path: Path, action: Action, definition: Option<Map<String, Value>>) -> Result<Request, Fault> {
    match (action, definition) {
        (Action::Remove, _) => Ok(Request::delete(path)),
        (_, Some(definition)) => Ok(Request::put(path, Value::Object(definition))),
        (_, None) => Err(Fault::invalid("propertyDefinition", "is needed by add and update")),
    }
}
