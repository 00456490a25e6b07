//! MCP lines: each is handed on, answered, or a notification; an id that is recovered is the one that was sent.

use aic_shim::fuzzing::{converse, identifier};
use serde_json::Value;

use super::block_on;

/// What an editor writes.
pub(super) fn hold(data: &[u8]) {
    let (found, written) = block_on(converse(data));
    let answers: Vec<Value> = lines(&written).map(|line| serde_json::from_slice(line).expect("JSON")).collect();
    answers.iter().for_each(assert_refusal);
    let end = data.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
    let whole = lines(data.get(..end).unwrap_or_default()).map(bare).filter(|line| !line.is_empty());
    let (bad, good): (Vec<&[u8]>, Vec<&[u8]>) = whole.partition(|line| serde_json::from_slice::<Value>(line).is_err());
    assert!(found.len() + answers.len() <= bad.len() + good.len());
    assert!(answers.len() >= bad.len(), "{} bad lines, {} answers", bad.len(), answers.len());
    good.iter().for_each(|line| recovered_id_was_sent(line));
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn bare(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii()
}

fn assert_refusal(answer: &Value) {
    let id = answer.get("id").expect("an id");
    assert!(id.is_null() || id.is_string() || id.is_i64() || id.is_u64(), "{answer}");
    assert_eq!(answer.get("jsonrpc"), Some(&Value::from("2.0")));
    assert!(answer.pointer("/error/code").is_some_and(|code| *code == -32700 || *code == -32600), "{answer}");
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(3));
}

/// Of several ids the first is found, while a document keeps the last.
fn recovered_id_was_sent(line: &[u8]) {
    let document: Value = serde_json::from_slice(line).expect("a good line");
    let several = String::from_utf8_lossy(line).matches("id").count() > 1 || line.contains(&b'\\');
    let Some(found) = identifier(line) else { return };
    assert!(document.is_object(), "{document}");
    assert!(several || document.get("id") == Some(&found), "{found} in {document}");
}
