//! The per-user daemon that owns a human's sign-in to PingOne Advanced Identity Cloud, with its command line.

mod aic;
mod app;
mod aside;
mod audit;
mod cli;
mod client;
mod clock;
mod config;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod http;
mod keychain;
mod listen;
mod oauth;
mod os;
mod secret;
mod text;
mod tools;
mod vault;

use std::process::ExitCode;

pub use os::Wiping;

/// Runs the program.
pub fn main() -> ExitCode {
    cli::run(std::env::args_os())
}
