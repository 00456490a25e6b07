//! Reads the audit log as its users do.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct Line(pub Value);

impl Line {
    /// A member that is text; empty when it is not there.
    pub fn word(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }

    /// What happened.
    pub fn event(&self) -> &str {
        self.word("event")
    }

    /// Method, path and status of each request.
    pub fn requests(&self) -> Vec<(String, String, Option<u64>)> {
        let word = |request: &Value, member: &str| request[member].as_str().unwrap_or_default().to_owned();
        let requests = self.0["requests"].as_array().cloned().unwrap_or_default();
        requests.iter().map(|one| (word(one, "method"), word(one, "path"), one["status"].as_u64())).collect()
    }
}

/// All whole lines, the oldest first.
pub fn read(log: &Path) -> Vec<Line> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| Line(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))))
        .collect()
}
