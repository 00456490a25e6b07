//! The values that a configuration may hold, each checked when it is read.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::{Host, Url};

/// Where the primary token is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keychain {
    /// The OS's keychain, else memory, with a warning.
    #[default]
    Auto,
    /// The OS's keychain, or no sign-in.
    Os,
    /// Memory.
    Memory,
}

/// What the operator says a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A development tenant.
    Development,
    /// A sandbox tenant.
    Sandbox,
}

/// How people sign in to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginWay {
    /// The browser where there is one, else the device flow.
    #[default]
    Auto,
    /// The browser.
    Browser,
    /// The device flow.
    Device,
}

/// How a browser is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Browser {
    /// The desktop's own way.
    #[default]
    Auto,
    /// Never.
    None,
    /// A program, to which the URL is the last argument. No shell.
    Program(PathBuf, Vec<String>),
}

impl<'de> Deserialize<'de> for Browser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Line(Vec<String>),
        }
        let wanted = "expected \"auto\", \"none\" or [\"/program\", \"argument\"…] with an absolute path";
        match Written::deserialize(deserializer).map_err(|_| D::Error::custom(wanted))? {
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Word(word) if word == "none" => Ok(Self::None),
            Written::Line(line) => match line.split_first() {
                Some((program, rest)) if PathBuf::from(program).is_absolute() => {
                    Ok(Self::Program(program.into(), rest.to_vec()))
                }
                _ => Err(D::Error::custom(wanted)),
            },
            Written::Word(_) => Err(D::Error::custom(wanted)),
        }
    }
}

/// A length of time, written as `90s`, `5m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// The longest time that a setting may name: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Span {
    /// Reads a length of time.
    ///
    /// Errors: a text that says what would be right.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wanted = "expected a time such as \"90s\", \"5m\" or \"1h\", more than nothing and at most 24h";
        let signed: jiff::SignedDuration = text.parse().map_err(|_| wanted)?;
        let span = Duration::try_from(signed).map_err(|_| wanted)?;
        match span {
            Duration::ZERO => Err(wanted),
            span if span > LONGEST => Err(wanted),
            span => Ok(Self(span)),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A loopback `http` URI with a port.
///
/// Source: RFC 8252 section 7.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    /// The port to listen on.
    pub port: u16,
    /// The path that the browser asks for.
    pub path: String,
    /// The `Host` header that it sends.
    pub host: String,
}

impl RedirectUri {
    /// As it is registered and sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let (host, port) = (url.authority().to_owned(), url.port_or_known_default()?);
        let plain = url.scheme() == "http" && url.query().is_none() && url.fragment().is_none() && !host.contains('@');
        (loopback && plain).then(|| Self { text: text.to_owned(), port, path: url.path().to_owned(), host })
    }
}

/// The port of the redirect URI that AIC's own client has.
pub const REDIRECT_PORT: u16 = 3000;

impl Default for RedirectUri {
    fn default() -> Self {
        let text = "http://localhost:3000".to_owned();
        Self { text, port: REDIRECT_PORT, path: "/".to_owned(), host: "localhost:3000".to_owned() }
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("expected a loopback http URI such as \"http://localhost:3000\""))
    }
}

/// An endpoint's path on the tenant's own host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointPath(String);

impl EndpointPath {
    pub(super) fn fixed(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for EndpointPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
        let on_host = text.starts_with('/') && !text.starts_with("//") && !text.contains("..");
        match plain && on_host {
            true => Ok(Self(text)),
            false => Err(D::Error::custom("expected a path on the tenant's host such as \"/am/oauth2/authorize\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn read<T: DeserializeOwned>(written: Value) -> Option<T> {
        serde_json::from_value(written).ok()
    }

    #[test]
    fn a_time_is_more_than_nothing_and_at_most_a_day() {
        let cases = [
            ("1s", Some(1)),
            ("5m", Some(300)),
            ("24h", Some(86_400)),
            ("86401s", None),
            ("0s", None),
            ("-1s", None),
            ("soon", None),
        ];

        for (text, wanted) in cases {
            assert_eq!(read(json!(text)), wanted.map(|seconds| Span(Duration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn a_browser_is_a_word_or_a_program_with_its_whole_path() {
        let program = std::env::temp_dir().join("browser");
        let cases = [
            (json!("auto"), Some(Browser::Auto)),
            (json!("none"), Some(Browser::None)),
            (json!([program, "--new"]), Some(Browser::Program(program.clone(), vec!["--new".to_owned()]))),
            (json!("firefox"), None),
            (json!(["firefox"]), None),
            (json!([]), None),
            (json!(1), None),
        ];

        for (written, wanted) in cases {
            assert_eq!(read(written.clone()), wanted, "{written}");
        }
    }

    #[test]
    fn a_redirect_uri_is_on_a_loopback_and_nothing_more() {
        let cases = [
            ("http://localhost:3000", Some((3000, "/", "localhost:3000"))),
            ("http://127.0.0.1/back", Some((80, "/back", "127.0.0.1"))),
            ("http://[::1]:9/", Some((9, "/", "[::1]:9"))),
            ("https://localhost:3000", None),
            ("http://localhost:3000/?a", None),
            ("http://localhost:3000/#a", None),
            ("http://user@localhost:3000", None),
            ("http://:password@localhost:3000", None),
            ("http://example.com:3000", None),
            ("http://10.0.0.1:3000", None),
            ("http://[::2]:3000", None),
            ("localhost", None),
        ];

        for (text, wanted) in cases {
            let found: Option<RedirectUri> = read(json!(text));
            let parts = found.as_ref().map(|uri| (uri.port, uri.path.as_str(), uri.host.as_str()));
            assert_eq!(parts, wanted, "{text}");
            assert!(found.is_none_or(|uri| uri.as_str() == text), "{text}");
        }
        assert_eq!(read(json!("http://localhost:3000")), Some(RedirectUri::default()));
    }

    #[test]
    fn an_endpoint_is_a_plain_path() {
        for path in ["/am/oauth2/authorize", "/", "/A-b._~/0"] {
            let found: Option<EndpointPath> = read(json!(path));
            assert_eq!(found.as_ref().map(EndpointPath::as_str), Some(path));
            assert_eq!(found, Some(EndpointPath::fixed(path)));
        }
        for path in ["", "am", "//evil/x", "/am/../x", "/am?x", "/a b", "/\u{e4}", "/%2e"] {
            assert_eq!(read::<EndpointPath>(json!(path)), None, "{path}");
        }
    }
}
