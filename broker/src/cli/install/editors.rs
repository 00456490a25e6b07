//! Knows the editors: where each keeps its MCP servers, in which form, and what an entry looks like. Pure.

use std::path::PathBuf;

use serde_json::{Value, json};

/// The name of our entry in every editor.
pub(super) const NAME: &str = "aic";
/// How long an editor shall wait for a call: a little longer than `aic-mcp` takes at most (`--answer-within`, 55 s).
const CALL_SECONDS: u64 = 60;

/// What an editor's path starts from.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The home directory.
    pub(crate) home: PathBuf,
    /// `~/.config`, `~/Library/Application Support` or the roaming application data.
    pub(crate) config: PathBuf,
    /// `CLAUDE_CONFIG_DIR`, which Claude Code reads.
    pub(crate) claude: Option<PathBuf>,
    /// `CODEX_HOME`, which Codex reads.
    pub(crate) codex: Option<PathBuf>,
}

/// An operating system, as far as editors' places differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Linux,
    Mac,
    Windows,
}

impl System {
    /// The one that this program was built for.
    pub(super) const OWN: Self = match (cfg!(target_os = "macos"), cfg!(windows)) {
        (true, _) => Self::Mac,
        (_, true) => Self::Windows,
        _ => Self::Linux,
    };
}

/// How a configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, with comments and trailing commas where the editor allows them.
    Json,
    Toml,
}

/// An editor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Editor {
    /// Its name for `--client`.
    pub(crate) id: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    pub(super) form: Form,
    /// The member that holds all servers.
    pub(super) group: &'static str,
    entry: fn(&Server) -> Value,
    place: fn(&Home, System) -> PathBuf,
}

/// What is registered.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// The absolute path of `aic-mcp`.
    pub(super) command: String,
    /// The tenant's name or host.
    pub(super) tenant: String,
}

impl Server {
    fn environment(&self) -> Value {
        json!({"AIC_BASE_URL": self.tenant})
    }

    /// The entry in its plainest form.
    pub(super) fn plain(&self) -> Value {
        json!({"command": self.command, "env": self.environment()})
    }

    fn with(&self, more: &Value) -> Value {
        let mut entry = self.plain();
        if let (Some(entry), Some(more)) = (entry.as_object_mut(), more.as_object()) {
            entry.extend(more.clone());
        }
        entry
    }
}

impl Editor {
    /// Where its configuration is on this system.
    pub(super) fn place(&self, home: &Home) -> PathBuf {
        (self.place)(home, System::OWN)
    }

    /// The entry that registers a server.
    pub(super) fn entry(&self, server: &Server) -> Value {
        (self.entry)(server)
    }
}

/// opencode keeps Linux's way everywhere.
fn opencode(home: &Home, system: System) -> PathBuf {
    let config = match system {
        System::Linux => home.config.clone(),
        System::Mac | System::Windows => home.home.join(".config"),
    };
    config.join("opencode").join("opencode.json")
}

/// Zed keeps Linux's way on macOS.
fn zed(home: &Home, system: System) -> PathBuf {
    match system {
        System::Windows => home.config.join("Zed").join("settings.json"),
        System::Linux => home.config.join("zed").join("settings.json"),
        System::Mac => home.home.join(".config").join("zed").join("settings.json"),
    }
}

/// VS Code and its siblings differ in their places alone.
const fn vscode(id: &'static str, title: &'static str, place: fn(&Home, System) -> PathBuf) -> Editor {
    Editor {
        id,
        title,
        form: Form::Json,
        group: "servers",
        entry: |server| json!({"type": "stdio", "command": server.command, "env": server.environment()}),
        place,
    }
}

/// Every editor, by the names that its own documentation uses.
pub(crate) const EDITORS: [Editor; 11] = [
    Editor {
        id: "claude-code",
        title: "Claude Code",
        form: Form::Json,
        group: "mcpServers",
        entry: |server| json!({"type": "stdio", "command": server.command, "args": [], "env": server.environment()}),
        place: |home, _| home.claude.as_ref().unwrap_or(&home.home).join(".claude.json"),
    },
    Editor {
        id: "claude-desktop",
        title: "Claude Desktop",
        form: Form::Json,
        group: "mcpServers",
        entry: Server::plain,
        place: |home, _| home.config.join("Claude").join("claude_desktop_config.json"),
    },
    Editor {
        id: "cursor",
        title: "Cursor",
        form: Form::Json,
        group: "mcpServers",
        entry: Server::plain,
        place: |home, _| home.home.join(".cursor").join("mcp.json"),
    },
    vscode("vscode", "VS Code", |home, _| home.config.join("Code").join("User").join("mcp.json")),
    vscode("vscode-insiders", "VS Code Insiders", |home, _| {
        home.config.join("Code - Insiders").join("User").join("mcp.json")
    }),
    vscode("vscodium", "VSCodium", |home, _| home.config.join("VSCodium").join("User").join("mcp.json")),
    Editor {
        id: "codex",
        title: "Codex",
        form: Form::Toml,
        group: "mcp_servers",
        entry: |server| server.with(&json!({"tool_timeout_sec": CALL_SECONDS})),
        place: |home, _| home.codex.clone().unwrap_or_else(|| home.home.join(".codex")).join("config.toml"),
    },
    Editor {
        id: "gemini",
        title: "Gemini CLI",
        form: Form::Json,
        group: "mcpServers",
        entry: |server| server.with(&json!({"timeout": CALL_SECONDS * 1000})),
        place: |home, _| home.home.join(".gemini").join("settings.json"),
    },
    Editor {
        id: "zed",
        title: "Zed",
        form: Form::Json,
        group: "context_servers",
        entry: |server| json!({"command": server.command, "args": [], "env": server.environment(), "timeout": CALL_SECONDS}),
        place: zed,
    },
    Editor {
        id: "windsurf",
        title: "Windsurf",
        form: Form::Json,
        group: "mcpServers",
        entry: Server::plain,
        place: |home, _| home.home.join(".codeium").join("windsurf").join("mcp_config.json"),
    },
    Editor {
        id: "opencode",
        title: "opencode",
        form: Form::Json,
        group: "mcp",
        entry: |server| {
            json!({
                "type": "local", "command": [server.command], "environment": server.environment(),
                "enabled": true, "timeout": CALL_SECONDS * 1000
            })
        },
        place: opencode,
    },
];

