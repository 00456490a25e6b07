//! The Windows Credential Manager.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::api::{CredentialPersistence, CredentialStoreApi};
use keyring_core::{CredentialStore, Entry, Error};
use windows_native_keyring_store::Store;

/// The backend's name.
pub(super) const NAME: &str = "credential-manager";
/// The largest item.
///
/// Source: `CRED_MAX_CREDENTIAL_BLOB_SIZE` (5 * 512 bytes).
pub(super) const LARGEST_ITEM: usize = 2560;

/// Stands between account and service in an item's name: neither an origin nor a path has it.
const DIVIDER: &str = "|";

/// Opens the user's credentials.
pub(super) fn store() -> Result<Arc<CredentialStore>, Error> {
    let names = HashMap::from([("divider", DIVIDER), ("service_no_divider", "true")]);
    Ok(Arc::new(OfThisLogon(Store::new_with_configuration(&names)?)))
}

/// Items that go with the logon session and roam to no other machine, found by their service like on other systems.
struct OfThisLogon(Arc<Store>);

impl CredentialStoreApi for OfThisLogon {
    fn vendor(&self) -> String {
        self.0.vendor()
    }

    fn id(&self) -> String {
        self.0.id()
    }

    fn build(&self, service: &str, user: &str, _modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry, Error> {
        self.0.build(service, user, Some(&HashMap::from([("persistence", "Session")])))
    }

    fn search(&self, wanted: &HashMap<&str, &str>) -> Result<Vec<Entry>, Error> {
        let service = wanted.get("service").copied().unwrap_or_default();
        self.0.search(&HashMap::from([("pattern", of_service(service).as_str())]))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::UntilLogout
    }
}

/// The pattern of the names of one service's items.
fn of_service(service: &str) -> String {
    let spelled: String = service.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
    format!("^[^|]+[|]{spelled}$")
}

/// The credentials are open as long as the user is signed in.
///
/// Errors: they cannot be opened.
pub(super) fn is_locked() -> Result<bool, super::Trouble> {
    store().map(|_| false).map_err(|error| super::Trouble::Absent(super::cause(&error)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_service_finds_its_own_items_only() {
        let store = store().unwrap();
        let own = format!("aic-broker in C:\\check.{}", std::process::id());
        let others = format!("x.{own}");
        let items =
            [&own, &others].map(|service| store.build(service, "https://tenant.example.com:443", None).unwrap());
        for item in &items {
            item.set_secret(&[7; LARGEST_ITEM]).unwrap();
        }

        let found = store.search(&HashMap::from([("service", own.as_str())])).unwrap();

        assert_eq!(found.len(), 1);
        assert_eq!(items[0].get_attributes().unwrap()["persistence"], "Session");
        for item in &found {
            item.delete_credential().unwrap();
        }
        assert!(matches!(items[0].get_secret(), Err(Error::NoEntry)));
        items[1].delete_credential().unwrap();
    }

    #[test]
    fn no_character_of_a_service_is_a_pattern() {
        assert_eq!(of_service("a.b"), r"^[^|]+[|]\x{61}\x{2e}\x{62}$");
    }
}
