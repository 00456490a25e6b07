//! systemd's user units: a socket that is always there, and a service that a connection starts, in a sandbox.
//!
//! Source: systemd.socket(5), systemd.exec(5), systemd.syntax(7) for quoting. Lingering is the user's own choice.

use std::path::{Path, PathBuf};

use directories::BaseDirs;

use super::{Plan, Setting, Step};

/// Whether a connection starts the broker.
pub(super) const ACTIVATES: bool = true;

/// Where the manager says why a service does not start.
pub(super) const WHY: &str = "why: journalctl --user -u aic-broker; it needs user namespaces";

const SOCKET: &str = include_str!("../../../../../packaging/linux/aic-broker.socket");
const SERVICE: &str = include_str!("../../../../../packaging/linux/aic-broker.service");
/// The places as the templates name them.
const RUNTIME: &str = "%t/aic-broker";
const STATE: &str = "%h/.local/state/aic-broker";
/// Where an enabled socket is linked, for one user and for all.
const WANTED: &str = "systemd/user/sockets.target.wants";

pub(super) fn plan(setting: &Setting<'_>) -> Result<Plan, String> {
    let base = BaseDirs::new().ok_or("this user has no home directory")?;
    Ok(plan_in(setting, base.config_dir()))
}

fn plan_in(setting: &Setting<'_>, config: &Path) -> Plan {
    let units = config.join("systemd/user");
    let wanted = config.join(WANTED);
    let words = |asked: &[&str]| systemctl(asked).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let file = |name: &str, template: &str| (units.join(name), filled(template, setting).into_bytes());
    Plan {
        probe: words(&["show-environment"]),
        enabled: words(&["is-enabled", "--quiet", "aic-broker.socket"]),
        active: words(&["is-active", "--quiet", "aic-broker.socket"]),
        start: "systemctl --user reset-failed aic-broker.socket aic-broker.service; \
                systemctl --user restart aic-broker.socket  # why it ended: journalctl --user -u aic-broker"
            .to_owned(),
        directories: vec![setting.places.state.clone()],
        files: vec![file("aic-broker.socket", SOCKET), file("aic-broker.service", SERVICE)],
        enable: vec![
            Step::new(&systemctl(&["daemon-reload"])),
            Step::or_nothing(&[setting.program, "stop"]),
            Step::or_nothing(&systemctl(&["stop", "aic-broker.socket", "aic-broker.service"])),
            Step::or_nothing(&systemctl(&["reset-failed", "aic-broker.socket", "aic-broker.service"])),
            Step::new(&systemctl(&["enable", "--now", "aic-broker.socket"])),
        ],
        disable: vec![
            Step::or_nothing(&systemctl(&["disable", "--now", "aic-broker.socket"])),
            Step::or_nothing(&systemctl(&["stop", "aic-broker.service"])),
        ],
        links: vec![wanted.join("aic-broker.socket")],
        emptied: vec![wanted, units, config.join("systemd")],
        forget: vec![
            Step::or_nothing(&systemctl(&["daemon-reload"])),
            Step::or_nothing(&systemctl(&["reset-failed", "aic-broker.socket", "aic-broker.service"])),
        ],
        note: None,
    }
}

fn systemctl<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["systemctl", "--user"], words].concat()
}

/// Whether a manager listens in the broker's place once it runs.
pub(crate) fn is_enabled() -> bool {
    let own = BaseDirs::new().map(|base| base.config_dir().to_path_buf());
    let places = own.into_iter().chain([PathBuf::from("/etc")]);
    places.into_iter().any(|place| place.join(WANTED).join("aic-broker.socket").symlink_metadata().is_ok())
}

fn filled(template: &str, setting: &Setting<'_>) -> String {
    let variables: String = setting
        .variables
        .iter()
        .map(|(name, value)| format!("Environment={}\n", quoted(&format!("{name}={value}"))))
        .collect();
    let directory = setting.places.endpoint.directory.to_string_lossy();
    template
        .replace("ListenStream=%t/aic-broker", &format!("ListenStream={}", directory.replace('%', "%%")))
        .replace(RUNTIME, &quoted(&directory))
        .replace(STATE, &quoted(&setting.places.state.to_string_lossy()))
        .replace(
            "ExecStart=@BROKER@ serve\n",
            &format!("ExecStart={} serve\n{variables}", quoted(&setting.program.replace('$', "$$"))),
        )
}

/// The program that a unit starts.
pub(super) fn program_in(unit: &str) -> Option<String> {
    let word = unit.lines().find_map(|line| line.strip_prefix("ExecStart=\""))?.strip_suffix("\" serve")?;
    Some(word.replace("$$", "$").replace("%%", "%").replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// One word, whatever is in it.
fn quoted(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use aic_proto::endpoint::Endpoint;

    use super::*;
    use crate::config::Places;

    fn texts(program: &str, directory: &str, variables: Vec<(&'static str, String)>) -> Vec<String> {
        let places =
            Places { config: "/c".into(), state: "/h/state".into(), endpoint: Endpoint::in_directory(directory) };
        let plan = plan_in(&Setting { program, places: &places, variables }, Path::new("/h/.config"));
        plan.files.into_iter().map(|(_, text)| String::from_utf8(text).unwrap()).collect()
    }

    fn has(text: &str, line: &str) -> bool {
        text.lines().any(|found| found == line)
    }

    #[test]
    fn the_units_name_this_program_and_this_user_s_places() {
        let texts = texts("/opt/aic/aic-broker", "/run/user/7/aic-broker", Vec::new());

        for (text, line) in [
            (&texts[0], "ListenStream=/run/user/7/aic-broker/broker.sock"),
            (&texts[0], "ExecStartPre=mkdir -p -m 700 \"/h/state\""),
            (&texts[1], "ExecStart=\"/opt/aic/aic-broker\" serve"),
            (&texts[1], "ReadWritePaths=\"/run/user/7/aic-broker\" \"/h/state\""),
        ] {
            assert!(has(text, line), "{line} is not in {text}");
        }
        assert!(!texts[1].contains("Environment="));
        assert_eq!(texts.iter().filter_map(|text| program_in(text)).collect::<Vec<_>>(), ["/opt/aic/aic-broker"]);
    }

    #[test]
    fn odd_paths_are_one_word_and_no_specifier() {
        let variables = vec![("AIC_BROKER_RUNTIME_DIR", "/a b/100%".to_owned())];
        let texts = texts("/o p/$x/aic\"broker", "/a b/100%", variables);

        for (text, line) in [
            (&texts[0], "ListenStream=/a b/100%%/broker.sock"),
            (&texts[1], "ExecStart=\"/o p/$$x/aic\\\"broker\" serve"),
            (&texts[1], "Environment=\"AIC_BROKER_RUNTIME_DIR=/a b/100%%\""),
            (&texts[1], "ReadWritePaths=\"/a b/100%%\" \"/h/state\""),
        ] {
            assert!(has(text, line), "{line} is not in {text}");
        }
        assert_eq!(program_in(&texts[1]).as_deref(), Some("/o p/$x/aic\"broker"));
    }

    #[test]
    fn lingering_is_never_switched_on() {
        let places = Places { config: "/c".into(), state: "/s".into(), endpoint: Endpoint::in_directory("/r") };
        let plan = plan_in(&Setting { program: "/b", places: &places, variables: Vec::new() }, Path::new("/h"));

        assert!(plan.enable.iter().all(|step| step.words[0] != "loginctl"), "{plan:?}");
    }
}
