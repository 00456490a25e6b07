//! The fault engine: breaks what can break between editors, broker and tenant, and compares what everybody says of it.
//!
//! The tenant's ledger is the oracle. Whatever is drawn by chance comes from a seed, so that a run can be had again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod answers;
pub mod bodies;
pub mod caller;
pub mod cases;
pub mod flood;
pub mod frames;
mod joint;
pub mod kills;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod proxy;
pub mod races;
pub mod relay;
pub mod report;
pub mod sleeps;
pub mod soak;
pub mod stage;
pub mod storm;
mod terminator;
pub mod tls;
pub mod writes;

use std::path::PathBuf;

use crate::harness::Programs;

/// The programs under test: those of `AIC_BIN_DIR`, else where cargo has put them, beside this one.
///
/// Errors: panics when this program's own place is unknown.
pub fn programs() -> Programs {
    let browser = beside("fake-browser");
    match std::env::var_os("AIC_BIN_DIR").map(PathBuf::from) {
        Some(given) => Programs { broker: given.join("aic-broker"), shim: given.join("aic-mcp"), browser },
        None => Programs { broker: beside("broker-under-test"), shim: beside("shim-under-test"), browser },
    }
}

/// A program that cargo has put beside this one.
pub(crate) fn beside(program: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the place of this program");
    let own = own.parent().expect("a directory");
    let directory = if own.ends_with("deps") { own.parent().expect("a directory") } else { own };
    directory.join(program)
}
