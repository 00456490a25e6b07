//! Searches the memory of a living process for secrets. Follows proc(5); only root may, and a program that lets it be read.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// How much is read at once; the pieces overlap by what a needle may be long.
const PIECE: usize = 4 * 1024 * 1024;
const OVERLAP: usize = 32 * 1024;

/// The names of the needles in the memory that a process may write to, each with how it was written.
///
/// Errors: the memory cannot be read.
pub fn memory_with(pid: u32, needles: &[(String, String)]) -> io::Result<Vec<String>> {
    let forms: Vec<(String, Vec<u8>)> = needles
        .iter()
        .flat_map(|(name, needle)| written(needle).map(|(how, form)| (format!("{name}, {how}"), form)))
        .collect();
    let mut beginnings = HashMap::<[u8; 4], Vec<usize>>::new();
    for (number, (_, form)) in forms.iter().enumerate() {
        beginnings.entry(form.first_chunk().copied().unwrap()).or_default().push(number);
    }
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut found = vec![0_usize; forms.len()];
    for (from, to) in writable(pid)? {
        let mut at = from;
        while at < to {
            let piece = read(&memory, at, to.min(at + (PIECE + OVERLAP) as u64));
            let within = PIECE.min(piece.len());
            for (place, beginning) in piece.windows(4).enumerate().take(within) {
                for number in beginnings.get(beginning).into_iter().flatten() {
                    found[*number] += usize::from(piece[place..].starts_with(&forms[*number].1));
                }
            }
            at += PIECE as u64;
        }
    }
    let seen = forms.iter().zip(found).filter(|(_, count)| *count > 0);
    Ok(seen.map(|((name, _), count)| format!("{name}: {count}")).collect())
}

/// The ways in which a secret may lie in memory. Percent-encoding changes nothing in what a tenant here issues.
fn written(needle: &str) -> [(&'static str, Vec<u8>); 6] {
    let base64 = |skip: usize| STANDARD_NO_PAD.encode(&needle.as_bytes()[skip..]).into_bytes();
    // the last characters depend on what follows
    let whole = |mut text: Vec<u8>| {
        text.truncate(text.len() - 2);
        text
    };
    [
        ("as it is", needle.as_bytes().to_vec()),
        ("UTF-16", needle.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("hex", needle.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
        ("base64", whole(base64(0))),
        ("base64 from its second character", whole(base64(1))),
        ("base64 from its third character", whole(base64(2))),
    ]
}

fn read(memory: &File, from: u64, to: u64) -> Vec<u8> {
    let mut piece = vec![0; usize::try_from(to - from).unwrap()];
    let mut filled = 0;
    while filled < piece.len() {
        match memory.read_at(&mut piece[filled..], from + filled as u64) {
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    piece.truncate(filled);
    piece
}

fn writable(pid: u32) -> io::Result<Vec<(u64, u64)>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let address = |text: &str| u64::from_str_radix(text, 16).unwrap();
    let ranges = maps.lines().filter(|line| line.contains(" rw")).filter_map(|line| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        Some((address(from), address(to)))
    });
    Ok(ranges.collect())
}
