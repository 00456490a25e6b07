//! Knows an entry that starts the existing server, to which this program is a drop-in. Pure.

use std::fmt;

use serde_json::Value;

/// The existing server's package, folder and image.
const PACKAGE: &str = "aic-mcp-server";

/// An entry of the existing server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Older {
    /// The members that lead to it; the last is its name.
    pub(super) path: Vec<String>,
    /// What it starts.
    pub(super) command: String,
}

impl fmt::Display for Older {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\" ({})", self.path.last().map_or("", String::as_str), self.command)?;
        match self.path.as_slice() {
            [_, project, _, _] => write!(out, " of {project}"),
            _ => Ok(()),
        }
    }
}

impl Older {
    /// An entry with a name, for the tests of those who read one.
    #[cfg(test)]
    pub(crate) fn at(name: &str, command: &str) -> Self {
        Self { path: vec!["mcpServers".to_owned(), name.to_owned()], command: command.to_owned() }
    }

    /// The entry at a path, if it is one.
    pub(super) fn find(path: &[String], entry: &Value) -> Option<Self> {
        let words = words(entry);
        started_by(&words).filter(|started| is_package(started))?;
        Some(Self { path: path.to_vec(), command: words.join(" ") })
    }
}

/// What an entry starts, word by word.
pub(in super::super) fn words(entry: &Value) -> Vec<&str> {
    let of = |member: &str| match entry.get(member) {
        Some(Value::String(word)) => vec![word.as_str()],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    [of("command"), of("args")].concat()
}

/// The package, file or image that is started in the end: what starts it is looked through.
fn started_by<'a>(words: &[&'a str]) -> Option<&'a str> {
    let (first, rest) = words.split_first()?;
    let plain = |word: &&&str| !word.starts_with('-') && !["dlx", "exec", "x"].contains(*word);
    match program(first) {
        "cmd" => started_by(rest.split_first().map_or(&[], |(_, rest)| rest)),
        "npx" | "npm" | "pnpm" | "yarn" | "bunx" | "bun" | "node" => rest.iter().find(plain).copied(),
        "docker" | "podman" => rest.last().copied(),
        _ => Some(*first),
    }
}

/// A program's name without its folder and ending.
fn program(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name)
}

/// Whether a package, a file below the package's folder, or an image is meant; a version may follow.
fn is_package(word: &str) -> bool {
    let is_name = |part: &str| part.split(['@', ':', '.']).next() == Some(PACKAGE);
    word.split(['/', '\\']).any(is_name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_existing_server_is_known_by_what_is_started() {
        let cases = [
            (json!({"command": "npx", "args": ["-y", "@pingidentity/aic-mcp-server"]}), true),
            (json!({"command": "npx", "args": ["--yes", "aic-mcp-server@0.3.0"]}), true),
            (json!({"command": ["bunx", "@pingidentity/aic-mcp-server@latest"]}), true),
            (json!({"command": "cmd", "args": ["/c", "npx", "-y", "@pingidentity/aic-mcp-server"]}), true),
            (json!({"command": "pnpm", "args": ["dlx", "aic-mcp-server"]}), true),
            (json!({"command": "C:\\nodejs\\npx.cmd", "args": ["aic-mcp-server"]}), true),
            (json!({"command": "/usr/bin/node", "args": ["/src/aic-mcp-server/dist/index.js"]}), true),
            (
                json!({"command": "docker", "args": ["run", "-i", "-e", "AIC_BASE_URL", "ghcr.io/x/aic-mcp-server:1"]}),
                true,
            ),
            (json!({"command": "/usr/local/bin/aic-mcp-server"}), true),
            (json!({"command": "npx", "args": ["-y", "server-filesystem", "/src/aic-mcp-server"]}), false),
            (json!({"command": "npx", "args": ["-y", "aic-mcp-server-logs"]}), false),
            (json!({"command": "/usr/bin/aic-mcp", "args": ["--read-only"]}), false),
            (json!({"url": "https://mcp.example.com/aic-mcp-server"}), false),
            (json!({"command": "npx", "args": 1}), false),
            (json!("npx aic-mcp-server"), false),
        ];

        for (entry, wanted) in cases {
            assert_eq!(Older::find(&["s".to_owned(), "a".to_owned()], &entry).is_some(), wanted, "{entry}");
        }
    }

    #[test]
    fn a_person_reads_its_name_and_what_it_starts() {
        let path = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let entry = json!({"command": "npx", "args": ["aic-mcp-server"]});
        let said = |at: &[&str]| Older::find(&path(at), &entry).map(|older| older.to_string());

        assert_eq!(said(&["mcpServers", "ping"]).as_deref(), Some("\"ping\" (npx aic-mcp-server)"));
        assert_eq!(
            said(&["projects", "/src", "mcpServers", "ping"]).as_deref(),
            Some("\"ping\" (npx aic-mcp-server) of /src")
        );
    }
}
