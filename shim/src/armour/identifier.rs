//! Finds the id of a JSON-RPC request in the beginning of a line that cannot be read as a whole. Pure.

use serde_json::Value;

/// How much of a bad line is looked at: ids stand at the front, and nothing else of the line matters.
pub(super) const HEAD: usize = 4 * 1024;

/// The value of the outermost object's `id`, when it is a string or an integer.
///
/// Source: JSON-RPC 2.0, section 5: the answer to a request whose id cannot be found has the id null.
pub(super) fn find(head: &[u8]) -> Option<Value> {
    let mut rest = skip_blanks(head).strip_prefix(b"{")?;
    loop {
        let (key, after) = string(skip_blanks(rest))?;
        let value = skip_blanks(skip_blanks(after).strip_prefix(b":")?);
        let length = value_length(value)?;
        if key == b"\"id\"" {
            let id: Value = serde_json::from_slice(value.get(..length)?).ok()?;
            return Some(id).filter(|id| id.is_string() || id.is_i64() || id.is_u64());
        }
        rest = skip_blanks(value.get(length..)?).strip_prefix(b",")?;
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

/// Splits a leading string, with its quotes, from what follows.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.strip_prefix(b"\"")?.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })?;
    text.split_at_checked(end + 2)
}

/// The length of a leading value; `None` when it does not end here.
fn value_length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string(text).map(|(string, _)| string.len()),
        b'{' | b'[' => nested_length(text),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace()),
    }
}

fn nested_length(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        match rest.first()? {
            b'"' => {
                at += string(rest)?.0.len();
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_found_where_it_is_one() {
        let cases = [
            (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"#, Some(json!(7))),
            (r#" { "id" : "a\"b" , "#, Some(json!("a\"b"))),
            (r#"{"params":{"id":1,"a":[{"x":"}"}]},"id":2}"#, Some(json!(2))),
            (r#"{"method":"id","id":-3}"#, Some(json!(-3))),
            (r#"{"id":7"#, None),
            (r#"{"id":null,"#, None),
            (r#"{"id":1.5,"#, None),
            (r#"{"id":{"a":1},"#, None),
            (r#"{"params":{"id":1,"#, None),
            (r#"[{"id":1}]"#, None),
            ("not json", None),
            (r#"{"a":1]]]],"id":4}"#, None),
            ("", None),
        ];

        for (line, wanted) in cases {
            assert_eq!(find(line.as_bytes()), wanted, "{line}");
        }
    }

    #[test]
    fn no_beginning_of_a_line_breaks_the_search() {
        let line = r#"{"a":"\\\"}{[","b":[[1,{"c":"]"}],2],"id":5,"d":{}}"#.as_bytes();

        for cut in 0..=line.len() {
            let found = line.get(..cut).and_then(find);
            assert!(found.is_none() || found == Some(json!(5)));
        }
    }
}
