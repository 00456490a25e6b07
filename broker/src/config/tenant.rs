//! Finds out which tenant is meant: a name, a host or a URL becomes an origin with its settings.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::{Host, Url};

use super::{Config, TenantEntry};

/// A tenant's origin: scheme, host and port, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Url);

/// Why text is no origin of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Nothing is there.
    #[error("is empty")]
    Empty,
    /// It is not a URL and not a host.
    #[error("is neither a host nor a URL")]
    NotAUrl,
    /// It holds a user name or password.
    #[error("holds a user name or a password, which do not belong into a tenant's address")]
    UserInfo,
    /// Neither https nor loopback http.
    #[error("must be https (http only for a loopback host that the configuration names)")]
    Scheme,
}

impl Origin {
    /// Reads a bare host or a URL; path, query and fragment are ignored.
    ///
    /// Source: the contract's section 2.
    /// Errors: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(OriginError::Empty);
        }
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|_| OriginError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::UserInfo);
        }
        let origin = Url::parse(&url.origin().ascii_serialization()).map_err(|_| OriginError::Scheme)?;
        match (origin.scheme(), is_loopback(&origin)) {
            ("https", _) | ("http", true) => Ok(Self(origin)),
            _ => Err(OriginError::Scheme),
        }
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The host with its port where it is not the scheme's own.
    pub fn authority(&self) -> String {
        match self.0.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    /// Whether it is plain http.
    pub fn is_http(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The URL with a slash as its path.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL of a path on this origin.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A tenant with everything that is known of it before anybody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// What people call it: the configuration's name, else the host.
    pub name: String,
    /// Its settings.
    pub entry: TenantEntry,
    /// Whether the configuration names it.
    pub configured: bool,
}

impl Tenant {
    /// Its origin.
    pub fn origin(&self) -> &Origin {
        &self.entry.base_url
    }
}

/// Why no tenant is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// None is named and the configuration has not exactly one.
    #[error("no tenant is named, and the configuration has {0} tenants")]
    None(usize),
    /// What is named is neither a configured name nor an address.
    #[error("\"{text}\" {reason}")]
    Address {
        /// As given.
        text: String,
        /// What is wrong with it.
        reason: OriginError,
    },
    /// A loopback address that the configuration does not name.
    #[error("{0} is plain http, which is accepted only for a loopback host that the configuration names")]
    UnnamedLoopback(String),
}

/// Finds the tenant that is meant.
///
/// Errors: why none is.
pub fn resolve(named: Option<&str>, config: &Config) -> Result<Tenant, TenantError> {
    let Some(named) = named else { return only_one(config) };
    if let Some((name, entry)) = config.tenants.get_key_value(named.trim()) {
        return Ok(Tenant { name: name.clone(), entry: entry.clone(), configured: true });
    }
    let address = |reason| TenantError::Address { text: without_user_info(named), reason };
    let origin = Origin::parse(named).map_err(address)?;
    if let Some((name, entry)) = config.tenants.iter().find(|(_, entry)| entry.base_url == origin) {
        return Ok(Tenant { name: name.clone(), entry: entry.clone(), configured: true });
    }
    match origin.is_http() {
        true => Err(TenantError::UnnamedLoopback(origin.to_string())),
        false => Ok(Tenant { name: origin.authority(), entry: TenantEntry::unnamed(origin), configured: false }),
    }
}

