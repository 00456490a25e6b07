//! What each operating system does its own way: one contract, one file an OS.

use std::path::PathBuf;
use std::time::Duration;

use tokio::process::Command;
use url::Url;

mod memory;
mod notify;
#[cfg(unix)]
mod pages;
mod program;
mod service;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use unix as this;
#[cfg(windows)]
use windows as this;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "linux")]
use linux as desktop;
#[cfg(target_os = "macos")]
use macos as desktop;
#[cfg(windows)]
use windows as desktop;

pub use desktop::{executable_of, holder_of_lock, holder_of_port, program_of};
pub use memory::Wiping;
pub use notify::{Notice, Notifier};
#[cfg(unix)]
pub use pages::Pages;
pub use program::Program;
pub use service::Service;
pub use this::{
    ADDRESS_FAMILY_NOT_SUPPORTED, again_with_renamed, become_daemon, changed_at, gain_no_privileges,
    give_up_standard_error, harden, is_executable, is_named, is_writable_by_others, mode_of, private_directory,
    private_file, reserve, room_bytes,
};
#[cfg(windows)]
pub use windows::Pages;

/// How long a browser's launcher is watched for an early failure.
const LAUNCHER_WATCHED: Duration = Duration::from_millis(300);

/// What opens URLs.
#[derive(Debug, Clone)]
pub enum Launcher {
    /// The desktop's own way.
    OfDesktop,
    /// Nothing does.
    Nothing,
    /// A program, to which the URL is the last argument.
    Program(PathBuf, Vec<String>),
}

/// The person's desktop.
#[derive(Debug, Clone)]
pub struct Desktop {
    launcher: Launcher,
    is_sandboxed: bool,
}

impl Desktop {
    /// A desktop on which the browser is opened so.
    pub fn new(launcher: Launcher) -> Self {
        Self { launcher, is_sandboxed: false }
    }

    /// The same, for a process behind a sandbox that the browser must not inherit.
    pub fn outside_of(self, is_sandboxed: bool) -> Self {
        Self { is_sandboxed, ..self }
    }

    /// Whether a browser can be opened where the person sits; `variable` reads the environment.
    pub fn can_open(&self, variable: impl Fn(&str) -> Option<String>) -> bool {
        match self.launcher {
            Launcher::Program(..) => true,
            Launcher::Nothing => false,
            Launcher::OfDesktop => desktop::has_display(&variable) && desktop::opener().is_some(),
        }
    }

    fn command(&self) -> Option<(PathBuf, Vec<String>)> {
        match &self.launcher {
            Launcher::Program(program, arguments) => Some((program.clone(), arguments.clone())),
            Launcher::Nothing => None,
            Launcher::OfDesktop => desktop::opener(),
        }
    }

    /// The program and arguments that open a URL, where they are started.
    fn command_for(&self, url: &Url) -> Option<(PathBuf, Vec<String>)> {
        let (program, mut arguments) = self.command()?;
        arguments.push(url.to_string());
        Some(if self.is_sandboxed { desktop::outside(program, arguments) } else { (program, arguments) })
    }

    /// Opens a browser. The URL is one argument of a program; no shell sees it.
    ///
    /// Errors: there is no program for it, or it failed at once.
    pub async fn open(&self, url: &Url) -> Result<(), String> {
        let (program, arguments) = self.command_for(url).ok_or("no browser is configured")?;
        let mut command = Command::new(&program);
        command.args(arguments).stdin(null()).stdout(null()).stderr(null());
        desktop::dress(&mut command);
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        match tokio::time::timeout(LAUNCHER_WATCHED, child.wait()).await {
            Ok(Ok(status)) if !status.success() => Err(format!("{} ended with {status}", program.display())),
            Ok(_) => Ok(()),
            Err(_) => {
                tokio::spawn(async move { child.wait().await });
                Ok(())
            }
        }
    }
}

fn null() -> std::process::Stdio {
    std::process::Stdio::null()
}
