//! launchd's agent: its property list names the socket, and a connection starts the broker.
//!
//! Source: launchd.plist(5), launchctl(1).

use aic_proto::transport::user_id;
use directories::BaseDirs;

use super::{Plan, Setting, Step};

/// Whether a connection starts the broker.
pub(super) const ACTIVATES: bool = true;

/// Where the manager says why a service does not start.
pub(super) const WHY: &str = "why: launchctl print gui/$(id -u)/aic-broker";

const AGENT: &str = include_str!("../../../../../packaging/macos/aic-broker.plist");
/// Where a user's agents are, in the home directory.
const PLACE: &str = "Library/LaunchAgents/aic-broker.plist";

pub(super) fn plan(setting: &Setting<'_>) -> Result<Plan, String> {
    let home = BaseDirs::new().ok_or("this user has no home directory")?.home_dir().to_path_buf();
    let file = home.join(PLACE);
    let path = file.to_str().ok_or_else(|| format!("{} is not text", file.display()))?.to_owned();
    let domain = format!("gui/{}", user_id());
    let agent = format!("{domain}/aic-broker");
    Ok(Plan {
        probe: ["launchctl", "print", &domain].map(str::to_owned).into(),
        enabled: ["launchctl", "print", &agent].map(str::to_owned).into(),
        active: ["launchctl", "print", &agent].map(str::to_owned).into(),
        directories: vec![setting.places.state.clone(), setting.places.endpoint.directory.clone()],
        files: vec![(file, filled(setting).into_bytes())],
        enable: vec![
            Step::or_nothing(&[setting.program, "stop"]),
            Step::or_nothing(&["launchctl", "bootout", &agent]),
            Step::new(&["launchctl", "bootstrap", &domain, &path]),
        ],
        disable: vec![Step::or_nothing(&["launchctl", "bootout", &agent])],
        ..Plan::default()
    })
}

/// Whether launchd listens in the broker's place.
pub(crate) fn is_enabled() -> bool {
    BaseDirs::new().is_some_and(|base| base.home_dir().join(PLACE).exists())
}

fn filled(setting: &Setting<'_>) -> String {
    let variable = |(name, value): &(&str, String)| format!("<key>{name}</key><string>{}</string>", escaped(value));
    let variables: String = setting.variables.iter().map(variable).collect();
    AGENT
        .replace("@BROKER@", &escaped(setting.program))
        .replace("@VARIABLES@", &variables)
        .replace("@SOCKET@", &escaped(&setting.places.endpoint.socket().to_string_lossy()))
}

/// The program that the agent starts: the first text after its key.
pub(super) fn program_in(agent: &str) -> Option<String> {
    let arguments = agent.split("<key>ProgramArguments</key>").nth(1)?;
    let word = arguments.split("<string>").nth(1)?.split("</string>").next()?;
    Some(word.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
