//! The macOS login keychain.

use std::process::Stdio;
use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::{CredentialStore, Error};

use super::Trouble;

/// The backend's name.
pub(super) const NAME: &str = "keychain";
/// The largest item: far above any token.
pub(super) const LARGEST_ITEM: usize = 512 * 1024;

/// Opens the login keychain.
pub(super) fn store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = Store::new()?;
    Ok(store)
}

/// Whether the login keychain is locked.
///
/// Source: security(1), `show-keychain-info`, which fails for a locked one and asks nobody.
pub(super) fn is_locked() -> Result<bool, Trouble> {
    let mut question = std::process::Command::new("/usr/bin/security");
    let asked = question.arg("show-keychain-info").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().map(|status| !status.success()).map_err(|error| Trouble::Absent(error.to_string()))
}
