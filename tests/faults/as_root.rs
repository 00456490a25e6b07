//! What only the superuser can do to a machine's network; `tests/run` counts it as skipped for anybody else.

use std::process::Command;

#[test]
fn a_network_that_goes_and_comes_back_costs_the_calls_meanwhile_and_no_other() {
    if !rustix::process::geteuid().is_root() {
        return;
    }

    let done = Command::new("unshare").args(["--net", env!("CARGO_BIN_EXE_faults"), "network", "2"]).output().unwrap();

    assert!(
        done.status.success(),
        "{} {}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
