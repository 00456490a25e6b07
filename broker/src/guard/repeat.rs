//! Answers an identical repeat of a write whose outcome is unknown with what is known, instead of sending it again.
//!
//! A client that lost its broker or its own process may call again by itself; a write must not be done twice for that.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aic_proto::catalogue::{Tool, Toolset};
use aic_proto::refusal::{Executed, Failure, Kind};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock::{self, Moment};
use crate::os;

/// How long a repeat is held back, unless the client looks first.
const HELD_BACK: Duration = Duration::from_secs(600);
/// How many unknown writes are remembered; then the oldest is forgotten. Each is a few hundred bytes.
const REMEMBERED: usize = 1024;
/// How many clients are remembered as told; one that is not is told again.
const TOLD: usize = 32;

/// The key's name in the socket's directory.
pub const KEY: &str = "repeat.key";

/// Whether a repeat of a write of then is still held back.
pub fn is_held_back(at: Moment, now: Moment) -> bool {
    !at.plus(HELD_BACK).has_come(now)
}

/// Stands for a call's tool and arguments without holding any of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// For the audit log.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The unknown writes of the last minutes.
pub struct Repeats {
    key: [u8; 32],
    doubts: Mutex<VecDeque<Doubt>>,
}

/// One write that may have been made.
struct Doubt {
    tenant: String,
    toolset: Toolset,
    fingerprint: Fingerprint,
    known: Failure,
    at: Moment,
    told: Vec<(u64, Moment)>,
}

impl Repeats {
    /// Remembers nothing yet. The key makes fingerprints that nobody can guess arguments from.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, doubts: Mutex::default() }
    }

    /// With the key that a broker in this directory had before, so that its fingerprints in the audit log are known again.
    ///
    /// The key lies where the socket is and not where the log is: it ends with the machine's session, and a copy of the
    /// log alone does not let anybody try out arguments. Where no file can be, fingerprints end with the process.
    /// Errors: the OS has no randomness.
    pub fn in_directory(directory: &Path) -> Result<Self, String> {
        let fresh = || clock::random().map_err(|error| format!("the OS has no randomness: {error}"));
        kept_key(&directory.join(KEY)).or_else(|_| fresh()).map(Self::new)
    }

    /// The fingerprint of a call; the order of an object's members does not matter.
    pub fn fingerprint(&self, tenant: &str, tool: &Tool, arguments: &Value) -> Fingerprint {
        let mut hash = Sha256::new_with_prefix(self.key);
        for part in [tenant, tool.name] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        feed(&mut hash, arguments);
        let hash = hash.finalize();
        Fingerprint(hash.iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    /// What is known of an identical write that may have been made. The client counts as told.
    pub fn known(&self, fingerprint: &Fingerprint, tool: &Tool, client: u64, now: Moment) -> Option<Failure> {
        let mut doubts = self.doubts(now);
        let doubt = doubts.iter_mut().find(|doubt| doubt.fingerprint == *fingerprint)?;
        doubt.tell(client, now);
        let look = look_with(tool);
        let message = format!(
            "{} was called with the same arguments at {}, and whether the change was made is unknown ({}). It was not sent again",
            tool.name,
            doubt.at.rfc3339(),
            doubt.known.message,
        );
        let hint = format!(
            "see with {look} whether the change was made; if it was not, call {} again after that look, or after {}",
            tool.name,
            doubt.at.plus(HELD_BACK).rfc3339(),
        );
        Some(Failure { message, hint: Some(hint), ..doubt.known.clone() })
    }

    /// Remembers a write that may have been made; its client was told.
    pub fn remember(
        &self,
        fingerprint: &Fingerprint,
        tenant: &str,
        tool: &Tool,
        known: &Failure,
        client: u64,
        at: Moment,
    ) {
        self.add(Doubt {
            tenant: tenant.to_owned(),
            toolset: tool.toolset,
            fingerprint: fingerprint.clone(),
            known: known.clone(),
            at,
            told: vec![(client, at)],
        });
    }

    /// Remembers a write of an earlier broker that may have been made; nobody here was told.
    pub fn inherit(&self, fingerprint: &str, tenant: &str, tool: &Tool, transaction_id: &str, at: Moment) {
        let known = Failure {
            executed: Executed::Unknown,
            transaction_id: Some(transaction_id.to_owned()),
            ..Failure::new(Kind::BrokerUnavailable, "the broker ended before the tenant answered")
        };
        self.add(Doubt {
            tenant: tenant.to_owned(),
            toolset: tool.toolset,
            fingerprint: Fingerprint(fingerprint.to_owned()),
            known,
            at,
            told: Vec::new(),
        });
    }

    fn add(&self, doubt: Doubt) {
        let mut doubts = self.doubts(doubt.at);
        doubts.retain(|known| known.fingerprint != doubt.fingerprint);
        if doubts.len() >= REMEMBERED {
            doubts.pop_front();
        }
        doubts.push_back(doubt);
    }

    /// A client has read with a tool of this set: what it was told of before, it may repeat now.
    pub fn looked(&self, tenant: &str, toolset: Toolset, client: u64, began: Moment) {
        let mut doubts = self.doubts(began);
        doubts.retain(|doubt| doubt.tenant != tenant || doubt.toolset != toolset || !doubt.was_told(client, began));
    }

    fn doubts(&self, now: Moment) -> MutexGuard<'_, VecDeque<Doubt>> {
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        doubts.retain(|doubt| is_held_back(doubt.at, now));
        doubts
    }
}

