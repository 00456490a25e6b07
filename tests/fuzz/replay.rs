//! Runs every fuzz target without a fuzzer: over its kept corpus, over mutations of it, and over nothing much.
//!
//! The same properties as in a long run (`tests/fuzz/run`), so a finding that is kept stays found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::{Path, PathBuf};

#[path = "properties/mod.rs"]
mod properties;

/// How many mutations of a corpus are tried.
const MUTATIONS: u64 = 4_000;
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("no corpus {}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect()
}

/// xorshift64*: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// A byte changed, a piece dropped, a piece of another put in.
fn mutate(data: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut mutated = data.to_vec();
    for _ in 0..=dice.below(4) {
        let (from, to) = (dice.below(mutated.len() + 1), dice.below(mutated.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match dice.below(4) {
            0 => mutated.iter_mut().skip(from).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            1 => mutated.iter_mut().skip(from).take(1).for_each(|byte| *byte = dice.below(256) as u8),
            2 => drop(mutated.drain(from..to)),
            _ => {
                let piece = other.get(dice.below(other.len())..).unwrap_or_default();
                let piece = piece.iter().copied().take(1 + dice.below(32));
                drop(mutated.splice(from..from, piece));
            }
        }
    }
    mutated
}

#[test]
fn what_must_hold_holds_for_the_kept_corpora() {
    for (target, _) in properties::TARGETS {
        let files = corpus(target);
        assert!(files.len() > 10, "the corpus of {target} has {} files", files.len());
        for (file, data) in files {
            let held = std::panic::catch_unwind(|| properties::run(target, &data));
            assert!(held.is_ok(), "{target} fails for {}", file.display());
        }
    }
}

#[test]
fn what_must_hold_holds_for_mutations_of_them() {
    for (target, _) in properties::TARGETS {
        let files = corpus(target);
        let mut dice = Dice(0x5eed);
        for _ in 0..MUTATIONS {
            let (one, other) = (dice.below(files.len()), dice.below(files.len()));
            let data = mutate(&files[one].1, &files[other].1, &mut dice);
            let held = std::panic::catch_unwind(|| properties::run(target, &data));
            assert!(held.is_ok(), "{target} fails for {data:?}");
        }
    }
}
