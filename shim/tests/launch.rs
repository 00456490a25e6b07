//! Shows how the program starts the broker beside it: with which words and variables, and what it says when that fails.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"getLogSources"}}
"#;

/// A program that another thread has open for writing while this one forks cannot be run.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Installation(PathBuf);

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program in a directory of its own, beside a broker that is a script.
fn installed(name: &str, broker: &str) -> Installation {
    let place = std::env::temp_dir().join(format!("aic-shim-launch-{name}-{}", std::process::id()));
    fs::create_dir_all(&place).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_aic-mcp"), place.join("aic-mcp")).unwrap();
    lay(&place, broker);
    Installation(place)
}

/// Puts a script into a directory under the broker's name.
fn lay(place: &Path, broker: &str) {
    let script = place.join("aic-broker");
    fs::write(&script, format!("#!/bin/sh\ncd \"$(dirname \"$0\")\"\n{broker}\n")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Calls a tool and leaves as soon as the answer is there.
fn call(installation: &Installation) -> String {
    call_in(installation, &installation.0)
}

/// The same in a directory of an editor, which is first in its search path, too.
fn call_in(installation: &Installation, directory: &Path) -> String {
    let place = &installation.0;
    let mut child = Command::new(place.join("aic-mcp"))
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", directory.display()))
        .current_dir(directory)
        .env("AIC_BROKER_RUNTIME_DIR", place.join("run"))
        .envs([
            ("AIC_BASE_URL", "acme-dev"),
            ("HOME", "/nowhere"),
            ("BROWSER", "/bin/false"),
            ("LD_PRELOAD", ""),
            ("HTTPS_PROXY", "x"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(CALL.as_bytes()).unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let answer = lines.by_ref().map(Result::unwrap).find(|line| line.contains("\"id\":2")).unwrap();
    drop(input);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{status} {}", String::from_utf8_lossy(&stderr));
    answer
}

#[test]
fn the_words_of_a_broker_that_cannot_start_are_told() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let installation = installed("words", "echo 'config.toml:3: unknown key' >&2; exit 2");

    let answer = call(&installation);

    assert!(answer.contains("config.toml:3: unknown key") && answer.contains("configuration"), "{answer}");
    assert!(answer.contains("broker_unavailable") && answer.contains("aic-broker doctor"), "{answer}");
}

#[test]
fn the_broker_gets_one_word_and_a_clean_environment() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let installation = installed("environment", "echo \"$@\" > arguments; /usr/bin/env > environment; exit 1");

    call(&installation);

    let read = |name: &str| fs::read_to_string(installation.0.join(name)).unwrap();
    assert_eq!(read("arguments"), "serve\n");
    let environment = read("environment");
    let mut names: Vec<&str> =
        environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["AIC_BROKER_RUNTIME_DIR", "AIC_BROKER_STARTED_BY_SHIM", "HOME", "PATH"]);
    assert!(environment.contains("PATH=/usr/local/bin:/usr/bin:/bin\n"));
}

#[test]
fn a_broker_that_lies_in_the_editor_s_directory_or_search_path_is_not_started() {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let installation = installed("planted", "echo right > started; exit 1");
    let theirs = installation.0.join("theirs");
    fs::create_dir_all(&theirs).unwrap();
    lay(&theirs, "echo wrong > ../started; exit 1");

    call_in(&installation, &theirs);

    assert_eq!(fs::read_to_string(installation.0.join("started")).unwrap(), "right\n");
}
