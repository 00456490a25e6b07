//! Finds the editors of this machine and reads what each starts of ours and of the existing server.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use super::edit::{self, Servers};
use super::editors::{EDITORS, Editor, Home};

/// The most that a configuration may hold: an editor's own are kilobytes, Claude Code's history is some megabytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// This user's directories; `None` where the OS knows none. A relative one would mean something else for each program.
pub(super) fn home() -> Option<Home> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    BaseDirs::new().map(|base| Home {
        home: base.home_dir().to_path_buf(),
        config: base.config_dir().to_path_buf(),
        claude: absolute("CLAUDE_CONFIG_DIR"),
        codex: absolute("CODEX_HOME"),
    })
}

/// An editor that is on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The editor.
    pub(crate) editor: &'static Editor,
    /// Its configuration file, which need not exist.
    pub(crate) file: PathBuf,
    /// Its entries that are our concern, or why they cannot be told.
    pub(crate) servers: Result<Servers, String>,
}

/// Every editor on this machine, with its entries that are our concern.
pub(crate) fn editors() -> Vec<Found> {
    let Some(home) = home() else { return Vec::new() };
    let here = EDITORS.iter().filter(|editor| is_here(editor, &home));
    here.map(|editor| {
        let file = file_of(editor, &home);
        Found { editor, servers: servers(editor, &file), file }
    })
    .collect()
}

fn servers(editor: &Editor, file: &Path) -> Result<Servers, String> {
    match read(file)? {
        None => Ok(Servers::NONE),
        Some(text) => edit::servers(editor.form, &text, editor.group).map_err(|reason| within(file, &reason)),
    }
}

/// Names the file that something is wrong with.
pub(super) fn within(file: &Path, reason: &edit::Refused) -> String {
    match reason {
        edit::Refused::Broken { .. } => format!("{}:{reason}", file.display()),
        _ => format!("{}: {reason}", file.display()),
    }
}

/// The configuration file; where the editor reads two endings, the one that is there.
pub(super) fn file_of(editor: &Editor, home: &Home) -> PathBuf {
    let place = editor.place(home);
    let commented = place.with_extension("jsonc");
    match !place.exists() && place.extension().is_some_and(|ending| ending == "json") && commented.exists() {
        true => commented,
        false => place,
    }
}

/// Whether the editor is on this machine: its file is, or its directory where it has one of its own.
pub(super) fn is_here(editor: &Editor, home: &Home) -> bool {
    let file = file_of(editor, home);
    file.exists() || file.parent().is_some_and(|directory| directory != home.home && directory.is_dir())
}

/// Reads a configuration; `None` when there is none.
///
/// Errors: it is not text, too large, or cannot be read.
pub(super) fn read(file: &Path) -> Result<Option<String>, String> {
    let failed = |reason: &dyn std::fmt::Display| format!("{}: {reason}", file.display());
    match fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(found) if !found.is_file() => return Err(failed(&"it is no file")),
        Ok(found) if found.len() > LARGEST => return Err(failed(&"it is larger than 64 MiB")),
        Ok(_) => {}
    }
    match fs::read(file).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Some(text)),
        Ok(Err(_)) => Err(failed(&"it is not UTF-8 text")),
        Err(error) => Err(failed(&error)),
    }
}
