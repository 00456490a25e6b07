//! Starts the broker beside this program, with a clean environment, and watches how it leaves.
//!
//! An editor's project file can set any variable for this program, so only named ones are passed on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::arguments::Places;
use crate::find::Started;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as os;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as os;

/// How a broker leaves when another one owns the socket.
const ANOTHER_OWNS_THE_SOCKET: i32 = 75;
/// How a broker leaves that cannot read its configuration.
const BAD_CONFIGURATION: i32 = 2;
/// How much of the broker's words is kept: its reason is a line or two, and nothing may fill the memory.
const WORDS_KEPT: u64 = 4 * 1024;
/// Tells the broker that it must detach itself, and that the desktop's variables are not to be trusted.
const STARTED_BY_SHIM: (&str, &str) = ("AIC_BROKER_STARTED_BY_SHIM", "1");

/// How the broker left.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Departure {
    at: Instant,
    code: Option<i32>,
    words: String,
}

/// A broker that this process started. It goes on when this is dropped.
#[derive(Debug)]
pub(crate) struct Launched {
    departure: watch::Receiver<Option<Departure>>,
}

impl Launched {
    /// What became of it until now.
    pub(crate) fn state(&self) -> Started {
        match &*self.departure.borrow() {
            None => Started::Running,
            Some(departure) => judge(departure),
        }
    }

    /// Returns as soon as the broker has left.
    pub(crate) async fn left(&mut self) {
        if self.departure.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn judge(departure: &Departure) -> Started {
    match departure.code {
        Some(0 | ANOTHER_OWNS_THE_SOCKET) => Started::Yielded(departure.at.elapsed()),
        code => Started::Failed(reason(code, &departure.words)),
    }
}

fn reason(code: Option<i32>, words: &str) -> String {
    let words = words.trim();
    match (code, words.is_empty()) {
        (Some(BAD_CONFIGURATION), false) => format!("aic-broker cannot start with this configuration: {words}"),
        (_, false) => format!("aic-broker could not start: {words}"),
        (Some(code), true) => format!("aic-broker could not start (exit code {code})"),
        (None, true) => "aic-broker was ended while it started".to_owned(),
    }
}

/// Starts `aic-broker serve` from this program's own directory.
///
/// Errors: a text that names the file when it is not there or cannot be run.
pub(crate) fn start(places: &Places) -> Result<Launched, String> {
    let program = sibling()?;
    let mut command = Command::new(&program);
    command
        .arg("serve")
        .env_clear()
        .envs(environment(places, &|name| std::env::var_os(name)))
        .env(STARTED_BY_SHIM.0, STARTED_BY_SHIM.1);
    // pipes that are closed at once, and no null device: a container may have none
    command.current_dir(os::NEUTRAL_DIRECTORY).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    os::detach(&mut command);
    let mut child = command.spawn().map_err(|cause| format!("{} could not be started: {cause}", program.display()))?;
    drop((child.stdin.take(), child.stdout.take()));
    let (left, departure) = watch::channel(None);
    tokio::spawn(async move {
        let _ = left.send(Some(watch_over(child).await));
    });
    Ok(Launched { departure })
}

fn sibling() -> Result<PathBuf, String> {
    let own = std::env::current_exe().or_else(|cause| as_started().ok_or(cause));
    let own = own.map_err(|cause| format!("the place of aic-mcp is unknown: {cause}"))?;
    let program = own.parent().unwrap_or(Path::new("/")).join(os::PROGRAM);
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("{} does not exist: aic-broker must be installed beside aic-mcp", program.display())),
    }
}

/// The path that this program was started by, where it is a whole one: without `/proc` the OS does not tell.
fn as_started() -> Option<PathBuf> {
    std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute() && path.is_file())
}

fn environment(places: &Places, lookup: &dyn Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
    let of_places = [
        ("AIC_BROKER_RUNTIME_DIR", &places.runtime),
        ("AIC_BROKER_CONFIG", &places.configuration),
        ("AIC_BROKER_STATE_DIR", &places.state),
    ];
    let named = of_places.into_iter().filter_map(|(name, path)| Some((name, path.clone()?.into_os_string())));
    let passed = os::PASSED_ON.iter().filter_map(|name| Some((*name, lookup(name).filter(|value| !value.is_empty())?)));
    let looked_up = os::desktop(lookup, &|path: &Path| path.exists());
    named
        .chain(passed)
        .chain(looked_up)
        .chain(os::FIXED.iter().map(|(name, value)| (*name, OsString::from(value))))
        .collect()
}

async fn watch_over(mut child: Child) -> Departure {
    let words = match child.stderr.take() {
        Some(stderr) => words_of(stderr).await,
        None => String::new(),
    };
    let code = child.wait().await.ok().and_then(|status| status.code());
    Departure { at: Instant::now(), code, words }
}

/// Reads on to the end, so that the broker never waits for this reader, and keeps the beginning.
async fn words_of(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let _ = (&mut stderr).take(WORDS_KEPT).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    fn departure(code: Option<i32>, words: &str) -> Departure {
        Departure { at: Instant::now(), code, words: words.to_owned() }
    }

    #[test]
    fn a_broker_that_yields_is_no_failure() {
        for code in [0, 75] {
            assert!(matches!(judge(&departure(Some(code), "")), Started::Yielded(_)), "{code}");
        }
    }

    #[test]
    fn a_broker_that_fails_is_told_with_its_words() {
        let cases = [
            (Some(2), "config.toml:3: unknown key\n", "configuration: config.toml:3: unknown key"),
            (Some(1), "the disk is full", "could not start: the disk is full"),
            (Some(1), "", "exit code 1"),
            (None, "", "was ended"),
        ];

        for (code, words, wanted) in cases {
            match judge(&departure(code, words)) {
                Started::Failed(reason) => assert!(reason.contains(wanted), "{reason}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn only_named_variables_are_passed_on() {
        let places = Places { runtime: Some("/tmp/run".into()), ..Places::default() };
        let lookup = |name: &str| Some(OsString::from(format!("value of {name}")));
        let names: Vec<&str> = environment(&places, &lookup).into_iter().map(|(name, _)| name).collect();

        assert!(names.contains(&"AIC_BROKER_RUNTIME_DIR") && names.contains(&"DOCKER_CONTAINER"));
        for name in [
            "AIC_BROKER_CONFIG",
            "AIC_BROKER_STATE_DIR",
            "BROWSER",
            "LD_PRELOAD",
            "HTTPS_PROXY",
            "SSL_CERT_FILE",
            "XDG_CONFIG_HOME",
            "LANG",
        ] {
            assert!(!names.contains(&name), "{name}");
        }
        assert_eq!(names.iter().filter(|name| **name == "PATH").count(), 1);
    }

    #[tokio::test]
    async fn only_the_beginning_of_a_long_complaint_is_kept() {
        let long = "x".repeat(100_000);

        assert_eq!(words_of(long.as_bytes()).await.len(), 4096);
    }
}
