//! Declares the tools of the tool set `featureManagement`.

use super::{AM, Hints, IDM, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "enableAiAgent",
        title: "Enable AI Agents",
        description: "Turns on AI Agents for the whole tenant: IDM and both realms of AM. No undo: ask the user \
            first. State: listFeatures.",
        toolset: Toolset::FeatureManagement,
        scopes: &[AM, IDM],
        hints: Hints::OVERWRITES,
        input: closed!([]),
    },
    Tool {
        name: "installIdmFeature",
        title: "Install IDM feature",
        description: "Installs an IDM feature for the whole tenant. No undo: ask the user and call \
            validateIdmFeature first. AI Agents: enableAiAgent.",
        toolset: Toolset::FeatureManagement,
        scopes: &[IDM],
        hints: Hints::REPLACES,
        input: closed!([r#""featureName""#] feature_name!()),
    },
    Tool {
        name: "listFeatures",
        title: "List features",
        description: "IDM features (featureName of other tools) with installed and available versions; last, AI \
            Agents in IDM and both realms: installed, not_installed, or indeterminate (they differ or a realm could \
            not be read).",
        toolset: Toolset::FeatureManagement,
        scopes: &[AM, IDM],
        hints: Hints::READS,
        input: closed!([]),
    },
    Tool {
        name: "validateIdmFeature",
        title: "Validate IDM feature",
        description: "Dry run of installIdmFeature: installs nothing. success false in the answer means the install \
            would fail.",
        toolset: Toolset::FeatureManagement,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""featureName""#] feature_name!()),
    },
];
