//! One table of a TOML text. The only file that names the editor of it.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TomlError};

use super::super::editors::NAME;
use super::Refused;

/// The library writes LF: a file of CRLF is turned on its way in and out, so that no line changes.
fn on_lines(text: &str, change: impl Fn(&str) -> Result<String, Refused>) -> Result<String, Refused> {
    let (all, windows) = (text.matches('\n').count(), text.matches("\r\n").count());
    match (windows, all - windows) {
        (0, _) => change(text),
        (_, 0) => change(&text.replace("\r\n", "\n")).map(|changed| changed.replace('\n', "\r\n")),
        _ => Err(Refused::MixedLineEnds),
    }
}

fn parse(text: &str) -> Result<DocumentMut, Refused> {
    text.parse().map_err(|error: TomlError| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Refused::Broken { line: before.matches('\n').count() + 1, column, reason: error.message().to_owned() }
    })
}

/// Our entry; of it only strings matter.
pub(super) fn entry(text: &str, group: &str) -> Result<Option<Value>, Refused> {
    let document = parse(text)?;
    let Some(servers) = document.get(group) else { return Ok(None) };
    let servers = servers.as_table_like().ok_or_else(|| Refused::NotAnObject(group.to_owned()))?;
    Ok(servers.get(NAME).map(|entry| {
        let members = entry.as_table_like().into_iter().flat_map(|table| table.iter());
        members.filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.as_str()?)))).collect()
    }))
}

/// The text with our entry.
pub(super) fn put(text: &str, group: &str, entry: &Value) -> Result<String, Refused> {
    on_lines(text, |text| {
        let mut document = parse(text)?;
        let servers = document.entry(group).or_insert_with(|| {
            let mut servers = Table::new();
            servers.set_implicit(true);
            Item::Table(servers)
        });
        let servers = servers.as_table_like_mut().ok_or_else(|| Refused::NotAnObject(group.to_owned()))?;
        match servers.get(NAME).is_some_and(|there| is_same(there, entry)) {
            true => Ok(text.to_owned()),
            false => {
                servers.insert(NAME, Item::Table(table(entry)));
                Ok(document.to_string())
            }
        }
    })
}

/// The text without our entry.
pub(super) fn take(text: &str, group: &str) -> Result<String, Refused> {
    on_lines(text, |text| {
        let mut document = parse(text)?;
        let servers = document.get_mut(group).and_then(Item::as_table_like_mut);
        if let Some(servers) = servers {
            servers.remove(NAME);
        }
        Ok(document.to_string())
    })
}

fn is_same(there: &Item, entry: &Value) -> bool {
    let values = |table: &Table| table.iter().map(|(name, item)| (name.to_owned(), plain(item))).collect::<Vec<_>>();
    there.as_table().is_some_and(|there| values(there) == values(&table(entry)))
}

/// An item as it is written, without the white space around it.
fn plain(item: &Item) -> String {
    item.to_string().split_whitespace().collect()
}

fn table(entry: &Value) -> Table {
    let mut table = Table::new();
    for (name, value) in entry.as_object().into_iter().flatten() {
        table.insert(name, Item::Value(value_of(value)));
    }
    table.decor_mut().set_prefix("\n");
    table
}

fn value_of(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number.as_i64().unwrap_or_default().into(),
        Value::Array(items) => toml_edit::Value::Array(items.iter().map(value_of).collect::<Array>()),
        Value::Object(members) => toml_edit::Value::InlineTable(
            members.iter().map(|(name, value)| (name.as_str(), value_of(value))).collect::<InlineTable>(),
        ),
        other => other.as_str().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const ENTRY: &str = "\n[mcp_servers.aic]\ncommand = \"x\"\nenv = { A = \"b\" }\ntool_timeout_sec = 60\n";

    fn wanted() -> Value {
        json!({"command": "x", "env": {"A": "b"}, "tool_timeout_sec": 60})
    }

    #[test]
    fn an_entry_is_added_and_taken_away_and_nothing_else_changes() {
        let before = "# mine\nmodel='o'   # ä\n\n[mcp_servers.docs]\ncommand  = \"npx\" # keep\n";

        let with = put(before, "mcp_servers", &wanted()).unwrap();

        assert_eq!(with, format!("{before}{ENTRY}"));
        assert_eq!(put(&with, "mcp_servers", &wanted()).unwrap(), with);
        assert_eq!(take(&with, "mcp_servers").unwrap(), before);
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let before = "a = 1\r\n[b]\r\nc = 2\r\n";

        assert_eq!(put(before, "mcp_servers", &wanted()).unwrap(), format!("{before}{}", ENTRY.replace('\n', "\r\n")));
        assert_eq!(put("a = 1\r\nb = 2\n", "mcp_servers", &wanted()), Err(Refused::MixedLineEnds));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let broken = put("a = 1\nb = = 2\n", "mcp_servers", &wanted()).unwrap_err();

        assert!(matches!(broken, Refused::Broken { line: 2, .. }), "{broken:?}");
        assert_eq!(put("mcp_servers = 1\n", "mcp_servers", &wanted()), Err(Refused::NotAnObject("mcp_servers".into())));
    }
}
