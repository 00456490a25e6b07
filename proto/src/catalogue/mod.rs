//! The tool catalogue: what `tools/list` shows and which scopes a call needs. Pure data; touches nothing outside.
//!
//! Follows spec/interface.md sections 4 and 6 and the MCP specification's *Tools*. A tool is a value, one file a tool set.

use std::collections::BTreeSet;

#[macro_use]
mod schema;
mod am;
mod applications;
mod esv;
mod feature_management;
mod logs;
mod managed_objects;
mod session;
mod themes;

#[cfg(test)]
mod tests;

const IDM: &str = "fr:idm:*";
const AM: &str = "fr:am:*";
const LOGS: &str = "fr:idc:monitoring:*";
const ESV_READ: &str = "fr:idc:esv:read";
const ESV_UPDATE: &str = "fr:idc:esv:update";

/// The families in the order of the list.
const FAMILIES: [&[Tool]; 8] = [
    session::TOOLS,
    managed_objects::TOOLS,
    logs::TOOLS,
    themes::TOOLS,
    esv::TOOLS,
    feature_management::TOOLS,
    am::TOOLS,
    applications::TOOLS,
];

/// Room for the whole list, so that building it allocates once.
const LISTING_BYTES: usize = 36_000;

/// One tool as it is offered to MCP clients.
#[derive(Debug)]
pub struct Tool {
    /// The name that `tools/call` gives.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// What the model reads to choose and fill it. Holds no character that JSON escapes.
    pub description: &'static str,
    /// The family it belongs to.
    pub toolset: Toolset,
    /// The scopes a call's token carries; empty when the call needs no token.
    pub scopes: &'static [&'static str],
    /// The annotations.
    pub hints: Hints,
    /// The arguments' JSON Schema (2020-12) as compact JSON text.
    pub input: &'static str,
}

/// A tool's annotations.
///
/// Source: MCP 2025-11-25, `ToolAnnotations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// May overwrite or remove what was there.
    pub destructive: bool,
    /// The same call again has no further effect.
    pub idempotent: bool,
    /// Reaches the tenant.
    pub open_world: bool,
}

impl Hints {
    /// Reads from the tenant.
    const READS: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: true };
    /// Answers from the programs themselves.
    const READS_HERE: Self = Self { open_world: false, ..Self::READS };
    /// Adds something new at each call.
    const ADDS: Self = Self { idempotent: false, ..Self::SETS };
    /// Adds something new; a repeat is refused because it exists.
    const ADDS_ONCE: Self = Self::SETS;
    /// Chooses among what exists; nothing is lost.
    const SETS: Self = Self { read_only: false, ..Self::READS };
    /// Overwrites or removes for good; a repeat finds nothing more to do.
    const OVERWRITES: Self = Self { destructive: true, ..Self::SETS };
    /// Overwrites or removes for good, and a repeat may do so again.
    const REPLACES: Self = Self { idempotent: false, ..Self::OVERWRITES };
}

/// A family of tools, the unit of `--toolsets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Toolset {
    /// Objects of IDM and their types.
    ManagedObjects,
    /// Log entries.
    Logs,
    /// The look of the hosted pages.
    Themes,
    /// Environment secrets and variables.
    Esv,
    /// IDM features and AI Agents.
    FeatureManagement,
    /// Journeys, nodes and scripts.
    Am,
    /// OIDC applications.
    Applications,
    /// The session itself: always there, so it cannot be chosen.
    Session,
}

impl Toolset {
    /// Those that can be chosen, in the order of the list.
    pub const CHOICES: [Self; 7] = [
        Self::ManagedObjects,
        Self::Logs,
        Self::Themes,
        Self::Esv,
        Self::FeatureManagement,
        Self::Am,
        Self::Applications,
    ];

    /// The name in `--toolsets`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ManagedObjects => "managedObjects",
            Self::Logs => "logs",
            Self::Themes => "themes",
            Self::Esv => "esv",
            Self::FeatureManagement => "featureManagement",
            Self::Am => "am",
            Self::Applications => "applications",
            Self::Session => "session",
        }
    }

    /// Finds the choice of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::CHOICES.into_iter().find(|choice| choice.name() == name)
    }

    /// Tells whether container mode offers it unasked: a device-flow token cannot reach AM's own APIs.
    pub const fn in_container(self) -> bool {
        !matches!(self, Self::Am | Self::Applications)
    }
}

/// Which tools a shim offers and allows. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only tools that change nothing.
    pub read_only: bool,
    /// Only these families, besides the session's; absent for all.
    pub toolsets: Option<BTreeSet<Toolset>>,
    /// Container mode.
    pub container: bool,
}

impl Selection {
    /// Tells whether a tool is offered. `signIn` is no reading tool: with `read_only` calls still start a sign-in themselves.
    pub fn admits(&self, tool: &Tool) -> bool {
        (tool.hints.read_only || !self.read_only) && self.admits_toolset(tool.toolset)
    }

    fn admits_toolset(&self, toolset: Toolset) -> bool {
        match &self.toolsets {
            _ if toolset == Toolset::Session => true,
            Some(chosen) => chosen.contains(&toolset),
            None => toolset.in_container() || !self.container,
        }
    }
}

/// All tools: the session's first, then family by family, by name inside each. The order never changes.
pub fn all() -> impl Iterator<Item = &'static Tool> {
    FAMILIES.into_iter().flatten()
}

/// The tool of that name.
pub fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name)
}

/// The tools a selection admits, as the JSON text of the array `tools` of `tools/list`.
///
/// Shape: `[{"name","title","description","inputSchema","annotations"}…]`. Joined from text: it is on the shim's start path.
pub fn listing(selection: &Selection) -> String {
    let mut text = String::with_capacity(LISTING_BYTES);
    for tool in all().filter(|tool| selection.admits(tool)) {
        text.push(if text.is_empty() { '[' } else { ',' });
        tool.write(&mut text);
    }
    if text.is_empty() {
        text.push('[');
    }
    text.push(']');
    text
}

impl Tool {
    fn write(&self, text: &mut String) {
        let members =
            [r#"{"name":""#, self.name, r#"","title":""#, self.title, r#"","description":""#, self.description];
        text.extend(members);
        text.extend([r#"","inputSchema":"#, self.input, r#","annotations":"#]);
        self.hints.write(text);
        text.push('}');
    }
}

impl Hints {
    fn write(self, text: &mut String) {
        let members = [
            (r#"{"readOnlyHint":"#, self.read_only),
            (r#","destructiveHint":"#, self.destructive),
            (r#","idempotentHint":"#, self.idempotent),
            (r#","openWorldHint":"#, self.open_world),
        ];
        for (member, value) in members {
            text.extend([member, if value { "true" } else { "false" }]);
        }
        text.push('}');
    }
}
