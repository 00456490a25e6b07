//! Holds a call's arguments against the tool's published schema.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aic_proto::catalogue::Tool;
use aic_proto::refusal::{Failure, Kind};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

/// The most errors that are told at once: a model mends a few at a time.
const TOLD: usize = 5;

/// Reads and checks arguments.
///
/// Errors: `invalid_arguments`, naming each wrong argument.
pub(super) fn check(tool: &'static Tool, text: &str) -> Result<Value, Failure> {
    let invalid = |message: String| Failure::new(Kind::InvalidArguments, message);
    let value: Value = match text.trim() {
        "" => Value::Object(Map::new()),
        text => serde_json::from_str(text).map_err(|_| invalid("arguments: not a JSON object".to_owned()))?,
    };
    if !value.is_object() {
        return Err(invalid("arguments: must be an object".to_owned()));
    }
    let validator = validator(tool).map_err(|reason| Failure::new(Kind::Internal, reason))?;
    let errors: Vec<String> = validator.iter_errors(&value).take(TOLD).map(|error| tell(&error)).collect();
    match errors.is_empty() {
        true => Ok(value),
        false => Err(invalid(format!("{}: {}", tool.name, errors.join("; ")))),
    }
}

/// What the catalogue's `not` on text stands for: an argument that becomes a segment of a path.
const NOT_A_SEGMENT: &str =
    "must be one path segment: not blank, and without '/', '\\\\', '..' or their percent-encoded forms";

/// The place of an argument and what is wrong with it; long values are not repeated.
fn tell(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let said: String = match error.kind() {
        ValidationErrorKind::Not { .. } if error.instance().is_string() => NOT_A_SEGMENT.to_owned(),
        ValidationErrorKind::Not { .. } => "has members that are not allowed here".to_owned(),
        _ => error.to_string().chars().take(300).collect(),
    };
    match place.trim_start_matches('/') {
        "" => said,
        place => format!("{}: {said}", place.replace('/', ".")),
    }
}

type Validators = Mutex<HashMap<&'static str, Arc<Validator>>>;

/// A schema is compiled at the first call of its tool.
fn validator(tool: &'static Tool) -> Result<Arc<Validator>, String> {
    static COMPILED: OnceLock<Validators> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Validators::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = compiled.get(tool.name) {
        return Ok(Arc::clone(validator));
    }
    let schema: Value = serde_json::from_str(tool.input).map_err(|error| error.to_string())?;
    let validator = Arc::new(jsonschema::validator_for(&schema).map_err(|error| error.to_string())?);
    compiled.insert(tool.name, Arc::clone(&validator));
    Ok(validator)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_wrong_argument_is_named() {
        let tool = aic_proto::catalogue::find("getManagedObject").unwrap();
        let cases = [
            (r#"{"objectType":"alpha_user","objectId":"u1"}"#, None),
            (r#"{"objectType":"alpha_user"}"#, Some("objectId")),
            (r#"{"objectType":7,"objectId":"u1"}"#, Some("objectType")),
            (r#"{"objectType":"alpha_user","objectId":"u1","surprise":1}"#, Some("surprise")),
            (r#"{"objectType":"../config","objectId":"u1"}"#, Some("objectType")),
            ("[]", Some("arguments")),
            ("nonsense", Some("arguments")),
        ];

        for (text, wrong) in cases {
            let outcome = check(tool, text);
            match wrong {
                None => assert!(outcome.is_ok(), "{text}"),
                Some(name) => assert!(outcome.unwrap_err().message.contains(name), "{text}"),
            }
        }
    }

    #[test]
    fn every_schema_compiles() {
        for tool in aic_proto::catalogue::all() {
            assert!(validator(tool).is_ok(), "{}", tool.name);
        }
    }
}
