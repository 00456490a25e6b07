//! The log of a fresh sandbox tenant: sign-ins and accesses of the last hours.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::tenant::times::rfc3339;

/// The sources of a tenant.
pub const SOURCES: [&str; 14] = [
    "am-access",
    "am-activity",
    "am-authentication",
    "am-config",
    "am-core",
    "am-everything",
    "idm-access",
    "idm-activity",
    "idm-authentication",
    "idm-config",
    "idm-core",
    "idm-everything",
    "idm-recon",
    "idm-sync",
];

/// The transaction that runs through all sources.
pub const TRANSACTION: &str = "5a6b7c8d-0000-4000-8000-000000000001";

/// How many entries there are; one every five minutes.
const ENTRIES: usize = 240;

/// Builds the log up to now.
pub fn entries(now: SystemTime) -> Vec<Value> {
    (0..ENTRIES).map(|number| entry(number, now)).collect()
}

fn entry(number: usize, now: SystemTime) -> Value {
    let age = Duration::from_secs(((ENTRIES - number) * 300) as u64);
    let at = rfc3339(now.checked_sub(age).unwrap_or(now));
    let (source, event) = match number % 4 {
        0 => ("am-access", "AM-ACCESS-OUTCOME"),
        1 => ("am-authentication", "AM-LOGIN-COMPLETED"),
        2 => ("idm-access", "access"),
        _ => ("idm-activity", "activity"),
    };
    let transaction = match number % 8 {
        0 => format!("{TRANSACTION}/0"),
        2 => format!("{TRANSACTION}-request-3"),
        _ => format!("5a6b7c8d-0000-4000-8000-9{number:011}/0"),
    };
    json!({
        "timestamp": at, "type": "application/json", "source": source,
        "payload": {
            "_id": format!("entry-{number}"), "timestamp": at, "eventName": event, "transactionId": transaction,
            "userId": format!("id=alpha.user{:02},ou=user,o=alpha", number % 12 + 1), "realm": "/alpha", "level": "INFO",
            "response": {"status": if number.is_multiple_of(10) { "FAILED" } else { "SUCCESSFUL" }},
        },
    })
}
