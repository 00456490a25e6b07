//! Replaces a configuration at one stroke, and keeps what it was so that `uninstall` can put it back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::here;
use crate::os;

/// How much of a place's digest is in a backup's name: enough to tell a person's few places apart.
const PLACE_DIGITS: usize = 16;

/// What a file was before our entry, and what we made of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Backup {
    /// The file.
    pub(super) file: PathBuf,
    /// Its text; `None` when there was no file.
    pub(super) before: Option<String>,
    /// SHA-256 of the text that we wrote, in hexadecimal.
    after: String,
}

impl Backup {
    /// Of a change that is about to be made.
    pub(super) fn of(file: &Path, before: Option<String>, after: &str) -> Self {
        Self { file: file.to_path_buf(), before, after: digest(after) }
    }

    /// Whether the file is still as we left it.
    pub(super) fn is_of(&self, text: &str) -> bool {
        self.after == digest(text)
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(backup: &Path) -> Option<Backup> {
    serde_json::from_slice(&fs::read(backup).ok()?).ok()
}

/// Where the backups are: with our own state, because an editor's directory may be synchronised or shown to others.
pub(super) struct Backups(PathBuf);

impl Backups {
    /// Below the state directory.
    pub(super) fn below(state: &Path) -> Self {
        Self(state.join("editors"))
    }

    /// An editor may have several configurations, one for each value of its variable.
    fn path(&self, editor: &str, file: &Path) -> PathBuf {
        let place = digest(&file.to_string_lossy());
        self.0.join(format!("{editor}.{}.json", place.get(..PLACE_DIGITS).unwrap_or_default()))
    }

    /// The backup of one configuration.
    pub(super) fn load(&self, editor: &str, file: &Path) -> Option<Backup> {
        read(&self.path(editor, file))
    }

    /// All configurations of an editor of which there is a backup.
    pub(super) fn files(&self, editor: &str) -> Vec<PathBuf> {
        let names = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let is_of_editor = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(&format!("{editor}."));
        let backups = names.filter(|found| is_of_editor(&found.file_name())).filter_map(|found| read(&found.path()));
        backups.map(|backup| backup.file).collect()
    }

    /// Keeps one, before the change is made.
    pub(super) fn save(&self, editor: &str, backup: &Backup) -> io::Result<()> {
        os::private_directory(self.0.parent().unwrap_or(&self.0))?;
        os::private_directory(&self.0)?;
        let place = self.path(editor, &backup.file);
        let mut file = os::private_file(OpenOptions::new().create(true).write(true).truncate(true), &place)?;
        file.write_all(&serde_json::to_vec(backup)?)?;
        file.sync_all()
    }

    /// Forgets one, and the directory with the last.
    pub(super) fn forget(&self, editor: &str, file: &Path) {
        let _ = fs::remove_file(self.path(editor, file));
        let _ = fs::remove_dir(&self.0);
    }
}

/// Replaces a file's text at one stroke. A link stays a link, the mode stays as it is.
///
/// Errors: it is not as it was read (`before`), or cannot be written; it is left as it is then.
pub(super) fn replace(file: &Path, before: Option<&str>, after: &str) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let directory = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    let fresh =
        directory.join(format!(".{}.{}.new", target.file_name().unwrap_or_default().display(), std::process::id()));
    let written =
        write(&fresh, &target, after).map_err(failed).and_then(|()| match here::read(&target)?.as_deref() == before {
            true => fs::rename(&fresh, &target).map_err(failed),
            false => Err(format!("{} changed meanwhile and was left alone: run this again", file.display())),
        });
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

fn write(fresh: &Path, like: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(fresh)?;
    if let Ok(found) = fs::metadata(like) {
        file.set_permissions(found.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
