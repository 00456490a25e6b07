//! The fields of a theme, for whoever writes one. A reference from this program: no network.

use aic_proto::refusal::Kind;
use serde_json::{Value, json};

use crate::aic::Fault;
use crate::tools::Output;

/// Name, type, default, format and allowed values of each field.
const FIELDS: &str = include_str!("fields.json");

/// Shape: `{"schemaVersion", "description", "themeStructure", "fields": {name: {"description", "type", "default"…}},
/// "importantNotes", "recommendedWorkflow"}`.
pub(super) fn get() -> Result<Output, Fault> {
    let fields: Value = serde_json::from_str(FIELDS).map_err(|error| Fault::Broker {
        kind: Kind::Internal,
        message: format!("the list of theme fields cannot be read: {error}"),
        hint: None,
    })?;
    Ok(Output::data(json!({
        "schemaVersion": "1.0",
        "description": "The fields of a theme of the hosted journey and account pages. Tenants may hold fields that are not listed: updateTheme keeps them.",
        "themeStructure": "A theme is one flat JSON object. Only name is required; what is left out has its default.",
        "fields": fields,
        "importantNotes": notes(),
        "recommendedWorkflow": [
            "getThemes lists the themes of a realm with their ids.",
            "getTheme reads the one to start from.",
            "createTheme makes a new one; updateTheme changes single fields of one that exists and keeps the rest.",
            "linkedTrees names the journeys that show it; setDefaultTheme makes it the look of all others.",
        ],
    })))
}

fn notes() -> Value {
    json!({
        "htmlCssFields": "Fields with htmlSupport take HTML, with style attributes and utility classes of Bootstrap.",
        "localization": "Fields with localizable take a text, or an object of texts by locale, for example {\"en\": \"Hello\", \"fr\": \"Bonjour\"}.",
        "colorFormat": "Colors are # and six hexadecimal digits.",
        "imageFields": "Pictures are an https URL or a base64 data URI. Large data URIs make every page slow.",
        "enumFields": "Fields with enum take one of the listed values and nothing else.",
        "autoCalculatedFields": "Nothing is derived from another field: give the color under the pointer together with the color itself.",
        "systemControlledFields": "_id is made by createTheme; isDefault is changed by setDefaultTheme. Both are refused in updates.",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn every_field_says_what_it_is() {
        let reference: Value = serde_json::from_str(&get().unwrap().json).unwrap();
        let fields = reference["fields"].as_object().unwrap();

        assert_eq!(fields.len(), 99);
        for (name, field) in fields {
            assert!(field["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert!(
                ["string", "number", "boolean", "array", "object"].contains(&field["type"].as_str().unwrap()),
                "{name}"
            );
            assert!(field["required"].is_boolean(), "{name}");
        }
        assert_eq!(fields["journeyLayout"]["enum"], json!(["card", "justified-left", "justified-right"]));
    }
}