impl Doubt {
    fn tell(&mut self, client: u64, now: Moment) {
        if self.told.len() < TOLD && !self.told.iter().any(|(told, _)| *told == client) {
            self.told.push((client, now));
        }
    }

    fn was_told(&self, client: u64, before: Moment) -> bool {
        self.told.iter().any(|(told, at)| *told == client && at.monotonic <= before.monotonic)
    }
}

fn kept_key(path: &Path) -> io::Result<[u8; 32]> {
    let options = &mut OpenOptions::new();
    let mut file = os::private_file(options.create(true).truncate(false).read(true).write(true), path)?;
    let mut key = [0; 32];
    if file.read_exact(&mut key).is_err() {
        key = clock::random().map_err(|error| io::Error::other(error.to_string()))?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&key)?;
    }
    Ok(key)
}

/// Feeds JSON into a hash, each value with its kind and length, members in the order of their names.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            hash.update(format!("{{{}", members.len()));
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            for name in names {
                hash.update(format!("\"{}:{name}", name.len()));
                feed(hash, members.get(name).unwrap_or(&Value::Null));
            }
        }
        Value::Array(items) => {
            hash.update(format!("[{}", items.len()));
            items.iter().for_each(|item| feed(hash, item));
        }
        other => {
            let text = other.to_string();
            hash.update(format!("{}:{text}", text.len()));
        }
    }
}

