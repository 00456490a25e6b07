//! Judges what opens the sign-in's URL.

use std::path::{Path, PathBuf};

use super::finding::{Line, Name, quoted};
use crate::config::{Browser, Config, LoginWay};
use crate::os::{self, Desktop, Launcher};

const CHECK: &str = "browser";

/// What was seen.
pub(super) struct Seen {
    /// What the configuration wants.
    pub(super) browser: Browser,
    /// The program that is named there and cannot be run.
    pub(super) missing: Option<PathBuf>,
    /// Whether the desktop can open a URL.
    pub(super) can_open: bool,
    /// Whether anybody signs in by browser.
    pub(super) wanted: bool,
}

/// Looks for the program.
pub(super) fn look(config: &Config, container: bool, variable: impl Fn(&str) -> Option<String>) -> Seen {
    let missing = match &config.browser {
        Browser::Program(program, _) if !os::is_executable(program) => Some(program.clone()),
        _ => None,
    };
    let by_device = |way| way == LoginWay::Device;
    let all_by_device = !config.tenants.is_empty() && config.tenants.values().all(|tenant| by_device(tenant.login));
    Seen {
        browser: config.browser.clone(),
        missing,
        can_open: Desktop::new(Launcher::OfDesktop).can_open(variable),
        wanted: !container && !all_by_device,
    }
}

/// Judges it.
pub(super) fn judge(seen: &Seen, file: &Path) -> Line {
    let edit = |what: &str| format!("${{EDITOR:-vi}} {}  # {what}", quoted(file));
    match (&seen.browser, &seen.missing) {
        _ if !seen.wanted => Line::fine(CHECK, "none is needed: every sign-in is by device"),
        (_, Some(program)) => Line::found(
            CHECK,
            Name::BrowserMissing,
            format!("{} cannot be run", program.display()),
            edit("browser = \"auto\", or the path of a program"),
        ),
        (Browser::None, _) => Line::fine(CHECK, "none is opened, as configured"),
        (Browser::Program(program, _), None) => Line::fine(CHECK, program.display().to_string()),
        (Browser::Auto, None) if seen.can_open => Line::fine(CHECK, "the desktop's own"),
        (Browser::Auto, None) => Line::found(
            CHECK,
            Name::BrowserNone,
            "no browser can be opened from here (no display, or no xdg-open), so sign-ins are by device",
            edit("browser = \"none\" says that this is right"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_opening_has_its_finding() {
        let program = || Browser::Program("/b".into(), Vec::new());
        let missing = || Some(PathBuf::from("/b"));
        let cases = [
            (Browser::Auto, None, true, true, None),
            (Browser::Auto, None, false, true, Some(Name::BrowserNone)),
            (Browser::Auto, None, false, false, None),
            (Browser::None, None, false, true, None),
            (program(), None, false, true, None),
            (program(), missing(), true, true, Some(Name::BrowserMissing)),
            (program(), missing(), true, false, None),
        ];

        for (browser, missing, can_open, wanted, finding) in cases {
            let seen = Seen { browser, missing, can_open, wanted };
            assert_eq!(judge(&seen, Path::new("/c")).finding, finding, "{:?}", seen.browser);
        }
    }
}
