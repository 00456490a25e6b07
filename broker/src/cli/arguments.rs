//! What can be said on the command line.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use super::{doctor, teach};

/// Owns your sign-in to PingOne Advanced Identity Cloud, so that every AI editor on this machine shares one session.
#[derive(Parser)]
#[command(name = "aic-broker", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Configured(Configured),
    /// Say what is wrong, and which command mends it
    Doctor(doctor::Options),
    /// Print what a shell needs to complete these commands
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all pages into a directory
    Man {
        /// Where to write one page a command, aic-mcp.1 among them
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

/// The commands that read config.toml first, and say what is wrong with it.
#[derive(Subcommand)]
pub(super) enum Configured {
    /// Run the daemon (editors start it by themselves)
    Serve,
    /// Show sessions, clients and the keychain
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Until the broker leaves: drawn anew on a terminal, a line a change elsewhere
        #[arg(long)]
        watch: bool,
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
    /// Register aic-mcp in the editors of this machine
    Install {
        /// An editor: claude-code, claude-desktop, cursor, vscode, vscode-insiders, vscodium, codex, gemini, zed, windsurf or opencode; may be repeated
        #[arg(long = "client", value_name = "NAME")]
        clients: Vec<String>,
        /// The tenant to administer: a name from config.toml, a host or a URL
        #[arg(long)]
        tenant: Option<String>,
        /// Also let the service manager start the broker: systemd's user units, a launchd agent, a Windows task
        #[arg(long)]
        service: bool,
        /// Show every file and what would change in it and every command, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Put the editors back as they were, remove the service, and end the daemon; its logs stay
    Uninstall {
        /// Show what would be put back, removed and ended, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Find any changed, missing or reordered line
    Verify,
}

/// The whole command line, with the examples and exit codes of each command.
pub(super) fn command() -> clap::Command {
    let plain = Arguments::command().after_help(teach::codes_line(&teach::ALL_CODES));
    teach::LESSONS
        .iter()
        .fold(plain, |command, lesson| command.mut_subcommand(lesson.command, |one| one.after_help(lesson.text())))
}
