//! The servers' tables of a TOML text. The only file that names the editor of it.

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError};

use super::{Path, Refused};

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

/// Every server, with the members that lead to it.
pub(super) fn entries(text: &str, group: &str) -> Result<Vec<(Path, Value)>, Refused> {
    let document = parse(text)?;
    let Some(servers) = document.get(group) else { return Ok(Vec::new()) };
    let servers = servers.as_table_like().ok_or_else(|| Refused::NotAnObject(group.to_owned()))?;
    Ok(servers.iter().map(|(name, entry)| (vec![group.to_owned(), name.to_owned()], plain(entry))).collect())
}

/// The text with an entry; what is there already and right stays as it is written.
pub(super) fn put(text: &str, path: &[String], entry: &Value) -> Result<String, Refused> {
    let [group, name] = path else { return Ok(text.to_owned()) };
    on_lines(text, |text| {
        let mut document = parse(text)?;
        let servers = document.entry(group).or_insert_with(|| {
            let mut servers = Table::new();
            servers.set_implicit(true);
            Item::Table(servers)
        });
        let servers = servers.as_table_like_mut().ok_or_else(|| Refused::NotAnObject(group.to_owned()))?;
        match (servers.get_mut(name).and_then(Item::as_table_like_mut), entry) {
            (Some(there), Value::Object(wanted)) => settle(there, wanted),
            _ => drop(servers.insert(name, Item::Table(table(entry)))),
        }
        Ok(document.to_string())
    })
}

fn settle(there: &mut dyn TableLike, wanted: &Map<String, Value>) {
    for (name, value) in wanted {
        match (there.get_mut(name), value) {
            (Some(item), value) if plain(item) == *value => {}
            (Some(item), Value::Object(wanted)) if item.is_table_like() => {
                item.as_table_like_mut().into_iter().for_each(|inner| settle(inner, wanted));
            }
            (Some(item), value) => *item = in_place_of(item, value),
            (None, value) => drop(there.insert(name, Item::Value(value_of(value)))),
        }
    }
}

/// The white space and the comment around a value stay.
fn in_place_of(item: &Item, value: &Value) -> Item {
    let mut fresh = value_of(value);
    if let Some(old) = item.as_value() {
        *fresh.decor_mut() = old.decor().clone();
    }
    Item::Value(fresh)
}

/// The text without an entry.
pub(super) fn take(text: &str, path: &[String]) -> Result<String, Refused> {
    let [group, name] = path else { return Ok(text.to_owned()) };
    on_lines(text, |text| {
        let mut document = parse(text)?;
        let servers = document.get_mut(group).and_then(Item::as_table_like_mut);
        if let Some(servers) = servers {
            servers.remove(name);
        }
        Ok(document.to_string())
    })
}

/// What an item says; a date is its text.
fn plain(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(name, item)| (name.to_owned(), plain(item))).collect();
    }
    match item.as_value() {
        Some(toml_edit::Value::String(text)) => text.value().as_str().into(),
        Some(toml_edit::Value::Integer(number)) => (*number.value()).into(),
        Some(toml_edit::Value::Float(number)) => (*number.value()).into(),
        Some(toml_edit::Value::Boolean(truth)) => (*truth.value()).into(),
        Some(toml_edit::Value::Array(items)) => items.iter().map(|item| plain(&Item::Value(item.clone()))).collect(),
        _ => item.to_string().trim().into(),
    }
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
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
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

    fn aic() -> Path {
        vec!["mcp_servers".to_owned(), "aic".to_owned()]
    }

    fn wanted() -> Value {
        json!({"command": "x", "env": {"A": "b"}, "tool_timeout_sec": 60})
    }

    #[test]
    fn an_entry_is_added_and_taken_away_and_nothing_else_changes() {
        let before = "# mine\nmodel='o'   # ä\n\n[mcp_servers.docs]\ncommand  = \"npx\" # keep\n";

        let with = put(before, &aic(), &wanted()).unwrap();

        assert_eq!(with, format!("{before}{ENTRY}"));
        assert_eq!(put(&with, &aic(), &wanted()).unwrap(), with);
        assert_eq!(take(&with, &aic()).unwrap(), before);
    }

    #[test]
    fn a_change_within_an_entry_leaves_the_rest_of_it() {
        let written = "[mcp_servers.aic]\ncommand = \"old\"  # mine\ntool_timeout_sec = 60\n\n[mcp_servers.aic.env]\nA = \"b\"\n# last\n";

        assert_eq!(put(written, &aic(), &wanted()).unwrap(), written.replace("old", "x"));
        assert_eq!(
            put(&put(written, &aic(), &wanted()).unwrap(), &aic(), &wanted()).unwrap(),
            written.replace("old", "x")
        );
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text = "[s.a]\nb = [1, 2.5, true]\nc = { d = 'e' }\nf = 1979-05-27\n";

        let there = entries(text, "s").unwrap();

        assert_eq!(
            there,
            [(vec!["s".to_owned(), "a".to_owned()], json!({"b": [1, 2.5, true], "c": {"d": "e"}, "f": "1979-05-27"}))]
        );
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let before = "a = 1\r\n[b]\r\nc = 2\r\n";

        assert_eq!(put(before, &aic(), &wanted()).unwrap(), format!("{before}{}", ENTRY.replace('\n', "\r\n")));
        assert_eq!(put("a = 1\r\nb = 2\n", &aic(), &wanted()), Err(Refused::MixedLineEnds));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let broken = put("a = 1\nb = = 2\n", &aic(), &wanted()).unwrap_err();

        assert!(matches!(broken, Refused::Broken { line: 2, .. }), "{broken:?}");
        assert_eq!(put("mcp_servers = 1\n", &aic(), &wanted()), Err(Refused::NotAnObject("mcp_servers".into())));
    }
}
