//! Every tool against the sandbox tenant, through the two real programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod failures;
mod flows;
mod hostile;
mod listing;
mod races;
mod recordings;
mod samples;

use std::path::PathBuf;

use aic_tests::harness::{Builder, Programs, World};

fn programs() -> Programs {
    Programs {
        broker: PathBuf::from(env!("CARGO_BIN_EXE_broker-under-test")),
        shim: PathBuf::from(env!("CARGO_BIN_EXE_shim-under-test")),
        browser: PathBuf::from(env!("CARGO_BIN_EXE_fake-browser")),
    }
}

/// A world in which everybody signs in at once.
fn world() -> World {
    Builder::new(programs()).build()
}
