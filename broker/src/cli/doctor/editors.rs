//! Judges the configurations of the editors on this machine: whether one starts aic-mcp, one that is there, and no longer the existing server.

use std::path::{Path, PathBuf};

use super::super::install::{self, Older, Servers, State};
use super::finding::{Line, Name, quoted};

const CHECK: &str = "editors";

/// What was seen of one editor.
pub(super) struct Seen {
    /// Its name for people, and for `install --client`.
    pub(super) title: &'static str,
    pub(super) id: &'static str,
    /// Its configuration file.
    pub(super) file: PathBuf,
    /// What it starts of ours and of the existing server.
    pub(super) servers: Result<Servers, String>,
    /// Whether that program can be run.
    pub(super) runs: bool,
}

/// Reads the configurations.
pub(super) fn look() -> Vec<Seen> {
    let runs = |servers: &Result<Servers, String>| match servers {
        Ok(Servers { ours: State::Ours(program), .. }) => {
            !Path::new(program).is_absolute() || crate::os::is_executable(Path::new(program))
        }
        _ => false,
    };
    install::editors()
        .into_iter()
        .map(|found| Seen {
            title: found.editor.title,
            id: found.editor.id,
            file: found.file,
            runs: runs(&found.servers),
            servers: found.servers,
        })
        .collect()
}

/// Judges them.
pub(super) fn judge(seen: &[Seen]) -> Vec<Line> {
    let mut lines: Vec<Line> = seen.iter().filter_map(wrong).collect();
    let is_ours = |one: &&Seen| matches!(one.servers, Ok(Servers { ours: State::Ours(_), .. }));
    let titles: Vec<&str> = seen.iter().filter(is_ours).map(|one| one.title).collect();
    match (titles.is_empty(), lines.is_empty()) {
        (_, false) => {}
        (false, true) => lines.push(Line::fine(CHECK, format!("aic-mcp is started by {}", titles.join(", ")))),
        (true, true) if seen.is_empty() => lines.push(Line::fine(CHECK, "none that install knows is on this machine")),
        (true, true) => {
            let here: Vec<&str> = seen.iter().map(|one| one.title).collect();
            let text = format!("none starts aic-mcp; on this machine: {}", here.join(", "));
            lines.push(Line::found(CHECK, Name::EditorsUnregistered, text, "aic-broker install"));
        }
    }
    lines
}

fn wrong(seen: &Seen) -> Option<Line> {
    let install = || format!("aic-broker install --client {}", seen.id);
    match &seen.servers {
        Err(reason) => {
            let fix = format!("${{EDITOR:-vi}} {}", quoted(&seen.file));
            Some(Line::found(CHECK, Name::EditorUnreadable, format!("{}: {reason}", seen.title), fix))
        }
        Ok(Servers { ours: State::Ours(program), .. }) if !seen.runs => {
            let text = format!("{}: {program}, which {} names, cannot be run", seen.title, seen.file.display());
            Some(Line::found(CHECK, Name::EditorProgramMissing, text, install()))
        }
        Ok(Servers { older, .. }) if !older.is_empty() => {
            let named = older.iter().map(Older::to_string).collect::<Vec<_>>().join(", ");
            let text = format!("{}: the existing server is in {}: {named}", seen.title, seen.file.display());
            Some(Line::found(CHECK, Name::EditorExistingServer, text, install()))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_of_editors_has_its_finding() {
        let seen = |servers, runs| Seen { title: "Cursor", id: "cursor", file: "/f".into(), servers, runs };
        let alone = |ours| Ok(Servers { ours, older: Vec::new() });
        let ours = || alone(State::Ours("/b/aic-mcp".to_owned()));
        let beside = |ours| Ok(Servers { ours, older: vec![Older::at("ping", "npx aic-mcp-server")] });
        let cases = [
            (vec![], vec![None]),
            (vec![seen(Ok(Servers::NONE), false)], vec![Some(Name::EditorsUnregistered)]),
            (vec![seen(alone(State::Foreign("x".to_owned())), false)], vec![Some(Name::EditorsUnregistered)]),
            (vec![seen(Ok(Servers::NONE), false), seen(ours(), true)], vec![None]),
            (vec![seen(ours(), false)], vec![Some(Name::EditorProgramMissing)]),
            (vec![seen(beside(State::Absent), false)], vec![Some(Name::EditorExistingServer)]),
            (vec![seen(beside(State::Ours("/b/aic-mcp".to_owned())), true)], vec![Some(Name::EditorExistingServer)]),
            (vec![seen(Err("no".to_owned()), false), seen(ours(), true)], vec![Some(Name::EditorUnreadable)]),
        ];

        for (seen, wanted) in cases {
            assert_eq!(judge(&seen).iter().map(|line| line.finding).collect::<Vec<_>>(), wanted);
        }
    }
}
