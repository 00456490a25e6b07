//! Searches for secrets where they must not be: files, command lines, environments.

use std::fs;
use std::path::{Path, PathBuf};

/// The names of the needles that stand in some bytes, as they are or percent-encoded.
pub fn text_of<'a>(bytes: &[u8], needles: &'a [(String, String)]) -> Vec<&'a str> {
    let holds = |needle: &str| bytes.windows(needle.len()).any(|part| part == needle.as_bytes());
    let encoded =
        |needle: &str| percent_encoding::utf8_percent_encode(needle, percent_encoding::NON_ALPHANUMERIC).to_string();
    let found = needles.iter().filter(|(_, needle)| holds(needle) || holds(&encoded(needle)));
    found.map(|(name, _)| name.as_str()).collect()
}

/// The files below a directory that hold a needle, each with the needles' names. Sockets and links are passed over.
pub fn files_with(directory: &Path, needles: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files_below(directory) {
        let names = text_of(&fs::read(&file).unwrap_or_default(), needles);
        if !names.is_empty() {
            found.push(format!("{}: {names:?}", file.display()));
        }
    }
    found
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => files.extend(files_below(&entry.path())),
            (_, true) => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

/// The processes whose command line or environment holds a needle; an environment that cannot be read holds none.
pub fn processes_with(pids: &[u32], needles: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (pid, name) in pids.iter().flat_map(|pid| ["cmdline", "environ"].map(|name| (pid, name))) {
        let names = text_of(&fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default(), needles);
        if !names.is_empty() {
            found.push(format!("{name} of {pid}: {names:?}"));
        }
    }
    found
}
