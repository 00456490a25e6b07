//! Judges what the shell sets and a broker that an editor starts does not get: proxies and certificates.

use std::path::Path;

use super::finding::{Line, Name, quoted};
use crate::config::Config;

const CHECK: &str = "environment";
/// The usual proxy variables for HTTPS.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The usual certificate variable.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Judges the environment; `variable` reads it.
pub(super) fn judge(config: &Config, file: &Path, variable: impl Fn(&str) -> Option<String>) -> Vec<Line> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let edit = |what: String| format!("${{EDITOR:-vi}} {}  # {what}", quoted(file));
    let mut lines = Vec::new();
    if let Some(name) = PROXIES.iter().find(|name| config.proxy.is_none() && set(name).is_some()) {
        let text = format!("{name} is set in this shell, and a broker that an editor starts goes without a proxy");
        lines.push(Line::found(CHECK, Name::ProxyOnlyInShell, text, edit(format!("proxy = the value of {name}"))));
    }
    if config.ca_file.is_none() && set(CERTIFICATES).is_some() {
        let text = format!("{CERTIFICATES} is set in this shell, and a broker that an editor starts does not get it");
        let fix = edit(format!("ca_file = the value of {CERTIFICATES}"));
        lines.push(Line::found(CHECK, Name::CertificatesOnlyInShell, text, fix));
    }
    if lines.is_empty() {
        lines.push(Line::fine(CHECK, "nothing is set that editors would not pass on"));
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::type_complexity)]

    use super::*;

    #[test]
    fn what_only_the_shell_has_is_told() {
        let proxy = Some(Name::ProxyOnlyInShell);
        let certificates = Some(Name::CertificatesOnlyInShell);
        let cases: [(&str, &[&str], Vec<Option<Name>>); 5] = [
            ("", &[], vec![None]),
            ("", &["HTTPS_PROXY"], vec![proxy]),
            ("", &["all_proxy", "SSL_CERT_FILE"], vec![proxy, certificates]),
            ("proxy = \"http://p:1\"", &["HTTPS_PROXY"], vec![None]),
            ("ca_file = \"/c\"", &["SSL_CERT_FILE"], vec![None]),
        ];

        for (config, set, wanted) in cases {
            let config = Config::parse(config, "c").unwrap();
            let lines = judge(&config, Path::new("/c"), |name| set.contains(&name).then(|| "x".to_owned()));
            assert_eq!(lines.iter().map(|line| line.finding).collect::<Vec<_>>(), wanted, "{set:?}");
        }
    }
}
