//! The command line: `serve` is the daemon, everything else is a client of its socket.

mod arguments;
mod look;
mod teach;

mod audit;
mod doctor;
mod install;
mod link;
mod login;
mod pages;
mod session;
mod status;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use arguments::{Arguments, AuditCommand, Command, Configured};
use clap::FromArgMatches;

use crate::app::{self, Starter};
use crate::config::{Config, Places};

/// The exit codes (the contract's section 7).
pub(crate) mod code {
    /// It is done.
    pub(crate) const DONE: u8 = 0;
    /// It failed.
    pub(crate) const FAILED: u8 = 1;
    /// The arguments or the configuration are wrong.
    pub(crate) const USAGE: u8 = 2;
    /// No broker runs.
    pub(crate) const NO_BROKER: u8 = 3;
    /// Somebody must sign in, or the sign-in was refused.
    pub(crate) const SIGN_IN: u8 = 4;
}

/// Runs a command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed =
        arguments::command().try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(code::USAGE));
        }
    };
    match parsed.command {
        Command::Configured(command) => match prepare() {
            Ok((places, config)) => dispatch(command, &places, config),
            Err(reason) => stop(code::USAGE, &reason),
        },
        Command::Doctor(options) => doctor::run(&options),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { to } => pages::man(to.as_deref()),
    }
}

/// A wrong configuration is told by every command.
fn prepare() -> Result<(Places, Config), String> {
    let places = Places::find(|name| std::env::var_os(name).map(PathBuf::from)).map_err(|error| error.to_string())?;
    let config = Config::load(&places.config).map_err(|error| error.to_string())?;
    Ok((places, config))
}

fn dispatch(command: Configured, places: &Places, config: Config) -> ExitCode {
    match command {
        Configured::Serve => app::serve(places, config, Starter::find(|name| std::env::var(name).ok())),
        Configured::Status { json, watch } => status::show(places, json, watch),
        Configured::Login { tenant, device, paste, no_browser } => {
            login::run(places, tenant, login::how(device, paste, no_browser))
        }
        Configured::Logout { tenant, all } => session::logout(places, tenant, all),
        Configured::Token { tenant, scopes, json, show } => session::token(places, tenant, scopes, json, show),
        Configured::Pause => session::pause(places, true),
        Configured::Resume => session::pause(places, false),
        Configured::Audit { check: Some(AuditCommand::Verify), .. } => audit::verify(places),
        Configured::Audit { check: None, since, json } => audit::show(places, since.as_deref(), json),
        Configured::Stop => session::stop(places),
        Configured::Install { clients, tenant, service, dry_run } => {
            install::install(places, &config, &install::Wanted { clients, tenant, service, dry_run })
        }
        Configured::Uninstall { dry_run } => install::uninstall(places, dry_run),
    }
}

/// Prints a line of a command's result.
#[expect(clippy::print_stdout, reason = "the result of a command")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Ends a command with a word on what went wrong.
#[expect(clippy::print_stderr, reason = "the error of a command")]
pub(crate) fn stop(code: u8, text: &str) -> ExitCode {
    eprintln!("aic-broker: {text}");
    ExitCode::from(code)
}
