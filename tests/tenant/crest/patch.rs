//! Applies CREST patches. Follows IDM's patch operations, which are not those of RFC 6902.

use serde_json::{Number, Value};

use super::pointer;

/// What one step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Puts a value there, appends for a field that ends in `-`.
    Add(Value),
    /// Takes the field away, or only the given value.
    Remove(Option<Value>),
    /// Puts a value in place of another.
    Replace(Value),
    /// Adds a number to a number.
    Increment(Number),
    /// Copies from another field.
    Copy(Vec<String>),
    /// Moves from another field.
    Move(Vec<String>),
    /// Runs a script, which the sandbox does not.
    Transform,
}

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The field's names.
    pub field: Vec<String>,
    /// What to do.
    pub step: Step,
}

/// Why a patch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 400 with these words.
    Bad(String),
    /// 501: the sandbox runs no scripts.
    Script,
}

fn bad<T>(words: &str) -> Result<T, Fault> {
    Err(Fault::Bad(words.to_owned()))
}

/// Reads a patch.
///
/// Shape: a list of `{operation, field, value?, from?}`. The names of RFC 6902 (`op`, `path`) are refused.
pub fn read(body: &Value) -> Result<Vec<Operation>, Fault> {
    let Some(items) = body.as_array() else {
        return bad("The request could not be processed because the provided content is not a JSON array");
    };
    items.iter().map(read_one).collect()
}

fn read_one(item: &Value) -> Result<Operation, Fault> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let Some(name) = text("operation") else {
        return bad("The request could not be processed because the patch operation is missing 'operation'");
    };
    let Some(field) = text("field") else {
        return bad("The request could not be processed because the patch operation is missing 'field'");
    };
    let value = || match item.get("value") {
        Some(value) => Ok(value.clone()),
        None => bad("The request could not be processed because the patch operation is missing 'value'"),
    };
    let from = || match text("from") {
        Some(from) => Ok(pointer::names(from)),
        None => bad("The request could not be processed because the patch operation is missing 'from'"),
    };
    let step = match name {
        "add" => Step::Add(value()?),
        "remove" => Step::Remove(item.get("value").filter(|value| !value.is_null()).cloned()),
        "replace" => Step::Replace(item.get("value").cloned().unwrap_or(Value::Null)),
        "increment" => match value()? {
            Value::Number(number) => Step::Increment(number),
            _ => return bad("The request could not be processed because the increment is not a number"),
        },
        "copy" => Step::Copy(from()?),
        "move" => Step::Move(from()?),
        "transform" => Step::Transform,
        other => {
            return bad(&format!(
                "The request could not be processed because the patch operation '{other}' is not supported"
            ));
        }
    };
    Ok(Operation { field: pointer::names(field), step })
}

/// Applies a patch: all of it, or nothing when one operation fails.
pub fn apply(target: &Value, operations: &[Operation]) -> Result<Value, Fault> {
    let mut out = target.clone();
    for operation in operations {
        one(&mut out, operation)?;
    }
    Ok(out)
}

fn one(root: &mut Value, operation: &Operation) -> Result<(), Fault> {
    let field = &operation.field;
    if field.is_empty() {
        return bad("The request could not be processed because the patch operation targets the whole object");
    }
    match &operation.step {
        Step::Add(value) => put(root, field, value.clone(), true),
        Step::Replace(value) => put(root, field, value.clone(), false),
        Step::Remove(value) => {
            remove(root, field, value.as_ref());
            Ok(())
        }
        Step::Increment(by) => increment(root, field, by),
        Step::Copy(from) => copy(root, from, field).map(|_| ()),
        Step::Move(from) => {
            copy(root, from, field)?;
            remove(root, from, None);
            Ok(())
        }
        Step::Transform => Err(Fault::Script),
    }
}

fn put(root: &mut Value, field: &[String], value: Value, insert: bool) -> Result<(), Fault> {
    let Some((last, parents)) = field.split_last() else { return Ok(()) };
    let Some(parent) = pointer::ensure(root, parents) else {
        return bad("The request could not be processed because the patch operation's field does not exist");
    };
    if parent.is_null() {
        *parent = if last == "-" { Value::Array(Vec::new()) } else { Value::Object(serde_json::Map::new()) };
    }
    match parent {
        Value::Array(items) => put_item(items, last, value, insert),
        Value::Object(members) => {
            members.insert(last.clone(), value);
            Ok(())
        }
        _ => bad("The request could not be processed because the patch operation's field is not inside an object"),
    }
}

fn put_item(items: &mut Vec<Value>, last: &str, value: Value, insert: bool) -> Result<(), Fault> {
    if last == "-" {
        items.push(value);
        return Ok(());
    }
    match last.parse::<usize>() {
        Ok(at) if insert && at <= items.len() => items.insert(at, value),
        Ok(at) if !insert && at < items.len() => {
            items.iter_mut().skip(at).take(1).for_each(|item| *item = value.clone())
        }
        _ => return bad(&format!("The request could not be processed because the array index '{last}' is invalid")),
    }
    Ok(())
}

