//! The realms of a tenant that tools work in.

use serde::Deserialize;

/// A realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Realm {
    /// `alpha`.
    Alpha,
    /// `bravo`.
    Bravo,
}

impl Realm {
    /// Its name, which is one path segment.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Bravo => "bravo",
        }
    }
}
