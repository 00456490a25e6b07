//! The shim stays small: it runs once for each editor's window, and holds nothing that speaks to a tenant.

use std::process::Command;

/// What the shim must not be linked with: HTTP, TLS, keychains, D-Bus, OAuth.
const FOREIGN: [&str; 12] = [
    "reqwest",
    "hyper",
    "rustls",
    "native-tls",
    "openssl",
    "ring",
    "aws-lc-rs",
    "zbus",
    "keyring",
    "keyring-core",
    "oauth2",
    "aic-broker",
];
/// How many packages the shim may stand on, itself included: the runtime, rmcp, serde and what they need.
const PACKAGES: usize = 90;
/// What the shim names itself; a new one is a decision of its own.
const DIRECT: [&str; 8] = ["aic-proto", "futures-util", "lexopt", "rmcp", "serde", "serde_json", "thiserror", "tokio"];

fn tree(arguments: &[&str]) -> Vec<String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--locked",
            "--manifest-path",
            manifest,
            "-p",
            "aic-shim",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    let mut names: Vec<String> = text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_shim_is_linked_with_nothing_that_speaks_to_a_tenant() {
    let packages = tree(&[]);

    let foreign: Vec<&String> = packages.iter().filter(|name| FOREIGN.contains(&name.as_str())).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(packages.len() <= PACKAGES, "{} packages: {packages:?}", packages.len());
}

#[test]
fn the_shim_names_a_short_list_of_packages() {
    let named = tree(&["--depth", "1"]);

    let surprising: Vec<&String> = named
        .iter()
        .filter(|name| !DIRECT.contains(&name.as_str()) && !["aic-shim", "tokio-util"].contains(&name.as_str()))
        .collect();
    assert!(surprising.is_empty(), "{surprising:?}");
}
