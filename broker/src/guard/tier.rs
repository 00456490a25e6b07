//! Decides whether a tenant is one of those that may be administered: development and sandbox only. Pure, fails closed.

use aic_proto::refusal::{Failure, Kind};
use serde_json::Value;

use super::refused;
use crate::aic::{Fault, Reply};
use crate::config::Tenant;

/// Words of a host that refuse it before anybody signs in.
const REFUSED_HOST_WORDS: [&str; 6] = ["prod", "production", "staging", "stg", "uat", "pre"];
/// Words of a tier that refuse the tenant.
const REFUSED_TIER_WORDS: [&str; 5] = ["prod", "production", "staging", "stg", "uat"];
/// Words of a host that vouch for it where the tenant itself says nothing readable.
const VOUCHING_HOST_WORDS: [&str; 3] = ["dev", "sandbox", "demo"];
/// The domains of AIC.
const AIC_DOMAINS: [&str; 2] = [".id.forgerock.io", ".forgeblocks.com"];

/// What the tenant's own word comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It may be administered.
    Fit,
    /// Not while it is locked.
    Locked(Failure),
    /// Never.
    Unfit(Failure),
    /// It did not say.
    Unreachable(Failure),
}

/// Judges a tenant by its host, before anybody signs in.
///
/// Source: the contract's section 8, rule 1.
/// Errors: `tenant_refused` with the exact lines to add, where lines help.
pub fn before_sign_in(tenant: &Tenant) -> Result<(), Failure> {
    let host = tenant.origin().host();
    if let Some(word) = REFUSED_HOST_WORDS.iter().find(|word| has_word(host, word)) {
        return Err(refused(format!(
            "{host} is refused: \"{word}\" in its name says that it is not a development or sandbox tenant, and only those are administered"
        )));
    }
    let known = AIC_DOMAINS.iter().any(|domain| host.ends_with(domain));
    match known || tenant.entry.environment.is_some() {
        true => Ok(()),
        false => Err(refused(format!("{host} is outside AIC's own domains, so its kind must be stated"))
            .with_hint(lines_to_add(tenant))),
    }
}

/// Judges what `GET /environment/info` said.
///
/// Source: the contract's section 8, rule 2: the neighbours (`tiers`, `upperTierDisplayName`) say nothing of this tenant.
pub fn judge(info: &Result<Reply, Fault>, tenant: &Tenant) -> Verdict {
    match info {
        Ok(reply) => judge_info(&reply.body, tenant),
        Err(Fault::Unreadable { .. }) => unreadable(tenant),
        Err(Fault::Upstream(upstream)) if upstream.status < 500 && upstream.status != 429 => unreadable(tenant),
        Err(fault) => {
            let message =
                format!("{} did not say which kind of tenant it is, so no tool was run: {fault}", tenant.name);
            Verdict::Unreachable(
                Failure::new(Kind::Unreachable, message).with_hint("call the tool again, or run aic-broker doctor"),
            )
        }
    }
}

fn judge_info(info: &Value, tenant: &Tenant) -> Verdict {
    let Some(immutable) = info.get("immutable").and_then(Value::as_bool) else { return unreadable(tenant) };
    let name = info.get("promotionTierInfo").and_then(|tiers| tiers.get("tierDisplayName"));
    let tiers = [info.get("tier"), name].into_iter().flatten().filter_map(Value::as_str);
    let refused_tier = tiers.into_iter().find(|tier| REFUSED_TIER_WORDS.iter().any(|word| has_word(tier, word)));
    let locked = info.get("locked").and_then(Value::as_bool) == Some(true);
    match (immutable, refused_tier, locked) {
        (true, ..) => Verdict::Unfit(refused(format!(
            "{} says that it is immutable: it is a staging or production tenant, and only development and sandbox tenants are administered",
            tenant.name
        ))),
        (false, Some(tier), _) => Verdict::Unfit(refused(format!(
            "{} says that its tier is \"{}\", and only development and sandbox tenants are administered",
            tenant.name,
            tier.escape_debug()
        ))),
        (false, None, true) => Verdict::Locked(refused(format!(
            "{} is locked while a promotion runs; call the tool again when it is over",
            tenant.name
        ))),
        (false, None, false) => Verdict::Fit,
    }
}

