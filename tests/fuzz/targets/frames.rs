//! Fuzzes `frames`: the property is in `properties/frames.rs`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::run("frames", data));
