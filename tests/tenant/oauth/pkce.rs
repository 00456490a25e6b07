//! Checks a code verifier against its challenge. Follows RFC 7636 §4.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Length of a base64url SHA-256 digest.
const CHALLENGE_LENGTH: usize = 43;

/// Tells whether a text can be an S256 challenge.
///
/// Source: RFC 7636 §4.2.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_LENGTH && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// Tells whether a verifier is well formed and the challenge's own.
///
/// Source: RFC 7636 §4.1 (43 to 128 unreserved characters) and §4.6.
pub fn matches(verifier: &str, challenge: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn only_the_right_verifier_matches() {
        let cases = [
            (VERIFIER.to_owned(), true),
            (VERIFIER.replace('d', "e"), false),
            (VERIFIER.get(..42).unwrap_or_default().to_owned(), false),
            (format!("{VERIFIER} "), false),
            (CHALLENGE.to_owned(), false),
            (String::new(), false),
        ];
        for (verifier, expected) in cases {
            assert_eq!(matches(&verifier, CHALLENGE), expected, "{verifier}");
        }
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        assert!(is_challenge(CHALLENGE));
        assert!(!is_challenge(&CHALLENGE.replace('9', "=")));
        assert!(!is_challenge("short"));
    }
}
