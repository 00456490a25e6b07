//! Seals a primary token for the keychain with a key that lives only in this process.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::clock;
use crate::os::Pages;
use crate::secret::Secret;

/// What every sealed record begins with: a mark and a version.
const MARK: &[u8; 5] = b"AICB1";
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// The key of this process, in memory of its own. With it gone, nobody can open what it sealed.
pub(super) struct SealingKey(Pages);

/// What a record belongs to; a record of another tenant, client, session or process does not open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Belongs<'a> {
    pub(super) origin: &'a str,
    pub(super) client_id: &'a str,
    pub(super) generation: u64,
}

impl SealingKey {
    /// A fresh key.
    ///
    /// Errors: the OS has no randomness.
    pub(super) fn new() -> Result<Self, String> {
        let key: Zeroizing<[u8; KEY_BYTES]> = clock::random().map(Zeroizing::new).map_err(|error| error.to_string())?;
        Ok(Self(Pages::copy_of(key.as_slice())))
    }

    /// Seals a token.
    ///
    /// Shape: `AICB1`, 24 bytes of nonce, the ciphertext with its tag.
    /// Errors: the OS has no randomness.
    pub(super) fn seal(&self, token: &Secret, belongs: Belongs<'_>) -> Result<Vec<u8>, String> {
        let nonce: [u8; NONCE_BYTES] = clock::random().map_err(|error| error.to_string())?;
        let bound = belongs.bound();
        let payload = Payload { msg: token.expose().as_bytes(), aad: &bound };
        let sealed = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).map_err(|error| error.to_string())?;
        Ok([MARK.as_slice(), &nonce, &sealed].concat())
    }

    /// Opens a record; `None` when it is not exactly what this process sealed for this session.
    pub(super) fn open(&self, record: &[u8], belongs: Belongs<'_>) -> Option<Secret> {
        let (nonce, sealed) = record.strip_prefix(MARK)?.split_at_checked(NONCE_BYTES)?;
        let bound = belongs.bound();
        let opened = self.cipher().decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &bound }).ok()?;
        Secret::from_bytes(opened)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(&self.0))
    }
}

impl Belongs<'_> {
    fn bound(&self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.origin, self.client_id, self.generation).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    const HERE: Belongs<'static> = Belongs { origin: "https://a", client_id: "c", generation: 1 };

    #[test]
    fn only_its_own_process_and_session_open_a_record() {
        let (key, other) = (SealingKey::new().unwrap(), SealingKey::new().unwrap());
        let record = key.seal(&Secret::copy_of("token-canary"), HERE).unwrap();
        let mut changed = record.clone();
        *changed.last_mut().unwrap() ^= 1;

        assert_eq!(key.open(&record, HERE).unwrap().expose(), "token-canary");
        assert!(!record.windows(6).any(|part| part == b"canary"));
        assert!(other.open(&record, HERE).is_none());
        assert!(key.open(&changed, HERE).is_none());
        assert!(key.open(&record[..20], HERE).is_none());
        assert!(key.open(b"", HERE).is_none());
        assert!(key.open(&record, Belongs { origin: "https://b", ..HERE }).is_none());
        assert!(key.open(&record, Belongs { generation: 2, ..HERE }).is_none());
    }
}
