//! The macOS login keychain.

use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::{CredentialStore, Error};

/// The backend's name.
pub(super) const NAME: &str = "keychain";
/// The largest item: far above any token.
pub(super) const LARGEST_ITEM: usize = 512 * 1024;

/// Opens the login keychain.
pub(super) fn store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = Store::new()?;
    Ok(store)
}
