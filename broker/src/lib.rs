//! The per-user daemon that owns a human's sign-in to PingOne Advanced Identity Cloud, with its command line.

mod app;
mod listen;
mod client;
mod guard;
mod vault;
mod tools;
mod audit;
mod oauth;
mod keychain;
mod aic;
mod http;
mod secret;
mod clock;
mod os;
mod config;
mod cli;

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
