//! Changes our entry, and those of the existing server, in a configuration's text and not a byte elsewhere. Pure; the forms are in `json` and `toml`.

mod json;
mod merge;
mod older;
mod toml;

use serde_json::Value;

use super::editors::{Form, NAME, is_ours};

pub(crate) use older::Older;
pub(super) use older::words;

/// What stands under our name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing, or an entry of the existing server.
    Absent,
    /// An entry of ours, with the program that it starts.
    Ours(String),
    /// Somebody else's entry, with what it starts.
    Foreign(String),
}

/// The entries that are our concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Servers {
    /// What stands under our name.
    pub(crate) ours: State,
    /// Those of the existing server, under whatever name.
    pub(crate) older: Vec<Older>,
}

impl Servers {
    /// What a configuration that is not there has.
    pub(crate) const NONE: Self = Self { ours: State::Absent, older: Vec::new() };
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

/// A text after a change, and the entries of the existing server that gave way.
pub(super) type Changed = (String, Vec<Older>);

/// The text with our entry as it should be, and without any of the existing server; `None` when it is so already.
///
/// Errors: see [`Refused`]; an entry of somebody else is never replaced.
pub(super) fn put(form: Form, text: &str, group: &str, wanted: &Value) -> Result<Option<Changed>, Refused> {
    let Servers { ours, older } = servers(form, text, group)?;
    if let State::Foreign(command) = ours {
        return Err(Refused::Foreign(command));
    }
    let ours = our_path(group);
    let changed = with_bom(text, |text| {
        let rest = older.iter().try_fold(text.to_owned(), |text, older| take_one(form, &text, &older.path))?;
        let there = entries(form, &rest, group)?.into_iter().find(|(path, _)| *path == ours);
        let entry = there.map_or_else(|| wanted.clone(), |(_, there)| merge::merged(&there, wanted));
        put_one(form, &rest, &ours, &entry)
    })?;
    Ok((changed != text).then_some((changed, older)))
}

/// The text without our entry, and with the existing server's entries of `before`; `None` when it has no entry of ours.
///
/// Errors: it cannot be read.
pub(super) fn take(form: Form, text: &str, group: &str, before: Option<&str>) -> Result<Option<String>, Refused> {
    let State::Ours(_) = servers(form, text, group)?.ours else { return Ok(None) };
    let older = match before {
        Some(before) => entries(form, without_bom(before), group)?,
        None => Vec::new(),
    };
    with_bom(text, |text| {
        let rest = take_one(form, text, &our_path(group))?;
        let there = entries(form, &rest, group)?;
        let gone = older
            .iter()
            .filter(|(path, entry)| Older::find(path, entry).is_some() && there.iter().all(|(taken, _)| taken != path));
        gone.into_iter().try_fold(rest, |text, (path, entry)| put_one(form, &text, path, entry))
    })
    .map(Some)
}

/// The entries that are our concern.
///
/// Errors: the text cannot be read.
pub(super) fn servers(form: Form, text: &str, group: &str) -> Result<Servers, Refused> {
    let entries = entries(form, without_bom(text), group)?;
    let older: Vec<Older> = entries.iter().filter_map(|(path, entry)| Older::find(path, entry)).collect();
    let ours = our_path(group);
    let own = entries.iter().find(|(path, _)| *path == ours && older.iter().all(|older| older.path != *path));
    Ok(Servers { ours: own.map_or(State::Absent, |(_, entry)| judge(entry)), older })
}

/// Our entry, whatever it says.
///
/// Errors: the text cannot be read.
pub(super) fn own(form: Form, text: &str, group: &str) -> Result<Option<Value>, Refused> {
    let ours = our_path(group);
    let there = entries(form, without_bom(text), group)?.into_iter().find(|(path, _)| *path == ours);
    Ok(there.map(|(_, entry)| entry))
}

fn our_path(group: &str) -> Path {
    vec![group.to_owned(), NAME.to_owned()]
}

fn judge(entry: &Value) -> State {
    let started = older::words(entry).first().copied().or_else(|| entry.get("url")?.as_str());
    match started.unwrap_or("something else").to_owned() {
        command if is_ours(&command) => State::Ours(command),
        command => State::Foreign(command),
    }
}

/// The members that lead to an entry.
type Path = Vec<String>;

fn entries(form: Form, text: &str, group: &str) -> Result<Vec<(Path, Value)>, Refused> {
    match form {
        Form::Json => json::entries(text, group),
        Form::Toml => toml::entries(text, group),
    }
}

fn put_one(form: Form, text: &str, path: &[String], entry: &Value) -> Result<String, Refused> {
    match form {
        Form::Json => json::put(text, path, entry),
        Form::Toml => toml::put(text, path, entry),
    }
}

fn take_one(form: Form, text: &str, path: &[String]) -> Result<String, Refused> {
    match form {
        Form::Json => json::take(text, path),
        Form::Toml => toml::take(text, path),
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
