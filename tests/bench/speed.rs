//! Measures every figure with its floor in one run: `cargo bench -p aic-tests`, or `-- GROUP…` for some of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]
#![allow(missing_docs)]

mod build;
mod calls;
mod client;
mod hop;
mod measure;
mod memory;
mod rates;
mod report;
mod sizes;
mod starts;
mod system;

use std::path::{Path, PathBuf};
use std::time::Instant;

use aic_tests::harness::Programs;
use report::Row;

type Group = (&'static str, fn(&Programs) -> Vec<Row>);

const GROUPS: [Group; 8] = [
    ("starts", starts::rows),
    ("calls", calls::rows),
    ("rates", rates::rows),
    ("memory", memory::rows),
    ("sizes", sizes::rows),
    ("hop", hop::rows),
    ("idle", memory::idle),
    ("build", build::rows),
];

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [word, place] = asked.as_slice()
        && word == "echo"
    {
        return hop::echo(Path::new(place));
    }
    let programs = Programs {
        broker: PathBuf::from(env!("CARGO_BIN_EXE_broker-under-test")),
        shim: PathBuf::from(env!("CARGO_BIN_EXE_shim-under-test")),
        browser: PathBuf::from(env!("CARGO_BIN_EXE_fake-browser")),
    };
    let mut rows = Vec::new();
    for (name, measure) in GROUPS.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|word| word == name)) {
        let began = Instant::now();
        let found = measure(&programs);
        println!("{name}, {:.0} s\n\n{}", began.elapsed().as_secs_f64(), report::table(&found));
        rows.extend(found);
    }
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/results");
    let name = if asked.is_empty() { "all".to_owned() } else { asked.join("-") };
    report::write(&results, &name, &system::machine(), &rows);
    println!("{}\nwritten to {}", system::machine(), results.display());
}
