//! The program `fake-browser`: a launcher that returns at once, and behind it the window that it opened.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use aic_tests::harness::{Browser, Mode};

/// Arguments: the diary's directory and the URL; a third one tells the window from the launcher.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [program, directory, url, window @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let browser = Browser::new(Path::new(directory));
    if !window.is_empty() {
        browser.show(url);
        return ExitCode::SUCCESS;
    }
    match browser.launch(url) {
        Mode::Fail => return ExitCode::FAILURE,
        Mode::Ignore => {}
        Mode::Follow | Mode::Hold => open_window(program, directory, url),
    }
    ExitCode::SUCCESS
}

#[expect(clippy::zombie_processes, reason = "the launcher ends at once, as launchers do, and the window goes on")]
fn open_window(program: &str, directory: &str, url: &str) {
    let mut command = Command::new(program);
    command.args([directory, url, "window"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap();
}
