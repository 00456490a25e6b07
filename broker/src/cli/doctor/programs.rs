//! Judges the two programs: the running broker's version, and the aic-mcp beside this program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::finding::{Line, Name, quoted};
use super::reach::Broker;
use crate::clock::Moment;

const CHECK: &str = "programs";
/// How long `aic-mcp --version` may take: it takes milliseconds.
const VERSION_WITHIN: Duration = Duration::from_secs(3);

/// What was seen of the programs.
pub(super) struct Seen {
    /// This program's version.
    pub(super) own: &'static str,
    /// The running broker's version and process.
    pub(super) broker: Option<(String, u32)>,
    /// Whether its file was replaced since it started.
    pub(super) replaced: bool,
    /// Where the shim should be.
    pub(super) shim: PathBuf,
    /// What it said of its version.
    pub(super) shim_version: Shim,
}

/// What was seen of the shim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shim {
    /// It is not there.
    Missing,
    /// It does not run.
    Broken(String),
    /// Its version.
    Version(String),
}

/// Looks at them.
pub(super) async fn look(broker: Option<&Broker>) -> Seen {
    let own = std::env::current_exe().unwrap_or_default();
    let shim = own.with_file_name(if cfg!(windows) { "aic-mcp.exe" } else { "aic-mcp" });
    let shim_version = version_of(&shim).await;
    Seen {
        own: env!("CARGO_PKG_VERSION"),
        broker: broker.map(|broker| (broker.version.clone(), broker.pid)),
        replaced: broker.is_some_and(|broker| was_replaced(broker, &own)),
        shim,
        shim_version,
    }
}

async fn version_of(shim: &Path) -> Shim {
    if !shim.exists() {
        return Shim::Missing;
    }
    let mut question = tokio::process::Command::new(shim);
    question.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(VERSION_WITHIN, question.output()).await {
        Err(_) => Shim::Broken(format!("it did not tell its version within {} s", VERSION_WITHIN.as_secs())),
        Ok(Err(error)) => Shim::Broken(error.to_string()),
        Ok(Ok(done)) => match String::from_utf8_lossy(&done.stdout).trim().strip_prefix("aic-mcp ") {
            Some(version) if done.status.success() => Shim::Version(version.to_owned()),
            _ => Shim::Broken(format!("--version ended with {}", done.status)),
        },
    }
}

/// By what the OS says of the process; where it does not say, because the process is protected, by the file's last change.
fn was_replaced(broker: &Broker, own: &Path) -> bool {
    match crate::os::executable_of(broker.pid) {
        Some(program) => program.ends_with(" (deleted)"),
        None => {
            let started = broker.status.get("started_at").and_then(serde_json::Value::as_str).unwrap_or_default();
            matches!((Moment::read(started), crate::os::changed_at(own)), (Some(started), Some(changed)) if changed > started)
        }
    }
}

/// Judges them.
pub(super) fn judge(seen: &Seen) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some((version, pid)) = &seen.broker {
        lines.push(broker(seen, version, *pid));
    }
    lines.push(shim(seen));
    lines
}

fn broker(seen: &Seen, version: &str, pid: u32) -> Line {
    let stop = "aic-broker stop  # the next call starts the new one; you sign in again";
    match (version == seen.own, seen.replaced) {
        (false, _) => Line::found(
            CHECK,
            Name::BrokerOtherVersion,
            format!("the running broker (pid {pid}) is {version}, and this program is {}", seen.own),
            stop,
        ),
        (true, true) => Line::found(
            CHECK,
            Name::BrokerReplaced,
            format!("the file of the running broker (pid {pid}) was replaced since it started"),
            stop,
        ),
        (true, false) => Line::fine(CHECK, format!("broker {version}")),
    }
}

fn shim(seen: &Seen) -> Line {
    let shim = quoted(&seen.shim);
    let again = format!("{shim} --version; aic-broker --version  # install both programs of one release again");
    let copy = format!("cp \"$(command -v aic-mcp)\" {shim}  # or install both programs of one release again");
    match &seen.shim_version {
        Shim::Missing => Line::found(CHECK, Name::ShimMissing, format!("{} is not there", seen.shim.display()), copy),
        Shim::Broken(reason) => {
            Line::found(CHECK, Name::ShimBroken, format!("{}: {reason}", seen.shim.display()), again)
        }
        Shim::Version(version) if version != seen.own => Line::found(
            CHECK,
            Name::ShimOtherVersion,
            format!("{} is {version}, and this program is {}", seen.shim.display(), seen.own),
            again,
        ),
        Shim::Version(version) => Line::fine(CHECK, format!("aic-mcp {version}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_the_programs_has_its_finding() {
        let same = || Shim::Version("1".to_owned());
        let cases = [
            (None, false, same(), vec![None]),
            (Some("1"), false, same(), vec![None, None]),
            (Some("2"), true, same(), vec![Some(Name::BrokerOtherVersion), None]),
            (Some("1"), true, same(), vec![Some(Name::BrokerReplaced), None]),
            (None, false, Shim::Missing, vec![Some(Name::ShimMissing)]),
            (None, false, Shim::Broken("no".to_owned()), vec![Some(Name::ShimBroken)]),
            (None, false, Shim::Version("2".to_owned()), vec![Some(Name::ShimOtherVersion)]),
        ];

        for (broker, replaced, shim_version, wanted) in cases {
            let broker = broker.map(|version| (version.to_owned(), 7));
            let seen = Seen { own: "1", broker, replaced, shim: "/b/aic-mcp".into(), shim_version };
            let found: Vec<_> = judge(&seen).into_iter().map(|line| line.finding).collect();
            assert_eq!(found, wanted);
        }
    }
}
