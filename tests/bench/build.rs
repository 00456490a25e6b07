//! What is shipped: the programs' sizes, and how many crates are in them.

use std::path::Path;
use std::process::Command;

use aic_tests::harness::Programs;

use super::report::Row;

/// All of it, of the programs as a release has them where `packaging/programs` has built them: the tests' own have
/// more features of the crates that they share.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let shipped = |tested: &Path, name: &str| {
        let alone = tested.with_file_name("../release-programs/release").join(name);
        let (program, note) =
            if alone.exists() { (alone.as_path(), "") } else { (tested, ", with the tests' features") };
        (std::fs::metadata(program).unwrap().len(), note)
    };
    let ((shim, of_shim), (broker, of_broker)) =
        (shipped(&programs.shim, "aic-mcp"), shipped(&programs.broker, "aic-broker"));
    vec![
        Row::new("the shim's size, stripped", "–", format!("{shim} bytes{of_shim}; {} crates", crates("aic-shim")))
            .target("≤ 2,500,000 bytes", shim as f64 / 2.5e6),
        Row::new(
            "the broker's size, stripped",
            "–",
            format!("{broker} bytes{of_broker}; {} crates", crates("aic-broker")),
        ),
    ]
}

/// How many crates a package is built of, itself included.
fn crates(package: &str) -> usize {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let listed = Command::new(cargo)
        .args(["tree", "--offline", "--locked", "--manifest-path", manifest, "-p", package])
        .args(["-e", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)")).collect::<std::collections::BTreeSet<_>>().len()
}
