//! The examples and exit codes of each command, for `--help` and the manual pages alike.

use super::code;

/// What one command's help ends with.
pub(super) struct Lesson {
    /// The command.
    pub(super) command: &'static str,
    /// What to type, with what comes of it.
    pub(super) examples: [(&'static str, &'static str); 2],
    /// The exit codes that it may leave with.
    pub(super) codes: &'static [u8],
}

/// Every exit code.
pub(super) const ALL_CODES: [u8; 5] = [code::DONE, code::FAILED, code::USAGE, code::NO_BROKER, code::SIGN_IN];

/// Of a command that asks a running broker.
const ASKS: &[u8] = &[code::DONE, code::FAILED, code::USAGE, code::NO_BROKER];
/// Of a command that needs no broker.
const ALONE: &[u8] = &[code::DONE, code::FAILED, code::USAGE];

/// One lesson a command.
pub(super) const LESSONS: [Lesson; 14] = [
    Lesson {
        command: "serve",
        examples: [
            ("aic-broker serve", "runs in this terminal until Ctrl-C"),
            ("HTTPS_PROXY=http://proxy:8080 aic-broker serve", "goes through a proxy, without a line in config.toml"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "status",
        examples: [
            ("aic-broker status", "who is signed in where, until when, and which editors are connected"),
            ("aic-broker status --json | jq '.sessions[].state'", "the same for a script"),
        ],
        codes: ASKS,
    },
    Lesson {
        command: "login",
        examples: [
            ("aic-broker login", "opens the browser for the only tenant of config.toml"),
            ("aic-broker login --tenant acme-dev --device", "shows a code to enter on another device"),
        ],
        codes: &[code::DONE, code::FAILED, code::USAGE, code::SIGN_IN],
    },
    Lesson {
        command: "logout",
        examples: [
            ("aic-broker logout --tenant acme-dev", "ends one session and revokes its tokens"),
            ("aic-broker logout --all", "ends them all; the daemon goes on"),
        ],
        codes: ASKS,
    },
    Lesson {
        command: "token",
        examples: [
            (
                "curl -H \"Authorization: Bearer $(aic-broker token --tenant acme-dev --scope fr:idm:*)\" https://openam-acme-dev.id.forgerock.io/openidm/info/ping",
                "lends a script this session for a few minutes",
            ),
            ("aic-broker token --tenant acme-dev --scope fr:idm:* --json | jq .expires_in", "how long it lives"),
        ],
        codes: &ALL_CODES,
    },
    Lesson {
        command: "pause",
        examples: [
            ("aic-broker pause", "stops all agents: every call answers not_allowed"),
            ("aic-broker pause && aic-broker audit --since 10m", "stops them, then looks at what they did"),
        ],
        codes: ASKS,
    },
    Lesson {
        command: "resume",
        examples: [
            ("aic-broker resume", "lets calls through again"),
            ("aic-broker status && aic-broker resume", "looks who is connected first"),
        ],
        codes: ASKS,
    },
    Lesson {
        command: "audit",
        examples: [
            ("aic-broker audit --since 1h", "what was done in the last hour, by whom"),
            ("aic-broker audit verify", "whether any line was changed or removed"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "stop",
        examples: [
            ("aic-broker stop", "signs out everywhere and ends the daemon"),
            ("aic-broker stop; aic-broker login", "starts anew, with a fresh session"),
        ],
        codes: ASKS,
    },
    Lesson {
        command: "doctor",
        examples: [
            ("aic-broker doctor", "what is wrong here, each with the command that mends it"),
            ("aic-broker doctor --bundle report.json", "what a bug report needs, without names and secrets"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "completions",
        examples: [
            ("source <(aic-broker completions bash)", "for this bash; the same line in ~/.bashrc for each one"),
            ("aic-broker completions fish | source", "for this fish; the same line in config.fish for each one"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "man",
        examples: [
            ("aic-broker man | man -l -", "reads the page at once"),
            ("aic-broker man --to /usr/local/share/man/man1", "installs a page a command"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "install",
        examples: [
            (
                "aic-broker install --tenant openam-acme-dev.id.forgerock.io",
                "registers aic-mcp in every editor that is found",
            ),
            ("aic-broker install --service --dry-run", "shows every file and command; --service lets systemd start it"),
        ],
        codes: ALONE,
    },
    Lesson {
        command: "uninstall",
        examples: [
            ("aic-broker uninstall", "puts every editor's configuration back; nothing but the daemon's logs stays"),
            ("aic-broker uninstall --dry-run", "shows it first"),
        ],
        codes: ALONE,
    },
];

impl Lesson {
    /// The end of the command's help.
    pub(super) fn text(&self) -> String {
        let example = |(line, what): &(&str, &str)| format!("  {line}\n      {what}\n");
        let examples: String = self.examples.iter().map(example).collect();
        format!("Examples:\n{examples}\n{}", codes_line(self.codes))
    }
}

/// What an exit code means.
pub(super) fn meaning(code: u8) -> &'static str {
    match code {
        code::DONE => "done",
        code::USAGE => "usage or configuration",
        code::NO_BROKER => "no broker",
        code::SIGN_IN => "sign-in needed or refused",
        _ => "failed",
    }
}

/// The exit codes in one line.
pub(super) fn codes_line(codes: &[u8]) -> String {
    let each: Vec<String> = codes.iter().map(|code| format!("{code} {}", meaning(*code))).collect();
    format!("Exit codes: {}.", each.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::arguments;
    use super::*;

    /// The words of the `aic-broker` commands in an example.
    fn spoken(line: &str) -> Vec<Vec<&str>> {
        line.split(['|', ';', '&', '(', ')'])
            .filter_map(|part| part.find("aic-broker ").map(|at| &part[at..]))
            .map(|part| part.split(['>', '"']).next().unwrap_or_default().split_whitespace().collect())
            .collect()
    }

    #[test]
    fn every_command_teaches_with_examples_that_can_be_typed() {
        let commands = arguments::command();
        for command in commands.get_subcommands() {
            let lesson = LESSONS.iter().find(|lesson| lesson.command == command.get_name());
            let lesson = lesson.unwrap_or_else(|| panic!("{} has no lesson", command.get_name()));
            assert!(command.get_about().is_some() && command.get_after_help().is_some(), "{}", lesson.command);
            for (line, _) in lesson.examples {
                let spoken = spoken(line);
                assert!(spoken.iter().any(|words| words.get(1) == Some(&lesson.command)), "{line}");
                for words in spoken {
                    arguments::command().try_get_matches_from(words).unwrap();
                }
            }
        }
        assert_eq!(commands.get_subcommands().count(), LESSONS.len());
    }
}
