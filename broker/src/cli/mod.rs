//! The command line: `serve` is the daemon, everything else is a client of its socket.

mod audit;
mod link;
mod login;
mod session;
mod status;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{self, Starter};
use crate::config::{Config, Places};

/// The exit codes (the contract's section 7).
pub(crate) mod code {
    /// It failed.
    pub(crate) const FAILED: u8 = 1;
    /// The arguments or the configuration are wrong.
    pub(crate) const USAGE: u8 = 2;
    /// No broker runs.
    pub(crate) const NO_BROKER: u8 = 3;
    /// Somebody must sign in, or the sign-in was refused.
    pub(crate) const SIGN_IN: u8 = 4;
}

/// Owns your sign-in to PingOne Advanced Identity Cloud, so that every AI editor on this machine shares one session.
#[derive(Parser)]
#[command(name = "aic-broker", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 no broker, 4 sign-in needed or refused.";

#[derive(Subcommand)]
enum Command {
    /// Run the daemon (editors start it by themselves)
    Serve,
    /// Show sessions, clients and the keychain
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Sign in to a tenant
    Login {
        /// A tenant's name from config.toml, a host or a URL
        #[arg(long)]
        tenant: Option<String>,
        /// Enter a code on another device
        #[arg(long, conflicts_with_all = ["paste", "no_browser"])]
        device: bool,
        /// Paste the URL that the browser was sent to, for when the redirect port is taken
        #[arg(long, conflicts_with = "no_browser")]
        paste: bool,
        /// Show the URL and open no browser
        #[arg(long)]
        no_browser: bool,
    },
    /// Sign out and revoke the tokens
    Logout {
        /// A tenant's name from config.toml, a host or a URL
        #[arg(long, conflicts_with = "all")]
        tenant: Option<String>,
        /// All tenants
        #[arg(long)]
        all: bool,
    },
    /// Print a scoped, short-lived token of the session, for scripts
    Token {
        /// A tenant's name from config.toml, a host or a URL
        #[arg(long)]
        tenant: String,
        /// A scope; may be repeated
        #[arg(long = "scope", required = true, num_args = 1..)]
        scopes: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Print it even to a terminal
        #[arg(long)]
        show: bool,
    },
    /// Make every client's next call fail until `resume`
    Pause,
    /// Let calls through again
    Resume,
    /// Show or verify the audit log
    Audit {
        #[command(subcommand)]
        check: Option<AuditCommand>,
        /// Only what is younger, for example 1h
        #[arg(long)]
        since: Option<String>,
        /// The lines as they are
        #[arg(long)]
        json: bool,
    },
    /// Sign out everywhere and end the daemon
    Stop,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Find any changed, missing or reordered line
    Verify,
}

/// Runs a command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(code::USAGE));
        }
    };
    match prepare() {
        Ok((places, config)) => dispatch(parsed.command, &places, config),
        Err(reason) => stop(code::USAGE, &reason),
    }
}

/// A wrong configuration is told by every command.
fn prepare() -> Result<(Places, Config), String> {
    let places = Places::find(|name| std::env::var_os(name).map(PathBuf::from)).map_err(|error| error.to_string())?;
    let config = Config::load(&places.config).map_err(|error| error.to_string())?;
    Ok((places, config))
}

fn dispatch(command: Command, places: &Places, config: Config) -> ExitCode {
    match command {
        Command::Serve => app::serve(places, config, Starter::find(|name| std::env::var(name).ok())),
        Command::Status { json } => status::show(places, json),
        Command::Login { tenant, device, paste, no_browser } => {
            login::run(places, tenant, login::how(device, paste, no_browser))
        }
        Command::Logout { tenant, all } => session::logout(places, tenant, all),
        Command::Token { tenant, scopes, json, show } => session::token(places, tenant, scopes, json, show),
        Command::Pause => session::pause(places, true),
        Command::Resume => session::pause(places, false),
        Command::Audit { check: Some(AuditCommand::Verify), .. } => audit::verify(places),
        Command::Audit { check: None, since, json } => audit::show(places, since.as_deref(), json),
        Command::Stop => session::stop(places),
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
