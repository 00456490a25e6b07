//! Judges the configurations of the editors on this machine: whether one starts aic-mcp, and one that is there.

use std::path::{Path, PathBuf};

use super::super::install::{self, State};
use super::finding::{Line, Name, quoted};

const CHECK: &str = "editors";

/// What was seen of one editor.
pub(super) struct Seen {
    /// Its name for people, and for `install --client`.
    pub(super) title: &'static str,
    pub(super) id: &'static str,
    /// Its configuration file.
    pub(super) file: PathBuf,
    /// What it starts under our name.
    pub(super) state: Result<State, String>,
    /// Whether that program can be run.
    pub(super) runs: bool,
}

/// Reads the configurations.
pub(super) fn look() -> Vec<Seen> {
    let runs = |state: &Result<State, String>| match state {
        Ok(State::Ours(program)) => !Path::new(program).is_absolute() || crate::os::is_executable(Path::new(program)),
        _ => false,
    };
    install::editors()
        .into_iter()
        .map(|found| Seen {
            title: found.editor.title,
            id: found.editor.id,
            file: found.file,
            runs: runs(&found.state),
            state: found.state,
        })
        .collect()
}

/// Judges them.
pub(super) fn judge(seen: &[Seen]) -> Vec<Line> {
    let mut lines: Vec<Line> = seen.iter().filter_map(wrong).collect();
    let is_ours = |one: &&Seen| matches!(one.state, Ok(State::Ours(_)));
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
    match &seen.state {
        Err(reason) => {
            let fix = format!("${{EDITOR:-vi}} {}", quoted(&seen.file));
            Some(Line::found(CHECK, Name::EditorUnreadable, format!("{}: {reason}", seen.title), fix))
        }
        Ok(State::Ours(program)) if !seen.runs => {
            let text = format!("{}: {program}, which {} names, cannot be run", seen.title, seen.file.display());
            let fix = format!("aic-broker install --client {}", seen.id);
            Some(Line::found(CHECK, Name::EditorProgramMissing, text, fix))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_of_editors_has_its_finding() {
        let seen = |state, runs| Seen { title: "Cursor", id: "cursor", file: "/f".into(), state, runs };
        let ours = || Ok(State::Ours("/b/aic-mcp".to_owned()));
        let cases = [
            (vec![], vec![None]),
            (vec![seen(Ok(State::Absent), false)], vec![Some(Name::EditorsUnregistered)]),
            (vec![seen(Ok(State::Foreign("x".to_owned())), false)], vec![Some(Name::EditorsUnregistered)]),
            (vec![seen(Ok(State::Absent), false), seen(ours(), true)], vec![None]),
            (vec![seen(ours(), false)], vec![Some(Name::EditorProgramMissing)]),
            (vec![seen(Err("no".to_owned()), false), seen(ours(), true)], vec![Some(Name::EditorUnreadable)]),
        ];

        for (seen, wanted) in cases {
            assert_eq!(judge(&seen).iter().map(|line| line.finding).collect::<Vec<_>>(), wanted);
        }
    }
}
