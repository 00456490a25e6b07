//! Fuzzes `lines`: the property is in `properties/lines.rs`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::run("lines", data));