/// A password that somebody wrote into an address must not be repeated.
fn without_user_info(named: &str) -> String {
    let rest = named.rsplit('@').next().unwrap_or_default();
    rest.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn only_one(config: &Config) -> Result<Tenant, TenantError> {
    let mut all = config.tenants.iter();
    match (all.next(), all.next()) {
        (Some((name, entry)), None) => Ok(Tenant { name: name.clone(), entry: entry.clone(), configured: true }),
        _ => Err(TenantError::None(config.tenants.len())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_becomes_an_origin() {
        let cases = [
            ("openam-acme-dev.id.forgerock.io", Ok("https://openam-acme-dev.id.forgerock.io")),
            ("HTTPS://OpenAM-Acme-Dev.id.forgerock.io:443/am?x#y", Ok("https://openam-acme-dev.id.forgerock.io")),
            ("https://x.example.com:8443/", Ok("https://x.example.com:8443")),
            ("http://127.0.0.1:9", Ok("http://127.0.0.1:9")),
            ("http://localhost:80", Ok("http://localhost")),
            ("http://openam-acme-dev.id.forgerock.io", Err(OriginError::Scheme)),
            ("https://user:pw@openam-acme-dev.id.forgerock.io", Err(OriginError::UserInfo)),
            ("ftp://openam-acme-dev.id.forgerock.io", Err(OriginError::Scheme)),
            ("   ", Err(OriginError::Empty)),
            ("https://", Err(OriginError::NotAUrl)),
            ("a b", Err(OriginError::NotAUrl)),
            ("https://user@x.example.com", Err(OriginError::UserInfo)),
            ("https://:pw@x.example.com", Err(OriginError::UserInfo)),
            ("http://10.0.0.1", Err(OriginError::Scheme)),
            ("http://[::2]", Err(OriginError::Scheme)),
            ("http://[::1]", Ok("http://[::1]")),
        ];

        for (text, wanted) in cases {
            let found = Origin::parse(text).map(|origin| origin.to_string());
            assert_eq!(found.as_deref().map_err(|error| *error), wanted, "{text:?}");
        }
    }

    #[test]
    fn an_origin_has_its_parts() {
        let cases = [
            ("x.example.com", "x.example.com", "x.example.com", false, "https://x.example.com/am/a"),
            (
                "https://x.example.com:8443",
                "x.example.com",
                "x.example.com:8443",
                false,
                "https://x.example.com:8443/am/a",
            ),
            ("http://[::1]:9", "[::1]", "[::1]:9", true, "http://[::1]:9/am/a"),
        ];

        for (text, host, authority, http, endpoint) in cases {
            let origin = Origin::parse(text).unwrap();
            assert_eq!((origin.host(), origin.authority().as_str()), (host, authority));
            assert_eq!((origin.is_http(), origin.at("/am/a").as_str()), (http, endpoint));
            assert_eq!(origin.url().path(), "/");
        }
    }

    #[test]
    fn an_address_is_told_without_its_password() {
        let told = |text: &str| resolve(Some(text), &Config::default()).unwrap_err().to_string();

        let secret = told("https://user:canary@x\u{1b}.example.com");
        assert!(secret.starts_with("\"x.example.com\" ") && !secret.contains("canary"), "{secret}");
        assert!(told("http://x.example.com").contains("must be https"));
        assert!(told(&"x y".repeat(200)).len() < 260);
    }

    #[test]
    fn the_tenant_that_is_meant_is_found() {
        let config = Config::parse(
            "[tenants.t]\nbase_url = \"http://127.0.0.1:9\"\n[tenants.u]\nbase_url = \"https://u-dev.id.forgerock.io\"",
            "config.toml",
        )
        .unwrap();

        assert_eq!(resolve(Some("t"), &config).unwrap().name, "t");
        assert_eq!(resolve(Some("http://127.0.0.1:9/x"), &config).unwrap().name, "t");
        assert!(!resolve(Some("v-dev.id.forgerock.io"), &config).unwrap().configured);
        assert_eq!(resolve(Some("v-dev.id.forgerock.io:444"), &config).unwrap().name, "v-dev.id.forgerock.io:444");
        assert_eq!(resolve(Some(" t "), &config).unwrap().origin().to_string(), "http://127.0.0.1:9");
        assert_eq!(resolve(None, &config), Err(TenantError::None(2)));
        let one = Config::parse("[tenants.t]\nbase_url = \"https://x\"", "config.toml").unwrap();
        assert_eq!(resolve(None, &one).unwrap().name, "t");
        assert!(matches!(resolve(Some("http://127.0.0.1:10"), &config), Err(TenantError::UnnamedLoopback(_))));
    }
}
