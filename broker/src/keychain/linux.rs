//! The Secret Service (gnome-keyring, KWallet, KeePassXC).

use std::sync::Arc;

use keyring_core::{CredentialStore, Error};
use secret_service::EncryptionType;
use secret_service::blocking::SecretService;
use zbus_secret_service_keyring_store::Store;

use super::Trouble;

/// The backend's name.
pub(super) const NAME: &str = "secret-service";
/// The largest item: far above any token.
pub(super) const LARGEST_ITEM: usize = 512 * 1024;

/// Connects to the service.
pub(super) fn store() -> Result<Arc<CredentialStore>, Error> {
    let store: Arc<CredentialStore> = Store::new()?;
    Ok(store)
}

/// Whether the collection that items go to is locked.
pub(super) fn is_locked() -> Result<bool, Trouble> {
    let absent = |error: secret_service::Error| Trouble::Absent(error.to_string());
    let service = SecretService::connect(EncryptionType::Plain).map_err(absent)?;
    service.get_default_collection().map_err(absent)?.is_locked().map_err(|error| Trouble::Failed(error.to_string()))
}