/// Whether a command of an entry is a program of ours.
pub(super) fn is_ours(command: &str) -> bool {
    let name = command.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name) == "aic-mcp"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn each_system_has_its_own_places() {
        let home = Home { home: "/h".into(), config: "/c".into(), claude: None, codex: None };
        let cases = [
            ("claude-code", ["/h/.claude.json"; 3]),
            ("claude-desktop", ["/c/Claude/claude_desktop_config.json"; 3]),
            ("cursor", ["/h/.cursor/mcp.json"; 3]),
            ("vscode", ["/c/Code/User/mcp.json"; 3]),
            ("vscode-insiders", ["/c/Code - Insiders/User/mcp.json"; 3]),
            ("vscodium", ["/c/VSCodium/User/mcp.json"; 3]),
            ("codex", ["/h/.codex/config.toml"; 3]),
            ("gemini", ["/h/.gemini/settings.json"; 3]),
            ("zed", ["/c/zed/settings.json", "/h/.config/zed/settings.json", "/c/Zed/settings.json"]),
            ("windsurf", ["/h/.codeium/windsurf/mcp_config.json"; 3]),
            (
                "opencode",
                ["/c/opencode/opencode.json", "/h/.config/opencode/opencode.json", "/h/.config/opencode/opencode.json"],
            ),
        ];

        assert_eq!(cases.len(), EDITORS.len());
        for ((id, wanted), editor) in cases.iter().zip(&EDITORS) {
            assert_eq!(*id, editor.id);
            let found = [System::Linux, System::Mac, System::Windows].map(|system| (editor.place)(&home, system));
            assert_eq!(found, wanted.map(PathBuf::from), "{id}");
        }
    }

    #[test]
    fn two_editors_are_where_their_variables_say() {
        let (claude, codex) = (Some("/work".into()), Some("/x".into()));
        let home = Home { home: "/h".into(), config: "/c".into(), claude, codex };
        let place = |id| EDITORS.iter().find(|editor| editor.id == id).unwrap().place(&home);

        assert_eq!(place("claude-code"), PathBuf::from("/work/.claude.json"));
        assert_eq!(place("codex"), PathBuf::from("/x/config.toml"));
        assert_eq!(place("cursor"), PathBuf::from("/h/.cursor/mcp.json"));
    }

    #[test]
    fn every_entry_names_the_program_and_the_tenant() {
        let server = Server { command: "/usr/bin/aic-mcp".to_owned(), tenant: "acme-dev".to_owned() };

        for editor in &EDITORS {
            let text = editor.entry(&server).to_string();
            assert!(text.contains("/usr/bin/aic-mcp") && text.contains(r#""AIC_BASE_URL":"acme-dev""#), "{text}");
        }
    }

    #[test]
    fn the_entries_to_paste_are_those_that_are_written() {
        let server = Server { command: "aic-mcp".to_owned(), tenant: "openam-acme-dev.id.forgerock.io".to_owned() };
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let cases = [
            ("claude-desktop", json(include_str!("../../../../packaging/editors/mcp.json"))),
            ("vscode", json(include_str!("../../../../packaging/editors/vscode.json"))),
            ("zed", json(include_str!("../../../../packaging/editors/zed.json"))),
            ("gemini", json(include_str!("../../../../packaging/editors/gemini.json"))),
            ("opencode", json(include_str!("../../../../packaging/editors/opencode.json"))),
            ("codex", toml::from_str(include_str!("../../../../packaging/editors/codex.toml")).unwrap()),
        ];

        for (id, pasted) in cases {
            let editor = EDITORS.iter().find(|editor| editor.id == id).unwrap();
            assert_eq!(pasted[editor.group][NAME], editor.entry(&server), "{id}");
        }
    }

    #[test]
    fn our_program_is_known_by_its_name() {
        for ours in ["aic-mcp", "/usr/bin/aic-mcp", "C:\\x\\aic-mcp.exe"] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in ["npx", "/opt/aic-mcp-server", "aic-mcp/run", ""] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
