//! Judges the service: whether the manager listens in the broker's place, and which program it would start.

use super::finding::{Line, Name, quoted};
use crate::cli::install::{Installed, installed};
use crate::config::Places;

const CHECK: &str = "service";
const AGAIN: &str = "aic-broker install --service";

/// Looks at what `install --service` left, and asks the manager.
pub(super) fn look(places: &Places) -> Option<Installed> {
    installed(places)
}

/// Judges it; no service is fine, too.
pub(super) fn judge(seen: Option<&Installed>) -> Vec<Line> {
    let Some(seen) = seen else {
        return vec![Line::fine(CHECK, "not installed: aic-mcp starts the broker")];
    };
    let found = |name, text: String, fix: &str| Line::found(CHECK, name, text, fix);
    let file = seen.file.display();
    let program = seen.program.display();
    let lines = [
        (!seen.program.exists())
            .then(|| found(Name::ServiceProgramMissing, format!("{file} starts {program}, which is not there"), AGAIN)),
        (seen.program.exists() && seen.program != seen.own).then(|| {
            let text = format!("{file} starts {program}, and this program is {}", seen.own.display());
            found(Name::ServiceProgramOther, text, &format!("{} install --service", quoted(&seen.own)))
        }),
        (seen.enabled == Some(false))
            .then(|| found(Name::ServiceNotEnabled, format!("{file} is there and not enabled"), &seen.enable)),
        (seen.enabled == Some(true) && seen.active == Some(false)).then(|| {
            found(
                Name::ServiceInactive,
                "the service manager does not listen in the broker's place".to_owned(),
                &seen.start,
            )
        }),
    ];
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    let fine = || {
        vec![Line::fine(
            CHECK,
            if seen.enabled.is_some() {
                "the service manager starts it"
            } else {
                "installed; its manager does not run here"
            },
        )]
    };
    if lines.is_empty() { fine() } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_the_service_has_its_finding() {
        let here = || std::env::current_exe().unwrap_or_default();
        let seen = |program: std::path::PathBuf, enabled, active| Installed {
            file: "/h/aic-broker.service".into(),
            program,
            own: here(),
            enabled,
            active,
            enable: "enable".to_owned(),
            start: "start".to_owned(),
        };
        let cases = [
            (None, vec![None]),
            (Some(seen(here(), Some(true), Some(true))), vec![None]),
            (Some(seen(here(), None, None)), vec![None]),
            (Some(seen("/nowhere/b".into(), Some(true), Some(true))), vec![Some(Name::ServiceProgramMissing)]),
            (Some(seen("/".into(), Some(true), Some(true))), vec![Some(Name::ServiceProgramOther)]),
            (Some(seen(here(), Some(false), Some(false))), vec![Some(Name::ServiceNotEnabled)]),
            (Some(seen(here(), Some(true), Some(false))), vec![Some(Name::ServiceInactive)]),
            (
                Some(seen("/nowhere/b".into(), Some(true), Some(false))),
                vec![Some(Name::ServiceProgramMissing), Some(Name::ServiceInactive)],
            ),
        ];

        for (seen, wanted) in cases {
            let found: Vec<_> = judge(seen.as_ref()).into_iter().map(|line| line.finding).collect();
            assert_eq!(found, wanted, "{seen:?}");
        }
    }
}
