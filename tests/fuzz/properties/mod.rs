//! What must hold for any bytes. Run by the fuzzer for long, and by `cargo test` over the kept corpora.

mod callback;
mod config;
mod errors;
mod frames;
mod lines;
mod memory;
mod oauth;

use std::cell::LazyCell;

use aic_broker::fuzzing::{Config, Tenant, resolve};

/// A target's name and its property.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 6] = [
    ("frames", frames::hold),
    ("callback", callback::hold),
    ("oauth", oauth::hold),
    ("errors", errors::hold),
    ("config", config::hold),
    ("lines", lines::hold),
];

/// Runs one target, within its memory.
pub fn run(name: &str, data: &[u8]) {
    let (_, hold) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target of this name");
    memory::bounded(|| hold(data));
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    static TENANT: LazyCell<Tenant> =
        LazyCell::new(|| resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).expect("a tenant"));
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

fn with_tenant<T>(work: impl FnOnce(&Tenant) -> T) -> T {
    TENANT.with(|tenant| work(tenant))
}

/// Whether a character moves a terminal's cursor, turns the direction of writing, or is not seen.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c as u32, 0x61c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xe0000..=0xe007f)
}

/// One line that steers nobody and is seen as a whole.
fn assert_plain(text: &str) {
    assert!(!text.chars().any(steers), "{text:?}");
}
