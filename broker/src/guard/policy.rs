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