fn unreadable(tenant: &Tenant) -> Verdict {
    let host = tenant.origin().host();
    let vouched = VOUCHING_HOST_WORDS.iter().any(|word| has_word(host, word));
    match vouched || tenant.entry.environment.is_some() {
        true => Verdict::Fit,
        false => {
            let message = format!("{host} does not say which kind of tenant it is, and its name does not either");
            Verdict::Unfit(refused(message).with_hint(lines_to_add(tenant)))
        }
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
}

fn lines_to_add(tenant: &Tenant) -> String {
    let name =
        tenant.origin().host().split('.').next().unwrap_or("tenant").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!(
        "if it is one, add to config.toml:\n[tenants.{name}]\nbase_url = \"{}\"\nenvironment = \"development\"   # or \"sandbox\"",
        tenant.origin()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::aic::Upstream;
    use crate::config::{Config, resolve};

    fn tenant(host: &str) -> Tenant {
        resolve(Some(host), &Config::default()).unwrap()
    }

    fn stated() -> Tenant {
        let text = "[tenants.t]\nbase_url = \"https://aic.example.com\"\nenvironment = \"sandbox\"";
        resolve(Some("t"), &Config::parse(text, "config.toml").unwrap()).unwrap()
    }

    #[test]
    fn a_host_is_judged_before_anybody_signs_in() {
        let cases = [
            ("openam-acme-dev.id.forgerock.io", true),
            ("openam-acme.forgeblocks.com", true),
            ("openam-acme-prod.id.forgerock.io", false),
            ("openam-acme-staging.id.forgerock.io", false),
            ("openam-acme-stg.forgeblocks.com", false),
            ("openam-acme-uat.id.forgerock.io", false),
            ("openam-acme-pre.id.forgerock.io", false),
            ("openam-product-dev.id.forgerock.io", true),
            ("evil.example.com", false),
            ("openam-acme-dev.id.forgerock.io.evil.example", false),
            ("id.forgerock.io", false),
        ];

        for (host, wanted) in cases {
            assert_eq!(before_sign_in(&tenant(host)).is_ok(), wanted, "{host}");
        }
        assert!(before_sign_in(&stated()).is_ok());
        let hint = before_sign_in(&tenant("my-aic.example.com")).unwrap_err().hint.unwrap();
        assert!(hint.contains("[tenants.my-aic]\nbase_url = \"https://my-aic.example.com\"\nenvironment = "), "{hint}");
    }

    #[test]
    fn a_tenant_is_judged_by_its_own_word() {
        let silent = tenant("openam-acme.forgeblocks.com");
        let said = |value: Value| Ok(Reply { status: 200, body: value, transaction_id: None, etag: None });
        let failed = |status: u16| Err(Fault::Upstream(Box::new(Upstream::read(status, b"", None))));
        let plain = json!({"immutable": false, "locked": false, "tier": "other"});
        let below = json!({"immutable": false, "tier": "other", "promotionTierInfo":
            {"tierDisplayName": "development", "tiers": ["development", "staging", "production"], "upperTierDisplayName": "Staging"}});
        let named = json!({"immutable": false, "promotionTierInfo": {"tierDisplayName": "Production"}});
        type Wanted = fn(&Verdict) -> bool;
        let fit: Wanted = |verdict| *verdict == Verdict::Fit;
        let unfit: Wanted = |verdict| matches!(verdict, Verdict::Unfit(_));
        let cases: [(&str, Result<Reply, Fault>, Wanted); 14] = [
            ("plain", said(plain), fit),
            ("below staging", said(below), fit),
            ("immutable", said(json!({"immutable": true})), unfit),
            ("locked", said(json!({"immutable": false, "locked": true})), |verdict| {
                matches!(verdict, Verdict::Locked(_))
            }),
            ("tier", said(json!({"immutable": false, "tier": "PROD"})), unfit),
            ("tier name", said(named), unfit),
            ("staging tier", said(json!({"immutable": false, "tier": "eu-staging"})), unfit),
            ("no booleans", said(json!({"tier": "other"})), unfit),
            ("immutable as text", said(json!({"immutable": "false"})), unfit),
            ("not JSON", Err(Fault::Unreadable { status: 200, transaction_id: None }), unfit),
            ("403", failed(403), unfit),
            ("500", failed(500), |verdict| matches!(verdict, Verdict::Unreachable(_))),
            ("429", failed(429), |verdict| matches!(verdict, Verdict::Unreachable(_))),
            ("gone", Err(Fault::NotSent(String::new())), |verdict| matches!(verdict, Verdict::Unreachable(_))),
        ];

        for (name, info, wanted) in cases {
            assert!(wanted(&judge(&info, &silent)), "{name}");
        }
        assert_eq!(judge(&failed(403), &stated()), Verdict::Fit);
        assert_eq!(judge(&failed(404), &tenant("openam-acme-dev.id.forgerock.io")), Verdict::Fit);
    }
}