fn remove(root: &mut Value, field: &[String], value: Option<&Value>) {
    if let Some(value) = value {
        match pointer::get_mut(root, field) {
            Some(Value::Array(items)) => return items.retain(|item| item != value),
            Some(present) if present == value => {}
            _ => return,
        }
    }
    let Some((last, parents)) = field.split_last() else { return };
    match pointer::get_mut(root, parents) {
        Some(Value::Object(members)) => {
            members.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Ok(at) = last.parse::<usize>()
                && at < items.len()
            {
                items.remove(at);
            }
        }
        _ => {}
    }
}

fn increment(root: &mut Value, field: &[String], by: &Number) -> Result<(), Fault> {
    let Some(Value::Number(number)) = pointer::get_mut(root, field) else {
        return bad("The request could not be processed because the field to increment is not a number");
    };
    let whole = number.as_i64().zip(by.as_i64()).and_then(|(old, by)| old.checked_add(by)).map(Number::from);
    let broken = || Number::from_f64(number.as_f64()? + by.as_f64()?);
    match whole.or_else(broken) {
        Some(sum) => *number = sum,
        None => return bad("The request could not be processed because the sum is not a number"),
    }
    Ok(())
}

fn copy(root: &mut Value, from: &[String], to: &[String]) -> Result<(), Fault> {
    match pointer::get(root, from).cloned() {
        Some(value) => put(root, to, value, true),
        None => bad("The request could not be processed because the field to copy from does not exist"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(body: Value) -> Result<Value, Fault> {
        let target = json!({"a": 1, "s": "x", "list": ["p", "q"], "o": {"b": 2}, "f": 1.5});
        read(&body).and_then(|operations| apply(&target, &operations))
    }

    #[test]
    fn operations_change_what_they_name() {
        let cases = [
            (json!([{"operation": "add", "field": "/n", "value": 5}]), "/n", json!(5)),
            (json!([{"operation": "add", "field": "n/m", "value": 5}]), "/n/m", json!(5)),
            (json!([{"operation": "add", "field": "/list/-", "value": "r"}]), "/list", json!(["p", "q", "r"])),
            (json!([{"operation": "add", "field": "/fresh/-", "value": "r"}]), "/fresh", json!(["r"])),
            (json!([{"operation": "add", "field": "/list/0", "value": "r"}]), "/list", json!(["r", "p", "q"])),
            (json!([{"operation": "add", "field": "/list", "value": "r"}]), "/list", json!("r")),
            (json!([{"operation": "replace", "field": "/s", "value": "y"}]), "/s", json!("y")),
            (json!([{"operation": "replace", "field": "/list/1", "value": "y"}]), "/list", json!(["p", "y"])),
            (json!([{"operation": "remove", "field": "/s"}]), "/s", Value::Null),
            (json!([{"operation": "remove", "field": "/nowhere"}]), "/s", json!("x")),
            (json!([{"operation": "remove", "field": "/s", "value": "other"}]), "/s", json!("x")),
            (json!([{"operation": "remove", "field": "/s", "value": "x"}]), "/s", Value::Null),
            (json!([{"operation": "remove", "field": "/list", "value": "p"}]), "/list", json!(["q"])),
            (json!([{"operation": "remove", "field": "/list/0"}]), "/list", json!(["q"])),
            (json!([{"operation": "increment", "field": "/a", "value": 2}]), "/a", json!(3)),
            (json!([{"operation": "increment", "field": "/f", "value": -1}]), "/f", json!(0.5)),
            (json!([{"operation": "copy", "from": "/o/b", "field": "/c"}]), "/c", json!(2)),
            (json!([{"operation": "move", "from": "/s", "field": "/t"}]), "/t", json!("x")),
            (json!([{"operation": "move", "from": "/s", "field": "/t"}]), "/s", Value::Null),
        ];
        for (body, place, expected) in cases {
            let after = run(body.clone()).map(|after| after.pointer(place).cloned().unwrap_or_default());
            assert_eq!(after, Ok(expected), "{body}");
        }
    }

    #[test]
    fn a_bad_patch_is_refused() {
        let cases = [
            json!({"operation": "add", "field": "/a", "value": 1}),
            json!([{"op": "add", "path": "/a", "value": 1}]),
            json!([{"operation": "add", "path": "/a", "value": 1}]),
            json!([{"operation": "add", "field": "/a"}]),
            json!([{"operation": "test", "field": "/a", "value": 1}]),
            json!([{"operation": "copy", "field": "/a"}]),
            json!([{"operation": "copy", "field": "/a", "from": "/nowhere"}]),
            json!([{"operation": "increment", "field": "/s", "value": 1}]),
            json!([{"operation": "increment", "field": "/a", "value": "1"}]),
            json!([{"operation": "replace", "field": "/list/9", "value": 1}]),
            json!([{"operation": "add", "field": "/s/deep", "value": 1}]),
            json!([{"operation": "add", "field": "", "value": 1}]),
        ];
        for body in cases {
            assert!(matches!(run(body.clone()), Err(Fault::Bad(_))), "{body}");
        }
        let script = json!([{"operation": "transform", "field": "/a", "value": {"script": {}}}]);
        assert_eq!(run(script), Err(Fault::Script));
    }

    #[test]
    fn a_patch_is_applied_whole_or_not_at_all() {
        let target = json!({"a": 1});
        let body = json!([{"operation": "replace", "field": "/a", "value": 2}, {"operation": "increment", "field": "/b", "value": 1}]);

        assert!(read(&body).and_then(|operations| apply(&target, &operations)).is_err());
        assert_eq!(target, json!({"a": 1}));
    }
}
