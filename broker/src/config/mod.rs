//! Reads `config.toml`. Every key is optional; a wrong one is named with its file and line.

mod place;
mod tenant;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::text::one_line;

pub use place::{Places, PlacesError};
pub use tenant::{Origin, Tenant, TenantError, resolve};
pub use value::{Browser, Environment, Keychain, LoginWay, REDIRECT_PORT, Span};

/// How long a sign-in may take when the configuration does not say.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// How long sessions outlive the last client when the configuration does not say.
const SESSION_LINGER: Duration = Duration::from_secs(10 * 60);
/// The largest configuration that is read: a real one is a few kilobytes.
const SIZE_LIMIT: u64 = 1024 * 1024;
/// The most characters of a key or a reason that are told.
const SAID_LIMIT: usize = 500;

/// The configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the primary token is kept.
    pub keychain: Keychain,
    /// How a browser is opened.
    pub browser: Browser,
    login_timeout: Option<Span>,
    session_linger: Option<Span>,
    notifications: Option<bool>,
    /// A proxy for all requests.
    pub proxy: Option<String>,
    /// Certificates that are trusted besides the OS's.
    pub ca_file: Option<PathBuf>,
    /// The tenants by name.
    pub tenants: BTreeMap<String, TenantEntry>,
}

/// One `[tenants.NAME]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantEntry {
    /// The tenant's origin.
    pub base_url: Origin,
    /// The operator's word on what the tenant is.
    pub environment: Option<Environment>,
    /// The client that people sign in to.
    #[serde(default = "defaults::client_id")]
    pub client_id: String,
    /// The client that exchanges, where the primary token names none.
    #[serde(default = "defaults::exchange_client_id")]
    pub exchange_client_id: String,
    /// The loopback URI that the authorization server redirects to.
    #[serde(default)]
    pub redirect_uri: value::RedirectUri,
    /// How people sign in.
    #[serde(default)]
    pub login: LoginWay,
    /// RFC 6749 section 3.1.
    #[serde(default = "defaults::authorize_path")]
    pub authorize_path: value::EndpointPath,
    /// RFC 6749 section 3.2.
    #[serde(default = "defaults::token_path")]
    pub token_path: value::EndpointPath,
    /// RFC 8628 section 3.1.
    #[serde(default = "defaults::device_path")]
    pub device_path: value::EndpointPath,
    /// RFC 7009 section 2.
    #[serde(default = "defaults::revoke_path")]
    pub revoke_path: value::EndpointPath,
    /// Whether every client may only read.
    #[serde(default)]
    pub read_only: bool,
}

mod defaults {
    use super::value::EndpointPath;

    pub(super) fn client_id() -> String {
        "AICMCPClient".to_owned()
    }
    pub(super) fn exchange_client_id() -> String {
        "AICMCPExchangeClient".to_owned()
    }
    pub(super) fn authorize_path() -> EndpointPath {
        EndpointPath::fixed("/am/oauth2/authorize")
    }
    pub(super) fn token_path() -> EndpointPath {
        EndpointPath::fixed("/am/oauth2/access_token")
    }
    pub(super) fn device_path() -> EndpointPath {
        EndpointPath::fixed("/am/oauth2/device/code")
    }
    pub(super) fn revoke_path() -> EndpointPath {
        EndpointPath::fixed("/am/oauth2/token/revoke")
    }
}

