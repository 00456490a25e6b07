//! Holds what must never be readable: one type that hides itself, and the bearer that can only be put on a request.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use zeroize::{Zeroize, Zeroizing};

use crate::os::Pages;

/// A token, code or verifier: no `Debug`, `Display`, `Serialize` or `Clone`; wiped when dropped.
///
/// Its characters are read in `oauth`, `vault`, `keychain` and here, and nowhere else: a test reads the sources.
pub struct Secret(Pages);

impl Secret {
    /// Takes a copy of text into memory of its own, which never moves.
    pub fn copy_of(text: &str) -> Self {
        Self(Pages::copy_of(text.as_bytes()))
    }

    /// Takes over bytes and wipes what they came in.
    ///
    /// Errors: `None` when they are not text.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Option<Self> {
        let secret = std::str::from_utf8(&bytes).ok().map(Self::copy_of);
        bytes.zeroize();
        secret
    }

    /// The characters.
    pub(crate) fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A scoped token on its way to a request. It can be put on one and nothing else.
#[derive(Clone)]
pub struct Bearer {
    token: Arc<Secret>,
    /// Tells two tokens apart without showing them.
    pub serial: u64,
    /// The session that it came of.
    pub session: u64,
}

impl Bearer {
    /// Wraps a scoped token.
    pub fn new(token: Arc<Secret>, serial: u64, session: u64) -> Self {
        Self { token, serial, session }
    }

    /// Puts the token on a request, marked so that no log shows it.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        let mut line = Zeroizing::new(Vec::with_capacity(7 + self.token.0.len()));
        line.extend_from_slice(b"Bearer ");
        line.extend_from_slice(&self.token.0);
        if let Ok(mut value) = HeaderValue::from_bytes(&line) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }

    /// The token for the one answer that hands it out: `aic-broker token`.
    pub(crate) fn secret(&self) -> &Secret {
        &self.token
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bearer #{}", self.serial)
    }
}
