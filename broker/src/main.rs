//! The program `aic-broker`.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: aic_broker::Wiping = aic_broker::Wiping;

fn main() -> ExitCode {
    aic_broker::main()
}
