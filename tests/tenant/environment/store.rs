//! ESVs and the state of the restart. Knows no HTTP.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::tenant::times::rfc3339;

/// ESVs and the restart.
#[derive(Debug, Default)]
pub struct Store {
    /// Variables by id.
    pub variables: BTreeMap<String, Value>,
    /// Secrets by id, without any value.
    pub secrets: BTreeMap<String, Value>,
    /// Versions of a secret, oldest first.
    pub versions: BTreeMap<String, Vec<Value>>,
    /// When a running restart ends.
    pub restart_ends: Option<SystemTime>,
}

impl Store {
    /// Makes the ESVs of a fresh sandbox tenant.
    pub fn seeded(now: SystemTime) -> Self {
        let mut store = Self::default();
        let rows = [
            ("esv-greeting", "string", "Welcome to the works", "What the portal says first"),
            ("esv-colours", "list", "red,green,blue", "Colours of the portal"),
            ("esv-limit", "int", "20", "Most orders a day"),
            ("esv-maintenance", "bool", "false", "Whether the portal is closed"),
            ("esv-plants", "array", "[\"north\",\"south\"]", "Names of the plants"),
        ];
        for (id, kind, value, description) in rows {
            store.variables.insert(
                id.to_owned(),
                variable(id, kind, &STANDARD.encode(value), description, true, "admin@example.com", now),
            );
        }
        for (id, description) in
            [("esv-mail-password", "Password of the mail server"), ("esv-signing-key", "Key of the portal")]
        {
            store.add_secret(id, description, "generic", true, "admin@example.com", now);
        }
        store.load_all();
        store
    }

    /// Adds a secret with its first version.
    pub fn add_secret(
        &mut self,
        id: &str,
        description: &str,
        encoding: &str,
        placeholders: bool,
        user: &str,
        now: SystemTime,
    ) -> Value {
        let loaded = !placeholders;
        let secret = json!({
            "_id": id, "activeVersion": "1", "description": description, "encoding": encoding,
            "lastChangeDate": rfc3339(now), "lastChangedBy": user, "loaded": loaded,
            "loadedVersion": if loaded { "1" } else { "" }, "useInPlaceholders": placeholders,
        });
        self.versions.insert(id.to_owned(), vec![version(1, now, loaded)]);
        self.secrets.insert(id.to_owned(), secret.clone());
        secret
    }

    /// Ends a restart whose time has come: everything is loaded then.
    pub fn settle(&mut self, now: SystemTime) {
        if self.restart_ends.is_some_and(|ends| now >= ends) {
            self.restart_ends = None;
            self.load_all();
        }
    }

    fn load_all(&mut self) {
        let versions = self.versions.values_mut().flatten();
        for value in self.variables.values_mut().chain(self.secrets.values_mut()).chain(versions) {
            if let Some(members) = value.as_object_mut() {
                members.insert("loaded".to_owned(), json!(true));
                if let Some(active) = members.get("activeVersion").cloned() {
                    members.insert("loadedVersion".to_owned(), active);
                }
            }
        }
    }
}

/// Builds a variable.
pub fn variable(
    id: &str,
    kind: &str,
    value: &str,
    description: &str,
    loaded: bool,
    user: &str,
    now: SystemTime,
) -> Value {
    json!({
        "_id": id, "description": description, "expressionType": kind, "lastChangeDate": rfc3339(now),
        "lastChangedBy": user, "loaded": loaded, "valueBase64": value,
    })
}

/// Builds a secret's version.
pub fn version(number: usize, now: SystemTime, loaded: bool) -> Value {
    json!({"createDate": rfc3339(now), "loaded": loaded, "status": "ENABLED", "version": number.to_string()})
}
