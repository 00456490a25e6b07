//! What the doctor can find: the one list of findings, and one line of its answer.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It works, and something about it will be noticed.
    Warning,
    /// Something does not work.
    Error,
}

macro_rules! findings {
    ($($variant:ident $name:literal $level:ident $meaning:literal;)*) => {
        /// Everything that can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "what a finding is about comes first, and one is about a name")]
        pub(super) enum Name {
            $(#[doc = $meaning] $variant,)*
        }

        impl Name {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub(super) fn word(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How bad it is.
            pub(super) fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// What it means.
            pub(super) fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

findings! {
    CheckTooSlow "check-too-slow" Error "a check did not end in its time";
    PlacesUnknown "places-unknown" Error "the environment does not say where configuration and socket are";
    ConfigurationWrong "configuration-wrong" Error "a key or a value of config.toml is not understood";
    ConfigurationUnreadable "configuration-unreadable" Error "config.toml is there and cannot be read";
    ConfigurationWritable "configuration-writable" Warning "other users can change config.toml";
    CertificatesUnreadable "certificates-unreadable" Error "ca_file names no file of certificates";
    TenantsNone "tenants-none" Warning "config.toml names no tenant";
    TenantRefused "tenant-refused" Error "a tenant is not one that is administered";
    SocketPathLong "socket-path-long" Error "the socket's path is longer than the OS takes";
    SocketDirectoryOpen "socket-directory-open" Error "others may enter the socket's directory";
    SocketDirectoryForeign "socket-directory-foreign" Error "the socket's directory belongs to somebody else";
    SocketDirectoryNone "socket-directory-none" Error "something else has the name of the socket's directory";
    SocketParentWritable "socket-parent-writable" Error "others could replace a directory above the socket";
    SocketOpen "socket-open" Warning "the socket has another mode than 0600";
    SocketForeign "socket-foreign" Error "a process of another user is at the socket";
    SocketRefused "socket-refused" Error "the OS does not let this program connect to the socket";
    BrokerHanging "broker-hanging" Error "the broker does not answer";
    BrokerLocked "broker-locked" Error "a process holds the broker's lock and does not listen";
    BrokerTurnedAway "broker-turned-away" Error "the broker does not speak with this program";
    BrokerOtherVersion "broker-other-version" Warning "the running broker is of another version than this program";
    BrokerReplaced "broker-replaced" Warning "the running broker's file was replaced since it started";
    ShimMissing "shim-missing" Error "aic-mcp is not beside aic-broker";
    ShimBroken "shim-broken" Error "aic-mcp does not run";
    ShimOtherVersion "shim-other-version" Warning "aic-mcp is of another version than aic-broker";
    ServiceProgramMissing "service-program-missing" Error "the service starts an aic-broker that is not there";
    ServiceProgramOther "service-program-other" Warning "the service starts another aic-broker than this one";
    ServiceNotEnabled "service-not-enabled" Warning "the service is installed and not enabled";
    ServiceInactive "service-inactive" Warning "the service manager does not listen in the broker's place";
    KeychainAbsent "keychain-absent" Warning "there is no keychain; sessions are kept in memory";
    KeychainRequired "keychain-required" Error "config.toml insists on a keychain, and none can be used";
    KeychainLocked "keychain-locked" Warning "the keychain is locked; sessions are kept in memory";
    KeychainSlow "keychain-slow" Warning "the keychain answers so slowly that sign-ins may not wait for it";
    KeychainHanging "keychain-hanging" Warning "the keychain does not answer; sessions are kept in memory";
    PortTaken "port-taken" Error "another program holds the port that the browser is sent back to";
    PortRefused "port-refused" Error "the OS does not give the port that the browser is sent back to";
    BrowserMissing "browser-missing" Error "the program that is to open URLs cannot be run";
    BrowserNone "browser-none" Warning "no browser can be opened from here";
    ProxyOnlyInShell "proxy-only-in-shell" Warning "the shell has a proxy that a broker started by an editor does not get";
    CertificatesOnlyInShell "certificates-only-in-shell" Warning "the shell has certificates that a broker started by an editor does not get";
    ProxyFailed "proxy-failed" Error "the proxy cannot be used";
    NameUnknown "name-unknown" Error "the tenant's host has no address";
    Unreachable "unreachable" Error "nobody accepts connections at the tenant's address";
    Silent "silent" Error "the tenant accepts connections and does not answer";
    TlsUnknownAuthority "tls-unknown-authority" Error "the tenant's certificate comes from an unknown authority";
    TlsWrongHost "tls-wrong-host" Error "the tenant's certificate is of another host";
    TlsExpired "tls-expired" Error "the tenant's certificate has ended, or the clock is ahead";
    TlsNotYetValid "tls-not-yet-valid" Error "the tenant's certificate has not begun: the clock is behind";
    TlsFailed "tls-failed" Error "what answers does not speak TLS as it should";
    ClockWrong "clock-wrong" Error "the clock differs from the tenant's by more than a minute";
    EditorsUnregistered "editors-unregistered" Warning "no editor on this machine starts aic-mcp";
    EditorProgramMissing "editor-program-missing" Error "an editor's configuration names an aic-mcp that is not there";
    EditorExistingServer "editor-existing-server" Warning "an editor starts the existing server, which signs in for itself";
    EditorUnreadable "editor-unreadable" Error "an editor's configuration cannot be read";
    StateUnwritable "state-unwritable" Error "the audit log cannot be written, so writes are refused";
    DiskFull "disk-full" Error "the disk of the audit log is full, so writes are refused";
    AuditBroken "audit-broken" Error "a line of the audit log was changed or removed";
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The check.
    pub(super) check: &'static str,
    /// What was found; `None` is nothing wrong.
    pub(super) finding: Option<Name>,
    /// What was seen.
    pub(super) text: String,
    /// The command that mends it.
    pub(super) fix: Option<String>,
}

impl Line {
    /// Nothing is wrong.
    pub(super) fn fine(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, finding: None, text: text.into(), fix: None }
    }

    /// Something is.
    pub(super) fn found(check: &'static str, name: Name, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, finding: Some(name), text: text.into(), fix: Some(fix.into()) }
    }

    /// How bad it is.
    pub(super) fn level(&self) -> Option<Level> {
        self.finding.map(Name::level)
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &std::path::Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    match text.chars().all(plain) && !text.is_empty() {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_take_it_apart() {
        let cases = [("/a/b.toml", "/a/b.toml"), ("/a b", "'/a b'"), ("/it's", r"'/it'\''s'"), ("/$x", "'/$x'")];

        for (path, wanted) in cases {
            assert_eq!(quoted(std::path::Path::new(path)), wanted);
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut words: Vec<&str> = Name::ALL.iter().map(|name| name.word()).collect();
        words.sort_unstable();
        words.dedup();

        assert_eq!(words.len(), Name::ALL.len());
    }
}
