//! Decides what a client may call: pauses, read-only modes and tool sets. Pure.

use std::collections::BTreeSet;

use aic_proto::catalogue::{Selection, Tool, Toolset};
use aic_proto::hello::ShimHello;
use aic_proto::refusal::{Failure, Kind};

use crate::config::Tenant;

/// What a shim said of itself, as a selection of tools.
pub fn selection(hello: &ShimHello) -> Selection {
    let named = |names: &Vec<String>| names.iter().filter_map(|name| Toolset::parse(name)).collect::<BTreeSet<_>>();
    Selection { read_only: hello.read_only, toolsets: hello.toolsets.as_ref().map(named), container: hello.container }
}

/// Whether a client may call a tool on a tenant now.
///
/// Errors: `not_allowed` with the switch that says so.
pub fn may_call(tool: &Tool, selection: &Selection, tenant: &Tenant, paused: bool) -> Result<(), Failure> {
    let refuse = |message: String, hint: &str| Err(Failure::new(Kind::NotAllowed, message).with_hint(hint));
    if paused {
        return refuse("all calls are paused by the user of this machine".to_owned(), "aic-broker resume");
    }
    if tenant.entry.read_only && !tool.hints.read_only {
        let message = format!("{} changes things, and the configuration makes {} read-only", tool.name, tenant.name);
        return refuse(message, "set read_only = false for the tenant in config.toml");
    }
    match selection.admits(tool) {
        true => Ok(()),
        false => refuse(
            format!("{} is left out by --read-only, --toolsets or container mode", tool.name),
            "change the arguments of aic-mcp in the editor's configuration",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aic_proto::catalogue::find;

    use super::*;
    use crate::config::{Config, resolve};

    fn tenant(read_only: bool) -> Tenant {
        let mut tenant = resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap();
        tenant.entry.read_only = read_only;
        tenant
    }

    fn hello(read_only: bool, toolsets: Option<&[&str]>) -> ShimHello {
        let toolsets = toolsets.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        ShimHello { client: String::new(), tenant: None, read_only, toolsets, container: false }
    }

    #[test]
    fn each_switch_refuses_what_it_is_for() {
        let (reads, writes) = ("queryESVs", "setVariable");
        let (all, reading, logs) = (hello(false, None), hello(true, None), hello(false, Some(&["logs", "strange"])));
        let cases = [
            (reads, &all, false, false, None),
            (writes, &all, false, false, None),
            (reads, &all, false, true, Some("paused")),
            (reads, &all, true, false, None),
            (writes, &all, true, false, Some("configuration")),
            (reads, &reading, false, false, None),
            (writes, &reading, false, false, Some("left out")),
            (reads, &logs, false, false, Some("left out")),
            ("queryLogs", &logs, false, false, None),
        ];

        for (name, hello, tenant_reads, paused, wanted) in cases {
            let refusal = may_call(find(name).unwrap(), &selection(hello), &tenant(tenant_reads), paused).err();
            let told = refusal.map(|failure| failure.message);
            assert_eq!(told.is_some(), wanted.is_some(), "{name}: {told:?}");
            assert!(told.unwrap_or_default().contains(wanted.unwrap_or_default()), "{name}");
        }
    }
}
