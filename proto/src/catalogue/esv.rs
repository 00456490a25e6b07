//! Declares the tools of the tool set `esv`: environment secrets and variables.

use super::{ESV_READ, ESV_UPDATE, Hints, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "deleteVariable",
        title: "Delete variable",
        description: "Deletes an ESV variable. No undo; what names it fails after the next restart of the tenant's \
            services.",
        toolset: Toolset::Esv,
        scopes: &[ESV_UPDATE],
        hints: Hints::OVERWRITES,
        input: closed!([r#""variableId""#] variable_id!(124)),
    },
    Tool {
        name: "getVariable",
        title: "Get variable",
        description: "One ESV variable with its value decoded. loaded false: changed, not yet active. Secrets \
            cannot be read.",
        toolset: Toolset::Esv,
        scopes: &[ESV_READ],
        hints: Hints::READS,
        input: closed!([r#""variableId""#] variable_id!(124)),
    },
    Tool {
        name: "queryESVs",
        title: "Query ESVs",
        description: "One page of ESV variables or secrets. A variable's readable value: getVariable; a secret's \
            never comes.",
        toolset: Toolset::Esv,
        scopes: &[ESV_READ],
        hints: Hints::READS,
        input: closed!([r#""type""#] r#""type":{"type":"string","enum":["variable","secret"]}"#,
            r#""queryTerm":{"type":"string","maxLength":100,"description":"Part of the id; default all"}"#,
            page!(100, 50),
            r#""sortKeys":{"type":"string","maxLength":200,"description":"e.g. _id or -lastChangeDate"}"#),
    },
    Tool {
        name: "setVariable",
        title: "Set variable",
        description: "Creates an ESV variable or overwrites it: the old value is lost, and the description unless \
            given again. An existing one's type cannot change. Active after a restart of the tenant's services, \
            which no tool here does. Not for secrets.",
        toolset: Toolset::Esv,
        scopes: &[ESV_UPDATE],
        hints: Hints::OVERWRITES,
        input: closed!([r#""variableId","value","type""#] variable_id!(120),
            r#""value":{"description":"Plain JSON that fits type, e.g. true for bool. list: \"a,b\" or an array. string takes numbers and booleans too"}"#,
            r#""type":{"type":"string","enum":["string","array","object","bool","int","number","list"]}"#,
            r#""description":{"type":"string"}"#),
    },
];
