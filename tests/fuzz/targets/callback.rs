//! Fuzzes `callback`: the property is in `properties/callback.rs`.
#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::run("callback", data));
