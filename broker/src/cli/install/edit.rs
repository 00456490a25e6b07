//! Changes one entry of a configuration's text and not a byte elsewhere. Pure; the forms are in `json` and `toml`.

mod json;
mod toml;

use serde_json::Value;

use super::editors::{Form, NAME, is_ours};

/// What stands under our name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Absent,
    /// An entry of ours, with the program that it starts.
    Ours(String),
    /// Somebody else's entry, with what it starts.
    Foreign(String),
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It cannot be read; lines and columns count from 1.
    #[error("{line}:{column}: {reason}")]
    Broken { line: usize, column: usize, reason: String },
    /// It is not of the form that the editor reads.
    #[error("\"{0}\" is not an object")]
    NotAnObject(String),
    /// The name is taken.
    #[error("an entry \"{NAME}\" is there already and starts {0}: rename or remove it, then run this again")]
    Foreign(String),
    /// Line ends of two kinds would not stay as they are.
    #[error("it has line ends of both kinds (LF and CRLF)")]
    MixedLineEnds,
}

/// The text with our entry, as it should be; `None` when it is so already.
///
/// Errors: see [`Refused`]; an entry of somebody else is never replaced.
pub(super) fn put(form: Form, text: &str, group: &str, entry: &Value) -> Result<Option<String>, Refused> {
    if let State::Foreign(command) = state(form, text, group)? {
        return Err(Refused::Foreign(command));
    }
    let changed = with_bom(text, |text| match form {
        Form::Json => json::put(text, group, entry),
        Form::Toml => toml::put(text, group, entry),
    })?;
    Ok((changed != text).then_some(changed))
}

/// The text without our entry; `None` when it has none.
///
/// Errors: it cannot be read.
pub(super) fn take(form: Form, text: &str, group: &str) -> Result<Option<String>, Refused> {
    match state(form, text, group)? {
        State::Absent | State::Foreign(_) => Ok(None),
        State::Ours(_) => with_bom(text, |text| match form {
            Form::Json => json::take(text, group),
            Form::Toml => toml::take(text, group),
        })
        .map(Some),
    }
}

/// What stands under our name.
///
/// Errors: the text cannot be read.
pub(super) fn state(form: Form, text: &str, group: &str) -> Result<State, Refused> {
    let text = without_bom(text);
    let found = match form {
        Form::Json => json::entry(text, group),
        Form::Toml => toml::entry(text, group),
    }?;
    Ok(found.map_or(State::Absent, |entry| judge(&entry)))
}

fn judge(entry: &Value) -> State {
    let command = match entry.get("command").or_else(|| entry.get("url")) {
        Some(Value::String(command)) => command.clone(),
        Some(Value::Array(words)) => words.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => "something else".to_owned(),
    };
    match is_ours(&command) {
        true => State::Ours(command),
        false => State::Foreign(command),
    }
}

const BOM: char = '\u{feff}';

fn without_bom(text: &str) -> &str {
    text.strip_prefix(BOM).unwrap_or(text)
}

fn with_bom(text: &str, change: impl Fn(&str) -> Result<String, Refused>) -> Result<String, Refused> {
    let changed = change(without_bom(text))?;
    Ok(if text.starts_with(BOM) { format!("{BOM}{changed}") } else { changed })
}
