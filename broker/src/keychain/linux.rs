//! The Secret Service (gnome-keyring, KWallet, KeePassXC).

use std::sync::Arc;

use keyring_core::{CredentialStore, Error};
use zbus_secret_service_keyring_store::Store;

/// The backend's name.
pub(super) const NAME: &str = "secret-service";
/// The largest item: far above any token.
pub(super) const LARGEST_ITEM: usize = 512 * 1024;

/// Connects to the service.
pub(super) fn store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = Store::new()?;
    Ok(store)
}
