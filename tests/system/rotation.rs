//! A log whose file is full goes on in the next one: nothing is missing between them, whoever reads meanwhile.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use aic_tests::harness::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{builder, calls};

/// How large a file of the log becomes, and how much of it is left free: some calls' lines.
const FILE: usize = 16 * 1024 * 1024;
const LEFT: usize = 8 * 1024;
/// How many editors call at once, and how often each.
const EDITORS: usize = 3;
const CALLS: usize = 20;

/// Lays down a log as an earlier broker left it; gives the number of its lines.
///
/// Shape: each line has the SHA-256 of the one before; `audit.head` has the newest number and hash.
fn lay_nearly_full(world: &World) -> u64 {
    let (mut text, mut prev, mut seq) = (String::new(), "0".repeat(64), 0_u64);
    while text.len() < FILE - LEFT {
        seq += 1;
        let filling = "x".repeat(4096.min(FILE - LEFT - text.len()));
        let line =
            json!({"time": "2026-01-01T00:00:00.000Z", "seq": seq, "prev": prev, "event": "call", "outcome": filling});
        let line = line.to_string();
        prev = Sha256::digest(&line).iter().fold(String::new(), |mut hash, byte| {
            let _ = write!(hash, "{byte:02x}");
            hash
        });
        text.push_str(&line);
        text.push('\n');
    }
    fs::write(world.place.audit(), text).unwrap();
    fs::write(world.place.state.join("audit.head"), format!("{seq:020} {prev}\n")).unwrap();
    seq
}

/// The files of the log, the oldest first.
fn files(world: &World) -> Vec<PathBuf> {
    let names = fs::read_dir(&world.place.state).unwrap().flatten().map(|entry| entry.path());
    let mut full: Vec<PathBuf> =
        names.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("audit-")).collect();
    full.sort();
    full.push(world.place.audit());
    full
}

#[test]
fn a_full_log_goes_on_in_the_next_file_under_calls_and_readers() {
    let world = builder().switches(|switches| switches.logs_per_minute = u32::MAX).build();
    let laid = lay_nearly_full(&world);
    world.run(&["audit", "verify"]).left_with(0);
    calls::read(&mut world.editor("first")).succeeded();

    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..EDITORS)
            .map(|number| {
                let mut editor = world.editor(&format!("editor {number}"));
                scope.spawn(move || (0..CALLS).for_each(|_| drop(calls::read(&mut editor).succeeded())))
            })
            .collect();
        while busy.iter().any(|editor| !editor.is_finished()) {
            world.run(&["audit", "verify"]).left_with(0);
        }
    });

    assert_eq!(files(&world).len(), 2, "{:?}", files(&world));
    let text: String = files(&world).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let lines: Vec<Value> = text.lines().skip(laid as usize).map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = lines.iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert_eq!(numbers, (laid + 1..=laid + lines.len() as u64).collect::<Vec<_>>());
    let done = lines.iter().filter(|line| line["tool"] == "getLogSources" && line["outcome"] == "success");
    assert_eq!(done.count(), EDITORS * CALLS + 1);
    world.run(&["audit", "verify"]).left_with(0);
}
