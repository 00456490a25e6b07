//! Configurations: a wrong one is told with a line that it has, and a right one names no address that is not the tenant's.

use aic_broker::fuzzing::{Config, ConfigError, resolve};

use super::{assert_plain, steers};

/// The text of a `config.toml`, and of a tenant as somebody may name it.
pub(super) fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(text, "config.toml") {
        Ok(config) => every_tenant_is_sound(&config),
        Err(ConfigError::Wrong { line, key, reason, .. }) => {
            assert!((1..=text.split('\n').count()).contains(&line), "line {line}: {reason}");
            let lines: Vec<&str> = text.split('\n').collect();
            let seen: String = lines[line - 1].chars().map(|c| if steers(c) { ' ' } else { c }).collect();
            assert!(seen.contains(&key), "{key:?} is not in line {line}");
            assert_plain(&key);
            assert_plain(&reason);
        }
        Err(other) => panic!("{other}"),
    }
    if let Ok(tenant) = resolve(Some(text), &Config::default()) {
        assert!(tenant.origin().url().scheme() == "https" && !tenant.configured);
        assert_eq!(tenant.origin().url().path(), "/");
    }
}

fn every_tenant_is_sound(config: &Config) {
    for (name, entry) in &config.tenants {
        let origin = &entry.base_url;
        let url = origin.url();
        let loopback = ["localhost", "[::1]"].contains(&origin.host()) || origin.host().starts_with("127.");
        assert!(url.scheme() == "https" || (origin.is_http() && loopback), "{url}");
        assert!(url.username().is_empty() && url.password().is_none());
        for path in [&entry.authorize_path, &entry.token_path, &entry.device_path, &entry.revoke_path] {
            let endpoint = origin.at(path.as_str());
            assert_eq!(endpoint.origin(), url.origin(), "{endpoint}");
            assert!(endpoint.query().is_none() && endpoint.fragment().is_none(), "{endpoint}");
        }
        let redirect = url::Url::parse(entry.redirect_uri.as_str()).expect("a redirect URI is a URL");
        assert_eq!(redirect.scheme(), "http");
        assert_eq!(redirect.port_or_known_default(), Some(entry.redirect_uri.port));
        let named = resolve(Some(name), config).ok().filter(|_| name == name.trim());
        assert!(named.is_none_or(|tenant| tenant.entry == *entry));
    }
}