impl TenantEntry {
    /// What holds for a tenant that the configuration does not name.
    pub fn unnamed(base_url: Origin) -> Self {
        Self {
            base_url,
            environment: None,
            client_id: defaults::client_id(),
            exchange_client_id: defaults::exchange_client_id(),
            redirect_uri: value::RedirectUri::default(),
            login: LoginWay::default(),
            authorize_path: defaults::authorize_path(),
            token_path: defaults::token_path(),
            device_path: defaults::device_path(),
            revoke_path: defaults::revoke_path(),
            read_only: false,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file is there and cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A key is unknown, or its value is wrong.
    #[error("{file}:{line}: {key}: {reason}")]
    Wrong {
        /// The file.
        file: String,
        /// The line, counted from one.
        line: usize,
        /// The key, as it stands in that line.
        key: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Config {
    /// Reads a configuration file; an absent one is an empty one.
    ///
    /// Errors: [`Error::Wrong`] names file, line and key.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let unreadable = |reason: String| Error::Unreadable { file: file.display().to_string(), reason };
        match std::fs::metadata(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error.to_string())),
            Ok(found) if found.len() > SIZE_LIMIT => return Err(unreadable("is larger than 1 MiB".to_owned())),
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
        Self::parse(&text, &file.display().to_string())
    }

    /// Reads a configuration's text; `file` is named in errors.
    ///
    /// Errors: as [`Config::load`].
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let config: Self = toml::from_str(text).map_err(|error| wrong(text, file, &error))?;
        Ok(config)
    }

    /// How long one sign-in may take.
    pub fn login_timeout(&self) -> Duration {
        self.login_timeout.map_or(LOGIN_TIMEOUT, |span| span.0)
    }

    /// How long sessions outlive the last client.
    pub fn session_linger(&self) -> Duration {
        self.session_linger.map_or(SESSION_LINGER, |span| span.0)
    }

    /// Whether the desktop is told of sign-ins.
    pub fn notifications(&self) -> bool {
        self.notifications.unwrap_or(true)
    }
}

fn wrong(text: &str, file: &str, error: &toml::de::Error) -> Error {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let key = content.split_once('=').map_or(content, |(key, _)| key).trim();
    let plain = |text: &str| one_line(text, SAID_LIMIT);
    Error::Wrong { file: file.to_owned(), line, key: plain(key), reason: plain(error.message()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_empty_configuration_has_the_defaults() {
        let config = Config::parse("", "config.toml").unwrap();

        assert_eq!(config, Config::default());
        assert_eq!(config.login_timeout(), Duration::from_secs(300));
        assert_eq!(config.session_linger(), Duration::from_secs(600));
        assert!(config.notifications());
    }

    #[test]
    fn a_wrong_key_is_named_with_file_and_line() {
        let cases = [
            ("surprise = 1\n", 1, "surprise"),
            ("\nkeychain = \"paper\"\n", 2, "keychain"),
            ("login_timeout = \"soon\"", 1, "login_timeout"),
            ("login_timeout = \"0s\"", 1, "login_timeout"),
            ("browser = [\"relative\"]", 1, "browser"),
            ("[tenants.x]\nclient_secret = \"s\"\nbase_url = \"https://x.id.forgerock.io\"", 2, "client_secret"),
            ("[tenants.x]\nbase_url = \"ftp://x\"", 2, "base_url"),
            ("[tenants.x]\nbase_url = \"https://x\"\nenvironment = \"production\"", 3, "environment"),
            ("[tenants.x]\nbase_url = \"https://x\"\nredirect_uri = \"http://10.0.0.1:3000\"", 3, "redirect_uri"),
            ("[tenants.x]\nbase_url = \"https://x\"\ntoken_path = \"//evil/x\"", 3, "token_path"),
            ("keychain = ", 1, "keychain"),
        ];

        for (text, line, key) in cases {
            match Config::parse(text, "config.toml") {
                Err(Error::Wrong { line: found, key: named, .. }) => {
                    assert_eq!((found, named.as_str()), (line, key), "{text}")
                }
                other => assert!(matches!(other, Err(Error::Wrong { .. })), "{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_told_of_a_wrong_key_steers_no_terminal() {
        for text in ["keychain = \"pa\tper\"", "keychain = \"\\u001b[2J\"", "\u{1b}[2J = 1", "\"\u{202e}key\" = 1"] {
            let told = Config::parse(text, "config.toml").unwrap_err().to_string();
            assert!(!told.chars().any(crate::text::steers), "{told:?}");
        }
    }

    #[test]
    fn every_key_of_the_contract_is_known() {
        let text = r#"
            keychain = "memory"
            browser = ["/usr/bin/true", "--new-window"]
            login_timeout = "3s"
            session_linger = "10m"
            notifications = false
            proxy = "http://127.0.0.1:8080"
            ca_file = "/etc/ca.pem"
            [tenants.acme-dev]
            base_url = "https://openam-acme-dev.id.forgerock.io"
            environment = "development"
            client_id = "AICMCPClient"
            exchange_client_id = "AICMCPExchangeClient"
            redirect_uri = "http://localhost:3000"
            login = "auto"
            authorize_path = "/am/oauth2/authorize"
            token_path = "/am/oauth2/access_token"
            device_path = "/am/oauth2/device/code"
            revoke_path = "/am/oauth2/token/revoke"
            read_only = false
        "#;

        let config = Config::parse(text, "config.toml").unwrap();

        assert_eq!(config.login_timeout(), Duration::from_secs(3));
        assert_eq!(config.tenants.len(), 1);
    }
}
