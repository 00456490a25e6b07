//! This process's own program file, and whether another one has its place.

use std::fs::File;
use std::path::PathBuf;

use super::is_named;

/// The file from which this process was started. It is held open, so that no other file gets its number.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    file: File,
}

impl Program {
    /// Finds it; `None` where the OS does not tell.
    pub fn own() -> Option<Self> {
        let path = std::env::current_exe().ok()?;
        let file = File::open(&path).ok()?;
        Some(Self { path, file })
    }

    /// Whether another file has its name. One that was only removed leaves nothing to start instead.
    pub fn was_replaced(&self) -> bool {
        self.path.is_file() && !is_named(&self.file, &self.path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn another_file_in_its_place_replaces_a_program_and_its_absence_does_not() {
        let path = std::env::temp_dir().join(format!("aic-program-{}", std::process::id()));
        std::fs::write(&path, "old").unwrap();
        let program = Program { file: File::open(&path).unwrap(), path: path.clone() };

        let kept = program.was_replaced();
        std::fs::remove_file(&path).unwrap();
        let removed = program.was_replaced();
        std::fs::write(&path, "new").unwrap();
        let replaced = program.was_replaced();
        std::fs::remove_file(&path).unwrap();

        assert_eq!([kept, removed, replaced], [false, false, true]);
    }
}
