//! What only the superuser can do to a machine's network; `tests/run` counts it as skipped for anybody else.

use std::process::Command;

use aic_tests::faults::programs;
use aic_tests::harness::Builder;
use serde_json::json;

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

/// In a network namespace of its own there is no name server, and nothing leaves it.
#[test]
fn a_tenant_whose_name_leads_nowhere_is_told_in_time() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = Builder::new(programs()).build();
    world.write_configuration(
        "keychain = \"memory\"\nbrowser = \"none\"\nnotifications = false\n\
         [tenants.t0]\nbase_url = \"https://tenant.invalid\"\nenvironment = \"sandbox\"\n",
    );
    let _broker = world.serve_behind(&["/usr/bin/unshare", "--net"]);

    let answer = world.editor("editor").call("getLogSources", json!({}));

    assert_eq!((answer.kind(), answer.executed()), ("login_failed", "no"), "{answer}");
    assert!(answer.text().contains("cannot connect to tenant.invalid") && answer.took.as_secs() < 9, "{answer}");
}