/// The tool that shows whether a write was made.
fn look_with(tool: &Tool) -> &'static str {
    match tool.name {
        "createManagedObject" => "queryManagedObjects",
        "deleteManagedObject" | "patchManagedObject" => "getManagedObject",
        "createManagedObjectDefinition"
        | "deleteManagedObjectDefinition"
        | "patchManagedObjectDefinition"
        | "patchManagedObjectRelationship" => "getManagedObjectSchema",
        "createTheme" | "deleteTheme" | "setDefaultTheme" | "updateTheme" => "getThemes",
        "deleteVariable" | "setVariable" => "getVariable",
        "enableAiAgent" | "installIdmFeature" => "listFeatures",
        "createScript" => "listScripts",
        "deleteScript" | "updateScript" => "getAMScript",
        "setDefaultJourney" => "listJourneys",
        "createOidcApp" | "deleteOidcApp" | "updateOidcApp" => "getOidcApp",
        _ => "getJourney",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aic_proto::catalogue;
    use serde_json::json;

    use super::*;

    const LOST: &str = "no answer from t";

    fn tool(name: &str) -> &'static Tool {
        catalogue::find(name).unwrap()
    }

    fn unknown() -> Failure {
        Failure {
            executed: Executed::Unknown,
            transaction_id: Some("t-1".to_owned()),
            ..Failure::new(Kind::Unreachable, LOST)
        }
    }

    /// A write of client 1 that may have been made.
    fn in_doubt(at: Moment) -> (Repeats, Fingerprint) {
        let repeats = Repeats::new([7; 32]);
        let fingerprint = repeats.fingerprint("t", tool("setVariable"), &json!({"a": 1, "b": 2}));
        repeats.remember(&fingerprint, "t", tool("setVariable"), &unknown(), 1, at);
        (repeats, fingerprint)
    }

    #[test]
    fn a_fingerprint_is_of_tenant_tool_and_arguments_and_of_this_key() {
        let repeats = Repeats::new([7; 32]);
        let of = |tenant, name, arguments| repeats.fingerprint(tenant, tool(name), &arguments);
        let this = of("t", "setVariable", json!({"a": 1, "b": ["x", {"c": null}]}));

        assert_eq!(this, of("t", "setVariable", json!({"b": ["x", {"c": null}], "a": 1})));
        for other in [
            of("u", "setVariable", json!({"a": 1, "b": ["x", {"c": null}]})),
            of("t", "deleteVariable", json!({"a": 1, "b": ["x", {"c": null}]})),
            of("t", "setVariable", json!({"a": "1", "b": ["x", {"c": null}]})),
            of("t", "setVariable", json!({"a": 1, "b": ["x"]})),
            of("t", "setVariable", json!({"a": 1, "b": [["x"], {"c": null}]})),
            Repeats::new([8; 32]).fingerprint("t", tool("setVariable"), &json!({"a": 1, "b": ["x", {"c": null}]})),
        ] {
            assert_ne!(this, other);
        }
    }

    #[test]
    fn a_repeat_is_told_what_is_known_for_ten_minutes() {
        let now = Moment::now();
        let (repeats, same) = in_doubt(now);
        let another = repeats.fingerprint("t", tool("setVariable"), &json!({"a": 1, "b": 3}));
        let known = |what: &Fingerprint, later| repeats.known(what, tool("setVariable"), 2, now.plus(later));

        let told = known(&same, Duration::from_secs(599)).unwrap();
        assert_eq!((told.kind, told.executed), (Kind::Unreachable, Executed::Unknown));
        assert_eq!(told.transaction_id.as_deref(), Some("t-1"));
        assert!(told.message.contains(LOST) && told.message.contains(&now.rfc3339()), "{told:?}");
        assert!(told.hint.unwrap().contains("getVariable"));
        assert!(known(&another, Duration::ZERO).is_none());
        assert!(known(&same, HELD_BACK).is_none());
    }

    #[test]
    fn who_was_told_and_looked_may_repeat() {
        let second = Duration::from_secs(1);
        let at = Moment::now();
        let (later, last) = (at.plus(second), at.plus(second * 2));
        let cases: [(&str, u64, Moment, bool); 4] =
            [("t", 1, later, true), ("u", 1, later, false), ("t", 2, later, false), ("t", 2, last, true)];

        for (tenant, client, began, released) in cases {
            let (repeats, same) = in_doubt(at);
            assert!(repeats.known(&same, tool("setVariable"), 2, at.plus(second + second / 2)).is_some());
            repeats.looked(tenant, Toolset::Am, client, began);
            repeats.looked(tenant, Toolset::Esv, client, began);
            assert_eq!(repeats.known(&same, tool("setVariable"), 3, last).is_none(), released, "{tenant} {client}");
        }
    }

    #[test]
    fn an_inherited_write_is_told_before_a_look_counts() {
        let (repeats, now) = (Repeats::new([7; 32]), Moment::now());
        let same = repeats.fingerprint("t", tool("setVariable"), &json!({}));
        repeats.inherit(same.as_str(), "t", tool("setVariable"), "t-9", now);

        repeats.looked("t", Toolset::Esv, 1, now);
        let told = repeats.known(&same, tool("setVariable"), 1, now).unwrap();
        assert_eq!((told.executed, told.transaction_id.as_deref()), (Executed::Unknown, Some("t-9")));
        repeats.looked("t", Toolset::Esv, 1, now);
        assert!(repeats.known(&same, tool("setVariable"), 1, now).is_none());
    }

    #[test]
    fn the_number_of_remembered_writes_is_bounded() {
        let (repeats, now) = (Repeats::new([7; 32]), Moment::now());
        let of = |number| repeats.fingerprint("t", tool("setVariable"), &json!({ "n": number }));
        for number in 0..=REMEMBERED {
            repeats.remember(&of(number), "t", tool("setVariable"), &unknown(), 1, now);
        }

        assert!(repeats.known(&of(0), tool("setVariable"), 1, now).is_none());
        assert!(repeats.known(&of(1), tool("setVariable"), 1, now).is_some());
        assert!(repeats.known(&of(REMEMBERED), tool("setVariable"), 1, now).is_some());
    }

    #[test]
    fn every_write_has_a_tool_of_its_set_to_look_with() {
        for write in catalogue::all().filter(|tool| !tool.hints.read_only && !tool.scopes.is_empty()) {
            let look = tool(look_with(write));
            assert!(look.hints.read_only && look.toolset == write.toolset, "{}", write.name);
        }
    }
}
