//! Declares the tools of the tool set `am`: journeys, their nodes and scripts.

use super::{AM, Hints, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "createJourney",
        title: "Create journey",
        description: "Writes a whole journey (authentication tree) and returns the UUIDs of its nodes. OVERWRITES a \
            journey of that name, no undo: check listJourneys first. Node types and configs: listNodeTypes, \
            getNodeTypeDetails. Connect every outcome; no node to itself.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::REPLACES,
        input: closed!([r#""realm","journeyName","journeyData""#] realm!(), journey_name!(),
            r#""description":{"type":"string"}"#, identity_resource!(),
            concat!(r#""journeyData":"#, closed!([r#""entryNodeId","nodes""#] graph!(
                r#","description":"By id: any word (becomes a new UUID) or an existing UUID; entryNodeId is one of them""#,
                r#","description":"Outcome to a key of nodes, success or failure""#,
                r#","description":"A PageNode has its children in nodes""#)))),
    },
    Tool {
        name: "createScript",
        title: "Create script",
        description: "Creates a next-generation JavaScript for the Scripted Decision Node and returns its id, for \
            that node's config.script. Bindings: getScriptedDecisionNodeBindings. A name in use is refused. Source \
            is not checked.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::ADDS_ONCE,
        input: closed!([r#""realm","name","script""#] realm!(), r#""name":{"type":"string","minLength":1}"#,
            r#""description":{"type":"string"}"#,
            r#""script":{"type":"string","minLength":1,"description":"Plain source; sets outcome by action.goTo"}"#),
    },
    Tool {
        name: "deleteJourney",
        title: "Delete journey",
        description: "Deletes a journey. No undo: read it with getJourney first. Journeys that use it as an inner \
            tree break.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","journeyName""#] realm!(), journey_name!()),
    },
    Tool {
        name: "deleteJourneyNodes",
        title: "Delete journey nodes",
        description: "Deletes node instances that a changed journey left behind. No undo; a journey that still uses \
            one breaks, and nothing checks that. Success is told per node.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","nodes""#] realm!(),
            concat!(r#""nodes":{"type":"array","minItems":1,"items":"#,
                closed!([r#""nodeType","nodeId""#] node_type!(), concat!(r#""nodeId":{"#, segment!(), "}")), "}")),
    },
    Tool {
        name: "deleteScript",
        title: "Delete script",
        description: "Deletes a script. No undo: keep its source (getAMScript). A journey that still uses it \
            breaks.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","scriptId""#] realm!(), script_id!()),
    },
    Tool {
        name: "getAMScript",
        title: "Get script",
        description: "One script of any kind with its source as plain text. Ids: listScripts or a node's \
            config.script.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm","scriptId""#] realm!(), script_id!()),
    },
    Tool {
        name: "getDynamicNodeOutcomes",
        title: "Get dynamic node outcomes",
        description: "Outcomes a node would have with a given config (choices, scripts, PageNode): the keys for its \
            connections. Changes nothing.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm","nodeType","config""#] realm!(), node_type!(),
            object!("config", "The config the node is to have")),
    },
    Tool {
        name: "getJourney",
        title: "Get journey",
        description: "A journey's graph, the config of every node (children of PageNodes too) and the schemas of \
            their types. Long; unreadable parts are named. Call it before updateJourney or updateJourneyNode.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm","journeyName""#] realm!(), journey_name!()),
    },
    Tool {
        name: "getJourneyPreviewUrl",
        title: "Get journey preview URL",
        description: "URL at which the user can try a journey in a browser. Sends nothing; existence is not \
            checked.",
        toolset: Toolset::Am,
        scopes: &[],
        hints: Hints::READS_HERE,
        input: closed!([r#""realm""#] realm!(),
            concat!(r#""journeyName":{"#, segment!(), r#","description":"Default: the realm's default journey"}"#)),
    },
    Tool {
        name: "getNodeTypeDetails",
        title: "Get node type details",
        description: "Config schema, default config (template) and outcomes of node types, for writing configs; \
            several at once. Failures are told per type.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm","nodeTypes""#] realm!(),
            concat!(r#""nodeTypes":{"type":"array","minItems":1,"items":{"#, segment!(),
                r#"},"description":"_id by listNodeTypes, e.g. PageNode"}"#)),
    },
    Tool {
        name: "getScriptedDecisionNodeBindings",
        title: "Get script bindings",
        description: "What a Scripted Decision Node's script can use: bindings with methods, allowed Java classes. \
            Long.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!()),
    },
    Tool {
        name: "listJourneys",
        title: "List journeys",
        description: "All journeys of a realm with settings and graphs, and which is the default. Node configs: \
            getJourney.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!()),
    },
    Tool {
        name: "listNodeTypes",
        title: "List node types",
        description: "Node types (over 200) that a realm's journeys can use, with name and tags.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!()),
    },
    Tool {
        name: "listScripts",
        title: "List scripts",
        description: "Ids and names of a realm's next-generation decision-node scripts. Legacy and other kinds are \
            not listed.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!()),
    },
    Tool {
        name: "setDefaultJourney",
        title: "Set default journey",
        description: "Sets the journey that users of the realm meet when none is named. A broken one can lock them \
            out: try it first (getJourneyPreviewUrl); not even existence is checked. To go back, set the former one \
            (listJourneys).",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::SETS,
        input: closed!([r#""realm","journeyName""#] realm!(), journey_name!()),
    },
    Tool {
        name: "updateJourney",
        title: "Update journey",
        description: "Changes settings of a journey, its graph, or both; what is not given stays. entryNodeId and \
            nodes, as in createJourney, go together and replace the WHOLE graph: give all nodes (getJourney), under \
            their UUIDs to keep them. Dropped nodes stay stored until deleteJourneyNodes. No undo. One node's \
            config: updateJourneyNode.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::REPLACES,
        input: closed!([r#""realm","journeyName""#] realm!(), journey_name!(),
            r#""description":{"type":"string"}"#, identity_resource!(),
            r#""mustRun":{"type":"boolean","description":"Run even with a session"}"#,
            r#""innerTreeOnly":{"type":"boolean"}"#,
            object!("uiConfig", "e.g. categories: a JSON list as a string"),
            r#""enabled":{"type":"boolean"}"#,
            r#""maximumSessionTime":{"type":"number","description":"Minutes"}"#,
            r#""maximumIdleTime":{"type":"number","description":"Minutes"}"#, graph!();
            r#""minProperties":3,"dependentRequired":{"nodes":["entryNodeId"],"entryNodeId":["nodes"]}"#),
    },
    Tool {
        name: "updateJourneyNode",
        title: "Update journey node",
        description: "Replaces the WHOLE config of an existing node: take the present one from getJourney, change \
            it, send all of it. No undo. Connections: updateJourney.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","nodeType","nodeId","config""#] realm!(), node_type!(),
            r#""nodeId":{"type":"string","pattern":"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}"#,
            object!("config", "An _id in it must be nodeId")),
    },
    Tool {
        name: "updateScript",
        title: "Update script",
        description: "Changes name, description or source of a script of any kind. The old source is not kept: read \
            it first (getAMScript). Journeys run the new one at once.",
        toolset: Toolset::Am,
        scopes: &[AM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","scriptId""#] realm!(), script_id!(), r#""name":{"type":"string","minLength":1}"#,
            r#""description":{"type":"string"}"#,
            r#""script":{"type":"string","minLength":1,"description":"Plain source, whole"}"#; r#""minProperties":3"#),
    },
];
