//! Judges the tenants that config.toml names.

use std::path::Path;

use super::finding::{Line, Name, quoted};
use crate::config::{Config, Tenant};
use crate::guard::tier;

const CHECK: &str = "tenants";

/// The tenants of the configuration.
pub(super) fn all(config: &Config) -> Vec<Tenant> {
    let tenant =
        |(name, entry): (&String, _)| Tenant { name: name.clone(), entry: Clone::clone(entry), configured: true };
    config.tenants.iter().map(tenant).collect()
}

/// Judges them.
pub(super) fn judge(tenants: &[Tenant], file: &Path) -> Vec<Line> {
    if tenants.is_empty() {
        let file = quoted(file);
        let add = format!(
            "mkdir -p \"$(dirname {file})\" && printf '[tenants.acme-dev]\\nbase_url = \"https://openam-acme-dev.id.forgerock.io\"\\n' >> {file}  # with your tenant's host"
        );
        let text = "config.toml names none: editors must give AIC_BASE_URL, and commands --tenant";
        return vec![Line::found(CHECK, Name::TenantsNone, text, add)];
    }
    let mut lines: Vec<Line> = tenants.iter().filter_map(|tenant| refused(tenant, file)).collect();
    if lines.is_empty() {
        lines.push(Line::fine(CHECK, named(tenants)));
    }
    lines
}

fn refused(tenant: &Tenant, file: &Path) -> Option<Line> {
    let failure = tier::before_sign_in(tenant).err()?;
    let hint = failure.hint.unwrap_or_else(|| format!("remove [tenants.{}]", tenant.name));
    let fix = format!("${{EDITOR:-vi}} {}  # {}", quoted(file), hint.replace('\n', " "));
    Some(Line::found(CHECK, Name::TenantRefused, format!("{}: {}", tenant.name, failure.message), fix))
}

fn named(tenants: &[Tenant]) -> String {
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    match names.len() {
        1 => format!("{} is used where none is named", names.concat()),
        _ => format!("{}: editors and commands must name one of them", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_set_of_tenants_has_its_finding() {
        let cases = [
            ("", Some(Name::TenantsNone)),
            ("[tenants.d]\nbase_url = \"https://x-dev.id.forgerock.io\"", None),
            ("[tenants.p]\nbase_url = \"https://x-prod.id.forgerock.io\"", Some(Name::TenantRefused)),
            ("[tenants.e]\nbase_url = \"https://x.example.com\"", Some(Name::TenantRefused)),
            ("[tenants.e]\nbase_url = \"https://x.example.com\"\nenvironment = \"sandbox\"", None),
        ];

        for (text, wanted) in cases {
            let config = Config::parse(text, "c").unwrap();
            assert_eq!(judge(&all(&config), Path::new("/c")).first().and_then(|line| line.finding), wanted, "{text}");
        }
    }
}
