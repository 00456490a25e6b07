//! The program `aic-broker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    aic_broker::main()
}
