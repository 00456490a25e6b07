//! Makes everything that must not be guessed: ids, codes, tokens. The only file that asks the OS for chance.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Letters of a device flow's user code: no vowels that make words, no look-alikes.
const USER_CODE_LETTERS: &[u8] = b"234567ACDEFGHJKLMNPQRSTWXYZabcdefhijkmnopqrstwxyz";

/// Returns `N` random bytes; zeros when the OS has none, which a test then sees as a repeated id.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    if getrandom::fill(&mut out).is_err() {
        out = [0; N];
    }
    out
}

/// Returns 128 random bits in base64url.
pub fn word() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<16>())
}

/// Returns `N` random bytes in hexadecimal.
pub fn hex<const N: usize>() -> String {
    bytes::<N>().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns a version 4 UUID.
///
/// Source: RFC 9562 §5.4.
pub fn uuid() -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes::<16>();
    let time = u32::from_be_bytes([a, b, c, d]);
    let mid = u16::from_be_bytes([e, f]);
    let version = (u16::from_be_bytes([g, h]) & 0x0fff) | 0x4000;
    let [i, j, node @ ..] = rest;
    let variant = (u16::from_be_bytes([i, j]) & 0x3fff) | 0x8000;
    let tail = node.iter().fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{time:08x}-{mid:04x}-{version:04x}-{variant:04x}-{tail:012x}")
}

/// Returns a user code of eight letters, as the provider's default setting makes them.
pub fn user_code() -> String {
    let pick = |byte: &u8| USER_CODE_LETTERS.get(usize::from(*byte) % USER_CODE_LETTERS.len()).copied();
    bytes::<8>().iter().filter_map(pick).map(char::from).collect()
}
