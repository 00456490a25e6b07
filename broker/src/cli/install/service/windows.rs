//! Windows' task at log-on: it starts the broker; once that has left, aic-mcp starts it again.
//!
//! Source: MS-TSCH 2.5 (the task's XML), schtasks. The file is UTF-16, as `schtasks /XML` wants it.

use super::{Plan, Setting, Step};

/// A pipe cannot be handed over.
pub(super) const ACTIVATES: bool = false;

/// Where the manager says why a service does not start.
pub(super) const WHY: &str = "why: schtasks /Query /TN aic-broker /V";

const TASK: &str = include_str!("../../../../../packaging/windows/aic-broker.xml");
const NAME: &str = "aic-broker";

pub(super) fn plan(setting: &Setting<'_>) -> Result<Plan, String> {
    let user = std::env::var("USERNAME").map_err(|_| "USERNAME is not set".to_owned())?;
    let user = std::env::var("USERDOMAIN").map_or_else(|_| user.clone(), |domain| format!("{domain}\\{user}"));
    let file = setting.places.state.join("aic-broker-task.xml");
    let path = file.to_str().ok_or_else(|| format!("{} is not text", file.display()))?.to_owned();
    Ok(Plan {
        enabled: ["schtasks", "/Query", "/TN", NAME].map(str::to_owned).into(),
        directories: vec![setting.places.state.clone()],
        files: vec![(file, wide(&filled(setting.program, &user)))],
        enable: vec![Step::new(&["schtasks", "/Create", "/TN", NAME, "/XML", &path, "/F"])],
        disable: vec![Step::or_nothing(&["schtasks", "/Delete", "/TN", NAME, "/F"])],
        note: note(&setting.variables),
        ..Plan::default()
    })
}

/// Nobody but the broker holds its pipe.
pub(crate) fn is_enabled() -> bool {
    false
}

/// A task has no environment of its own: it gets the user's, in which a shell's variables are not.
fn note(variables: &[(&str, String)]) -> Option<String> {
    let (first, _) = variables.first()?;
    let kept: String = variables.iter().map(|(name, value)| format!("\n$ setx {name} \"{value}\"")).collect();
    Some(format!(
        "a task gets no variable of this shell: the broker that it starts looks in the usual places, and a program with \
         {first} does not find it. Where they are not set for the user already, type this and log on anew:{kept}"
    ))
}

fn filled(program: &str, user: &str) -> String {
    TASK.replace("@BROKER@", &escaped(program)).replace("@USER@", &escaped(user))
}

/// The program that the task starts.
pub(super) fn program_in(task: &str) -> Option<String> {
    let word = task.split("<Command>").nth(1)?.split("</Command>").next()?;
    Some(word.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

fn wide(text: &str) -> Vec<u8> {
    let lines = text.replace('\n', "\r\n");
    [0xfeff].into_iter().chain(lines.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_task_cannot_be_given_is_told_with_what_helps() {
        let variables =
            [("AIC_BROKER_RUNTIME_DIR", "C:\\my run".to_owned()), ("AIC_BROKER_CONFIG", "C:\\c.toml".to_owned())];

        let told = note(&variables).unwrap_or_default();

        for wanted in [
            "no variable of this shell",
            "AIC_BROKER_RUNTIME_DIR does not find it",
            "$ setx AIC_BROKER_RUNTIME_DIR \"C:\\my run\"\n$ setx AIC_BROKER_CONFIG \"C:\\c.toml\"",
        ] {
            assert!(told.contains(wanted), "{wanted} is not in {told}");
        }
        assert_eq!(note(&[]), None);
    }

    #[test]
    fn the_task_names_program_and_user_in_wide_letters() {
        let text = filled("C:\\a & b\\aic-broker.exe", "HOST\\person");

        assert!(text.contains("<Command>C:\\a &amp; b\\aic-broker.exe</Command>") && !text.contains('@'), "{text}");
        assert_eq!(program_in(&text).as_deref(), Some("C:\\a & b\\aic-broker.exe"));
        assert_eq!(wide("<\n").as_slice(), [0xff, 0xfe, b'<', 0, b'\r', 0, b'\n', 0]);
    }
}
