//! Judges the OS's keychain: there, open, and quick enough for a sign-in.

use std::path::Path;
use std::time::Duration;

use super::finding::{Line, Name, quoted};
use crate::config;
use crate::keychain::{self, Trouble};

const CHECK: &str = "keychain";
/// Above it a sign-in, which asks more than once, may not wait for the keychain.
const SLOW: Duration = Duration::from_millis(500);
/// How long is waited here: longer than a sign-in waits, so that slow is told from hanging.
const WITHIN: Duration = Duration::from_secs(5);

/// What was seen of the keychain.
pub(super) struct Seen {
    /// What the configuration wants.
    pub(super) choice: config::Keychain,
    /// Whether it is locked.
    pub(super) locked: Result<bool, Trouble>,
    /// How long it took to say so.
    pub(super) took: Duration,
}

/// Asks it, on a thread of its own; nobody is asked for a password.
pub(super) async fn look(choice: config::Keychain, container: bool) -> Seen {
    if container || choice == config::Keychain::Memory {
        return Seen { choice: config::Keychain::Memory, locked: Ok(false), took: Duration::ZERO };
    }
    let began = tokio::time::Instant::now();
    let locked = keychain::is_locked(WITHIN).await;
    Seen { choice, locked, took: began.elapsed() }
}

/// Judges it.
pub(super) fn judge(seen: &Seen, file: &Path) -> Line {
    let in_memory = format!("${{EDITOR:-vi}} {}  # keychain = \"memory\" stops asking it", quoted(file));
    let unlock = format!("{UNLOCK}, or {in_memory}");
    let found = |name: Name, text: String, fix: &str| match seen.choice {
        config::Keychain::Os => Line::found(CHECK, Name::KeychainRequired, format!("{text}; {NO_SIGN_IN}"), fix),
        _ => Line::found(CHECK, name, text, fix),
    };
    match &seen.locked {
        _ if seen.choice == config::Keychain::Memory => Line::fine(CHECK, "sessions are kept in memory, as configured"),
        Err(Trouble::Hanging) => {
            found(Name::KeychainHanging, format!("it did not answer within {} s", WITHIN.as_secs()), &in_memory)
        }
        Err(Trouble::Locked) | Ok(true) => found(Name::KeychainLocked, "it is locked".to_owned(), &unlock),
        Err(trouble) => found(Name::KeychainAbsent, trouble.to_string(), &in_memory),
        Ok(false) if seen.took > SLOW => {
            let text =
                format!("it took {:.1} s to answer, and a sign-in asks it several times", seen.took.as_secs_f32());
            Line::found(CHECK, Name::KeychainSlow, text, in_memory)
        }
        Ok(false) => Line::fine(CHECK, format!("{} is open", keychain::NAME)),
    }
}

const NO_SIGN_IN: &str = "keychain = \"os\" lets nobody sign in without it";

#[cfg(target_os = "linux")]
const UNLOCK: &str = "gnome-keyring-daemon --unlock  # then type the password and Ctrl-D";
#[cfg(target_os = "macos")]
const UNLOCK: &str = "security unlock-keychain";
#[cfg(windows)]
const UNLOCK: &str = "sign in to Windows again";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mood_has_its_finding() {
        let absent = || Err(Trouble::Absent("no bus".to_owned()));
        let (quick, slow) = (Duration::ZERO, Duration::from_secs(1));
        use config::Keychain::{Auto, Memory, Os};
        let cases = [
            (Auto, Ok(false), quick, None),
            (Auto, Ok(false), slow, Some(Name::KeychainSlow)),
            (Auto, Ok(true), quick, Some(Name::KeychainLocked)),
            (Auto, absent(), quick, Some(Name::KeychainAbsent)),
            (Auto, Err(Trouble::Hanging), slow, Some(Name::KeychainHanging)),
            (Os, absent(), quick, Some(Name::KeychainRequired)),
            (Os, Ok(true), quick, Some(Name::KeychainRequired)),
            (Memory, absent(), quick, None),
        ];

        for (choice, locked, took, wanted) in cases {
            let seen = Seen { choice, locked, took };
            assert_eq!(judge(&seen, Path::new("/c")).finding, wanted, "{choice:?} {:?}", seen.locked);
        }
    }
}
