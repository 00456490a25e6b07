//! The promises of the two programs, each shown with the real programs, real sockets and the sandbox tenant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::PathBuf;

use aic_tests::harness::{Builder, Editor, Programs, World};

mod audit;
mod bad_input;
mod calls;
mod commands;
mod crash;
mod device;
mod dialogs;
mod doctor;
mod editors;
mod existing_server;
mod exit_codes;
mod failures;
mod full_disk;
mod hardened;
mod layers;
mod life;
mod memory;
mod packages;
mod pages;
mod port;
mod repeats;
mod rotation;
mod secrets;
mod service;
mod sharing;
mod sign_in;
mod strangers;
mod tenants;
mod terminal;
mod threats;
mod tls;
mod tools;
mod two_users;
mod uninstall;
mod unreachable;
mod upgrade;
mod wall;
mod windows;

fn builder() -> Builder {
    let of = PathBuf::from;
    Builder::new(Programs {
        broker: of(env!("CARGO_BIN_EXE_broker-under-test")),
        shim: of(env!("CARGO_BIN_EXE_shim-under-test")),
        browser: of(env!("CARGO_BIN_EXE_fake-browser")),
    })
}

fn world() -> World {
    builder().build()
}

/// A world with one editor; nobody has signed in yet.
fn stage() -> (World, Editor) {
    let world = world();
    let editor = world.editor("editor");
    (world, editor)
}
