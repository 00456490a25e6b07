//! Changes one editor's configuration and keeps what it was, or puts it back.

use std::fs;
use std::path::Path;

use super::edit::{self, Older};
use super::editors::{Editor, Server};
use super::keep::{self, Backup, Backups};
use super::probe::Probe;
use super::{difference, here};

/// What came of one configuration.
pub(super) enum Outcome {
    /// It was, or would be, changed.
    Changed {
        /// The change in lines.
        lines: String,
        /// The existing server's entries that gave way.
        older: Vec<Older>,
    },
    /// It was right already, or has nothing of ours.
    AsItWas,
}

/// Registers the server, once its entry was tried as it will stand in the file; without a probe nothing is changed.
///
/// Errors: the configuration cannot be read, changed or kept, or its entry does not answer; it is left as it is then.
pub(super) fn put(
    editor: &Editor,
    file: &Path,
    server: &Server,
    backups: &Backups,
    probe: Option<&mut Probe>,
) -> Result<Outcome, String> {
    let before = here::read(file)?;
    let text = before.as_deref().unwrap_or_default();
    let changed = edit::put(editor.form, text, editor.group, &editor.entry(server))
        .map_err(|reason| here::within(file, &reason))?;
    if let Some(probe) = probe {
        try_out(editor, file, changed.as_ref().map_or(text, |(after, _)| after), probe)?;
        if let Some((after, _)) = &changed {
            write(editor, file, before.as_deref(), after, backups)?;
        }
    }
    let Some((after, older)) = changed else { return Ok(Outcome::AsItWas) };
    Ok(Outcome::Changed { lines: difference::between(text, &after), older })
}

fn try_out(editor: &Editor, file: &Path, text: &str, probe: &mut Probe) -> Result<(), String> {
    let entry = edit::own(editor.form, text, editor.group).map_err(|reason| here::within(file, &reason))?;
    let tried = probe.try_out(&entry.unwrap_or_default());
    tried.map(drop).map_err(|reason| format!("{}: {reason}; the file was left as it is", file.display()))
}

fn write(editor: &Editor, file: &Path, before: Option<&str>, after: &str, backups: &Backups) -> Result<(), String> {
    let text = before.unwrap_or_default();
    let original = match backups.load(editor.id, file) {
        Some(kept) if kept.is_of(text) => kept.before,
        kept => before.map(|text| without_ours(editor, text, kept)),
    };
    backups
        .save(editor.id, &Backup::of(file, original, after))
        .map_err(|error| format!("no backup could be kept, so nothing was changed: {error}"))?;
    keep::replace(file, before, after)
}

fn without_ours(editor: &Editor, text: &str, kept: Option<Backup>) -> String {
    let before = kept.and_then(|kept| kept.before);
    edit::take(editor.form, text, editor.group, before.as_deref()).ok().flatten().unwrap_or_else(|| text.to_owned())
}

/// Puts it back: byte for byte where the file is as we left it; else only our entry gives way to those that it replaced.
///
/// Errors: the configuration cannot be read or changed; it is left as it is then.
pub(super) fn take(editor: &Editor, file: &Path, kept: Option<Backup>, dry_run: bool) -> Result<Outcome, String> {
    let Some(text) = here::read(file)? else { return Ok(Outcome::AsItWas) };
    let after = match kept {
        Some(kept) if kept.is_of(&text) => kept.before,
        kept => {
            let before = kept.and_then(|kept| kept.before);
            let taken = edit::take(editor.form, &text, editor.group, before.as_deref());
            match taken.map_err(|reason| here::within(file, &reason))? {
                Some(after) => Some(after),
                None => return Ok(Outcome::AsItWas),
            }
        }
    };
    if !dry_run {
        match &after {
            Some(after) => keep::replace(file, Some(&text), after)?,
            None => fs::remove_file(file).map_err(|error| format!("{}: {error}", file.display()))?,
        }
    }
    let lines = difference::between(&text, after.as_deref().unwrap_or_default());
    Ok(Outcome::Changed { lines, older: Vec::new() })
}
